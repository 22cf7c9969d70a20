"""SymbolicState: the literals that hold, over named objects; what planners search in and graphs are checked on.

Base facts (on, in, open, lit, holding, in_zone and users' own) are stored; derived ones are computed here:
closed(D), clear(A), hand_empty(), has_room(B), accessible(A).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise, takewhile

from skills.literals import Literal

BOWL_CAPACITY = 3
DRAWER_CAPACITY = 4
STACK_LIMIT = 5
OPPOSITE_ZONE = {"left": "right", "right": "left", "front": "back", "back": "front"}


@dataclass(frozen=True)
class SymbolicState:
    """objects: name → category. facts: positive base literals that hold. hidden: objects whose place is unknown.

    Closed world: a base literal that is not in `facts` is false, unless it speaks of a hidden object
    (then `holds` answers None: cannot tell).
    """

    objects: Mapping[str, str]
    facts: frozenset[Literal] = frozenset()
    hidden: frozenset[str] = field(default=frozenset())

    @cached_property
    def support(self) -> Mapping[str, str]:
        """What each object is directly on or in: name → name."""
        return {f.arguments[0]: f.arguments[1] for f in self.facts if f.predicate in ("on", "in")}

    @cached_property
    def resting(self) -> Mapping[str, tuple[str, ...]]:
        """What rests directly on or in each object: name → names, sorted."""
        found: dict[str, list[str]] = {}
        for upper, lower in self.support.items():
            found.setdefault(lower, []).append(upper)
        return {lower: tuple(sorted(uppers)) for lower, uppers in found.items()}

    @cached_property
    def held(self) -> str | None:
        return min((f.arguments[0] for f in self.facts if f.predicate == "holding"), default=None)

    def of_category(self, category: str) -> tuple[str, ...]:
        return tuple(sorted(name for name, kind in self.objects.items() if kind == category))

    def column(self, name: str) -> tuple[str, ...]:
        """`name` and everything below it, downwards; ends before a thing comes up twice."""
        below = [name]
        while (support := self.support.get(below[-1])) is not None and support not in below:
            below.append(support)
        return tuple(below)

    def container_of(self, name: str) -> str | None:
        """The bowl or drawer that `name` is in, also when it stands on something in it."""
        steps = pairwise(self.column(name))
        return next((below for above, below in steps if Literal("in", (above, below)) in self.facts), None)

    def stack_height(self, name: str) -> int:
        """Blocks in the column from `name` downwards, `name` included; 0 for what is no block."""
        return sum(1 for _ in takewhile(lambda other: self.objects.get(other) == "block", self.column(name)))

    def holds(self, literal: Literal) -> bool | None:
        """True, False, or None where it speaks of an object whose place is not known."""
        truth = self._holds_positive(literal.positive)
        return truth if truth is None or not literal.negated else not truth

    def _holds_positive(self, literal: Literal) -> bool | None:
        arguments = literal.arguments
        match literal.predicate:
            case "closed":
                return Literal("open", arguments) not in self.facts
            case "hand_empty":
                return self.held is None
            case "clear":
                return None if arguments[0] in self.hidden else not self.resting.get(arguments[0])
            case "has_room":
                return self._has_room(arguments[0])
            case "accessible":
                return self._accessible(arguments[0])
            case _:
                if literal in self.facts or (any("*" in a for a in arguments) and self._matches_any(literal)):
                    return True
                unknown = arguments and arguments[0] in self.hidden and literal.predicate != "holding"
                return None if unknown else False  # what is in the hand is felt, so never hidden

    def _matches_any(self, pattern: Literal) -> bool:
        """`*` stands for anything, `*block` for anything of that category."""
        return any(self.matches(pattern, fact) for fact in self.facts)

    def matches(self, pattern: Literal, fact: Literal) -> bool:
        return (
            pattern.predicate == fact.predicate
            and len(pattern.arguments) == len(fact.arguments)
            and all(
                p in (a, "*") or (p.startswith("*") and self.objects.get(a) == p[1:])
                for p, a in zip(pattern.arguments, fact.arguments, strict=True)
            )
        )

    def _has_room(self, name: str) -> bool:
        match self.objects.get(name):
            case "bowl":
                return len(self.resting.get(name, ())) < BOWL_CAPACITY
            case "drawer":
                return len(self.resting.get(name, ())) < DRAWER_CAPACITY
            case "block":
                return not self.resting.get(name) and self.stack_height(name) < STACK_LIMIT
            case "pad":
                return not self.resting.get(name)
            case _:
                return True

    def _accessible(self, name: str) -> bool | None:
        """Reachable by the hand: not in a drawer that is closed."""
        if name in self.hidden:
            return None
        container = name if self.objects.get(name) == "drawer" else self.container_of(name)
        if container is None or self.objects.get(container) != "drawer":
            return True
        return Literal("open", (container,)) in self.facts

    def apply(self, effects: Iterable[Literal]) -> SymbolicState:
        """The state after effects, in their order: a negated literal (wildcards allowed) removes, a positive adds."""
        facts = set(self.facts)
        for effect in effects:
            if effect.negated:
                pattern = effect.positive
                facts = {fact for fact in facts if not self.matches(pattern, fact)}
            elif effect.predicate == "closed":
                facts.discard(Literal("open", effect.arguments))
            else:
                facts.add(effect)
        placed = {f.arguments[0] for f in facts if f.predicate in ("on", "in", "holding")}
        return SymbolicState(self.objects, frozenset(facts), self.hidden - placed)
