"""What of a goal is still to be pursued, in the middle of a run: branches settled, order held against what was.

A planner knows only the state as it is. What it is to plan for from here therefore says in itself what the past has
settled: a branch whose condition was seen is its arm; of two things that were to come one after the other and have,
nothing more is wanted; where they came the wrong way round, the second is to be undone and done again.
Not for: whether a goal is reached (skills.goal).
"""

from __future__ import annotations

from collections.abc import Sequence

from skills.goal import Goal, GoalBranch
from skills.literals import Literal
from skills.reasons import why_not
from skills.symbolic_state import SymbolicState

Pair = tuple[Literal, Literal]


def settled(goal: Goal, believed: Sequence[SymbolicState]) -> Goal:
    """The goal with every branch whose condition is known replaced by its arm.

    believed: states at the boundaries of the run, oldest first. A condition is decided by the first state in which it
    can be told: what speaks of a hidden thing was true at the start if it is when the thing is first seen.
    """
    for branch in goal.branches:
        known = (state.holds(branch.condition) for state in believed)
        truth = next((t for t in known if t is not None), None)
        if truth is not None:
            goal = _with_arm(goal, branch, branch.then if truth else branch.otherwise)
    return goal


def pursued(goal: Goal, believed: Sequence[SymbolicState]) -> Goal:
    """What to plan for from the last believed state on."""
    goal = settled(goal, believed)
    if not goal.order or not believed:
        return goal
    pairs = (rest for pair in goal.order for rest in _still_wanted(pair, goal, believed))
    return goal.model_copy(update={"order": tuple(dict.fromkeys(pairs))})


def unmet(goal: Goal, believed: Sequence[SymbolicState]) -> tuple[str, ...]:
    """What the last believed state, or the way there, leaves to be wanted, in words; empty: the goal is reached.

    A plan ends with an empty hand unless its goal says holding.
    """
    goal, start, now = settled(goal, believed), believed[0], believed[-1]
    missing = goal.unmet(now, start)
    if missing:
        return tuple(_in_words(literal, now) for literal in missing)
    if now.held is not None and not _wants_held(goal, start):
        return (_in_words(Literal("hand_empty"), now),)
    return tuple(f"{a} was to become true before {b}" for a, b in goal.order if not _in_order((a, b), believed))


def _still_wanted(pair: Pair, goal: Goal, believed: Sequence[SymbolicState]) -> tuple[Pair, ...]:
    first, second = pair
    now = believed[-1]
    if _in_order(pair, believed):
        redone = now.holds(first) is not True and any(first in way for way in goal.end_states(believed[0]))
        return (pair,) if redone else ()
    if now.holds(first) is True and now.holds(second) is True:
        return ((second.negate(), second),)
    return (pair,)


def _in_order(pair: Pair, believed: Sequence[SymbolicState]) -> bool:
    return Goal(order=(pair,)).reached(believed)


def _wants_held(goal: Goal, start: SymbolicState) -> bool:
    return any(lit.predicate == "holding" and not lit.negated for way in goal.end_states(start) for lit in way)


def _in_words(literal: Literal, now: SymbolicState) -> str:
    why = why_not(literal, now)
    return why if str(literal) in why else f"{literal} does not hold: {why}"


def _with_arm(goal: Goal, branch: GoalBranch, arm: tuple[Literal, ...]) -> Goal:
    """The goal with the branch's arm among its literals, and among those of each alternative."""
    return Goal(
        literals=(*goal.literals, *arm),
        alternatives=tuple((*alternative, *arm) for alternative in goal.alternatives),
        order=goal.order,
        branches=tuple(b for b in goal.branches if b != branch),
    )
