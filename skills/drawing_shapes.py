"""What the parts of a drawn skill graph look like: boxes, diamonds, frames and arrows as SVG text.

Not for: where they go (skills.drawing_layout) or what they stand for (skills.drawing).
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from skills.drawing_layout import Point

FONT = "ui-sans-serif, system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"
SIZE = 13.0
LINE = 18.0
CHARACTER = 7.3  # a little over the mean width of a character at SIZE, so that text never spills
WRAP = 24
PAD = 12.0
NARROWEST = 132.0  # most calls come out equally wide, and stand in columns


@dataclass(frozen=True)
class Look:
    """Colours of one status."""

    fill: str
    border: str
    text: str
    mark: str = ""
    dashed: bool = False


LOOKS = {
    "pending": Look("#ffffff", "#c3c9d4", "#3a4254"),
    "ready": Look("#f4f8ff", "#8fb4f0", "#2b4a80"),
    "running": Look("#dbe9ff", "#2f6fde", "#123a80", "▸"),
    "succeeded": Look("#e6f6ea", "#3fa45b", "#1c5a30", "✓"),
    "failed": Look("#fdeaea", "#d64545", "#8c1f1f", "✗"),
    "skipped": Look("#f6f6f7", "#cfd2d8", "#9aa0ab", "–", dashed=True),
}
SWATCHES = {
    "red": "#d94141",
    "green": "#3f9f4f",
    "blue": "#3b6fd4",
    "yellow": "#e8c33b",
    "purple": "#8b53c4",
    "orange": "#ec8b32",
    "cyan": "#3fc0cf",
    "brown": "#8a5a3b",
    "pink": "#ee8fb5",
}


def wrapped(text: str) -> list[str]:
    """Lines of at most WRAP characters; a longer word is broken."""
    return textwrap.wrap(text, WRAP, break_on_hyphens=False) or [""]


def text_width(lines: Sequence[str]) -> float:
    return max((len(line) for line in lines), default=0) * CHARACTER


def text(x: float, y: float, words: str, colour: str, *, bold: bool = False, anchor: str = "start") -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}"{weight}>{escape(words)}</text>'


def box(x: float, y: float, size: Point, look: Look, title: str, body: str) -> str:
    """A rounded box with a tool tip."""
    dash = ' stroke-dasharray="4 3"' if look.dashed else ""
    return (
        f"<g><title>{escape(title)}</title>"
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{size[0]:.1f}" height="{size[1]:.1f}" rx="9" '
        f'fill="{look.fill}" stroke="{look.border}" stroke-width="1.4"{dash}/>{body}</g>'
    )


def call_size(skill: str, arguments: Sequence[str]) -> Point:
    lines = [line for argument in arguments for line in wrapped(argument)]
    swatch = 16.0 if any(_swatch(a) for a in arguments) else 0.0
    width = max(text_width([f"{skill}   "]) + 8.0, text_width(lines) + swatch)
    return max(width + 2 * PAD, NARROWEST), LINE * (1 + len(lines)) + 2 * PAD - 6.0


def call_body(x: float, y: float, size: Point, skill: str, arguments: Sequence[str], look: Look) -> str:
    """The skill's name, its arguments with a swatch of their colour, the mark of the status in the corner."""
    parts = [text(x + PAD, y + PAD + 9.0, skill, look.text, bold=True)]
    if look.mark:
        parts.append(text(x + size[0] - PAD, y + PAD + 9.0, look.mark, look.border, bold=True, anchor="end"))
    baseline = y + PAD + 9.0 + LINE
    for argument in arguments:
        colour = _swatch(argument)
        indent = 16.0 if colour else 0.0
        if colour:
            parts.append(
                f'<rect x="{x + PAD:.1f}" y="{baseline - 9.5:.1f}" width="10" height="10" rx="2.5" fill="{colour}"/>'
            )
        for line in wrapped(argument):
            parts.append(text(x + PAD + indent, baseline, line, look.text))
            baseline += LINE
    return "".join(parts)


def diamond_size(lines: Sequence[str]) -> Point:
    return text_width(lines) * 1.25 + 56.0, LINE * len(lines) * 1.5 + 34.0


def diamond(x: float, y: float, size: Point, lines: Sequence[str], look: Look) -> str:
    width, height = size
    corners = ((x + width / 2, y), (x + width, y + height / 2), (x + width / 2, y + height), (x, y + height / 2))
    points = " ".join(f"{px:.1f},{py:.1f}" for px, py in corners)
    parts = [
        f'<polygon points="{points}" fill="{look.fill}" stroke="{look.border}" stroke-width="1.4" '
        'stroke-linejoin="round"/>'
    ]
    first = y + height / 2 - LINE * (len(lines) - 1) / 2 + 4.5
    parts += [text(x + width / 2, first + i * LINE, line, look.text, anchor="middle") for i, line in enumerate(lines)]
    return "".join(parts)


def arrow(points: Sequence[Point], label: str = "") -> str:
    """A smooth line through the points, its tip at the last."""
    (x, y), *rest = points
    path = f"M{x:.1f},{y:.1f}"
    for px, py in rest:
        middle = (y + py) / 2
        path += f" C{x:.1f},{middle:.1f} {px:.1f},{middle:.1f} {px:.1f},{py:.1f}"
        x, y = px, py
    line = f'<path d="{path}" fill="none" stroke="#8d95a5" stroke-width="1.4" marker-end="url(#tip)"/>'
    if not label:
        return line
    (x0, _), (x1, y1) = points[0], points[-1]
    side, anchor = (-7, "end") if x1 <= x0 else (7, "start")  # where the line does not come from
    return line + text(x1 + side, y1 - 12, label, "#5c6475", anchor=anchor)


def document(width: float, height: float, body: str, title: str) -> str:
    """A whole SVG file; nothing in it is loaded from elsewhere."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" font-family={quoteattr(FONT)} font-size="{SIZE:.0f}" role="img">'
        f"<title>{escape(title)}</title>"
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="8.5" refY="5" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path d="M0,1 L9,5 L0,9 z" fill="#8d95a5"/></marker></defs>'
        f'<rect width="100%" height="100%" fill="#fbfbfd" rx="10"/>{body}</svg>\n'
    )


def _swatch(argument: str) -> str | None:
    return SWATCHES.get(argument.partition(" ")[0])
