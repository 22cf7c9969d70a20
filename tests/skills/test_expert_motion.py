"""Motion and the room a hand needs, on hand-made states; from any state an expert takes a step that can be taken."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robots.physical_state import HandState, ObjectState, PhysicalState
from robots.tabletop import layout
from skills.grasping import plan_grasp
from skills.hand import gripped, hand_gap_m, hand_yaw_rad, obstacles
from skills.library import SkillLibrary
from skills.motion import approach, equal_yaws, nearest_yaw, passing_height_m
from skills.placing import free_spot, put_in_bowl
from skills.planar import disc, gap_m, rectangle
from skills.push_path import next_leg, straight_room_m


def pointing_down(yaw):
    return (math.cos(yaw / 2), math.sin(yaw / 2), 0.0, 0.0)


def yawed(yaw):
    return (0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2))


def block(name, x, y, z=0.02, *, yaw=0.0):
    return ObjectState(name, "block", (x, y, z), yawed(yaw))


def bowl(name, x, y):
    return ObjectState(name, "bowl", (x, y, 0.0225), size_m=(0.13, 0.13, 0.045))


def drawer(opening_m):
    size = (layout.DRAWER_INTERIOR_X_M + 0.016, layout.DRAWER_INTERIOR_Y_M + 0.016, layout.DRAWER_WALL_HEIGHT_M)
    return ObjectState("drawer", "drawer", (layout.CABINET_X_M, layout.drawer_centre_y(opening_m), 0.035), size_m=size)


def button():
    return ObjectState("button", "button", (*layout.BUTTON_POSITION, 0.02), size_m=(0.07, 0.07, 0.04))


def state(*objects, at=(0.45, 0.0, 0.25), yaw=0.0, opening=0.08, held=None, joints=None):
    hand = HandState(at, pointing_down(yaw), opening, held)
    return PhysicalState(0.0, {o.name: o for o in objects}, hand, joints or {}, {"lamp": False})


@given(st.floats(-1.5, 1.5))
def test_the_hands_yaw_is_read_from_its_orientation(yaw):
    assert hand_yaw_rad(state(yaw=yaw).hand) == pytest.approx(yaw, abs=1e-6)


def test_gaps_between_outlines():
    square = rectangle((0.0, 0.0), 0.0, 0.02, 0.02)
    assert gap_m(square, rectangle((0.10, 0.0), 0.0, 0.02, 0.02)) == pytest.approx(0.06)
    assert gap_m(square, rectangle((0.03, 0.0), 0.0, 0.02, 0.02)) == pytest.approx(-0.01)
    assert gap_m(square, disc((0.0, 0.10), 0.03)) == pytest.approx(0.05)


def test_a_neighbour_turns_the_grasp_by_a_quarter():
    """Fingers close along y by choice of the least turn, and along x where neighbours leave no room along y."""
    target = block("red block", 0.5, 0.0)
    free = plan_grasp(state(target, at=(0.5, 0.0, 0.2)), target)
    assert free.yaw_rad == pytest.approx(0.0, abs=1e-6)
    neighbours = (block("green block", 0.5, 0.052), block("blue block", 0.5, -0.052))
    hemmed = plan_grasp(state(target, *neighbours, at=(0.5, 0.0, 0.2)), target)
    assert abs(hemmed.yaw_rad) == pytest.approx(math.pi / 2, abs=1e-6)
    assert hemmed.gap_m > 0.005


def test_a_tall_stack_keeps_the_palm_away():
    target = block("red block", 0.5, 0.0)
    stack = [block(f"{c} block", 0.5, 0.085, 0.02 + 0.04 * k) for k, c in enumerate(("green", "blue", "pink", "cyan"))]
    around = obstacles(state(target, *stack), ignoring=("red block",))
    assert hand_gap_m((0.5, 0.0), 0.02, 0.0, 0.08, around) < 0
    assert hand_gap_m((0.5, 0.0), 0.02, math.pi / 2, 0.08, around) > 0.005
    assert abs(plan_grasp(state(target, *stack), target).yaw_rad) == pytest.approx(math.pi / 2, abs=1e-6)


def test_the_way_over_a_stack_is_higher_than_the_way_beside_it():
    stack = [block(f"{c} block", 0.5, 0.0, 0.02 + 0.04 * k) for k, c in enumerate(("green", "blue", "pink"))]
    low = state(*stack, at=(0.5, -0.12, 0.05))
    around = obstacles(low)
    assert passing_height_m(low, (0.5, 0.2, 0.02), around) > 0.10
    assert passing_height_m(low, (0.3, -0.3, 0.02), around) < 0.06
    action = approach(low, (0.5, 0.2, 0.02), 0.0, 0.0, around)
    assert action.world_vector[2] > 0.03
    assert math.hypot(*action.world_vector[:2]) < 0.02


@given(st.floats(-math.pi, math.pi))
def test_equal_yaws_stay_within_the_wrists_range(yaw):
    for period in (math.pi / 2, math.pi):
        found = equal_yaws(yaw, period)
        assert found
        assert all(-1.0 < y < 2.6 for y in found)
        assert nearest_yaw(state().hand, yaw, period) in found


@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.01, 0.0), (0.0, 0.015)])
def test_what_is_between_closed_fingers_is_gripped(offset):
    held = block("red block", 0.5, 0.0)
    at = (0.5 + offset[0], offset[1], 0.02)
    assert gripped(state(held, at=at, opening=0.041)) == "red block"
    assert gripped(state(held, at=at, opening=0.07)) is None
    assert gripped(state(held, at=(0.5, 0.05, 0.02), opening=0.041)) is None


@pytest.mark.parametrize("at", [(0.3, 0.3, 0.1), (0.47, -0.1, 0.2), (0.6, -0.35, 0.1)])
def test_the_free_spot_is_free_in_no_zone_and_the_same_all_the_way_there(at):
    things = [block(f"{c} block", x, y) for c, x, y in (("red", 0.47, -0.1), ("green", 0.42, 0.0), ("blue", 0.5, 0.0))]
    things.append(bowl("red bowl", 0.47, -0.22))
    spot = free_spot(state(*things, at=at, held="red block"), "red block")
    assert layout.ZONE_BACK_X_M < spot[0] < layout.ZONE_FRONT_X_M
    assert layout.ZONE_RIGHT_Y_M < spot[1] < layout.ZONE_LEFT_Y_M
    assert all(math.dist(spot, o.position_m[:2]) > 0.08 for o in things[1:])
    for share in (0.3, 0.6, 0.9):
        on_the_way = tuple(a + share * (b - a) for a, b in zip(at, (*spot, at[2]), strict=True))
        assert free_spot(state(*things, at=on_the_way, held="red block"), "red block") == spot


def test_a_block_goes_into_a_bowl_where_the_palm_clears_a_stack():
    """A held block falls into a bowl from over its rim; over a stack beside it the palm would hit."""
    stack = [block(f"{c} block", 0.5, 0.11, 0.02 + 0.04 * k) for k, c in enumerate(("green", "blue", "pink", "cyan"))]
    held = block("red block", 0.5, 0.0, 0.19)
    crowded = state(held, bowl("red bowl", 0.5, 0.0), *stack, at=(0.5, 0.0, 0.2), opening=0.04, held="red block")
    turn = put_in_bowl(crowded, "red block", "red bowl").rotation_delta[2]
    assert abs(turn) > 0.2  # away from where the palm now lies along y, towards the stack
    around = obstacles(crowded, ignoring=("red block", "red bowl"))
    over_rim = 0.045 + 0.03  # the tool, when the block's foot is as high as the rim
    assert hand_gap_m((0.5, 0.021), over_rim, math.copysign(math.pi / 2, turn), 0.08, around) > 0.0


def test_a_push_goes_straight_where_that_is_free_and_else_aside_first():
    target = block("red block", 0.47, -0.2)
    assert next_leg(state(target), "red block", "left").heading == (0.0, 1.0)
    aside = next_leg(state(target, bowl("red bowl", 0.47, -0.05)), "red block", "left")
    assert abs(aside.heading[0]) == 1.0
    assert aside.length_m == pytest.approx(0.1, abs=0.02)  # a bowl's radius and half a lane


def test_a_push_goes_straight_until_something_is_near_then_past_its_nearer_side():
    far_off = bowl("red bowl", 0.45, 0.05)
    assert next_leg(state(block("red block", 0.47, -0.28), far_off), "red block", "left").heading == (0.0, 1.0)
    lengths = []
    for x in (0.47, 0.48, 0.50, 0.52):  # each step aside makes the same choice surer
        leg = next_leg(state(block("red block", x, -0.1), far_off), "red block", "left")
        assert leg.heading == (1.0, 0.0)
        lengths.append(leg.length_m)
    assert lengths == sorted(lengths, reverse=True)
    assert next_leg(state(block("red block", 0.56, -0.1), far_off), "red block", "left").heading == (0.0, 1.0)
    other_side = next_leg(state(block("red block", 0.43, -0.1), far_off), "red block", "left")
    assert other_side.heading == (-1.0, 0.0)


def test_the_room_beside_a_straight_lane_is_up_to_the_nearest_thing():
    target = block("red block", 0.47, -0.2)
    beside = bowl("red bowl", 0.60, -0.05)
    room = straight_room_m(state(target, beside), "red block", "left")
    assert room == pytest.approx(0.13 - beside.size_m[0] / 2, abs=0.005)
    assert straight_room_m(state(target, bowl("red bowl", 0.47, -0.05)), "red block", "left") == 0.0
    assert straight_room_m(state(target), "red block", "left") == math.inf


def test_a_push_that_bowls_shut_in_on_all_sides_has_no_way():
    ring = [
        bowl(f"bowl {k}", 0.47 + 0.098 * math.cos(k * 1.0472), -0.1 + 0.098 * math.sin(k * 1.0472)) for k in range(6)
    ]
    assert next_leg(state(block("red block", 0.47, -0.1), *ring), "red block", "left") is None


CALLS = (
    ("pick", ("red block",)),
    ("place_in", ("red bowl",)),
    ("place_in", ("drawer",)),
    ("place_on", ("green block",)),
    ("place_on", ("table",)),
    ("push", ("red block", "back")),
    ("open", ("drawer",)),
    ("close", ("drawer",)),
    ("press", ("button",)),
)


@settings(max_examples=60, deadline=None)
@given(
    call=st.sampled_from(CALLS),
    red=st.tuples(st.floats(0.25, 0.7), st.floats(-0.45, 0.3), st.floats(0.0, 0.2), st.floats(-3, 3)),
    at=st.tuples(st.floats(0.2, 0.7), st.floats(-0.5, 0.5), st.floats(0.0, 0.4)),
    yaw=st.floats(-1.2, 2.7),
    opening=st.floats(-0.001, 0.08),
    out=st.floats(0.0, layout.DRAWER_TRAVEL_M),
    holds=st.booleans(),
)
def test_from_any_state_an_expert_takes_a_step_that_a_robot_can_take(*, call, red, at, yaw, opening, out, holds):
    skill, arguments = call
    things = (
        block("red block", *red[:3], yaw=red[3]),
        block("green block", 0.45, -0.1),
        bowl("red bowl", 0.55, 0.05),
        drawer(out),
        button(),
    )
    held = "red block" if holds else None
    physical = state(*things, at=at, yaw=yaw, opening=opening, held=held, joints={"drawer": out, "button": 0.0})
    expert = SkillLibrary().skill(skill).expert
    action = expert(physical, arguments)
    assert action == expert(physical, arguments)
    assert math.hypot(*action.world_vector) <= 0.05
    assert math.hypot(*action.rotation_delta) <= 0.30
    assert 0.0 <= action.gripper <= 1.0
