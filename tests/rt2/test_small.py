"""rt2-small as a VLA: save and load, both ways of decoding, batches, and everything it must refuse."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny_rt2 import tiny_processor, tiny_vla
from transformers import AutoModelForImageTextToText, AutoProcessor

from rt2.action_contract import standard_dimensions
from rt2.auto import RT2ForConditionalGeneration, RT2Processor
from rt2.configuration import RT2Config
from rt2.errors import CheckpointError, InputError, PromptError
from rt2.modeling import ACTION_TOKENS
from rt2.small import SmallVLA, load_small, save_small
from rt2.vla import ActInput, load_vla
from rt2.vocabulary import BINS

STATE = ("tool_x", "tool_y")
CAMERAS = {"front": (32, 24), "wrist": (16, 16)}


def small_vla(seed: int = 0) -> SmallVLA:
    processor = tiny_processor(["pick", "up", "the", "red", "block"], CAMERAS)
    return tiny_vla(
        processor, STATE, seed=seed, auxiliary=["far", "near"], cell_names=["table", "red block"], layers=2, slots=3
    )


def act_input(vla: SmallVLA, sentence: str = "pick up the red block", seed: int = 0) -> ActInput:
    rng = np.random.default_rng(seed)
    images = {name: rng.integers(0, 256, (h, w, 3), dtype=np.uint8) for name, (w, h) in CAMERAS.items()}
    return ActInput(images, rng.normal(size=len(STATE)).astype(np.float32), vla.encode(sentence))


@pytest.fixture(scope="module")
def vla() -> SmallVLA:
    return small_vla()


@pytest.fixture(scope="module")
def saved(vla: SmallVLA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    save_small(folder, vla)
    return folder


def copied(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "copy"))


def test_a_loaded_checkpoint_acts_as_the_saved_one_did(vla: SmallVLA, saved: Path) -> None:
    loaded = load_vla(str(saved))
    ours, theirs = vla.act([act_input(vla)]), loaded.act([act_input(loaded)])  # type: ignore[arg-type]
    np.testing.assert_array_equal(ours, theirs)
    assert loaded.contract == vla.contract


def test_the_auto_classes_know_it(saved: Path, vla: SmallVLA) -> None:
    model, processor = AutoModelForImageTextToText.from_pretrained(saved), AutoProcessor.from_pretrained(saved)
    assert isinstance(model, RT2ForConditionalGeneration)
    assert isinstance(processor, RT2Processor)
    assert processor.cameras == vla.processor.cameras
    assert torch.equal(processor.prompts(["pick up"])[0], vla.processor.prompts(["pick up"])[0])


def test_a_fresh_process_needs_but_one_import_for_the_auto_classes(saved: Path) -> None:
    said = (
        "import sys, rt2.auto; from transformers import AutoConfig, AutoModel, AutoProcessor\n"
        "print(*(type(each.from_pretrained(sys.argv[1])).__name__ for each in (AutoConfig, AutoModel, AutoProcessor)))"
    )
    done = subprocess.run([sys.executable, "-c", said, str(saved)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["RT2Config", "RT2ForConditionalGeneration", "RT2Processor"]


def test_what_the_auto_classes_save_is_a_checkpoint_as_ours(saved: Path, vla: SmallVLA, tmp_path: Path) -> None:
    folder = copied(saved, tmp_path)
    model, processor = AutoModelForImageTextToText.from_pretrained(saved), AutoProcessor.from_pretrained(saved)
    for file in ("model.safetensors", "config.json", "processor_config.json", "tokenizer.json"):
        (folder / file).unlink()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    theirs = load_small(folder)
    np.testing.assert_array_equal(vla.act([act_input(vla)]), theirs.act([act_input(theirs)]))
    given = act_input(theirs)
    with torch.inference_mode():
        pictures = {name: image[None] for name, image in given.images.items()}
        logits = model(**processor("pick up the red block", pictures, given.state[None])).logits
        ours = vla.model(**vla.processor("pick up the red block", pictures, given.state[None]))
    torch.testing.assert_close(logits, ours)


def test_the_auto_processor_takes_one_moment_as_others_do(saved: Path, vla: SmallVLA) -> None:
    processor, given = AutoProcessor.from_pretrained(saved), act_input(vla)
    pictures = {name: Image.fromarray(image) for name, image in given.images.items()}
    inputs = processor(text="pick up the red block", images=pictures, state=given.state, return_tensors="pt").to("cpu")
    one_by_one = processor(["pick up the red block"], {n: i[None] for n, i in given.images.items()}, given.state[None])
    torch.testing.assert_close(dict(inputs), dict(one_by_one))
    with pytest.raises(InputError, match="1 sentences, 2 pictures of 'front'"):
        processor("pick up the red block", {n: np.stack([i, i]) for n, i in given.images.items()}, given.state)
    with pytest.raises(InputError, match="'np'"):
        processor("pick up the red block", return_tensors="np")


def test_half_precision_acts_on_what_the_processor_makes(saved: Path, vla: SmallVLA) -> None:
    model = AutoModelForImageTextToText.from_pretrained(saved, dtype=torch.bfloat16)
    processor, given = AutoProcessor.from_pretrained(saved), act_input(vla)
    with torch.inference_mode():
        logits = model(**processor("pick up the red block", given.images, given.state)).logits
    assert logits.dtype == torch.bfloat16
    assert model.get_input_embeddings().num_embeddings == model.config.vocab_size


@pytest.mark.parametrize(("device", "said"), [("tpu9", "no device 'tpu9'"), ("cuda", "torch sees no CUDA")])
def test_a_device_that_there_is_not(saved: Path, device: str, said: str) -> None:
    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(InputError, match=said):
        load_vla(saved, device=device)


@pytest.mark.parametrize(
    ("said", "match"),
    [(None, "must be text, not NoneType"), (b"pick", "not bytes"), ("pick \ud800", "UTF-8"), ("\u0301", "nothing")],
)
def test_what_is_no_sentence(vla: SmallVLA, said: object, match: str) -> None:
    with pytest.raises(PromptError, match=match):
        vla.encode(said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("entry", "dtype", "match"),
    [(1e300, "f8", "beyond"), (3e38, "f4", "beyond"), (0, "c16", "numbers"), ("1", "U1", "numbers")],
)
def test_a_state_that_is_none_is_not_the_weights_fault(vla: SmallVLA, entry: object, dtype: str, match: str) -> None:
    given = act_input(vla)
    state = np.full(given.state.shape, entry, dtype)
    with pytest.raises(InputError, match=match):
        vla.act([replace(given, state=state)])


def test_a_width_that_the_heads_cannot_share() -> None:
    with pytest.raises(ValueError, match="width is 128, heads 3"):
        RT2Config(heads=3)


def test_acting_imports_no_models_of_transformers(saved: Path) -> None:
    """They would take seconds at the start of every command."""
    said = (
        "import sys; from rt2.vla import load_vla; load_vla(sys.argv[1])\n"
        "print('transformers.modeling_utils' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", said, str(saved)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


def test_it_can_be_called_as_other_models_are(vla: SmallVLA) -> None:
    given = act_input(vla)
    pictures = {name: image[None] for name, image in given.images.items()}
    with torch.inference_mode():
        logits = vla.model(**vla.processor("pick up the red block", pictures, given.state[None]))
    assert logits.shape == (1, ACTION_TOKENS, BINS)
    bins = vla._chosen(logits, slice(None))
    np.testing.assert_array_equal(vla._tokens.from_bins(bins.numpy())[:, None].astype(np.float32), vla.act([given]))


def test_the_order_in_which_cameras_are_named_does_not_matter(tmp_path: Path) -> None:
    """transformers sorts what it writes, and the order decides which weights see which camera."""
    cameras = {"wrist": CAMERAS["wrist"], "front": CAMERAS["front"]}
    ours = tiny_vla(tiny_processor(["pick", "up"], cameras), STATE)
    save_small(tmp_path, ours)
    theirs = load_small(tmp_path)
    given = act_input(ours, "pick up")
    np.testing.assert_array_equal(ours.act([given]), theirs.act([replace(given, prompt=theirs.encode("pick up"))]))


@pytest.mark.parametrize(
    ("cameras", "said"), [({"front": [90, 96]}, "'front' of \\[90, 96\\]"), ({"a.b": [8, 8]}, "'a.b'")]
)
def test_pictures_that_cannot_be_cut_into_cells_are_refused(cameras: dict[str, list[int]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RT2Config(cameras=cameras)


def test_a_network_that_decides_no_kind_does_not_listen_to_one() -> None:
    processor = tiny_processor(["pick", "up"], CAMERAS)
    plain = tiny_vla(processor, STATE, tells_kind=False)
    given = act_input(plain, "pick up")
    before = plain.act([given])
    with torch.no_grad():
        plain.model.decided.weight.add_(torch.randn_like(plain.model.decided.weight))
    np.testing.assert_array_equal(plain.act([given]), before)


def test_no_inputs_give_no_actions(vla: SmallVLA) -> None:
    assert vla.act([]).shape == (0, 1, ACTION_TOKENS)


def test_one_by_one_is_what_the_network_says_when_told_its_own_tokens(vla: SmallVLA) -> None:
    """The cached decoding must equal one full pass in which every token before is told."""
    one_by_one = SmallVLA(vla.model, vla.processor, vla.contract, decoding="one-by-one")
    given = act_input(vla)
    heard = vla.model.listen(*vla.processor.prompts(["pick up the red block"]))
    with torch.inference_mode():
        pictures = vla.processor.pictures({name: image[None] for name, image in given.images.items()})
        seen = vla.model.look(pictures, torch.from_numpy(given.state)[None], heard)
        bins = one_by_one.decode(seen)
        before = torch.full((1, ACTION_TOKENS), -1)
        before[:, 1:] = bins[:, :-1] + vla.model.config.action_start
        again = vla._chosen(vla.model.action_logits(seen, before), slice(None))
    assert torch.equal(bins, again)


def test_a_batch_gives_what_each_gives_alone(vla: SmallVLA) -> None:
    inputs = [act_input(vla, seed=1), act_input(vla, "grab the red block at once please", seed=2)]
    together = vla.act(inputs)
    alone = np.concatenate([vla.act([one]) for one in inputs])
    assert together.shape == (2, 1, 8)
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_only_actions_come_out(vla: SmallVLA) -> None:
    actions = np.stack([vla.act([act_input(vla, seed=k)])[0, 0] for k in range(20)])
    low, high = (np.array([getattr(d, end) for d in standard_dimensions()]) for end in ("low", "high"))
    assert ((actions >= low) & (actions <= high)).all()
    assert set(np.unique(actions[:, 0])) <= {0.0, 1.0}


def test_words_come_out_of_the_same_network(vla: SmallVLA) -> None:
    """An answer's logits are over the whole vocabulary, and causal: what follows does not change what was said."""
    given = act_input(vla)
    heard = vla.model.listen(*vla.processor.prompts(["is the red block up"], "ask"))
    with torch.inference_mode():
        pictures = vla.processor.pictures({name: image[None] for name, image in given.images.items()})
        seen = vla.model.look(pictures, torch.zeros(1, len(STATE)), heard)
        answer = torch.tensor([[2, 7, 9]])
        logits = vla.model.text_logits(seen, answer)
        shorter = vla.model.text_logits(seen, answer[:, :2])
    assert logits.shape == (1, 3, len(vla.processor.tokenizer))
    torch.testing.assert_close(logits[:, :2], shorter, atol=1e-5, rtol=1e-5)


