"""Literals from metres: hand-made states where the answer is known."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robots.physical_state import HandState, ObjectState, PhysicalState
from robots.tabletop.layout import DRAWER_OPEN_M
from skills.geometry import half_height_m, heading_rad
from skills.grounding import evaluate, facts_of, symbolic_of
from skills.literals import Literal

DOWN = (1.0, 0.0, 0.0, 0.0)
AWAY = HandState((0.4, 0.0, 0.4), DOWN, 0.08)


def yawed(yaw):
    return (0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2))


def block(name, x, y, z=0.02, *, yaw=0.0, orientation=None):
    return ObjectState(name, "block", (x, y, z), orientation or yawed(yaw))


def bowl(name, x, y):
    return ObjectState(name, "bowl", (x, y, 0.0225), size_m=(0.13, 0.13, 0.045))


def pad(name, x, y):
    return ObjectState(name, "pad", (x, y, 0.001), size_m=(0.12, 0.12, 0.002))


def drawer(x, y):
    return ObjectState("drawer", "drawer", (x, y, 0.06), size_m=(0.18, 0.20, 0.08))


def state(*objects, held=None, joints=None, switches=None):
    hand = HandState(AWAY.tool_position_m, DOWN, 0.04 if held else 0.08, held)
    return PhysicalState(0.0, {o.name: o for o in objects}, hand, joints or {}, switches or {})


def holds(physical, text):
    return evaluate(physical, Literal.parse(text))


def facts(physical):
    return {str(f) for f in facts_of(physical) if f.predicate != "in_zone"}


def test_on_is_direct_support_through_a_stack_on_a_pad():
    stack = state(
        pad("red pad", 0.5, 0.0),
        block("red block", 0.5, 0.0, 0.022),
        block("green block", 0.505, 0.004, 0.062, yaw=0.5),
        block("blue block", 0.5, 0.0, 0.102),
    )
    assert facts(stack) == {"on(red block, red pad)", "on(green block, red block)", "on(blue block, green block)"}
    assert holds(stack, "clear(red block)") is False
    assert holds(stack, "clear(blue block)") is True
    assert holds(stack, "clear(red pad)") is False
    assert symbolic_of(stack).stack_height("blue block") == 3


def test_a_block_beside_another_or_beside_a_pad_is_on_the_table():
    beside = state(block("red block", 0.5, 0.0), block("green block", 0.541, 0.0), pad("red pad", 0.5, 0.085))
    assert facts(beside) == {"on(red block, table)", "on(green block, table)"}
    assert holds(beside, "clear(red pad)") is True


def test_a_block_that_bridges_two_counts_on_the_nearer():
    bridge = state(
        block("red block", 0.5, 0.0), block("green block", 0.5, 0.045), block("blue block", 0.5, 0.018, 0.06)
    )
    assert "on(blue block, red block)" in facts(bridge)
    assert "on(blue block, green block)" not in facts(bridge)


@pytest.mark.parametrize("tilt", [(1, 0, 0), (0, 1, 0), (1, 0, 1)])
def test_a_block_lies_on_any_face(tilt):
    axis = [a / math.sqrt(sum(v * v for v in tilt)) for a in tilt]
    angle = math.pi / 2 if sum(tilt) == 1 else math.pi
    orientation = (*(a * math.sin(angle / 2) for a in axis), math.cos(angle / 2))
    lying = block("red block", 0.5, 0.0, orientation=orientation)
    assert half_height_m(lying) == pytest.approx(0.02)
    assert facts(state(lying)) == {"on(red block, table)"}


@given(st.floats(-3.0, 3.0))
def test_the_heading_of_a_cube_is_its_yaw_to_a_quarter_turn(yaw):
    quarter = math.pi / 2
    found = heading_rad(yawed(yaw))
    assert min((found - yaw) % quarter, (yaw - found) % quarter) < 1e-6


def test_in_a_bowl_counts_on_top_of_others_in_it_and_nothing_is_on_in_a_bowl():
    filled = state(
        bowl("red bowl", 0.5, 0.0),
        block("red block", 0.48, 0.0, 0.028),
        block("green block", 0.525, 0.0, 0.028),
        block("blue block", 0.5, 0.005, 0.0655),
        block("pink block", 0.5, 0.15),
    )
    assert facts(filled) == {
        *(f"in({c} block, red bowl)" for c in ("red", "green", "blue")),
        "on(pink block, table)",
    }
    assert symbolic_of(filled).holds(Literal.parse("has_room(red bowl)")) is False


def test_a_tower_in_a_bowl_is_in_it_to_its_top():
    tower = [block(f"{c} block", 0.5, 0.0, 0.025 + 0.04 * k) for k, c in enumerate(("red", "green", "blue"))]
    assert facts(state(bowl("red bowl", 0.5, 0.0), *tower)) == {
        f"in({c} block, red bowl)" for c in ("red", "green", "blue")
    }


def test_above_the_bowl_is_not_in_it():
    over = state(bowl("red bowl", 0.5, 0.0), block("red block", 0.5, 0.0, 0.09))
    assert facts(over) == set()


def test_in_the_drawer_moves_with_the_drawer():
    opened = state(drawer(0.5, 0.3), block("red block", 0.45, 0.35, 0.05), joints={"drawer": 0.16})
    assert facts(opened) == {"in(red block, drawer)", "open(drawer)"}
    elsewhere = state(drawer(0.5, 0.5), block("red block", 0.45, 0.35, 0.05), joints={"drawer": 0.0})
    assert "in(red block, drawer)" not in facts(elsewhere)


def test_open_and_closed_share_one_line():
    for opening, is_open in ((0.0, False), (DRAWER_OPEN_M - 1e-4, False), (DRAWER_OPEN_M, True)):
        seen = state(drawer(0.5, 0.3), joints={"drawer": opening})
        assert holds(seen, "open(drawer)") is is_open
        assert holds(seen, "closed(drawer)") is (not is_open)
        assert symbolic_of(seen).holds(Literal.parse("closed(drawer)")) is (not is_open)


def test_what_is_held_is_on_nothing_and_in_no_zone():
    held = state(block("red block", 0.5, 0.34, 0.02), block("green block", 0.4, 0.0), held="red block")
    assert {str(f) for f in facts_of(held)} == {"holding(red block)", "on(green block, table)"}
    assert holds(held, "hand_empty()") is False
    assert holds(held, "clear(green block)") is True


@pytest.mark.parametrize(
    ("zone", "inside", "outside"),
    [
        ("left", (0.5, 0.13), (0.5, 0.11)),
        ("right", (0.5, -0.33), (0.5, -0.31)),
        ("front", (0.58, 0.0), (0.56, 0.0)),
        ("back", (0.36, 0.0), (0.38, 0.0)),
    ],
)
def test_a_zone_begins_behind_its_line(zone, inside, outside):
    assert holds(state(block("red block", *inside)), f"in_zone(red block, {zone})") is True
    assert holds(state(block("red block", *outside)), f"in_zone(red block, {zone})") is False


def test_a_block_in_a_bowl_is_in_no_zone():
    y = 0.17
    kept = state(bowl("red bowl", 0.5, y), block("red block", 0.5, y, 0.03))
    assert holds(kept, "in_zone(red block, left)") is False


def test_what_is_not_in_the_state_cannot_be_told():
    bare = state(block("red block", 0.5, 0.0))
    for text in (
        "on(blue block, table)", "in(red block, blue bowl)", "open(drawer)", "closed(drawer)", "lit(lamp)",
        "holding(blue block)", "clear(blue block)", "in_zone(blue block, left)",
    ):  # fmt: skip
        assert holds(bare, text) is None
        assert holds(bare, f"not {text}") is None
    assert holds(bare, "hand_empty()") is True


def test_lit_reads_the_switch():
    lamp = ObjectState("lamp", "lamp", (0.7, 0.0, 0.05))
    assert holds(state(lamp, switches={"lamp": True}), "lit(lamp)") is True
    assert holds(state(lamp, switches={"lamp": False}), "not lit(lamp)") is True


@given(
    st.lists(
        st.tuples(st.floats(0.3, 0.6), st.floats(-0.2, 0.2), st.floats(0.02, 0.2), st.floats(-3, 3)),
        min_size=1, max_size=6,
    )
)  # fmt: skip
def test_symbols_and_metres_agree_and_nothing_rests_on_two_things(poses):
    names = ("red", "green", "blue", "yellow", "purple", "orange")
    blocks = (block(f"{n} block", x, y, z, yaw=yaw) for n, (x, y, z, yaw) in zip(names, poses, strict=False))
    physical = state(*blocks, bowl("red bowl", 0.45, 0.1), pad("red pad", 0.4, -0.1))
    symbolic = symbolic_of(physical)
    carried = [f.arguments[0] for f in symbolic.facts if f.predicate in ("on", "in")]
    assert len(carried) == len(set(carried))
    for fact in symbolic.facts:
        assert evaluate(physical, fact) is True
        assert symbolic.holds(fact) is True
    for name in symbolic.of_category("block"):
        clear = Literal("clear", (name,))
        assert evaluate(physical, clear) is symbolic.holds(clear)
