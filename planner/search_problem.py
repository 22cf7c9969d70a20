"""The search problem in bits: facts are bit positions, a state is one integer, ground actions are masks.

Grounds whatever skills the library holds; it knows the derived literals of skills.symbolic_state and no skill names.
Not for: searching (planner.search_engine) or judging goals (planner.search_reasons).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from planner.search_conditions import Capacity, Check, Condition, GroundAction, Reach, Room
from planner.search_grounding import Draft, drafts_of
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.symbolic_state import (
    BOWL_CAPACITY,
    DRAWER_CAPACITY,
    STACK_LIMIT,
    SymbolicState,
)

CAPACITY = {"bowl": BOWL_CAPACITY, "drawer": DRAWER_CAPACITY}


@dataclass
class Facts:
    """Every base fact that may come about, by position; grows until the actions are compiled."""

    objects: Mapping[str, str]
    position: dict[Literal, int] = field(default_factory=dict)
    literals: list[Literal] = field(default_factory=list)

    def add(self, literal: Literal) -> None:
        if literal not in self.position:
            self.position[literal] = len(self.literals)
            self.literals.append(literal)

    def bit(self, literal: Literal) -> int:
        """The literal's bit, or 0 where it never comes about."""
        position = self.position.get(literal)
        return 0 if position is None else 1 << position

    def matching(self, pattern: Literal, state: SymbolicState) -> int:
        if not any("*" in argument for argument in pattern.arguments):
            return self.bit(pattern)
        return sum(1 << i for i, fact in enumerate(self.literals) if state.matches(pattern, fact))

    def resting_on(self, name: str) -> int:
        """Everything that may stand on or lie in `name`."""
        return sum(
            1 << i for i, f in enumerate(self.literals) if f.predicate in ("on", "in") and f.arguments[1] == name
        )


def _stored(literal: Literal) -> Literal:
    return Literal("open", literal.arguments) if literal.predicate == "closed" else literal