def test_an_absent_camera_changes_nothing_whatever_its_pixels(vla: SmallVLA) -> None:
    heard = vla.model.listen(*vla.processor.prompts(["pick up"], "ask"))
    front = torch.randint(0, 256, (1, 24, 32, 3), dtype=torch.uint8)
    present = torch.tensor([[True, False, False]])
    with torch.inference_mode():
        answers = []
        for seed in (1, 2):
            torch.manual_seed(seed)
            wrist = torch.randint(0, 256, (1, 16, 16, 3), dtype=torch.uint8)
            seen = vla.model.look({"front": front, "wrist": wrist}, torch.randn(1, 2), heard, present)
            answers.append(vla.model.text_logits(seen, torch.tensor([[2, 7]])))
    torch.testing.assert_close(*answers)


@pytest.mark.parametrize("sentence", ["", "   \n", "x" * 10_000, "pick up " * 30])
def test_sentences_it_refuses(vla: SmallVLA, sentence: str) -> None:
    with pytest.raises(PromptError):
        vla.encode(sentence)


def test_pictures_and_states_it_refuses(vla: SmallVLA) -> None:
    good = act_input(vla)
    small = {**good.images, "wrist": good.images["wrist"][:8]}
    floats = {**good.images, "front": good.images["front"].astype(np.float32)}
    for bad, message in (
        (replace(good, images=small), "camera 'wrist': expected n×16×16×3"),
        (replace(good, images=floats), "camera 'front': pixels must be uint8, not float32"),
        (replace(good, images={"front": good.images["front"]}), "no picture of camera 'wrist'; have: front"),
        (replace(good, state=np.zeros(3, np.float32)), "state must have 2 entries"),
        (replace(good, state=np.array([0, np.nan], np.float32)), "state is not finite: tool_y"),
        (replace(good, state=[0.0, 0.0]), "state must be a numpy array, not list"),
        (replace(good, images={**good.images, "front": [[0]]}), "picture of camera 'front' must be a numpy array"),
        (replace(good, images={**good.images, "front": good.images["front"][None]}), "n×24×32×3"),
        (replace(good, prompt="pick up the red block"), "what `encode` made of a sentence, not str"),
    ):
        with pytest.raises(InputError, match=message):
            vla.act([bad])


