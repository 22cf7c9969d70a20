"""Adding a skill to a trained rt2-small: what is new in its file, and the training that teaches it beside the old ones.

Half of the practice is of the new skill at first (executor.learning.on_policy.practice_weights), and a share of every
batch shows it; everything else replays the old skills, with the policy itself driving and the experts correcting it
(dataset aggregation). Demonstrations may stand in for the new skill's expert.
Not for: the training itself (forehand.training.run), or growing the network (rt2.growing).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np

from executor.learning.demonstrations import frames_of
from executor.learning.labels import CELL_NAMES, LAYOUT
from executor.learning.worlds import FIRST_SEED, next_call, training_world
from forehand.checkpoints import weights_sha256
from forehand.config import ConfigError
from forehand.taught import TaughtSkill, check_taught, file_sha256, taught_skills
from forehand.training.config import ModelConfig, SkillLearning, TrainConfig
from forehand.training.reading import read_recipe
from robots.physical_state import PhysicalState
from robots.robot import Action
from rt2.configuration import RT2Config
from rt2.errors import CheckpointError
from rt2.small import SmallVLA
from rt2.vla import load_vla
from skills.calls import needs_held
from skills.dataset import Dataset
from skills.grounding import symbolic_of
from skills.library import SkillFileError, SkillLibrary
from skills.literals import shown
from skills.skill import Skill, SkillCall, SkillCallError, no_expert
from skills.trial_scenes import random_spec, symbolic
from skills.trials import run_call
from skills.wordings import skill_words, words_of

RECIPE = Path(__file__).with_name("skill_learning.yaml")
SCENES = 30  # that are drawn to see what a skill file puts into them
WORLDS = 12  # that are set up to see whether the skill can be practised


@dataclass(frozen=True)
class Lesson:
    """What is to be learned. file: the new skill's; checkpoint: which is to learn it; minutes: of training.

    known_files: of skills that it was taught before. demos: a LeRobot dataset of the new skill, in place of its expert.
    frames: a folder of the old training's frames, to be replayed too.
    """

    file: Path
    checkpoint: Path
    minutes: float
    known_files: tuple[Path, ...] = ()
    demos: Path | None = None
    frames: Path | None = None


def learning_config(lesson: Lesson, changes: Sequence[str] = ()) -> TrainConfig:
    """The training that teaches it; changes as in forehand.training.reading.read_recipe.

    Raises ConfigError, SkillFileError, DatasetError or CheckpointError for what cannot be learned, before anything is.
    """
    network = _network(lesson.checkpoint)
    sizes = {name: getattr(network, name) for name in ModelConfig.model_fields if name != "backbone"}
    known = reduce(SkillLibrary.with_file, lesson.known_files, SkillLibrary())
    check_taught(lesson.checkpoint, known)
    library, new = _new_skills(known, lesson)
    names, said = _new_things(new), set[str]()
    if lesson.demos is not None:
        seen, said = _shown(lesson.demos, new)
        names |= seen
    else:
        _check_practice(library, new, lesson.file)
    words = frozenset[str]().union(said, *(skill_words(skill, names) for skill in new))
    taught_by_experts = [skill.name for skill in new] if lesson.demos is None else []
    files = (*lesson.known_files, lesson.file)
    settings = {
        "name": f"learn-{lesson.file.stem}",
        "model": sizes,
        "training.minutes": lesson.minutes,
        "robot.frames": lesson.frames and str(lesson.frames),
        "robot.datasets": [str(lesson.demos)] if lesson.demos else [],
        "robot.collect.skills": [*known.by_name, *taught_by_experts],
        "robot.collect.skill_files": [str(path) for path in files],
        "robot.collect.new_skills": taught_by_experts,
        "robot.collect.new_names": [*network.cell_names[len(CELL_NAMES) :], *sorted(names - set(network.cell_names))],
        "learning": SkillLearning(
            checkpoint=lesson.checkpoint,
            checkpoint_sha256=weights_sha256(lesson.checkpoint),
            files={path: file_sha256(path) for path in files},
            skills=tuple(skill.name for skill in new),
            words=tuple(sorted(words)),
            from_demos=lesson.demos is not None,
        ).model_dump(mode="json"),
    }
    return read_recipe(RECIPE, [*(f"{name}={json.dumps(value)}" for name, value in settings.items()), *changes])


def taught_by(config: TrainConfig) -> tuple[TaughtSkill, ...]:
    """What a checkpoint that comes out of this training was taught, in all."""
    learning = config.learning
    if learning is None:
        return ()
    library = config.robot.collect.library()
    file, sha256 = list(learning.files.items())[-1]
    new = (library.skill(name) for name in learning.skills)
    return (
        *taught_skills(learning.checkpoint),
        *(TaughtSkill(skill=skill.name, template=skill.template, file=file, sha256=sha256) for skill in new),
    )


def _network(checkpoint: Path) -> RT2Config:
    """Raises CheckpointError unless it is an rt2-small that was trained on this tabletop."""
    vla = load_vla(checkpoint)
    if not isinstance(vla, SmallVLA):
        raise CheckpointError(f"{checkpoint}: only an rt2-small learns a skill this way, not a tuned backbone")
    config = vla.model.config
    for what, trained, own in (
        ("pictures", {name: tuple(size) for name, size in config.cameras.items()}, dict(LAYOUT.cameras)),
        ("state", tuple(config.state), LAYOUT.state),
        ("auxiliary numbers", tuple(config.auxiliary), LAYOUT.auxiliary),
        ("names of cells", tuple(config.cell_names[: len(CELL_NAMES)]), LAYOUT.cell_names),
    ):
        if trained != own:
            raise CheckpointError(f"{checkpoint}: was trained on other {what}: {trained}; this robot's: {own}")
    return config


def _new_skills(known: SkillLibrary, lesson: Lesson) -> tuple[SkillLibrary, list[Skill]]:
    library = known.with_file(lesson.file)
    alone = SkillLibrary((), known.predicates).with_file(lesson.file)
    again = [skill.name for skill in alone.skills if skill.name in known.by_name]
    if again:
        raise ConfigError(f"{lesson.file}: {', '.join(again)} is known to {lesson.checkpoint} already")
    longest = LAYOUT.dtype["skill"].itemsize
    for skill in alone.skills:
        if len(skill.name) > longest:
            raise ConfigError(f"{lesson.file}: the name '{skill.name}' is longer than {longest} characters")
        if skill.expert is no_expert and lesson.demos is None:
            raise ConfigError(f"{lesson.file}: {skill.name} has no expert; give recordings of it with --demos")
    return library, [library.skill(skill.name) for skill in alone.skills]


def _new_things(skills: Iterable[Skill]) -> set[str]:
    """Names of what the skills' files put into scenes."""
    names: set[str] = set()
    for skill in skills:
        for seed in range(SCENES if skill.furnish is not None else 0):
            rng = np.random.default_rng([FIRST_SEED, seed])
            assert skill.furnish is not None
            names |= skill.furnish(random_spec(rng), rng).models.keys()
    return names


