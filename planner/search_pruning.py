"""Leaving out actions that cannot shorten a plan: irrelevant effects, doubles, and placements that another dominates.

Which fact may be useful (something needs it true) and which may harm (something needs it false) is read off the
conditions; no skill names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from planner.search_conditions import Capacity, Condition, GroundAction, Reach
from planner.search_problem import Problem


def useful_actions(problem: Problem, wanted: Sequence[Condition]) -> tuple[GroundAction, ...]:
    """The actions a shortest plan may need for `wanted` (the goal, and conditions whose changes are watched).

    Their effects are cut down to facts that matter, so that states differing in nothing else become one.
    """
    able = [a for a in problem.actions if not a.condition.never]
    relevant = _relevant(problem, able, wanted)
    cut = [
        replace(a, delete=a.delete & relevant, add=a.add & relevant, flip=a.flip & relevant)
        for a in able
        if (a.delete | a.add | a.flip) & relevant
    ]
    useful, harmful = _needed_true_and_false(problem, [a.condition for a in cut], wanted)
    kept: list[GroundAction] = []
    for action in sorted(cut, key=_demands):
        if not any(other.held == action.held and _dominates(other, action, useful, harmful) for other in kept):
            kept = [o for o in kept if o.held != action.held or not _dominates(action, o, useful, harmful)]
            kept.append(action)
    return tuple(sorted(kept, key=lambda a: a.index))


def _demands(action: GroundAction) -> tuple[int, int]:
    """Of two actions that do equally well, the one with fewer conditions is kept: the table rather than a bowl."""
    condition = action.condition
    facts = condition.true.bit_count() + condition.false.bit_count()
    return facts + len(condition.any_of) + len(condition.checks), action.index


def _relevant(problem: Problem, actions: Sequence[GroundAction], wanted: Sequence[Condition]) -> int:
    """Facts that can matter to `wanted`, also through the conditions of actions that change such facts."""
    relevant = 0
    for condition in wanted:
        relevant |= mentioned(problem, condition)
    waiting = list(actions)
    while True:
        helping = [a for a in waiting if (a.delete | a.add | a.flip) & relevant]
        if not helping:
            return relevant
        waiting = [a for a in waiting if not (a.delete | a.add | a.flip) & relevant]
        for action in helping:
            relevant |= mentioned(problem, action.condition)


def mentioned(problem: Problem, condition: Condition) -> int:
    """Every fact that the condition looks at."""
    bits = condition.true | condition.false
    for mask in condition.any_of:
        bits |= mask
    for check in condition.checks:
        bits |= check.inside if isinstance(check, Capacity) else problem.stacking
    return bits


def _needed_true_and_false(
    problem: Problem, conditions: Iterable[Condition], wanted: Sequence[Condition]
) -> tuple[int, int]:
    """Facts that some condition needs true, and facts that some condition needs false."""
    useful = harmful = 0
    goal, *watched = wanted
    for condition in (*conditions, goal):
        useful |= condition.true
        harmful |= condition.false
        for mask in condition.any_of:
            useful |= mask
        for check in condition.checks:
            looked_at = check.inside if isinstance(check, Capacity) else problem.stacking
            harmful |= looked_at
            if not check.wanted:
                useful |= looked_at
            elif isinstance(check, Reach):
                useful |= problem.all_open
    for condition in watched:
        useful |= mentioned(problem, condition)
        harmful |= mentioned(problem, condition)
    return useful, harmful


def _dominates(better: GroundAction, worse: GroundAction, useful: int, harmful: int) -> bool:
    """Whenever `worse` can be done `better` can, and leaves nothing in the way and nothing missing."""
    b, w = better.condition, worse.condition
    return (
        not b.true & ~w.true
        and not b.false & ~w.false
        and set(b.any_of) <= set(w.any_of)
        and set(b.checks) <= set(w.checks)
        and better.flip == worse.flip
        and not better.add & ~worse.add & harmful
        and not worse.add & ~better.add & useful
        and not better.delete & ~worse.delete & useful
        and not worse.delete & ~better.delete & harmful
    )
