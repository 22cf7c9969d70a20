"""validate(graph, state, library): can this graph work here, whichever of its orders the runner takes?

Names the first step that cannot work and why. First structure, names and types; then each step's preconditions after
the steps before it; then what no edge orders: two such steps must work both ways round and agree on the result.
Not for: whether a graph reaches a goal (world_model.prediction).
"""

from __future__ import annotations

from collections.abc import Iterable

import networkx as nx

from skills.graph_structure import check_structure
from skills.hand_blocks import hand_blocks, precedence
from skills.library import SkillLibrary
from skills.simulation import Possibilities, Possibility, Simulation
from skills.skill_graph import GraphError, SkillGraph
from skills.symbolic_state import SymbolicState

Group = tuple[str, ...]


def validate(graph: SkillGraph, state: SymbolicState, library: SkillLibrary) -> None:
    """Raises GraphError naming the first step that cannot work from `state`, and why; returns nothing when all can.

    Branches whose literal is known are followed where they lead (the other arm is checked for names and types
    only); where it is not known, both arms must work. Hidden objects may be used after something was opened.
    """
    check_structure(graph, state.objects, library)

    def check_orders(level: SkillGraph, start: Possibilities, path: str) -> None:
        _Orders(level, start, library, path).check()

    Simulation(library, check_orders).graph(graph, (Possibility(state),))


class _Orders:
    """One level of a graph seen as groups of steps, in every order that its edges allow.

    It is enough to look at each group as early and as late as it may come, and at each unordered pair both ways
    round: facts are set one by one, so what no pair disturbs stays; room in a container is used up by all together.
    """

    def __init__(self, graph: SkillGraph, start: Possibilities, library: SkillLibrary, path: str) -> None:
        self.start, self.path = start, path
        self.steps = {step.id: step for step in graph.steps}
        self.groups = hand_blocks(graph, library)
        self.order = _group_order(graph, self.groups)
        self.before = {group: nx.ancestors(self.order, group) for group in self.groups}
        self.simulation = Simulation(library)
        self.reached: dict[tuple[Group, ...], Possibilities] = {(): start}

    def check(self) -> None:
        """Raises GraphError at the first group that cannot work in some order."""
        loose = [g for g in self.groups if any(self._free(g, other) for other in self.groups)]
        for group in loose:
            self._check_early(group)
        for index, group in enumerate(loose):
            for other in loose[:index]:
                if self._free(group, other):
                    self._check_pair(other, group)
        for group in loose:
            self._check_late(group)

    def _free(self, one: Group, other: Group) -> bool:
        return one != other and one not in self.before[other] and other not in self.before[one]

    def _after(self, groups: tuple[Group, ...]) -> Possibilities:
        """The states after these groups in this order; every prefix is run once."""
        if groups not in self.reached:
            current = self._after(groups[:-1])
            for step_id in groups[-1]:
                current = self.simulation.step(self.steps[step_id], current, self.path)
            self.reached[groups] = current
        return self.reached[groups]

    def _in_order(self, wanted: Iterable[Group]) -> tuple[Group, ...]:
        chosen = set(wanted)
        return tuple(group for group in self.groups if group in chosen)

    def _check_early(self, group: Group) -> None:
        try:
            self._after((*self._in_order(self.before[group]), group))
        except GraphError as error:
            helper = self._helper(group)
            hint = f"; step '{helper[-1]}' would have to come before it: add an edge" if helper else ""
            raise GraphError(error.step, f"{error.reason}{hint}") from error

    def _helper(self, group: Group) -> Group | None:
        """An unordered group that, done first, lets this one work."""
        for other in self.groups:
            if self._free(group, other):
                try:
                    self._after((*self._in_order(self.before[group] | self.before[other]), other, group))
                except GraphError:
                    continue
                return other
        return None

    def _check_pair(self, other: Group, group: Group) -> None:
        prefix = self._in_order(self.before[group] | self.before[other])
        ends = []
        for first, second in ((other, group), (group, other)):
            try:
                ends.append({p.key for p in self._after((*prefix, first, second))})
            except GraphError as error:
                raise GraphError(
                    error.step, f"{error.reason}; step '{first[0]}' may come before it, as nothing orders the two"
                ) from error
        if ends[0] != ends[1]:
            raise GraphError(
                f"{self.path}{group[0]}",
                f"and step '{other[0]}' leave different results depending on which comes first: add an edge",
            )

    def _check_late(self, group: Group) -> None:
        after = nx.descendants(self.order, group)
        try:
            self._after((*self._in_order(g for g in self.groups if g != group and g not in after), group))
        except GraphError as error:
            raise GraphError(
                error.step, f"{error.reason}; all the steps that nothing orders against it may come before it"
            ) from error


def _group_order(graph: SkillGraph, groups: tuple[Group, ...]) -> nx.DiGraph[Group]:
    group_of = {step_id: group for group in groups for step_id in group}
    order: nx.DiGraph[Group] = nx.DiGraph()
    order.add_nodes_from(groups)
    order.add_edges_from((group_of[a], group_of[b]) for a, b in precedence(graph).edges if group_of[a] != group_of[b])
    return order
