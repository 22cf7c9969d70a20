"""The trainer on a task that can be worked out: the hand goes to where a red square is seen."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_rt2 import tiny_processor, tiny_vla

from rt2.small import SmallVLA, load_small
from rt2.training.errors import TrainingError
from rt2.training.examples import TextExample
from rt2.training.frames import HELD_OUT_EVERY, SCENE_EPISODES, FrameLayout, Frames, ShardReader, write_shard
from rt2.training.losses import LossWeights
from rt2.training.mixture import ExampleMixture, FixedExamples
from rt2.training.publishing import latest_policy
from rt2.training.settings import TrainingSettings
from rt2.training.text import TextTask
from rt2.training.trainer import Progress, Trainer
from rt2.vla import ActInput

CAMERAS = {"front": (16, 16)}
STATE = ("tool_x", "tool_y")
NAMES = ("background", "table", "robot", "cabinet", "red block")
LAYOUT = FrameLayout(CAMERAS, STATE, ("away",), NAMES)
WORDS = ("pick", "push", "up", "the", "red", "block", "is", "there", "yes", "no")
SENTENCES = ("pick up the red block", "push the red block")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def picture(x: int, y: int) -> np.ndarray:
    """A red square of four pixels a side at a cell of 4 by 4."""
    image = np.full((16, 16, 3), 90, np.uint8)
    image[4 * y : 4 * y + 4, 4 * x : 4 * x + 4] = (200, 20, 20)
    return image


def synthetic(count: int, seed: int = 0) -> Frames:
    rng = np.random.default_rng(seed)
    frames = np.zeros(count, LAYOUT.dtype)
    for frame in frames:
        x, y, push = int(rng.integers(4)), int(rng.integers(4)), int(rng.integers(2))
        frame["image.front"] = picture(x, y)
        frame["point.front"] = ((x + 0.5) / 4, (y + 0.5) / 4, 1)
        frame["cells.front"][y // 2, x // 2] = NAMES.index("red block")
        frame["state"] = rng.normal(size=2)
        frame["sentence"] = SENTENCES[push].encode()
        frame["action"] = (push, 0.03 * (x - 1.5), 0.03 * (y - 1.5), 0, 0, 0, 0, 1 - push)
        frame["auxiliary"] = np.nan if push else x / 4
    return frames


def new_trainer(folder: Path, text: bool = False, **settings: object) -> Trainer:
    processor = tiny_processor(WORDS, CAMERAS)
    vla = tiny_vla(processor, STATE, auxiliary=["away"], cell_names=list(NAMES), text_width=16)
    given = {
        "samples": 800,
        "batch": 8,
        "least_frames": 1,
        "learning_rate": 3e-3,
        "recolour": 0.0,
        "ema": 0.9,
        "precision": "float32",  # tiny tensors only lose by tiles
    } | settings
    task = TextTask(ExampleMixture([(FixedExamples(questions()), 1.0)]), processor) if text else None
    return Trainer(
        TrainingSettings.model_validate(given), vla.model, processor, vla.contract, folder,
        ShardReader(folder / "frames", LAYOUT.dtype), task, growing=False,
    )  # fmt: skip


def questions() -> list[TextExample]:
    asked = "is the red block up there"
    return [
        TextExample({"front": picture(x, y)}, "ask", asked, "yes" if y < 2 else "no")
        for x in range(4)
        for y in range(4)
    ]


def ignore(_: Progress) -> None:
    """Nobody watches."""


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in trainer.average.state_dict().items()}


def test_it_learns_frames_by_heart_and_publishes_what_it_learned(tmp_path: Path) -> None:
    frames = synthetic(64)
    write_shard(tmp_path / "frames", frames)
    trainer = new_trainer(tmp_path, samples=8000, batch=32)
    trainer.run(ignore)
    published = latest_policy(tmp_path)
    assert published is not None
    assert wrong(load_small(published), frames) == 0


def test_scenes_held_out_tell_what_was_only_learned_by_heart(tmp_path: Path) -> None:
    frames, others = synthetic(64), synthetic(64)
    others["episode"] = SCENE_EPISODES * (HELD_OUT_EVERY - 1) + np.arange(64)
    others["action"][:, 1:3] *= -1  # nothing that is learned from says so
    write_shard(tmp_path / "frames", frames)
    write_shard(tmp_path / "frames", others)
    trainer, seen = new_trainer(tmp_path, samples=8000, batch=32), []
    trainer.run(seen.append)
    losses = seen[-1].losses
    assert losses["held_out.action"] > losses["action"] + 1.0
    published = latest_policy(tmp_path)
    assert published is not None
    assert wrong(load_small(published), frames) == 0


def test_batches_hold_no_frames_of_scenes_held_out(tmp_path: Path) -> None:
    frames = synthetic(2 * HELD_OUT_EVERY)
    frames["episode"] = SCENE_EPISODES * np.arange(len(frames)) + 7
    write_shard(tmp_path, frames)
    reader, rng = ShardReader(tmp_path, LAYOUT.dtype), np.random.default_rng(0)
    reader.refresh()
    scenes = reader.take(reader.draw(rng, 3000))["episode"] // SCENE_EPISODES
    held_out = reader.take(reader.draw_held_out(rng, 50))["episode"] // SCENE_EPISODES
    assert set(held_out) == {HELD_OUT_EVERY - 1, 2 * HELD_OUT_EVERY - 1}
    assert set(scenes) == set(range(2 * HELD_OUT_EVERY)) - set(held_out)


def wrong(vla: SmallVLA, frames: Frames) -> int:
    """How many of the frames' actions come out otherwise, by more than the width of a bin. Of one that terminates
    nothing else is executed."""
    acted = vla.act(
        [
            ActInput({"front": f["image.front"]}, f["state"], vla.encode(bytes(f["sentence"]).decode()))
            for f in frames
        ]
    )[:, 0]  # fmt: skip
    spans = np.array([d.high - d.low for d in vla.contract.dimensions])
    off = np.abs(acted - frames["action"]) > 1.5 * spans / 256
    return int((off[:, 0] | (off.any(1) & (frames["action"][:, 0] < 0.5))).sum())


def test_told_always_it_acts_one_by_one(tmp_path: Path) -> None:
    write_shard(tmp_path / "frames", synthetic(16))
    trainer = new_trainer(tmp_path, samples=16, told_share=1.0)
    assert trainer.vla.decoding == "one-by-one"
    trainer.run(ignore)
    assert load_small(latest_policy(tmp_path)).decoding == "one-by-one"  # type: ignore[arg-type]


def test_the_same_seed_and_frames_give_the_same_weights(tmp_path: Path) -> None:
    trained = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        for part in range(2):
            np.save(_made(tmp_path / name / "frames") / f"{part}.npy", synthetic(20, part))
        trainer = new_trainer(tmp_path / name, samples=80, seed=seed)
        trainer.run(ignore)
        trained.append(weights(trainer))
    assert all(torch.equal(trained[0][name], trained[1][name]) for name in trained[0])
    assert not all(torch.equal(trained[0][name], trained[2][name]) for name in trained[0])


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_stopped_and_gone_on_with_is_as_never_stopped(tmp_path: Path) -> None:
    for name in ("through", "stopped"):
        np.save(_made(tmp_path / name / "frames") / "0.npy", synthetic(30))
    through = new_trainer(tmp_path / "through", samples=160, text_share=0.3, text=True)
    through.run(ignore)
    first = new_trainer(tmp_path / "stopped", samples=160, text_share=0.3, text=True)
    first.run(ignore, lambda: first.samples >= 72)
    assert first.samples == 72
    second = new_trainer(tmp_path / "stopped", samples=160, text_share=0.3, text=True)
    assert (second.samples, second.steps, second.seconds) == (first.samples, first.steps, first.seconds)
    second.run(ignore)
    assert second.samples == 160
    assert second.version > first.version
    before, after = weights(through), weights(second)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_answers_are_learned(tmp_path: Path) -> None:
    write_shard(tmp_path / "frames", synthetic(16))
    trainer = new_trainer(tmp_path, samples=1600, text_share=0.9, text=True)
    trainer.run(ignore)
    processor, model = trainer.vla.processor, trainer.average
    asked = questions()
    prompt, mask = processor.prompts([e.prompt for e in asked], "ask")
    images = torch.from_numpy(np.stack([e.images["front"] for e in asked]))
    present = torch.tensor([[True, False]]).expand(len(asked), -1)
    with torch.inference_mode():
        seen = model.look({"front": images}, torch.zeros(len(asked), 2), model.listen(prompt, mask), present)
        begin = torch.full((len(asked), 1), processor.tokenizer.bos_token_id)
        said = processor.tokenizer.convert_ids_to_tokens(model.text_logits(seen, begin)[:, 0].argmax(-1).tolist())
    assert said == [e.answer for e in asked]


@pytest.mark.parametrize("part", ["kind", "pointing", "auxiliary", "grounding"])
def test_a_weight_of_nothing_leaves_a_part_out(tmp_path: Path, part: str) -> None:
    write_shard(tmp_path / "frames", synthetic(16))
    trainer = new_trainer(tmp_path, loss=LossWeights.model_validate({part: 0}))
    trainer.step()
    losses = trainer.progress(1.0).losses
    assert part not in losses
    assert losses.keys() | {part} == {"action", "kind", "pointing", "auxiliary", "grounding"}


def test_numbers_that_are_none_end_it_with_advice(tmp_path: Path) -> None:
    write_shard(tmp_path / "frames", synthetic(16))
    trainer = new_trainer(tmp_path, samples=8000)
    trainer.step()
    before = weights(trainer)
    with torch.no_grad():
        next(iter(trainer.model.parameters())).fill_(torch.nan)
    with pytest.raises(TrainingError, match="learning_rate"):
        trainer.run(ignore)
    assert all(torch.equal(before[name], tensor) for name, tensor in weights(trainer).items())


def test_without_frames_there_is_nothing_to_learn(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no robot frames"):
        new_trainer(tmp_path).run(ignore)


def test_a_reader_lets_go_of_what_made_room(tmp_path: Path) -> None:
    first = write_shard(tmp_path, synthetic(5, 0))
    reader = ShardReader(tmp_path, LAYOUT.dtype)
    assert reader.refresh() == 5
    second = synthetic(7, 1)
    write_shard(tmp_path, second)
    first.unlink()
    assert reader.refresh() == 7
    assert reader.dropped == 5
    np.testing.assert_array_equal(reader.take(np.arange(7))["state"], second["state"])


def test_progress_can_be_written_down(tmp_path: Path) -> None:
    write_shard(tmp_path / "frames", synthetic(16))
    told: list[Progress] = []
    new_trainer(tmp_path, samples=16).run(told.append)
    record = json.loads(json.dumps(dataclasses.asdict(told[-1])))
    assert (record["samples"], record["share"], record["left_s"], record["frames"]) == (16, 1.0, 0.0, 16)


def test_it_waits_for_frames_only_while_more_will_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Collectors may end before the training does; then it goes on with what there is."""
    monkeypatch.setattr("rt2.training.trainer.SHOW_S", 0.0)
    write_shard(tmp_path / "frames", synthetic(16))
    trainer = new_trainer(tmp_path, samples=160, most_reuse=0.1)
    trainer.growing = True
    waited: list[tuple[int, int]] = []

    def nobody_collects_any_more(frames: int, needed: int) -> None:
        waited.append((frames, needed))
        trainer.growing = False

    trainer.run(ignore, on_wait=nobody_collects_any_more)
    assert len(waited) == 1
    assert trainer.share >= 1


def test_batches_grow_late_in_the_training(tmp_path: Path) -> None:
    write_shard(tmp_path / "frames", synthetic(16))
    trainer = new_trainer(tmp_path, samples=64, late_from=0.5, late_batch=16)
    sizes = []
    while trainer.share < 1:
        before = trainer.samples
        trainer.step()
        sizes.append(trainer.samples - before)
    assert sizes == [8, 8, 8, 8, 16, 16]


def test_a_training_killed_before_it_was_first_saved_does_not_lose_its_policy(tmp_path: Path) -> None:
    write_shard(tmp_path / "frames", synthetic(16))
    for published in range(1, 6):
        trainer = new_trainer(tmp_path)
        trainer.publish()
        assert trainer.version == published
        found = latest_policy(tmp_path)
        assert found is not None
        assert found.is_dir()