def test_checkpoints_it_refuses(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint folder"):
        load_vla(tmp_path / "nowhere")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(CheckpointError, match=r"not a checkpoint of Forehand.*pytorch_model\.bin"):
        load_vla(tmp_path / "foreign")


def test_a_truncated_checkpoint_is_refused(saved: Path, tmp_path: Path) -> None:
    folder = copied(saved, tmp_path)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        load_vla(folder)


def test_weights_that_are_missing_or_of_another_shape_are_refused(saved: Path, tmp_path: Path) -> None:
    folder = copied(saved, tmp_path)
    tensors = load_file(folder / "model.safetensors")
    left = {name: tensor for name, tensor in tensors.items() if "layers.0" not in name}
    save_file(left, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"do not fit the network: layers\.0.*\(missing\)"):
        load_vla(folder)


def test_weights_that_are_no_floats_are_refused(saved: Path, tmp_path: Path) -> None:
    folder = copied(saved, tmp_path)
    tensors = load_file(folder / "model.safetensors")
    tensors["untold"] = tensors["untold"].to(torch.int8)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"untold \(torch\.int8\)"):
        load_small(folder)


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "processor_config.json", "tokenizer.json"])
def test_a_file_that_is_missing_is_named(saved: Path, tmp_path: Path, file: str) -> None:
    folder = copied(saved, tmp_path)
    (folder / file).unlink()
    with pytest.raises(CheckpointError, match="copy"):
        load_small(folder)


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("processor_config.json", {"most_prompt_tokens": "48"}, "most_prompt_tokens must be a whole number"),
        ("processor_config.json", {"most_prompt_tokens": 0}, "most_prompt_tokens must be a whole number"),
        ("processor_config.json", {"cameras": None}, "cannot be loaded"),
        ("processor_config.json", {"colour": "red"}, "no setting 'colour'; have: cameras, language, most_prompt"),
        ("config.json", {"model_type": "bert"}, "is of a model of type 'bert', not 'forehand_rt2'"),
        ("config.json", {"width": "wide"}, "cannot be loaded"),
    ],
)
def test_settings_that_are_none_are_refused(
    saved: Path, tmp_path: Path, file: str, change: dict[str, object], said: str
) -> None:
    folder = copied(saved, tmp_path)
    (folder / file).write_text(json.dumps({**json.loads((folder / file).read_text()), **change}))
    with pytest.raises(CheckpointError, match=said):
        load_small(folder)


