"""Goals in words: the short sentence that tells the reader what was understood."""

from __future__ import annotations

from collections.abc import Sequence

from skills.goal import Goal
from skills.literals import Literal


def in_words(goal: Goal) -> str:
    """ "At the end: the red block in the blue bowl and the drawer closed. Order: …"."""
    said = _listed([literal_in_words(lit) for lit in goal.literals])
    text = f"At the end: {said}." if said else "" if goal.branches else "Nothing has to change."
    if goal.alternatives:
        others = len(goal.alternatives)
        text = f"At the end, for instance: {said} ({others} other {'way' if others == 1 else 'ways'} would do)."
    for branch in goal.branches:
        then = _listed([literal_in_words(lit) for lit in branch.then]) or "nothing more"
        otherwise = _listed([literal_in_words(lit) for lit in branch.otherwise]) or "nothing more"
        text += f" With {literal_in_words(branch.condition)} at the start: {then}; otherwise: {otherwise}."
    if goal.order:
        pairs = "; ".join(f"{literal_in_words(a)} before {literal_in_words(b)}" for a, b in goal.order[:4])
        more = f" and {len(goal.order) - 4} more" if len(goal.order) > 4 else ""
        text += f" Order: {pairs}{more}."
    return text.strip()


def literal_in_words(literal: Literal) -> str:
    """ "the red block in the blue bowl", "the lamp off"."""
    names = [f"the {a}" if "*" not in a else "anything" for a in literal.arguments]
    no = "not " if literal.negated else ""
    match literal.predicate, names:
        case "open" | "closed", [name]:
            return f"{name} {no}{literal.predicate}"
        case "lit", [name]:
            return f"{name} {'off' if literal.negated else 'on'}"
        case "holding", [name]:
            return f"{name} {no}in the hand"
        case "clear", [name]:
            return f"{no or 'nothing '}on {name}" if not literal.negated else f"something on {name}"
        case "in_zone", [name, _]:
            return f"{name} {no}in the {literal.arguments[1]} zone"
        case predicate, [name, place]:
            return f"{name} {no}{predicate} {place}"
        case _:
            return str(literal)


def _listed(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
