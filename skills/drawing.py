"""Drawing skill graphs: an SVG picture and a tree for the terminal, both with the state of each step.

statuses map a step's path ("sort/3/pick", "check/then/pick") to pending, ready, running, succeeded, failed or skipped;
what is missing is pending.
Not for: deciding those states (executor.graph_runner).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from skills import drawing_shapes as shapes
from skills.drawing_layout import Point, lay_out
from skills.drawing_tree import terminal_tree
from skills.graph_structure import check_order
from skills.skill_graph import BranchStep, CallStep, RepeatStep, SkillGraph, Step, SubGraphStep

__all__ = ["graph_svg", "terminal_tree"]

MARGIN = 22.0
FRAME = 14.0
HEADER = 26.0
NOTHING = "nothing"


@dataclass(frozen=True)
class _Drawn:
    """A part with its size, drawn with its left top corner at (0, 0). inlet: where an arrow from above ends, x."""

    size: Point
    body: str


def graph_svg(graph: SkillGraph, statuses: Mapping[str, str] | None = None, *, title: str = "") -> str:
    """The graph as one self-contained SVG. Raises GraphError for duplicate or dangling ids and for cycles."""
    check_order(graph)
    drawn = _level(graph, statuses or {}, "")
    words = title or graph.name
    head = HEADER if words else 0.0
    width, height = drawn.size[0] + 2 * MARGIN, drawn.size[1] + 2 * MARGIN + head
    width = max(width, shapes.text_width([words]) * 1.1 + 2 * MARGIN)
    heading = shapes.text(MARGIN, MARGIN + 8, words, "#3a4254", bold=True) if words else ""
    inner = _at((width - drawn.size[0]) / 2, MARGIN + head, drawn.body)
    return shapes.document(width, height, heading + inner, words or "skill graph")


def _level(graph: SkillGraph, statuses: Mapping[str, str], level: str) -> _Drawn:
    parts = {step.id: _step(step, statuses, f"{level}{step.id}") for step in graph.steps}
    layout = lay_out({i: part.size for i, part in parts.items()}, [(a, s.id) for s in graph.steps for a in s.after])
    body = "".join(shapes.arrow(points) for points in layout.arrows)
    body += "".join(_at(*layout.places[i], part.body) for i, part in parts.items())
    return _Drawn((layout.width, layout.height), body)


def _step(step: Step, statuses: Mapping[str, str], path: str) -> _Drawn:
    status = statuses.get(path, "pending")
    look = shapes.LOOKS.get(status, shapes.LOOKS["pending"])
    match step:
        case CallStep(do=call):
            size = shapes.call_size(call.skill, call.arguments)
            body = shapes.call_body(0, 0, size, call.skill, call.arguments, look)
            return _Drawn(size, shapes.box(0, 0, size, look, f"{path}: {call} ({status})", body))
        case BranchStep():
            return _branch(step, statuses, path, look)
        case RepeatStep():
            until = f" until {step.until}" if step.until is not None else ""
            bound = f", at most {step.at_most} times" if step.until is not None else f" {step.at_most} times"
            return _framed(f"↻ repeat{until}{bound}", _level(step.body, statuses, f"{path}/"), look, path)
        case SubGraphStep():
            return _framed(step.graph.name or step.id, _level(step.graph, statuses, f"{path}/"), look, path)


def _framed(header: str, inner: _Drawn, look: shapes.Look, path: str) -> _Drawn:
    """A frame with a heading around a level."""
    lines = shapes.wrapped(header)
    head = HEADER + shapes.LINE * (len(lines) - 1)
    width = max(inner.size[0], shapes.text_width(lines)) + 2 * FRAME
    size = width, inner.size[1] + head + FRAME + 6.0
    faint = shapes.Look("#f7f8fb", look.border, look.text, dashed=True)
    body = "".join(
        shapes.text(FRAME, 19.0 + i * shapes.LINE, line, look.text, bold=True) for i, line in enumerate(lines)
    )
    body += _at((width - inner.size[0]) / 2, head + 6.0, inner.body)
    return _Drawn(size, shapes.box(0, 0, size, faint, path, body))


def _branch(step: BranchStep, statuses: Mapping[str, str], path: str, look: shapes.Look) -> _Drawn:
    """A diamond with the literal, an arm on each side, all in a frame."""
    lines = shapes.wrapped(f"{step.condition}?")
    top = shapes.diamond_size(lines)
    arms = [
        _level(arm, statuses, f"{path}/{name}/") if arm.steps else _nothing()
        for name, arm in (("then", step.then), ("else", step.otherwise))
    ]
    gap = 2.2 * FRAME
    below = arms[0].size[0] + arms[1].size[0] + gap
    width = max(top[0], below)
    drop = top[1] + 38.0
    body = shapes.diamond((width - top[0]) / 2, 0, top, lines, look)
    left = (width - below) / 2
    for arm, label, side in zip(arms, ("yes", "no"), (-1, 1), strict=True):
        start = (width / 2 + side * top[0] / 4, top[1] * 3 / 4)
        body += shapes.arrow((start, (left + arm.size[0] / 2, drop)), label) + _at(left, drop, arm.body)
        left += arm.size[0] + gap
    height = drop + max(arm.size[1] for arm in arms)
    size = width + 2 * FRAME, height + 2 * FRAME
    faint = shapes.Look("#f7f8fb", look.border, look.text, dashed=True)
    return _Drawn(size, shapes.box(0, 0, size, faint, path, _at(FRAME, FRAME, body)))


def _nothing() -> _Drawn:
    look = shapes.LOOKS["skipped"]
    size = shapes.text_width([NOTHING]) + 2 * shapes.PAD, shapes.LINE + shapes.PAD
    words = shapes.text(size[0] / 2, size[1] / 2 + 4.5, NOTHING, look.text, anchor="middle")
    return _Drawn(size, shapes.box(0, 0, size, look, "nothing is done", words))


def _at(x: float, y: float, body: str) -> str:
    return f'<g transform="translate({x:.1f},{y:.1f})">{body}</g>'