@pytest.mark.parametrize("file", ["config.json", "processor_config.json"])
@pytest.mark.parametrize("content", ["[]", '"x"', "{"])
def test_settings_of_another_shape_are_refused(saved: Path, tmp_path: Path, file: str, content: str) -> None:
    folder = copied(saved, tmp_path)
    (folder / file).write_text(content)
    with pytest.raises(CheckpointError):
        load_small(folder)


def test_loading_leaves_the_callers_random_numbers_alone(saved: Path) -> None:
    torch.manual_seed(5)
    before = torch.rand(3)
    torch.manual_seed(5)
    load_small(saved)
    assert torch.equal(torch.rand(3), before)


def test_weights_that_are_not_numbers_are_refused(saved: Path, tmp_path: Path) -> None:
    folder = copied(saved, tmp_path)
    tensors = load_file(folder / "model.safetensors")
    tensors["untold"] = torch.full_like(tensors["untold"], torch.nan)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="weights that are not numbers: untold"):
        load_small(folder)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"bins": 128}, "bins: the network's 256, told 128"),
        ({"state": ["tool_x", "far"]}, r"state: .*told \('tool_x', 'far'"),
        ({"vocabulary": "integers"}, "vocabulary: the network's own, told integers"),
        ({"token_ids": list(range(256))}, "action tokens: the network's"),
        ({"dimensions": [d.model_dump() for d in reversed(standard_dimensions())]}, "numbers of an action"),
    ],
)
def test_a_contract_of_another_network_is_refused(
    saved: Path, tmp_path: Path, change: dict[str, object], told: str
) -> None:
    folder = copied(saved, tmp_path)
    contract = json.loads((folder / "action_contract.json").read_text())
    (folder / "action_contract.json").write_text(json.dumps({**contract, **change}))
    with pytest.raises(CheckpointError, match=told):
        load_small(folder)


