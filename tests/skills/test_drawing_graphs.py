"""Drawn graphs: nothing overlaps, arrows point down, text stays in its box, statuses show, the tree reads well."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from skills.building import branch, grouped, repeat, sequence, unordered
from skills.drawing import graph_svg, terminal_tree
from skills.drawing_layout import lay_out
from skills.drawing_shapes import CHARACTER, LOOKS, PAD, call_size, wrapped
from skills.graph_files import parse_graph
from skills.skill_graph import GraphError, SkillGraph

SVG = "{http://www.w3.org/2000/svg}"
GRAPH = sequence(
    "open(drawer)",
    unordered(sequence("pick(red block)", "place_in(drawer)"), sequence("pick(blue block)", "place_in(drawer)")),
    branch("in(green block, drawer)", then=sequence("pick(green block)", "place_in(red bowl)")),
    repeat("press(button)", until="lit(lamp)", at_most=2),
    grouped("leave", "close(drawer)"),
    name="tidy",
)


def words(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def printed(graph: SkillGraph, statuses: dict[str, str] | None = None) -> str:
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(terminal_tree(graph, statuses))
    return capture.get()


edges = st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda e: e[0] < e[1]), max_size=16)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 10), edges, st.randoms(use_true_random=False))
def test_boxes_never_overlap_and_arrows_point_down(count: int, pairs: set[tuple[int, int]], rng) -> None:  # type: ignore[no-untyped-def]
    sizes = {str(i): (rng.uniform(60, 260), rng.uniform(30, 120)) for i in range(count)}
    layout = lay_out(sizes, [(str(a), str(b)) for a, b in sorted(pairs) if b < count])
    boxes = {name: (*layout.places[name], *size) for name, size in sizes.items()}
    for (x1, y1, w1, h1), (x2, y2, w2, h2) in combinations(boxes.values(), 2):
        assert x1 + w1 <= x2 or x2 + w2 <= x1 or y1 + h1 <= y2 or y2 + h2 <= y1
    for x, y, width, height in boxes.values():
        assert -1e-6 <= x <= x + width <= layout.width + 1e-6
        assert -1e-6 <= y <= y + height <= layout.height + 1e-6
    for points in layout.arrows:
        assert all(a[1] <= b[1] for a, b in pairwise(points))
        assert points[0][1] < points[-1][1]


def test_the_picture_says_what_the_graph_says() -> None:
    svg = graph_svg(GRAPH)
    shown = words(svg)
    assert shown[0] == "tidy"
    for text in ("open", "pick", "place_in", "press", "red block", "yes", "no", "nothing", "leave"):
        assert text in shown
    assert "in(green block, drawer)?" in shown
    assert "↻ repeat until lit(lamp), at most 2 times" in " ".join(shown)


@pytest.mark.parametrize("status", sorted(LOOKS))
def test_the_state_of_a_step_shows(status: str) -> None:
    look = LOOKS[status]
    one_step = sequence("press(button)")
    svg = graph_svg(one_step, {"press-button": status})
    assert f'fill="{look.fill}" stroke="{look.border}"' in svg
    assert f"({status})" in svg
    assert not look.mark or look.mark in words(svg)


def test_states_reach_into_arms_rounds_and_groups() -> None:
    paths = ["if-in-green-block-drawer/then/pick-green-block", "until-lit-lamp/press-button", "leave/close-drawer"]
    for path in paths:
        assert graph_svg(GRAPH, {path: "running"}).count("(running)") == 1
        assert printed(GRAPH, {path: "running"}).count("▸") == 1


def test_names_are_escaped_and_wrapped() -> None:
    graph = parse_graph("""{name: '<b>&"', steps: [{id: "<a>", do: "pick(block)"}]}""")
    assert words(graph_svg(graph))[0] == '<b>&"'
    name = "a very long and winding name of a block " + "x" * 60
    lines = wrapped(name)
    assert all(len(line) <= 24 for line in lines)
    width, height = call_size("pick", [name])
    assert width >= max(len(line) for line in lines) * CHARACTER + 2 * PAD
    assert height > call_size("pick", ["red block"])[1]


def test_the_picture_needs_nothing_from_elsewhere() -> None:
    svg = graph_svg(GRAPH)
    assert not re.search(r"href|url\((?!#tip)|<script|<image", svg)
    assert graph_svg(GRAPH) == svg


def test_an_empty_graph_is_drawn() -> None:
    assert ElementTree.fromstring(graph_svg(SkillGraph())).tag == f"{SVG}svg"
    assert printed(SkillGraph()).strip() == "plan"


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("{id: a, do: press(b), after: b}, {id: b, do: press(b), after: a}", "cycle"),
        ("{id: a, do: press(b), after: z}", "does not exist"),
        ("{id: a, do: press(b)}, {id: a, do: press(b)}", "2 times"),
    ],
)
def test_what_has_no_order_is_not_drawn(steps: str, message: str) -> None:
    graph = parse_graph(f"steps: [{steps}]")
    for draw in (graph_svg, terminal_tree):
        with pytest.raises(GraphError, match=message):
            draw(graph)


def test_the_tree_keeps_blocks_on_a_line_and_says_what_comes_after_what() -> None:
    lines = printed(GRAPH, {"open-drawer": "succeeded", "pick-red-block": "failed"}).splitlines()
    assert lines[0].strip() == "tidy"
    assert "1 ✓ open(drawer)" in lines[1]
    assert "2 ✗ pick(red block) → · place_in(drawer)  after 1" in lines[2]
    assert "4 · if in(green block, drawer)  after 2, 3" in lines[4]
    assert any("yes" in line for line in lines)
    assert any("no: nothing" in line for line in lines)
    assert any("repeat until lit(lamp), at most 2 times" in line for line in lines)
