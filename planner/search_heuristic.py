"""A lower bound on the skills still needed, from landmarks: facts that every plan must make true or false on its way.

Backchains from the goal through what all achievers of a fact have in common, then counts sets of actions of which
each plan needs one, skipping sets that overlap, so that the bound never overestimates. After Hoffmann, Porteous and
Sebastia, "Ordered landmarks in planning" (JAIR 2004) and Karpas and Domshlak, "Cost-optimal planning with landmarks"
(IJCAI 2009); the extra for things that must move twice is Blocks World's (Slaney and Thiebaux, AIJ 2001).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_

from planner.search_conditions import Capacity, Condition, GroundAction, Reach
from planner.search_problem import Facts, Problem

UNREACHABLE = 1 << 20


class Landmarks:
    """The bound for one problem and goal. `estimate(bits)` is admissible; UNREACHABLE where no action can help."""

    def __init__(self, problem: Problem, goal: Condition, actions: Sequence[GroundAction]) -> None:
        self.problem, self.goal = problem, goal
        width = len(problem.facts.literals)
        self.adders, self.deleters = [0] * width, [0] * width
        for action in actions:
            for bit in _bits(action.add | action.flip):
                self.adders[bit] |= 1 << action.index
            for bit in _bits(action.delete | action.flip):
                self.deleters[bit] |= 1 << action.index
        self._common: dict[int, Condition] = {}
        self.holding = _held_bits(problem.facts)
        self._wanted_below = self._goal_columns()
        self._moved_by_hand_alone = self._only_by_hand()

    def estimate(self, bits: int, extra: Condition | None = None) -> int:
        """Skills needed at least from `bits`. extra: facts that must become true or false on the way, too."""
        made_true, made_false, sets = self._backchain(bits, extra)
        back_false = made_true & self.goal.false
        back_true = (made_false & self.goal.true) & ~made_true
        disjoint: list[int] = []
        used = 0
        for achievers in (
            *(self.adders[b] for b in _bits(made_true & self.goal.true)),
            *(self.adders[b] for b in _bits(back_true)),
            *(self.deleters[b] for b in _bits(made_false & self.goal.false)),
            *(self.adders[b] for b in _bits(made_true & ~self.goal.true)),
            *(self.deleters[b] for b in _bits(made_false & ~self.goal.false)),
            *(self.deleters[b] for b in _bits(back_false)),
            *sets,
        ):
            if not achievers:
                return UNREACHABLE
            if not achievers & used:
                used |= achievers
                disjoint.append(achievers)
        return len(disjoint) + self._moved_twice(bits, made_true)

    def _backchain(self, bits: int, extra: Condition | None) -> tuple[int, int, list[int]]:
        """Facts that must become true, facts that must become false, and further sets of achievers."""
        made_true = made_false = 0
        sets: list[int] = []
        open_conditions = [self.goal] if extra is None else [self.goal, extra]
        while open_conditions:
            condition = open_conditions.pop()
            need_true, need_false = condition.true & ~bits, condition.false & bits
            for check in condition.checks:
                if self.problem.passes(check, bits):
                    continue
                match check:
                    case Reach(name, True):
                        closed = self.problem.closed_around(name, bits)
                        need_true |= self.problem.drawers_open.get(closed or "", 0)
                    case Capacity(inside, _, True):
                        sets.append(reduce(lambda a, b: a | self.deleters[b], _bits(inside & bits), 0))
                    case _:
                        pass
            sets.extend(
                reduce(lambda a, b: a | self.adders[b], _bits(mask), 0) for mask in condition.any_of if not mask & bits
            )
            for bit in _bits(need_true & ~made_true):
                open_conditions.append(self._common_of(bit, self.adders[bit], 1))
            for bit in _bits(need_false & ~made_false):
                open_conditions.append(self._common_of(bit, self.deleters[bit], 0))
            made_true |= need_true
            made_false |= need_false
        return made_true, made_false, sets

    def _common_of(self, bit: int, achievers: int, polarity: int) -> Condition:
        """What all achievers of a fact need."""
        key = bit << 1 | polarity
        if key not in self._common:
            conditions = [self.problem.actions[i].condition for i in _bits(achievers)]
            common = Condition()
            if conditions:
                common.true = reduce(and_, (c.true for c in conditions))
                common.false = reduce(and_, (c.false for c in conditions))
                common.any_of = tuple(m for m in conditions[0].any_of if all(m in c.any_of for c in conditions))
                common.checks = tuple(k for k in conditions[0].checks if all(k in c.checks for c in conditions))
            self._common[key] = common
        return self._common[key]

    def _goal_columns(self) -> dict[str, set[str]]:
        """Of each thing that must stand on something: all that must be below it."""
        facts = self.problem.facts
        wanted = (facts.literals[bit] for bit in _bits(self.goal.true))
        on = {f.arguments[0]: f.arguments[1] for f in wanted if f.predicate == "on"}
        columns: dict[str, set[str]] = {}
        for name in on:
            columns[name] = set()
            current = on.get(name)
            while current is not None and current not in columns[name]:
                columns[name].add(current)
                current = on.get(current)
        return columns

    def _only_by_hand(self) -> bool:
        """Whatever lies on a block leaves it by being taken into the hand and no other way."""
        kinds = self.problem.state.objects
        return all(
            not self.deleters[i] & ~self.adders[self.holding[fact.arguments[0]]]
            for i, fact in enumerate(self.problem.facts.literals)
            if fact.predicate == "on" and kinds.get(fact.arguments[1]) == "block" and fact.arguments[0] in self.holding
        )

    def _moved_twice(self, bits: int, made_true: int) -> int:
        """Two more skills for each thing that now stands above something it must end up above, where that must move:
        it has to be put aside first."""
        if not self._moved_by_hand_alone:
            return 0
        kinds = self.problem.state.objects
        moves = {name for name, bit in self.holding.items() if made_true >> bit & 1}
        extra = 0
        for name, wanted_below in self._wanted_below.items():
            support = self.problem.support(name, bits) if name in moves else None
            for _ in kinds:
                if support is None or kinds.get(support[1]) != "block":
                    break
                if support[1] in wanted_below and support[1] in moves:
                    extra += 2
                    break
                support = self.problem.support(support[1], bits)
        return extra


def _held_bits(facts: Facts) -> dict[str, int]:
    return {f.arguments[0]: i for i, f in enumerate(facts.literals) if f.predicate == "holding"}


def _bits(mask: int) -> list[int]:
    """Positions of the set bits, lowest first."""
    found = []
    while mask:
        lowest = mask & -mask
        found.append(lowest.bit_length() - 1)
        mask ^= lowest
    return found
