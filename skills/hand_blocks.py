"""Hand blocks: which steps of a graph must follow each other because the one hand is full between them.

A pick and its place form an atomic block. Blocks that nothing orders may run in any order, but never interleave.
Not for: whether the steps work (skills.validation).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

import networkx as nx

from skills.calls import frees_hand, needs_empty, needs_held, takes_hand
from skills.library import SkillLibrary
from skills.skill_graph import BranchStep, CallStep, GraphError, RepeatStep, SkillGraph, Step, SubGraphStep


class Hand(Enum):
    """The hand before or after a step, as far as the skills' schemas say."""

    EMPTY = "empty"
    HELD = "held"
    EITHER = "either"  # the step does not care


def precedence(graph: SkillGraph) -> nx.DiGraph[str]:
    """The `after` edges of one level as a directed graph over step ids, nodes in file order."""
    order: nx.DiGraph[str] = nx.DiGraph()
    order.add_nodes_from(step.id for step in graph.steps)
    order.add_edges_from((earlier, step.id) for step in graph.steps for earlier in step.after)
    return order


def hand_blocks(graph: SkillGraph, library: SkillLibrary) -> tuple[tuple[str, ...], ...]:
    """Step ids of one level in groups that must run without a break, each in a valid order.

    Every step is in exactly one group; most groups have one step, a pick and its place have two. Groups come in a
    valid order, that of the file where nothing else decides. The ids must be unique and the edges free of cycles.
    A group whose first step needs something in the hand continues what was held when the graph started.
    Raises GraphError where two picks each wait for the other's place: both need the one hand at once.
    """
    order = precedence(graph)
    place_in_file = {step.id: index for index, step in enumerate(graph.steps)}
    sequence = list(nx.lexicographical_topological_sort(order, key=lambda step_id: place_in_file[str(step_id)]))
    ends = {step.id: hand_around(step, library) for step in graph.steps}
    group_of = {step_id: step_id for step_id in sequence}
    for step_id in sequence:
        if ends[step_id][0] is Hand.HELD:
            taker = _nearest_taker(step_id, order, ends, sequence)
            if taker is not None:
                after: set[str] = nx.descendants(order, taker)
                before: set[str] = nx.ancestors(order, step_id)
                for member in (*(after & before), step_id):
                    group_of[member] = group_of[taker]
    return tuple(_in_order(sequence, order, group_of, place_in_file))


def hand_around(step: Step, library: SkillLibrary) -> tuple[Hand, Hand]:
    """What the step wants of the hand before it, and how it leaves it."""
    match step:
        case CallStep(do=call):
            before = Hand.HELD if needs_held(call, library) else Hand.EITHER
            before = Hand.EMPTY if needs_empty(call, library) else before
            after = Hand.HELD if takes_hand(call, library) else before
            return before, Hand.EMPTY if frees_hand(call, library) else after
        case BranchStep():
            arms = [_hand_around_graph(g, library) for g in (step.then, step.otherwise) if g.steps]
            return _agreed([a[0] for a in arms]), _agreed([a[1] for a in arms])
        case RepeatStep():
            return _hand_around_graph(step.body, library)
        case SubGraphStep():
            return _hand_around_graph(step.graph, library)


def _hand_around_graph(graph: SkillGraph, library: SkillLibrary) -> tuple[Hand, Hand]:
    order = precedence(graph)
    if not nx.is_directed_acyclic_graph(order) or len(order) != len(graph.steps):
        return Hand.EITHER, Hand.EITHER  # validation names the fault
    by_id = {step.id: step for step in graph.steps}
    ends = [hand_around(by_id[i], library) for group in hand_blocks(graph, library) for i in group]
    before = next((e[0] for e in ends if e[0] is not Hand.EITHER), Hand.EITHER)
    after = next((e[1] for e in reversed(ends) if e[1] is not Hand.EITHER), Hand.EITHER)
    return before, after


def _agreed(hands: list[Hand]) -> Hand:
    """HELD wins: an arm that needs the held thing ties the branch to its pick."""
    return Hand.HELD if Hand.HELD in hands else (hands[0] if hands else Hand.EITHER)


def _nearest_taker(
    step_id: str, order: nx.DiGraph[str], ends: dict[str, tuple[Hand, Hand]], sequence: list[str]
) -> str | None:
    """The last step before this one that filled the hand, unless the hand was emptied again in between."""
    before = nx.ancestors(order, step_id)
    for earlier in reversed(sequence):
        if earlier in before and ends[earlier][1] is not Hand.EITHER:
            return earlier if ends[earlier][1] is Hand.HELD else None
    return None


def _in_order(
    sequence: list[str], order: nx.DiGraph[str], group_of: dict[str, str], place_in_file: dict[str, int]
) -> Iterator[tuple[str, ...]]:
    members: dict[str, list[str]] = {}
    for step_id in sequence:
        members.setdefault(group_of[step_id], []).append(step_id)
    groups: nx.DiGraph[str] = nx.DiGraph()
    groups.add_nodes_from(members)
    groups.add_edges_from((group_of[a], group_of[b]) for a, b in order.edges if group_of[a] != group_of[b])
    if not nx.is_directed_acyclic_graph(groups):
        (first, second), *_ = nx.find_cycle(groups)
        raise GraphError(second, f"needs the one hand while step '{first}' still needs it: each waits for the other")
    for head in nx.lexicographical_topological_sort(groups, key=lambda head: place_in_file[str(head)]):
        yield tuple(members[head])
