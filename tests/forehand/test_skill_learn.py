"""`forehand skill learn`: what a lesson consists of, what is refused, what comes out, and runs that need its file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from fake_vla import fake_contract
from rich.console import Console
from tiny_rt2 import tiny_processor, tiny_vla

from executor.evaluation_cases import Case
from executor.learning.demonstrations import SCHEMA
from executor.learning.labels import CELL_NAMES, LAYOUT
from executor.skill_evaluation import Episode as EvaluatedEpisode
from executor.vla_inputs import IMAGE_SIZES, STATE
from forehand.assembly import assemble
from forehand.cli import main
from forehand.config import ConfigError, RunConfig
from forehand.studies import skill_added
from forehand.taught import check_taught, file_sha256, taught_skills
from forehand.training import skill_learning
from forehand.training.run import Training, new_trainer
from forehand.training.skill_learning import Lesson, learning_config
from rt2.small import load_small, save_small
from rt2.training.frames import FavouringReader, Frames, write_shard
from skills.dataset import DatasetWriter
from skills.dataset_episode import Episode, EpisodeRecord
from skills.library import SkillFileError, SkillLibrary
from skills.wordings import training_words

ROOT = Path(__file__).resolve().parents[2]
TURN = ROOT / "examples" / "skills" / "turn.py"
TIP = TURN.with_name("tip.py")
QUICK = [
    "training.samples=64", "training.batch=8", "training.text_share=0", "vision_language.examples=0",
    "training.least_frames=20", "robot.workers=0",
]  # fmt: skip


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole checkpoint of a tiny network that was never trained."""
    processor = tiny_processor(training_words(), IMAGE_SIZES)
    vla = tiny_vla(
        processor, STATE, contract=fake_contract(), auxiliary=list(LAYOUT.auxiliary), cell_names=list(LAYOUT.cell_names)
    )
    folder = tmp_path_factory.mktemp("checkpoint")
    save_small(folder, vla)
    return folder


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(skill_learning, "_check_practice", lambda _library, _skills, _file: None)  # it sets up worlds


def frames(count: int, skill: str = "pick", sentence: str = "pick up the red block") -> Frames:
    rng = np.random.default_rng(0)
    made = np.zeros(count, LAYOUT.dtype)
    for name in LAYOUT.cameras:
        made[f"image.{name}"] = rng.integers(0, 256, made[f"image.{name}"].shape)
    made["state"] = rng.normal(size=made["state"].shape)
    made["sentence"], made["skill"] = sentence.encode(), skill.encode()
    return made


def lesson(source: Path, **changes: object) -> Lesson:
    return Lesson(**{"file": TURN, "checkpoint": source, "minutes": 1.0, **changes})  # type: ignore[arg-type]


# what is learned


def test_a_lesson_brings_words_names_and_practice(checkpoint: Path) -> None:
    config = learning_config(lesson(checkpoint))
    assert config.learning is not None
    assert {"turn", "swivel", "pointer", "white", "front"} <= set(config.learning.words)
    collect = config.robot.collect
    assert (collect.new_skills, collect.new_names) == (("turn",), ("white pointer",))
    assert collect.skills == (*SkillLibrary().by_name, "turn")
    assert config.training.minutes == 1.0
    assert config.learning.files == {TURN: file_sha256(TURN)}
    assert config.model.width == 32  # what the checkpoint is, not what a new model would be


def test_the_trainer_begins_as_the_checkpoint_was(checkpoint: Path, quiet: Training) -> None:
    old, trainer = load_small(checkpoint), new_trainer(quiet)
    before = old.model.state_dict()
    for name, tensor in trainer.average.state_dict().items():
        known = before[name]
        assert torch.equal(tensor[: len(known)] if known.dim() else tensor, known), name
    assert trainer.learning_rate < 3e-4
    trainer.run(lambda _progress: None)
    assert torch.equal(trainer.average.state_mean, old.model.state_mean)  # what is usual was learned before
    moved = trainer.average.state_dict()["last.weight"] - before["last.weight"]
    assert 0 < float(moved.abs().max()) < 1e-4  # the average is one of a trained network: it moves little


@pytest.fixture
def quiet(checkpoint: Path, tmp_path: Path) -> Training:
    write_shard(tmp_path / "frames", frames(20))
    config = learning_config(lesson(checkpoint, frames=tmp_path / "frames"), QUICK)
    return Training(config, "turn", tmp_path, "cpu", Console())


def test_a_share_of_every_batch_shows_the_new_skill(tmp_path: Path) -> None:
    write_shard(tmp_path, frames(300))
    write_shard(tmp_path, np.concatenate([frames(5), frames(5, "turn")]))
    reader = FavouringReader(tmp_path, LAYOUT.dtype, ["turn"], 0.4)
    reader.refresh()
    drawn = reader.take(reader.draw(np.random.default_rng(0), 1000))["skill"]
    assert 350 < int((drawn == b"turn").sum()) < 450
    next(p for p in tmp_path.glob("*.npy") if np.load(p)["skill"][-1] == b"turn").unlink()
    reader.refresh()
    assert set(reader.take(reader.draw(np.random.default_rng(0), 100))["skill"]) == {b"pick"}


