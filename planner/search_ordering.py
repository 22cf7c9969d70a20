"""From a sequence of calls to a partial order: edges only where one block needs, undoes or crowds out another.

Blocks (a pick up to the moment the hand is free again) are compared by the facts they read and write; those that
share none in conflict may run in either order with the same result, so nothing is put between them. After
Bäckström, "Computational aspects of reordering plans" (JAIR 1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import networkx as nx

from planner.search_conditions import Capacity, Condition, GroundAction
from planner.search_order import OrderWatch
from planner.search_problem import Problem
from planner.search_pruning import mentioned
from skills.skill import SkillCall
from skills.skill_graph import CallStep, SkillGraph


@dataclass(frozen=True)
class _Block:
    """Calls that run without a break, seen as one.

    reads: facts that must be as they are before it; changes: facts that differ after it; may_change: facts that it
    would set had they been otherwise (a pick takes a thing off whatever it may lie on); touches: facts that change
    within it, also those that change back.
    """

    calls: tuple[SkillCall, ...]
    reads: int
    changes: int
    may_change: int
    touches: int
    fills: frozenset[Capacity]


def partial_order(problem: Problem, plan: Sequence[int], watch: OrderWatch) -> SkillGraph:
    """The graph of a plan (indices of the problem's actions, from its start), as unordered as it may be."""
    actions = [problem.actions[i] for i in plan]
    blocks = _blocks(problem, actions)
    tight = _tight(problem, actions, blocks)
    watched = [mentioned(problem, pair.first) | mentioned(problem, pair.second) for pair in watch.pairs]
    order: nx.DiGraph[int] = nx.DiGraph()
    order.add_nodes_from(range(len(blocks)))
    for later, block in enumerate(blocks):
        for earlier, other in enumerate(blocks[:later]):
            if _conflict(other, block) or any(
                (block.touches & mask) and (other.touches & mask) for mask in (*tight, *watched)
            ):
                order.add_edge(earlier, later)
    return _graph(blocks, nx.transitive_reduction(order))


def _conflict(one: _Block, other: _Block) -> bool:
    """Whether the two might end differently, or not work, the other way round."""
    return bool(one.changes & (other.reads | other.may_change) or other.changes & (one.reads | one.may_change))


def _blocks(problem: Problem, actions: Sequence[GroundAction]) -> list[_Block]:
    blocks: list[_Block] = []
    bits = problem.start
    begun = bits
    part: list[GroundAction] = []
    for action in actions:
        part.append(action)
        bits = problem.apply(action, bits)
        if not bits & problem.all_holding:
            blocks.append(_block(problem, part, begun))
            part, begun = [], bits
    if part:
        blocks.append(_block(problem, part, begun))
    return blocks


def _block(problem: Problem, actions: Sequence[GroundAction], begun: int) -> _Block:
    reads = settled = may_change = touches = 0
    fills: set[Capacity] = set()
    bits = begun
    for action in actions:
        reads |= _looked_at(problem, action.condition, bits) & ~settled
        fills.update(check for check in action.condition.checks if isinstance(check, Capacity))
        settled |= action.add | action.delete
        may_change |= action.add | action.delete | action.flip
        after = problem.apply(action, bits)
        touches |= bits ^ after
        bits = after
    return _Block(tuple(a.call for a in actions), reads, begun ^ bits, may_change, touches, frozenset(fills))


def _looked_at(problem: Problem, condition: Condition, bits: int) -> int:
    """Facts the condition depends on in this state; room in containers is weighed apart."""
    looked_at = condition.true | condition.false
    for mask in condition.any_of:
        looked_at |= mask
    for check in condition.checks:
        if not isinstance(check, Capacity):
            looked_at |= problem.column_facts(check.name, bits)
    return looked_at


def _tight(problem: Problem, actions: Sequence[GroundAction], blocks: Sequence[_Block]) -> list[int]:
    """Containers that would overflow if all that goes in went in first: those blocks keep the plan's order."""
    put_in = 0
    for action in actions:
        put_in |= action.add
    checks = {check for block in blocks for check in block.fills if check.wanted}
    return [c.inside for c in checks if ((problem.start | put_in) & c.inside).bit_count() > c.below]


def _graph(blocks: Sequence[_Block], order: nx.DiGraph[int]) -> SkillGraph:
    steps: list[CallStep] = []
    last_of: list[str] = []
    used: set[str] = set()
    for index, block in enumerate(blocks):
        after = tuple(last_of[i] for i in sorted(order.predecessors(index)))
        for call in block.calls:
            step_id = _name(call, used)
            steps.append(CallStep(id=step_id, do=call, after=after))
            after = (step_id,)
        last_of.append(steps[-1].id)
    return SkillGraph(steps=tuple(steps))


def _name(call: SkillCall, used: set[str]) -> str:
    """`pick-red-block`, and `pick-red-block-2` for the second of its kind."""
    base = "-".join((call.skill, *call.arguments)).replace(" ", "-")
    name, number = base, 1
    while name in used:
        number += 1
        name = f"{base}-{number}"
    used.add(name)
    return name