class Problem:
    """Objects, facts and ground actions of one start; compiles literals into conditions on integers."""

    def __init__(self, start: SymbolicState, library: SkillLibrary) -> None:
        self.state = start
        self.facts = Facts(start.objects)
        for fact in sorted(start.facts):
            self.facts.add(fact)
        drafts = [draft for skill in library.skills for draft in drafts_of(skill, start, library)]
        for draft in drafts:
            for effect, flips in draft.effects:
                if not effect.negated or flips:
                    self.facts.add(_stored(effect.positive))
        self.start = self.encode(start)
        self._support = self._support_table()
        self.drawers_open = {name: self.facts.bit(Literal("open", (name,))) for name in start.of_category("drawer")}
        self.all_open = sum(self.drawers_open.values())
        self.resting = {name: self.facts.resting_on(name) for name in start.objects}
        self.actions = tuple(self._compile(index, draft) for index, draft in enumerate(drafts))
        self.stacking = self._stacking()
        self.all_holding = self.facts.matching(Literal("holding", ("*",)), start)

    def encode(self, state: SymbolicState) -> int:
        """The state as an integer; facts that no action touches and no start holds have no bit."""
        return sum(self.facts.bit(fact) for fact in state.facts)

    def decode(self, bits: int) -> SymbolicState:
        facts = frozenset(fact for i, fact in enumerate(self.facts.literals) if bits >> i & 1)
        return SymbolicState(self.state.objects, facts)

    def condition(self, literals: Iterable[Literal]) -> Condition:
        """Compiles a conjunction of literals, base or derived, wildcards included."""
        condition = Condition()
        for literal in literals:
            self._require(condition, literal)
        return condition

    def holds(self, condition: Condition, bits: int) -> bool:
        return (
            bits & condition.true == condition.true
            and not bits & condition.false
            and not condition.never
            and all(bits & mask for mask in condition.any_of)
            and all(self.passes(check, bits) for check in condition.checks)
        )

    def passes(self, check: Check, bits: int) -> bool:
        match check:
            case Capacity(inside, below, wanted):
                return ((bits & inside).bit_count() < below) is wanted
            case Room(name, wanted):
                return (self.column_height(name, bits) < STACK_LIMIT) is wanted
            case Reach(name, wanted):
                closed = self.closed_around(name, bits)
                return (closed is None) is wanted

    def apply(self, action: GroundAction, bits: int) -> int:
        return ((bits & ~action.delete) | action.add) ^ action.flip

    def support(self, name: str, bits: int) -> tuple[Literal, str] | None:
        """The fact that says what `name` is directly on or in, and that thing."""
        mask, facts = self._support.get(name, (0, {}))
        found = bits & mask
        return facts[found.bit_length() - 1] if found else None

    def column_height(self, name: str, bits: int) -> int:
        """Blocks from `name` downwards, as far as the limit needs it."""
        height = 0
        current: str | None = name
        while current is not None and self.state.objects.get(current) == "block" and height < STACK_LIMIT:
            height += 1
            below = self.support(current, bits)
            current = below[1] if below else None
        return height

    def closed_around(self, name: str, bits: int) -> str | None:
        """The closed drawer that `name` is, or is in, if any."""
        current = name
        for _ in self.state.objects:
            is_open = self.drawers_open.get(current)
            if is_open is not None:
                return None if bits & is_open else current
            below = self.support(current, bits)
            if below is None:
                return None
            fact, current = below
            if fact.predicate == "in" and current not in self.drawers_open:
                return None
        return None

    def column_facts(self, name: str, bits: int) -> int:
        """What decides how high and how reachable `name` is now: where it and all below it lie, drawers around it."""
        looked_at = 0
        current: str | None = name
        for _ in self.state.objects:
            if current is None:
                break
            mask, _facts = self._support.get(current, (0, {}))
            looked_at |= mask | self.drawers_open.get(current, 0)
            below = self.support(current, bits)
            current = below[1] if below else None
        return looked_at

    def _stacking(self) -> int:
        """What height and reach depend on: lying on a block or in a drawer, and drawers being open."""
        bits = self.all_open
        for name, kind in self.state.objects.items():
            if kind in ("block", "drawer"):
                bits |= self.resting[name]
        return bits

    def _support_table(self) -> dict[str, tuple[int, dict[int, tuple[Literal, str]]]]:
        table: dict[str, tuple[int, dict[int, tuple[Literal, str]]]] = {}
        for i, fact in enumerate(self.facts.literals):
            if fact.predicate in ("on", "in"):
                mask, facts = table.get(fact.arguments[0], (0, {}))
                table[fact.arguments[0]] = (mask | 1 << i, {**facts, i: (fact, fact.arguments[1])})
        return table

    def _compile(self, index: int, draft: Draft) -> GroundAction:
        delete = add = flip = 0
        for effect, flips in draft.effects:
            mask = self.facts.matching(_stored(effect.positive), self.state)
            sets = effect.negated == (effect.predicate == "closed")
            if flips:
                flip ^= mask & ~(delete | add)
                add, delete = (add & ~mask) | (delete & mask), (delete & ~mask) | (add & mask)
            elif sets:
                add, delete, flip = add | mask, delete & ~mask, flip & ~mask
            else:
                add, delete, flip = add & ~mask, delete | mask, flip & ~mask
        return GroundAction(index, draft.call, draft.held, self.condition(draft.needs), delete, add, flip)

    def _require(self, condition: Condition, literal: Literal) -> None:
        wanted = not literal.negated
        name = literal.arguments[0] if literal.arguments else ""
        match literal.predicate:
            case "closed":
                self._require_facts(condition, self.facts.bit(Literal("open", literal.arguments)), not wanted)
            case "hand_empty":
                self._require_facts(condition, self.facts.matching(Literal("holding", ("*",)), self.state), not wanted)
            case "clear":
                self._require_facts(condition, self.resting[name], not wanted)
            case "has_room":
                self._require_room(condition, name, wanted)
            case "accessible" if name in self.drawers_open or name in self._support:
                condition.checks += (Reach(name, wanted),)
            case "accessible":  # what is never in anything can always be reached
                condition.never = condition.never or not wanted
            case _:
                self._require_facts(condition, self.facts.matching(literal.positive, self.state), wanted)

    def _require_facts(self, condition: Condition, mask: int, wanted: bool) -> None:
        if not wanted:
            condition.false |= mask
        elif mask.bit_count() == 1:
            condition.true |= mask
        elif mask:
            condition.any_of += (mask,)
        else:
            condition.never = True

    def _require_room(self, condition: Condition, name: str, wanted: bool) -> None:
        kind = self.state.objects.get(name, "")
        if kind in CAPACITY:
            condition.checks += (Capacity(self.resting[name], CAPACITY[kind], wanted),)
        elif kind == "block" and wanted:
            condition.false |= self.resting[name]
            condition.checks += (Room(name),)
        elif kind == "pad":
            self._require_facts(condition, self.resting[name], not wanted)
        elif not wanted:
            condition.never = True  # the table always has room; a goal of a full stack is not searched for