def _check_practice(library: SkillLibrary, skills: Iterable[Skill], file: Path) -> None:
    """Raises SkillFileError for a skill that no drawn world lets anybody practise, or whose expert fails in the first.

    What has to be held is picked up first.
    """
    waiting = {skill.name: skill for skill in skills}
    for seed in range(WORLDS):
        if not waiting:
            return
        world, rng = training_world(FIRST_SEED + seed, 0.0, library)
        with world:
            moments = [world.physical_state()]
            if any(needs_held(SkillCall(name), library) for name in waiting):
                pick = next_call(symbolic(world, library), {"pick": 1.0}, library, rng)
                if pick is not None:
                    run_call(world, pick, library)
                    moments.append(world.physical_state())
        for moment in moments:
            state = symbolic_of(moment, library.predicates)
            for name in tuple(waiting):
                call = next_call(state, {name: 1.0}, library, rng)
                if call is not None:
                    _check_expert(waiting.pop(name), call, moment, file)
    if waiting:
        raise SkillFileError(
            f"{file}: {', '.join(sorted(waiting))}: possible in none of {WORLDS} drawn scenes; what it works on must "
            "be put into them by the skill's `furnish` (docs/adding-a-skill.md)"
        )


def _check_expert(skill: Skill, call: SkillCall, state: PhysicalState, file: Path) -> None:
    """Raises SkillFileError for an expert that has no action for a call which is possible."""
    if skill.expert is no_expert:
        return
    try:
        action = skill.expert(state, call.arguments)
    except Exception as error:
        raise SkillFileError(
            f"{file}: {skill.name}: the expert failed, asked for {call}: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(action, Action):
        raise SkillFileError(
            f"{file}: {skill.name}: the expert must return a robots.robot.Action; asked for {call} it returned "
            f"{shown(action)}"
        )


def _shown(demos: Path, skills: Sequence[Skill]) -> tuple[set[str], set[str]]:
    """Names of things and words of sentences in demonstrations of the skills."""
    objects: set[str] = set()
    sentences: set[str] = set()
    by_name = {skill.name: skill for skill in skills}
    with Dataset(demos) as dataset:
        next(frames_of(dataset, LAYOUT), None)  # raises DatasetError for other actions, cameras or rates
        for index in range(len(dataset.rows)):
            episode = dataset.episode(index, ())
            sentences |= set(episode.sentences)
            objects |= set(_objects(episode.record.skill_call, by_name))
    if not sentences:
        raise ConfigError(f"{demos}: no demonstrations in it")
    return objects, {word for sentence in sentences for word in words_of(sentence)}


def _objects(said: str | None, skills: dict[str, Skill]) -> Iterator[str]:
    try:
        call = SkillCall.parse(said or "")
    except SkillCallError:
        return
    if call.skill in skills:
        for parameter, argument in zip(skills[call.skill].parameters, call.arguments, strict=False):
            if not parameter.choices:
                yield argument
