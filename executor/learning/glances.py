"""Glances: single moments of many scenes, each picture labelled for several calls at once.

A skill run shows one thing of one scene again and again: a network that has seen two thousand scenes for a hundred
pictures each knows their pictures by heart, and half of what it has learned of them is of no use elsewhere. Skills and
drawing cost about the same time; so here most steps are not drawn, and what is drawn answers several sentences.
Not for: the states into which a policy leads itself (executor.learning.skill_drive).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from executor.learning.drivers import NOISY_EXPERT, NoisyExpert, Step
from executor.learning.labels import Fields, frame_fields
from executor.learning.worlds import draw_call, is_in_order, possible_calls, stray
from executor.vla_inputs import IMAGE_SIZES
from robots.safety import SafetyStop
from robots.tabletop.robot import TabletopRobot
from robots.tabletop.world import TabletopWorld
from skills.grounding import symbolic_of
from skills.library import SkillLibrary
from skills.skill import SkillCall
from skills.trials import rise_first
from skills.wordings import training_sentence

GLANCES = 8  # in one world
CALLS = 6  # that one picture is labelled for, at most
STRAY_SHARE = 0.5  # of glances before which the hand goes somewhere else
HELD_SHARE = 0.4  # of worlds in which something is held from the start
MOST_STEPS = 14  # of a skill before a glance
LIFTED = "push"  # the skill whose own block may have been lifted by mistake; its expert lowers it again


def glances(
    world: TabletopWorld,
    weights: Mapping[str, float],
    library: SkillLibrary,
    cell_names: tuple[str, ...],
    rng: np.random.Generator,
) -> Iterator[Fields]:
    """A frame for each sentence at each of GLANCES moments; fewer where things fall off the table or nothing is left
    to do. What an expert raises is passed on."""
    robot = TabletopRobot(world, cameras=(), image_size=IMAGE_SIZES)
    if "pick" in weights and rng.random() < HELD_SHARE:
        for call in _calls(world, {"pick": 1.0}, library, 1, rng):
            _carry_out(robot, world, call, library, library.skill("pick").time_limit_steps, rng)
    for _ in range(GLANCES):
        if rng.random() < STRAY_SHARE:
            stray(world, rng)
        for call in _calls(world, weights, library, 1, rng):
            _carry_out(robot, world, call, library, int(rng.integers(0, MOST_STEPS + 1)), rng)
        calls = _calls(world, weights, library, CALLS, rng)
        if not calls:
            return
        yield from _labelled(world, robot, calls, library, cell_names, rng)


def _calls(
    world: TabletopWorld, weights: Mapping[str, float], library: SkillLibrary, count: int, rng: np.random.Generator
) -> list[SkillCall]:
    """At most so many different calls; none where things have fallen off or nothing is left to do."""
    state = world.physical_state()
    if not is_in_order(state):
        return []
    symbolic = symbolic_of(state, library.predicates)
    options = possible_calls(symbolic, weights, library)
    if symbolic.held is not None and LIFTED in weights and count > 1:
        skill = library.skill(LIFTED)
        directions = skill.parameters[1].choices
        options[LIFTED] = [SkillCall(LIFTED, (symbolic.held, direction)) for direction in directions]
    drawn = (draw_call(options, symbolic, weights, library, rng) for _ in range(2 * count))
    return list(dict.fromkeys(call for call in drawn if call is not None))[:count]


def _carry_out(
    robot: TabletopRobot,
    world: TabletopWorld,
    call: SkillCall,
    library: SkillLibrary,
    most_steps: int,
    rng: np.random.Generator,
) -> None:
    """At most so many of the call's steps, by an expert that now and then misses; nothing is drawn."""
    skill, driver = library.skill(call.skill), NoisyExpert(rng)
    try:
        rise_first(robot, skill.rise_first_m)
        for _ in range(most_steps):
            expert = skill.expert(world.physical_state(), call.arguments)
            if expert.terminate:
                return
            robot.apply(driver.drive(Step({}, robot.observe().proprioception, expert)))
    except SafetyStop:
        robot.resume()


def _labelled(
    world: TabletopWorld,
    robot: TabletopRobot,
    calls: Iterable[SkillCall],
    library: SkillLibrary,
    cell_names: tuple[str, ...],
    rng: np.random.Generator,
) -> Iterator[Fields]:
    views, proprioception = robot.rig.capture_segmented(IMAGE_SIZES), robot.observe().proprioception
    state = world.physical_state()
    for call in calls:
        skill = library.skill(call.skill)
        expert, sentence = skill.expert(state, call.arguments), training_sentence(skill, call.arguments, rng)
        fields = frame_fields(views, world, state, proprioception, call, expert, sentence, cell_names)
        yield {**fields, "step": 0, "driver": NOISY_EXPERT}
