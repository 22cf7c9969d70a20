"""Captions of a moment: one sentence that names everything seen, from left to right in the front picture.

Not for: words under videos (robots.tabletop.captions).
"""

from __future__ import annotations

from collections.abc import Sequence

from executor.learning.moments import Moment
from robots.tabletop.layout import DRAWER_CLOSED_M, DRAWER_OPEN_M

LOOSE = ("block", "bowl", "pad", "distractor")
CAPTION_WORDS = "a an on with and in the drawer lamp hand is open closed lit holds empty"


def with_article(name: str) -> str:
    """'a red block', 'an orange block'."""
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def caption(moment: Moment, seen: Sequence[str]) -> str | None:
    """'a red block on a green block, a blue bowl with a pink block, the drawer is open, the hand is empty'.

    seen: what the pictures show. None where something that belongs into it is hidden, or the drawer half open.
    """
    symbolic, state = moment.symbolic, moment.state
    contents = set(symbolic.resting.get("drawer", ()))
    loose = [n for n, thing in state.objects.items() if thing.category in LOOSE]
    out_m = state.joints.get("drawer", 0.0)
    hidden = [n for n in loose if n not in seen and n not in contents]
    if hidden or DRAWER_CLOSED_M < out_m < DRAWER_OPEN_M or moment.gripped != state.hand.held:
        return None
    if out_m >= DRAWER_OPEN_M and not contents <= set(seen):
        return None
    bottoms = [n for n in loose if n != state.hand.held and symbolic.support.get(n, "table") == "table"]
    if not all(moment.places["front"][n][2] for n in bottoms):
        return None
    bottoms.sort(key=lambda n: float(moment.places["front"][n][0]))
    parts = [_tower(moment, n) for n in bottoms]
    if "drawer" in state.joints:
        parts.append(
            f"the drawer is open{_with(sorted(contents))}" if out_m >= DRAWER_OPEN_M else "the drawer is closed"
        )
    if state.switches.get("lamp"):
        parts.append("the lamp is lit")
    held = state.hand.held
    parts.append("the hand is empty" if held is None else f"the hand holds {with_article(held)}")
    return ", ".join(parts)


def _tower(moment: Moment, bottom: str) -> str:
    """A thing and what stands on it, from the top; a bowl with what is in it."""
    above = moment.symbolic.resting.get(bottom, ())
    if moment.symbolic.objects[bottom] == "bowl":
        return with_article(bottom) + _with(above)
    below = with_article(bottom)
    return " and ".join(f"{_tower(moment, name)} on {below}" for name in above) or below


def _with(contents: Sequence[str]) -> str:
    return f" with {' and '.join(map(with_article, contents))}" if contents else ""
