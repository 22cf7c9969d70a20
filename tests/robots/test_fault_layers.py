"""Faults: what each does to a world, when, and that schedules are the same for everybody who meets them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robots.physical_state import HandState, ObjectState, PhysicalState
from robots.robot import Action
from robots.tabletop import disturbances, layout
from robots.tabletop.disturbances import DISTURBANCES, free_spot
from robots.tabletop.fault_schedule import (
    KINDS,
    LASTING,
    MIXES,
    STANDARD_WEIGHTS,
    Appointment,
    FaultError,
    FaultMix,
    FaultSchedule,
    PlannedFault,
    fault_mix,
    scheduled,
)
from robots.tabletop.faults import (
    ActuatorDelay,
    ActuatorNoise,
    CameraNoise,
    Disturbed,
    LostFrames,
    between,
    while_holding,
)
from robots.tabletop.interventions import MoveObject, RemoveObject
from robots.tabletop.robot import TabletopRobot
from robots.tabletop.scene_spec import SceneSpec, random_scene
from robots.tabletop.world import TabletopWorld

SPOT = (0.45, -0.1)
SCENE = SceneSpec(
    objects=("red block", "blue block", "blue bowl", "drawer", "button", "lamp"),
    relations=("open(drawer)",),
    positions={"red block": SPOT, "blue block": (0.35, 0.1), "blue bowl": (0.58, -0.3)},
)


@pytest.fixture
def world() -> Iterator[TabletopWorld]:
    with TabletopWorld(SCENE, 0) as world:
        yield world


def at_once(kind: str, at_step: int = 0) -> FaultSchedule:
    planned = PlannedFault(kinds=(kind,), at_step=at_step)
    return FaultSchedule(
        seed=1, mix=fault_mix("none"), appointments=(Appointment(key="pick", attempt=1, fault=planned),)
    )


def drive(robot: TabletopRobot, goal: tuple[float, float, float], grip: float, steps: int) -> None:
    for _ in range(steps):
        way = np.array(goal) - robot.observe_with(()).proprioception.tool_position_m
        robot.apply(Action(tuple(np.clip(way, -0.04, 0.04)), gripper=grip))


def pick_up(robot: TabletopRobot) -> None:
    drive(robot, (*SPOT, 0.12), 0.0, 10)
    drive(robot, (*SPOT, 0.022), 0.0, 6)
    drive(robot, (*SPOT, 0.022), 1.0, 4)
    drive(robot, (*SPOT, 0.15), 1.0, 6)


@pytest.mark.parametrize("kind", ["slipped", "weak-grip"])
def test_what_is_held_falls_and_the_next_attempt_can_grasp_again(world, kind):
    told: list[str] = []
    robot = TabletopRobot(world, cameras=(), faults=[scheduled(at_once(kind), told.append)])
    robot.begin_attempt("pick", 1)
    pick_up(robot)
    assert "red block" in told[0]
    drive(robot, (*SPOT, 0.15), 1.0, 8)
    assert world.physical_state().hand.held is None
    assert world.physical_state().objects["red block"].position_m[2] < 0.03
    robot.begin_attempt("pick", 2)
    x, y, _ = world.physical_state().objects["red block"].position_m
    for z, grip in ((0.12, 0.0), (0.022, 0.0), (0.022, 1.0), (0.15, 1.0)):
        drive(robot, (x, y, z), grip, 6)
    assert world.physical_state().hand.held == "red block"
    assert len(told) == 1


def test_someone_moves_takes_shuts_toggles_and_puts_down(world):
    told: list[str] = []
    before = world.physical_state()
    for kind in ("moved", "drawer-shut", "lamp-toggled", "distractor", "taken"):
        robot = TabletopRobot(world, cameras=(), faults=[scheduled(at_once(kind), told.append)])
        robot.begin_attempt("pick", 1)
        drive(robot, (0.42, 0.0, 0.28), 0.0, 2)
    after = world.physical_state()
    assert after.joints["drawer"] < layout.DRAWER_CLOSED_M
    assert after.switches["lamp"] is not before.switches["lamp"]
    gone, new = before.objects.keys() - after.objects.keys(), after.objects.keys() - before.objects.keys()
    assert {n.split()[1] for n in gone} == {"block"}
    assert [after.objects[n].category for n in new] == ["distractor"]
    assert [words.rstrip("0123456789 cm") for words in told][1:4] == [
        "someone shut the drawer",
        "someone turned the lamp on",
        "someone put another thing on the table",
    ]
    assert "someone moved the" in told[0]
    assert told[4] == f"someone took the {gone.pop()} away"


def test_an_attempt_without_a_fault_of_its_own_has_none(world):
    told: list[str] = []
    robot = TabletopRobot(world, cameras=(), faults=[scheduled(at_once("moved", 1), told.append)])
    before = world.physical_state().objects["red block"]
    robot.begin_attempt("pick", 2)
    drive(robot, (0.42, 0.0, 0.28), 0.0, 4)
    robot.begin_attempt("place", 1)
    drive(robot, (0.42, 0.0, 0.28), 0.0, 4)
    assert told == []
    assert math.dist(world.physical_state().objects["red block"].position_m, before.position_m) < 1e-3


def test_what_has_not_struck_by_the_end_of_its_attempt_never_does(world):
    told: list[str] = []
    robot = TabletopRobot(world, cameras=(), faults=[scheduled(at_once("moved", 5), told.append)])
    robot.begin_attempt("pick", 1)
    drive(robot, (0.42, 0.0, 0.28), 0.0, 3)
    robot.end_attempt()
    drive(robot, (0.42, 0.0, 0.28), 0.0, 6)
    assert told == []


def test_actuator_noise_and_delay_come_after_the_envelope(world):
    noisy = TabletopRobot(world, cameras=(), faults=[lambda plant: ActuatorNoise(plant, seed=3, sigma_m=0.01)])
    start = np.array(noisy.observe().proprioception.tool_position_m)
    sent = noisy.apply(Action((0.0, 0.0, 0.02)))
    assert sent.sent == Action((0.0, 0.0, 0.02)), "the robot believes what it sent"
    went = np.array(noisy.observe().proprioception.tool_position_m) - start
    assert 0.003 < np.linalg.norm(went - [0.0, 0.0, 0.02]) < 0.06
    late = TabletopRobot(world, cameras=(), faults=[lambda plant: ActuatorDelay(plant, steps_late=2)])
    heights = []
    for _ in range(4):
        late.observe()
        late.apply(Action((0.0, 0.0, 0.03)))
        heights.append(late.observe().proprioception.tool_position_m[2])
    assert heights[1] - heights[0] < 0.005
    assert heights[3] - heights[1] > 0.05


def test_camera_noise_lost_and_frozen_frames():
    with TabletopWorld(SCENE, 0) as world:
        noisy = TabletopRobot(world, cameras=("front",), faults=[lambda plant: CameraNoise(plant, seed=1)])
        plain = TabletopRobot(world, cameras=("front",))
        difference = noisy.observe().images["front"].rgb.astype(int) - plain.observe().images["front"].rgb
        assert 5 < np.abs(difference).mean() < 30
        frozen = TabletopRobot(
            world,
            cameras=("front",),
            faults=[lambda plant: LostFrames(plant, seed=1, when=between(2, 99), probability=1.0)],
        )
        frames, ages_s = [], []
        for _ in range(5):
            seen = frozen.observe()
            frames.append(seen.images["front"].rgb)
            ages_s.append(round(seen.time_s - seen.images["front"].time_s, 6))
            frozen.apply(Action((0.0, 0.03, 0.0)))
        assert ages_s == [0.0, 0.0, 0.1, 0.2, 0.3], "a frozen frame keeps the time at which it was taken"
        assert not np.array_equal(frames[0], frames[1])
        assert np.array_equal(frames[1], frames[2])
        assert np.array_equal(frames[2], frames[4])
        dropping = TabletopRobot(
            world, cameras=("front",), faults=[lambda plant: LostFrames(plant, seed=1, probability=0.5)]
        )
        same = 0
        for k in range(16):
            dropping.apply(Action((0.0, 0.02 if k % 2 else -0.02, 0.0)))
            frame = dropping.observe().images["front"].rgb
            same += k > 0 and np.array_equal(frame, frames[-1])
            frames.append(frame)
        assert 3 <= same <= 13


def test_wrappers_compose_and_strike_by_event(world):
    told: list[str] = []
    robot = TabletopRobot(
        world,
        cameras=(),
        faults=[
            lambda plant: ActuatorNoise(plant, seed=1, sigma_m=0.001),
            lambda plant: Disturbed(plant, disturbances.slip, seed=2, when=while_holding, report=told.append),
            lambda plant: Disturbed(plant, disturbances.toggle_lamp, seed=2, when=between(3, 3), report=told.append),
        ],
    )
    pick_up(robot)
    assert told == ["someone turned the lamp on", "the red block slipped out of the hand"]
    kept = json.loads(json.dumps(robot.state()))
    assert [layer.get("struck") for layer in kept["faults"]] == [True, True, None]


# ------------------------------------------------------------------------------------------------- the schedule


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**31), key=st.text(max_size=30), attempt=st.integers(1, 50))
def test_a_draw_depends_on_seed_key_and_attempt_alone(seed, key, attempt):
    schedule = FaultSchedule(seed=seed, mix=fault_mix("standard"))
    again = FaultSchedule.model_validate_json(schedule.model_dump_json())
    for other in range(1, 4):
        again.planned("something else", other)
    assert again == schedule
    planned = schedule.planned(key, attempt)
    assert again.planned(key, attempt) == planned
    if planned is not None:
        assert set(planned.kinds) == set(STANDARD_WEIGHTS)
        assert PlannedFault.model_validate_json(planned.model_dump_json()) == planned


def test_the_standard_mix_strikes_one_attempt_in_four_and_takes_nothing_away():
    schedule = FaultSchedule(seed=11, mix=fault_mix("standard"))
    drawn = [schedule.planned(f"pick(block {k})", attempt) for k in range(700) for attempt in (1, 2)]
    struck = [fault for fault in drawn if fault is not None]
    assert 0.21 < len(struck) / len(drawn) < 0.29
    assert all("taken" not in fault.kinds for fault in struck)
    first = [fault.kinds[0] for fault in struck]
    total = sum(STANDARD_WEIGHTS.values())
    for kind, weight in STANDARD_WEIGHTS.items():
        assert abs(first.count(kind) / len(first) - weight / total) < 0.08


def test_every_kind_has_a_mix_of_its_own_and_unknown_ones_name_the_choices():
    assert set(MIXES) == {"none", "standard", *KINDS}
    assert set(KINDS) == {*DISTURBANCES, *LASTING}
    with pytest.raises(FaultError, match="did you mean 'slipped'"):
        fault_mix("sliped")
    with pytest.raises(ValueError, match="no fault 'fire'"):
        FaultMix(rate=0.5, weights={"fire": 1.0})
    with pytest.raises(ValueError, match="less than or equal to 1"):
        FaultMix(rate=1.5, weights={})


@pytest.mark.parametrize("kind", sorted(LASTING))
def test_lasting_faults_last_from_their_step_to_the_end_of_the_attempt(world, kind):
    told: list[str] = []
    robot = TabletopRobot(world, cameras=(), faults=[scheduled(at_once(kind, 2), told.append)])
    robot.begin_attempt("pick", 1)
    lasting = []
    for _ in range(4):
        lasting.append(robot.state()["faults"][0]["lasting"])
        robot.observe()
        robot.apply(Action())
    assert lasting == [None, None, None, kind]
    robot.begin_attempt("pick", 2)
    assert robot.state()["faults"][0]["lasting"] is None
    assert told == [LASTING[kind]]


# ------------------------------------------------------------------------------------------------- disturbances


@cache
def some_state(seed: int) -> PhysicalState:
    with TabletopWorld(random_scene(seed), seed) as world:
        return world.physical_state()


@settings(deadline=None, max_examples=60)
@given(scene=st.integers(0, 7), seed=st.integers(0, 10_000))
def test_what_is_moved_lands_free_and_within_reach(scene, seed):
    state = some_state(scene)
    event = disturbances.move_object(state, np.random.default_rng(seed))
    if event is None:
        return
    (move,) = event.interventions
    assert isinstance(move, MoveObject)
    assert layout.PLACING_AREA.contains(move.position_m)
    assert math.dist(move.position_m, state.hand.tool_position_m[:2]) >= disturbances.CLEAR_OF_HAND_M
    moved = state.objects[move.name]
    for other in state.objects.values():
        if other.name not in (move.name, "table"):
            assert math.dist(other.position_m[:2], move.position_m) >= layout.MINIMAL_SPACING_M
        on_top = math.dist(other.position_m[:2], moved.position_m[:2]) < 0.02 and other.position_m[2] > (
            moved.position_m[2] + 0.02
        )
        assert not (on_top and other.category == "block"), "what bears something is not moved"


def state_with(objects: list[ObjectState], held: str | None = None, tool=(0.42, 0.0, 0.3), **joints: float):
    hand = HandState(tool, (1.0, 0.0, 0.0, 0.0), 0.04, held)
    return PhysicalState(0.0, {o.name: o for o in objects}, hand, joints)


def block(name: str, x: float, y: float, z: float = 0.02) -> ObjectState:
    return ObjectState(name, "block", (x, y, z))


RNG = np.random.default_rng(0)


@pytest.mark.parametrize("falls", [disturbances.slip, disturbances.weaken_grip])
def test_nothing_falls_that_is_not_held_or_would_land_on_something_or_out_of_reach(falls):
    red, blue = block("red block", 0.45, 0.0, 0.2), block("blue block", 0.46, 0.02)
    assert falls(state_with([red]), RNG) is None
    assert falls(state_with([red], held="red block"), RNG) is not None
    assert falls(state_with([red, blue], held="red block"), RNG) is None
    far = block("red block", 0.45, 0.4, 0.2)
    assert falls(state_with([far], held="red block"), RNG) is None
    near_the_handle = block("red block", 0.45, 0.15, 0.2)
    assert falls(state_with([near_the_handle], held="red block"), RNG) is not None
    assert falls(state_with([near_the_handle], held="red block", drawer=0.14), RNG) is None


def test_the_only_block_is_not_taken_from_hand_stack_or_closed_drawer():
    red = block("red block", 0.45, 0.0)
    (taken,) = disturbances.take_away(state_with([red]), RNG).interventions
    assert taken == RemoveObject("red block")
    assert disturbances.take_away(state_with([red], held="red block"), RNG) is None
    assert disturbances.take_away(state_with([red], tool=(0.45, 0.0, 0.05)), RNG) is None
    hidden = block("red block", *layout.drawer_slot(0)[:2])
    assert disturbances.take_away(state_with([hidden], drawer=0.0), RNG) is None
    upper = block("blue block", 0.45, 0.0, 0.06)
    (taken,) = disturbances.take_away(state_with([red, upper]), RNG).interventions
    assert taken == RemoveObject("blue block")


def test_the_drawer_is_shut_only_when_open_and_the_hand_is_away():
    assert disturbances.shut_drawer(state_with([], drawer=0.0), RNG) is None
    assert disturbances.shut_drawer(state_with([]), RNG) is None
    assert disturbances.shut_drawer(state_with([], drawer=0.14), RNG) is not None
    at_handle = layout.handle_centre(0.14)
    assert disturbances.shut_drawer(state_with([], drawer=0.14, tool=at_handle), RNG) is None


def test_the_lamp_is_left_alone_where_no_button_could_undo_it():
    alone = PhysicalState(0.0, {}, state_with([]).hand, {}, {"lamp": True})
    assert disturbances.toggle_lamp(alone, RNG) is None
    assert disturbances.toggle_lamp(replace(alone, joints={"button": 0.0}), RNG) is not None


def test_a_full_table_has_no_free_spot():
    area = layout.PLACING_AREA
    grid = [
        block(f"b{i}-{j} block", x, y)
        for i, x in enumerate(np.arange(area.x_min, area.x_max + 0.1, 0.1))
        for j, y in enumerate(np.arange(area.y_min, area.y_max + 0.1, 0.1))
    ]
    assert free_spot(state_with(grid), RNG) is None
    assert disturbances.put_distractor(state_with(grid), RNG) is None