@pytest.mark.parametrize("content", ["{", "[]", '{"kind": "small", "decoding": "backwards"}'])
def test_a_broken_note_of_its_kind_is_refused(saved: Path, tmp_path: Path, content: str) -> None:
    folder = copied(saved, tmp_path)
    (folder / "forehand.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"forehand\.json"):
        load_small(folder)


def test_a_foreign_kind_is_refused(saved: Path, tmp_path: Path) -> None:
    folder = copied(saved, tmp_path)
    (folder / "forehand.json").write_text(json.dumps({"kind": "large"}))
    with pytest.raises(CheckpointError, match="no kind of checkpoint 'large'; have: small, backbone"):
        load_vla(folder)


def test_weights_that_break_while_running_stop_the_decoding() -> None:
    broken = small_vla(1)
    with torch.no_grad():
        broken.model.untold.fill_(torch.nan)
    with pytest.raises(CheckpointError, match="numbers that are none"):
        broken.act([act_input(broken)])


def test_the_vocabulary_holds_words_actions_and_places(vla: SmallVLA) -> None:
    ids = vla.processor.tokenizer("pick up the zebra")["input_ids"]
    assert vla.processor.tokenizer.unk_token_id not in ids
    assert vla.processor.action_start + BINS == vla.processor.location_start
    assert len(vla.processor.tokenizer) > vla.processor.location_start + BINS


@pytest.mark.parametrize("sentence", ["抓 起 red block", "pick up <act005>", "up x" + "x" * 120])
def test_what_it_cannot_read_is_refused(vla: SmallVLA, sentence: str) -> None:
    with pytest.raises(PromptError, match="cannot read"):
        vla.encode(sentence)
