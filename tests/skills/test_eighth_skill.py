"""examples/skills/turn.py: a skill that turns a thing; its literal, its expert, its scenes, its words, its pictures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robots.physical_state import HandState, ObjectState, PhysicalState
from robots.tabletop.cameras import CameraRig, project
from robots.tabletop.models import ModelSpec
from robots.tabletop.robot import TabletopRobot
from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.world import TabletopWorld
from skills.grounding import evaluate
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill import SkillCall, SkillCallError
from skills.skill_graph import CallStep, SkillGraph
from skills.trial_scenes import draw_call, random_spec, random_world, symbolic
from skills.trials import TERMINATED, main, run_call
from skills.validation import validate
from skills.wordings import training_sentence

FILE = Path(__file__).parents[2] / "examples" / "skills" / "turn.py"
LIBRARY = SkillLibrary().with_file(FILE)
TURN = LIBRARY.skill("turn")
POINTER = "white pointer"


def table(yaw_deg=0.0, position=(0.5, -0.1), objects=("red block",)):
    model = ModelSpec(urdf=FILE.with_name("pointer.urdf"), position=position, yaw_deg=yaw_deg)
    return TabletopWorld(SceneSpec(objects=objects).with_model(POINTER, model), 0)


def points(state, direction):
    return evaluate(state, Literal("pointing", (POINTER, direction)), LIBRARY.predicates)


def turned(yaw_deg, joint_rad):
    half = np.radians(yaw_deg) / 2
    orientation = (0.0, 0.0, float(np.sin(half)), float(np.cos(half)))
    pointer = ObjectState(POINTER, "pointer", (0.5, 0.0, 0.02), orientation)
    return PhysicalState(0.0, {POINTER: pointer}, HandState((0, 0, 0.3), (1, 0, 0, 0), 0.08), {POINTER: joint_rad})


@given(yaw_deg=st.floats(-360, 360), joint_rad=st.floats(-7, 7))
def test_it_points_at_most_one_way_and_plate_and_bar_turn_alike(yaw_deg, joint_rad):
    state = turned(yaw_deg, joint_rad)
    ways = [way for way in ("left", "front", "right") if points(state, way)]
    heading = (np.radians(yaw_deg) + joint_rad + np.pi) % (2 * np.pi) - np.pi
    wanted = {"left": np.pi / 2, "front": 0.0, "right": -np.pi / 2}
    assert len(ways) <= 1
    for way, angle in wanted.items():
        if abs(abs(heading - angle) - 0.40) > 1e-6:
            assert (way in ways) == (abs(heading - angle) < 0.40)


def test_a_pointer_that_is_not_seen_may_point_anywhere():
    state = replace(turned(0.0, 0.0), objects={}, joints={})
    assert points(state, "left") is None


@pytest.mark.parametrize(
    ("yaw_deg", "direction"), [(-100, "left"), (100, "right"), (60, "front"), (-60, "front"), (0, "left"), (0, "right")]
)
def test_it_turns_either_way_and_to_the_middle(yaw_deg, direction):
    with table(yaw_deg) as world:
        trial = run_call(world, SkillCall("turn", (POINTER, direction)), LIBRARY)
        assert (trial.ended_by, trial.unmet, trial.disturbed, trial.limited) == (TERMINATED, (), (), ())
        assert trial.steps <= 40


@pytest.mark.parametrize("seed", range(4))
def test_it_works_among_clutter(seed):
    world, rng = random_world(seed, library=LIBRARY)
    with world:
        trial = run_call(world, draw_call(symbolic(world, LIBRARY), ("turn",), LIBRARY, rng), LIBRARY)
    assert trial.succeeded, trial
    assert not trial.disturbed
    assert trial.steps <= 40


def test_another_order_in_the_middle_of_a_turn_is_followed_from_there():
    with table(-90) as world:
        robot = TabletopRobot(world, cameras=())
        while not points(world.physical_state(), "front"):
            robot.observe()
            robot.apply(TURN.expert(world.physical_state(), (POINTER, "left")))
        assert run_call(world, SkillCall("turn", (POINTER, "right")), LIBRARY).succeeded


def test_a_block_in_the_hand_is_put_down_first():
    with table(-90) as world:
        assert run_call(world, SkillCall("pick", ("red block",)), LIBRARY).succeeded
        assert run_call(world, SkillCall("turn", (POINTER, "front")), LIBRARY).succeeded
        assert evaluate(world.physical_state(), Literal.parse("on(red block, table)"), LIBRARY.predicates)


def test_graphs_with_it_are_checked_like_any_other():
    with table(-90) as world:
        state = symbolic(world, LIBRARY)
        left = SkillCall.parse(f"turn({POINTER}, left)")
        validate(SkillGraph(steps=(CallStep(id="turn", do=left),)), state, LIBRARY)
        after = state.apply(TURN.effects_of(left.arguments, state))
        assert state.holds(Literal.parse(f"pointing({POINTER}, right)"))
        assert after.holds(Literal.parse(f"pointing({POINTER}, left)"))
        assert not after.holds(Literal.parse(f"pointing({POINTER}, right)"))
        with pytest.raises(SkillCallError, match="have: front, left, right"):
            LIBRARY.check_call(SkillCall.parse(f"turn({POINTER}, back)"), state.objects)


def test_random_scenes_get_a_pointer_and_nothing_else_changes_without_the_skill():
    spec = random_spec(np.random.default_rng(1))
    one, other = (LIBRARY.furnished(spec, np.random.default_rng(2)) for _ in range(2))
    assert one == other
    assert list(one.models) == [POINTER]
    assert one.model_copy(update={"models": {}}) == spec
    assert SkillLibrary().furnished(spec, np.random.default_rng(2)) is spec
    assert SceneSpec.model_validate_json(one.model_dump_json()) == one


def test_training_says_it_in_the_skills_own_words():
    rng = np.random.default_rng(0)
    said = {training_sentence(TURN, (POINTER, "left"), rng) for _ in range(200)}
    assert "turn the white pointer to the left" in said
    assert any(s.startswith("swivel the white pointer") for s in said)
    assert len(said) > 20
    assert not any("{" in s for s in said)


def bar_pixels(world, camera, size):
    """Columns and rows of the pixels that show the bar, from the pivot's own pixel."""
    rig = CameraRig(world, size)
    image = rig.capture([camera])[camera]
    pivot = np.array([[*world.spec.models[POINTER].position, 0.03]])
    (centre,), _ = project(image, pivot)
    rows, columns = np.nonzero((rig.segmentation(camera) == world.bodies[POINTER]) & (image.rgb.min(axis=2) > 150))
    return columns + 0.5 - centre[0], rows + 0.5 - centre[1]


def test_the_front_picture_shows_where_it_points():
    with table(90) as left, table(-90) as right, table(0) as front:
        across = [bar_pixels(world, "front", 96) for world in (left, right, front)]
    assert all(len(columns) >= 8 for columns, _ in across)
    (left_x, _), (right_x, _), (front_x, front_y) = ((x.mean(), y.mean()) for x, y in across)
    assert left_x > 1.0  # the camera looks back at the robot: its right is the robot's left
    assert right_x < -1.0
    assert abs(front_x) < 1.0
    assert front_y > 0.5


def test_trials_take_a_skill_file(capsys):
    main(["--skill-file", str(FILE), "--skills", "turn", "--episodes", "2"])
    assert "turn" in capsys.readouterr().out
