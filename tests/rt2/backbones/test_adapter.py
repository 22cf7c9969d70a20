"""A backbone as a VLA: its prompts, what its answers are restricted to, batches, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from backbone_cases import act_inputs, backbone_contract, demonstrations

from rt2.backbones.adapter import VLMBackbone
from rt2.backbones.batches import NO_LABEL, batch_tensors
from rt2.backbones.checkpoint import open_base
from rt2.backbones.families import Views
from rt2.backbones.prompting import Prompting, StateRanges, action_question, tile
from rt2.backbones.tiny import FAMILIES, write_tiny_backbone
from rt2.backbones.vocabulary import Scheme, choose_actions
from rt2.errors import CheckpointError, InputError, PromptError
from rt2.vla import ActInput

FRAMES = demonstrations(pictures=3)
SENTENCES = ["pick up the red block", "pick up the blue block"]
QUESTIONS = [action_question(sentence) for sentence in SENTENCES]
RANGES = StateRanges(low=(0.0, -1.0, 0.0), high=(1.0, 1.0, 0.1))


def untuned(
    folder: Path, *, scheme: Scheme = "overwrite", views: Views | None = None, states: StateRanges | None = RANGES
) -> VLMBackbone:
    model, processor = open_base(str(folder), "float32")
    prompting = Prompting(processor, model.config, views=views, states=states)
    contract = backbone_contract()
    actions = choose_actions(scheme, prompting, contract.dimensions, contract.bins, QUESTIONS)
    stated = contract.model_copy(update={"vocabulary": scheme, "token_ids": tuple(actions.ids.tolist())})
    return VLMBackbone(model, prompting, stated)


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {family: write_tiny_backbone(family, tmp_path_factory.mktemp(family)) for family in FAMILIES}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_prompt_is_rt2s_question_behind_both_pictures(family: str, bases: dict[str, Path]) -> None:
    backbone = untuned(bases[family])
    tokenizer = backbone.prompting.processor.tokenizer
    prompt = backbone.encode("Pick  up the red block\n")
    text = tokenizer.decode(prompt.ids, skip_special_tokens=True)
    assert text.strip() == "Q: what action should the robot take to pick up the red block? A:"
    assert prompt.ids.count(backbone.model.config.image_token_id) == 8, "2 pictures of 4 patches"
    whole = prompt.with_inserted(backbone.prompting.state_ids(np.array([0.5, 2.0, 0.0], np.float32)))
    asked = tokenizer.decode(whole.ids, skip_special_tokens=True).strip()
    assert asked == "state: 128 255 0\nQ: what action should the robot take to pick up the red block? A:"


def test_tiled_views_are_one_picture(bases: dict[str, Path]) -> None:
    backbone = untuned(bases["llava"], views="tiled")
    assert backbone.encode("push").ids.count(backbone.model.config.image_token_id) == 4
    front, wrist = np.full((48, 48, 3), 9, np.uint8), np.full((24, 32, 3), 7, np.uint8)
    both = tile([front, wrist])
    assert both.shape == (48, 80, 3)
    assert (both[:, :48] == 9).all()
    assert (both[:24, 48:] == 7).all()
    assert not both[24:, 48:].any()
    assert backbone.act(act_inputs(backbone, FRAMES)[:2]).shape == (2, 1, 8)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("scheme", ["integers", "overwrite", "openvla"])
def test_an_answer_is_eight_action_tokens_whatever_the_weights_say(
    family: str, scheme: Scheme, bases: dict[str, Path]
) -> None:
    backbone = untuned(bases[family], scheme=scheme)
    actions = backbone.act(act_inputs(backbone, FRAMES))
    contract = backbone.contract
    assert actions.shape == (6, 1, 8)
    assert actions.dtype == np.float32
    assert set(actions[:, 0, 0].tolist()) <= {0.0, 1.0}
    for place, dimension in enumerate(contract.dimensions):
        assert (actions[:, 0, place] >= dimension.low).all()
        assert (actions[:, 0, place] <= dimension.high).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_answers_as_one_at_a_time(family: str, bases: dict[str, Path]) -> None:
    backbone = untuned(bases[family])
    inputs = act_inputs(backbone, FRAMES)
    inputs[1] = replace(inputs[1], prompt=backbone.encode("put it into the blue bowl on the left, carefully"))
    together = backbone.act(inputs)
    assert np.array_equal(together, np.concatenate([backbone.act([one]) for one in inputs]))
    assert backbone.act([]).shape == (0, 1, 8)


def test_only_the_answers_tokens_are_labels(bases: dict[str, Path]) -> None:
    backbone = untuned(bases["paligemma"])
    inputs = act_inputs(backbone, FRAMES[:2])
    answers = [list(backbone.actions.ids[:8]), list(backbone.actions.ids[8:16])]
    rows = [backbone.row(i.images, i.state, i.prompt, a) for i, a in zip(inputs, answers, strict=True)]
    tensors = batch_tensors(backbone.prompting, rows, "right")
    for row, answer, ids, labels, types in zip(
        rows, answers, tensors["input_ids"], tensors["labels"], tensors["token_type_ids"], strict=True
    ):
        learnt = labels != NO_LABEL
        assert labels[learnt].tolist() == ids[learnt].tolist() == answer
        assert learnt.nonzero()[0].item() == len(row.prompt.ids)
        assert types.tolist() == learnt.long().tolist(), "PaliGemma: the prefix is 0, the answer 1"


def test_overwritten_tokens_are_none_that_prompts_are_made_of(bases: dict[str, Path]) -> None:
    backbone = untuned(bases["llava"])
    used = {i for s in SENTENCES for i in backbone.encode(s).ids} | backbone.prompting.reserved_ids()
    assert not used & set(backbone.contract.token_ids)


def without_wrist(given: ActInput) -> ActInput:
    return replace(given, images={"front": given.images["front"]})


def with_front(image: object) -> Callable[[ActInput], ActInput]:
    return lambda given: replace(given, images={**given.images, "front": image})


UNFIT: dict[str, tuple[Callable[[ActInput], ActInput], str]] = {
    "camera": (without_wrist, "no image of camera 'wrist'; have: front"),
    "size": (with_front(np.zeros((96, 96, 3), np.uint8)), r"'front' must be uint8 \(48, 48, 3\); got uint8 \(96"),
    "dtype": (with_front(np.zeros((48, 48, 3), np.float32)), "got float32"),
    "list": (with_front([1, 2]), "got list"),
    "nan": (lambda given: replace(given, state=np.full(3, np.nan, np.float32)), "3 finite numbers"),
    "state": (lambda given: replace(given, state=np.zeros(8, np.float32)), "3 finite numbers"),
    "prompt": (lambda given: replace(given, prompt="pick"), "prompt is a str"),
}


@pytest.mark.parametrize("what", UNFIT)
def test_what_the_contract_does_not_describe_is_refused(what: str, bases: dict[str, Path]) -> None:
    backbone = untuned(bases["llava"])
    change, words = UNFIT[what]
    with pytest.raises(InputError, match=words):
        backbone.act([change(act_inputs(backbone, FRAMES)[0])])


@pytest.mark.parametrize("sentence", ["", " \n", "pick " * 2000])
def test_empty_and_endless_sentences_are_refused(sentence: str, bases: dict[str, Path]) -> None:
    with pytest.raises(PromptError):
        untuned(bases["llava"]).encode(sentence)


def test_weights_that_are_no_numbers_are_an_error_and_not_an_action(bases: dict[str, Path]) -> None:
    backbone = untuned(bases["llava"])
    with torch.no_grad():
        backbone.model.lm_head.weight.fill_(float("nan"))
    with pytest.raises(CheckpointError, match="weights are broken"):
        backbone.act(act_inputs(backbone, FRAMES)[:1])


def test_state_bins_reach_both_ends_and_a_still_entry_has_room() -> None:
    states = np.stack([np.linspace(0, 1, 101), np.full(101, 0.3)], axis=1).astype(np.float32)
    ranges = StateRanges.covering(states)
    assert ranges.bins(np.array([-5.0, 0.3006])) == [0, 204]
    assert ranges.bins(np.array([5.0, 9.0])) == [255, 255]