def demonstrations(folder: Path, count: int) -> Path:
    """Of one moment each, recorded without a simulator."""
    call, sentence = "turn(white pointer, left)", "nudge the white pointer to the left"
    with DatasetWriter(folder, SCHEMA) as writer:
        for _ in range(count):
            vectors = {name: np.zeros((6, len(entries)), np.float32) for name, entries in SCHEMA.vectors.items()}
            images = {name: np.zeros((6, h, w, 3), np.uint8) for name, (w, h) in IMAGE_SIZES.items()}
            writer.add(Episode(vectors=vectors, images=images, sentences=(sentence,) * 6,
                               record=EpisodeRecord(skill_call=call, driver="expert")))  # fmt: skip
    return folder


# what comes out


def test_a_learned_checkpoint_says_what_it_needs(checkpoint: Path, tmp_path: Path) -> None:
    write_shard(tmp_path / "old", frames(20))
    write_shard(tmp_path / "old", frames(20, "turn", "turn the white pointer to the left"))
    main_args = ["skill", "learn", str(TURN), "--checkpoint", str(checkpoint), "--out", "new", "--frames", "old"]
    run_main([*main_args, *(word for change in QUICK for word in ("--set", change))], 0)
    (taught,) = taught_skills(Path("new"))
    assert (taught.skill, taught.sha256, taught.file) == ("turn", file_sha256(TURN), TURN)
    card = Path("new/README.md").read_text("utf-8")
    assert f"`turn.py`, SHA-256 `{file_sha256(TURN)}`" in card
    assert "--skill turn.py" in card
    assert load_small(Path("new")).processor.prompts(["turn the white pointer"])[0][0, -1] != 1
    with pytest.raises(ConfigError, match=r"was taught turn \(turn.py.*give that file, too: --skill .*turn.py"):
        check_taught(Path("new"), SkillLibrary())
    check_taught(Path("new"), SkillLibrary().with_file(TURN))
    run_main(main_args, 2)  # a checkpoint is never overwritten
    run_main([*main_args[:-3], "newer", "--frames", "old", *(w for c in QUICK for w in ("--set", c))], 0)
    assert Path("newer/model.safetensors").read_bytes() == Path("new/model.safetensors").read_bytes()


def run_main(arguments: list[str], code: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["forehand", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
    assert (ended.value.code or 0) == code


@pytest.fixture(scope="module")
def taught(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As if it had been taught to turn."""
    folder = tmp_path_factory.mktemp("taught") / "taught"
    shutil.copytree(checkpoint, folder)
    said = [{"skill": "turn", "template": "turn the {pointer} to the {direction}", "file": str(TURN), "sha256": "ab"}]
    (folder / "skill_files.json").write_text(json.dumps(said), "utf-8")
    return folder


def test_a_run_without_the_file_says_which_one(taught: Path) -> None:
    graph = {"steps": [{"id": "a", "do": "press(button)"}]}
    asked = {"graph": graph, "scene": {"objects": ["button", "lamp"]}, "policy": "rt2", "checkpoint": taught}
    with pytest.raises(ConfigError, match="was taught turn"):
        assemble(RunConfig.model_validate(asked))
    with assemble(RunConfig.model_validate({**asked, "skill_files": [TURN]})) as workplace:
        assert "turn" in workplace.library.by_name


def test_a_skill_said_in_other_words_is_refused(taught: Path, tmp_path: Path) -> None:
    other = tmp_path / "turn.py"
    other.write_text(TURN.read_text("utf-8").replace('template="turn the', 'template="twist the'), "utf-8")
    with pytest.raises(ConfigError, match=r"says 'turn the \{pointer\} to the \{direction\}'.*says 'twist the"):
        check_taught(taught, SkillLibrary().with_file(other))


# what is refused


def test_what_was_taught_before_must_be_brought_along(taught: Path) -> None:
    with pytest.raises(ConfigError, match="give that file, too"):
        learning_config(lesson(taught, file=TIP))
    config = learning_config(lesson(taught, file=TIP, known_files=(TURN,)))
    assert config.robot.collect.skills[-2:] == ("turn", "tip")
    assert config.robot.collect.new_skills == ("tip",)


def test_a_skill_that_it_knows_is_refused(checkpoint: Path) -> None:
    with pytest.raises(ConfigError, match="turn is known to"):
        learning_config(lesson(checkpoint, known_files=(TURN,)))


def test_a_skill_without_expert_needs_recordings(checkpoint: Path, tmp_path: Path) -> None:
    alone = tmp_path / "turn.py"
    alone.write_text(TURN.read_text("utf-8").replace("    expert=expert,\n", ""), "utf-8")
    shutil.copy(TURN.with_name("pointer.urdf"), tmp_path)
    with pytest.raises(ConfigError, match="turn has no expert; give recordings of it with --demos"):
        learning_config(lesson(checkpoint, file=alone))
    demos = demonstrations(tmp_path / "demos", 2)
    config = learning_config(lesson(checkpoint, file=alone, demos=demos))
    assert config.learning is not None
    assert config.learning.from_demos
    assert "nudge" in config.learning.words
    assert config.robot.datasets == (demos,)
    assert "turn" not in config.robot.collect.skills  # nobody can show it
    assert config.robot.collect.new_names == ("white pointer",)


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"file": Path("nowhere.py")}, SkillFileError, "no skill file at nowhere.py"),
        ({"checkpoint": Path("nowhere")}, Exception, "no checkpoint folder at nowhere"),
        ({"demos": Path("nowhere")}, Exception, "nowhere"),
    ],
)
def test_what_is_not_there(checkpoint: Path, changes: dict[str, Path], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        learning_config(lesson(checkpoint, **changes))


def test_a_skill_that_no_scene_allows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(skill_learning, "WORLDS", 1)
    library = SkillLibrary().with_file(TIP)
    with pytest.raises(SkillFileError, match=r"tip\.py: tip: possible in none of 1 drawn scenes.*furnish"):
        skill_learning._check_practice(library, [library.skill("tip")], TIP)
    library = SkillLibrary().with_file(TURN)
    skill_learning._check_practice(library, [library.skill("turn")], TURN)
    assert "white pointer" not in CELL_NAMES


@pytest.mark.parametrize(
    ("base", "expert", "said"),
    [
        (
            "push",
            "lambda state, _: state.no_such_thing",
            r"the expert failed, asked for mine\(.*AttributeError: .*no_such",
        ),
        ("push", "lambda state, _: None", r"must return a robots\.robot\.Action; asked for mine\(.* it returned None"),
        ("place_in", "lambda state, _: state.hand.held", r"asked for mine\(.* it returned '\w+ block'"),
        ("push", "no_expert", None),
    ],
)
def test_an_expert_is_asked_once_before_training(
    base: str, expert: str, said: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(skill_learning, "WORLDS", 2)
    file = tmp_path / "mine.py"
    file.write_text(
        "from dataclasses import replace\nfrom skills.skill import no_expert\n"
        f"from skills.{base} import SKILL\nSKILL = replace(SKILL, name='mine', expert={expert})\n"
    )
    library = SkillLibrary().with_file(file)
    skills = [library.skill("mine")]
    if said is None:
        skill_learning._check_practice(library, skills, file)
        return
    with pytest.raises(SkillFileError, match=rf"^{file}: mine: .*{said}"):
        skill_learning._check_practice(library, skills, file)


# what it costs


def episode(skill: str, seed: int, succeeded: bool) -> tuple[Case, EvaluatedEpisode]:
    return Case("seen", skill, seed), EvaluatedEpisode(
        split="seen", skill=skill, seed=seed, variant="", world_seed=0, call="a()", sentence="a", succeeded=succeeded,
        ended_by="terminated", detail="", steps=1, unmet=(), wrong_object=None, wall_s=0.0,
    )  # fmt: skip


def test_the_study_compares_pairs_and_writes_them_into_the_page() -> None:
    before = dict(episode(skill, seed, seed != 3) for skill in ("pick", "push") for seed in range(10))
    after = dict(episode(skill, seed, seed not in (4, 5)) for skill in ("pick", "push") for seed in range(10))
    after |= dict([episode("pick", 99, False)])  # nothing to compare it with
    found = skill_added.table(before, after, dict(episode("turn", seed, seed < 3) for seed in range(4)))
    rows = {line.split(" | ")[0].strip("| "): line for line in found.splitlines()[2:]}
    assert list(rows) == ["pick", "push", skill_added.ALL, "**turn** (new)"]
    assert "| 9/10 = 90.0%" in rows["pick"]
    assert "| 8/10 = 80.0%" in rows["pick"]
    assert rows["pick"].endswith("| 2 | 1 |")
    assert "| -10.0 (" in rows["pick"]
    assert rows[skill_added.ALL].endswith("| 4 | 2 |")
    assert "3/4 = 75.0%" in rows["**turn** (new)"]
    once = skill_added.written((ROOT / skill_added.PAGE).read_text("utf-8"), found)
    assert found in once
    assert skill_added.written(once, "anew").count("anew") == 1
    assert found not in skill_added.written(once, "anew")
    with pytest.raises(ValueError, match="no place for the table"):
        skill_added.written("# A page\n", found)
