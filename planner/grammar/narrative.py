"""What was told, step by step → a Goal: later words override earlier ones, order becomes pairs.

Not for: what single clauses mean (frames.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from planner.grammar.choosing import MAX_OPTIONS, listing
from planner.grammar.errors import CannotBe
from planner.grammar.options import Option
from skills.goal import Goal, GoalBranch
from skills.literals import Literal
from skills.symbolic_state import OPPOSITE_ZONE, SymbolicState

MAX_ALTERNATIVES = 40
"""End states that a goal lists: those nearest to the start of all that were meant. Each costs a search."""


@dataclass(frozen=True)
class Alternative:
    """Where a clause hangs in a branch: done if `condition` is as `side` says at the start."""

    condition: Literal
    side: bool


def positive(alternative: Alternative) -> Alternative:
    """The same with a positive condition, so that both sides of one `if` meet in one branch."""
    condition, side = alternative.condition, alternative.side
    if condition.negated:
        return Alternative(condition.negate(), not side)
    if condition.predicate == "closed":
        return Alternative(Literal("open", condition.arguments), not side)
    return alternative


@dataclass
class Told:
    """One clause as told. after: indices of the clauses that must come true before this one."""

    options: list[Option]
    before: SymbolicState
    after: list[int] = field(default_factory=list)
    branch: Alternative | None = None
    keeps: bool = False  # "leave A where it is": nothing comes true, so it has no place in an order
    away: bool = False  # "take A out of B": the table is only where it goes when nothing else is said

    @property
    def comes_true(self) -> bool:
        return not self.keeps and not self.away

    @property
    def first(self) -> Option:
        return self.options[0]


def goal_of(
    told: Sequence[Told],
    untaken: Sequence[tuple[Alternative, Option]],
    start: SymbolicState,
    *,
    commit: bool,
) -> Goal:
    """The goal of a whole instruction. Raises CannotBe where it contradicts itself.

    untaken: what the other side of each condition asked for. commit: choices are settled as the first option.
    """
    order = tuple(_pairs(told, start))
    ordered = {lit for pair in order for lit in pair}
    choices = [t.options[:1] if commit or _touches(t, ordered) else t.options for t in told]
    ends: list[tuple[Literal, ...]] = []
    branches: tuple[GoalBranch, ...] = ()
    for combination in itertools.islice(itertools.product(*choices), MAX_OPTIONS):
        end, branches = _split(_settled(combination), told, untaken)
        if end not in ends:
            ends.append(end)
    ends.sort(key=lambda end: sum(start.holds(lit) is not True for lit in end))
    ends = ends[:MAX_ALTERNATIVES] or [()]
    return Goal(literals=ends[0], alternatives=tuple(ends[1:]), order=order, branches=branches)


def _touches(told: Told, ordered: set[Literal]) -> bool:
    return bool(ordered & {lit for option in told.options for lit in option})


# ---- later overrides earlier


def slot(literal: Literal) -> tuple[str, ...]:
    """Literals with the same slot cannot both hold at the end; the later one wins."""
    predicate, arguments = literal.predicate, literal.arguments
    match predicate:
        case "on" | "in" | "holding" if not literal.negated:
            return ("place", arguments[0])
        case "in_zone" if not literal.negated:
            axis = "x" if arguments[1] in ("front", "back") else "y"
            return ("zone", arguments[0], axis)
        case "open" | "closed":
            return ("open", *arguments)
        case _:
            return (predicate, *arguments)


def _settled(combination: Sequence[Option]) -> dict[tuple[str, ...], tuple[Literal, int]]:
    """slot → (literal, index of the clause), in the order first said."""
    slots: dict[tuple[str, ...], tuple[Literal, int]] = {}
    for index, option in enumerate(combination):
        for literal in option:
            for gone in [s for s, (old, i) in slots.items() if _overrides(literal, index, old, i)]:
                del slots[gone]
            slots[slot(literal)] = (literal, index)
    return slots


def _overrides(new: Literal, new_index: int, old: Literal, old_index: int) -> bool:
    """Whether `old` cannot stand beside `new`, which was said later."""
    if new == old or slot(new) == slot(old):
        return True
    if new.negated:
        return old == new.positive or (new.arguments[0] == "*" and old.predicate == new.predicate
                                       and old.arguments[1:] == new.arguments[1:] and not old.negated)  # fmt: skip
    first = new.arguments[0]
    match new.predicate:
        case "on" | "in":
            moved = old.predicate == "in_zone" and old.arguments[0] == first and new_index != old_index
            emptied = (
                old.negated
                and old.arguments in (("*", new.arguments[1]), new.arguments)
                and old.predicate == new.predicate
            )
            covered = old == Literal("clear", (new.arguments[1],))
            return moved or emptied or covered
        case "holding":
            return old.predicate == "in_zone" and old.arguments[0] == first
        case "in_zone":
            return slot(old) == ("place", first) and new_index != old_index
        case "clear":
            return old.predicate == "on" and not old.negated and old.arguments[1] == first
    return False


def _split(
    slots: dict[tuple[str, ...], tuple[Literal, int]],
    told: Sequence[Told],
    untaken: Sequence[tuple[Alternative, Option]],
) -> tuple[tuple[Literal, ...], tuple[GoalBranch, ...]]:
    """Literals that hold in any case, and those that hang on a condition."""
    end: list[Literal] = []
    sides: dict[Literal, tuple[list[Literal], list[Literal]]] = {}
    for alternative, option in untaken:
        side = sides.setdefault(alternative.condition, ([], []))[0 if alternative.side else 1]
        side += option
    for literal, index in slots.values():
        branch = told[index].branch
        if branch is None:
            end.append(literal)
        else:
            sides.setdefault(branch.condition, ([], []))[0 if branch.side else 1].append(literal)
    _agree([lit for lit, _ in slots.values()])
    branches = (GoalBranch(condition=c, then=tuple(t), otherwise=tuple(o)) for c, (t, o) in sides.items() if t or o)
    return tuple(end), tuple(branches)


def _agree(end: Sequence[Literal]) -> None:
    """Raises CannotBe where literals of one end state exclude each other."""
    held = sorted(lit.arguments[0] for lit in end if lit.predicate == "holding" and not lit.negated)
    if len(held) > 1:
        raise CannotBe(f"the hand holds one block at a time, not {listing(held)}")
    for zone in (lit for lit in end if lit.predicate == "in_zone" and not lit.negated):
        if Literal("in_zone", (zone.arguments[0], OPPOSITE_ZONE.get(zone.arguments[1], ""))) in end:
            raise CannotBe(f"the {zone.arguments[0]} cannot be on both sides")


# ---- order


def _pairs(told: Sequence[Told], start: SymbolicState) -> Iterable[tuple[Literal, Literal]]:
    """(first, second) of clauses told in order, and of later words that override earlier ones."""
    pairs: list[tuple[Literal, Literal]] = []
    for index, later in enumerate(told):
        for earlier_index in later.after:
            earlier = told[earlier_index]
            if earlier.keeps or later.keeps:
                continue
            pairs += (p for p in itertools.product(earlier.first, later.first) if not (earlier.away and _undoes(*p)))
        pairs += _implied(told, index)
    for first, second in dict.fromkeys(pairs):
        if first != second and _worth_it(first, second, told, start):
            yield first, second


def _implied(told: Sequence[Told], index: int) -> Iterable[tuple[Literal, Literal]]:
    """ "open it, … and close it": what is said twice over of one thing happens in the order said."""
    later = told[index]
    if later.keeps:
        return
    for at, literal in enumerate(later.first):
        latest: Literal | None = None
        for earlier in told[:index]:
            latest = next((o for o in earlier.first if _undoes(literal, o) and earlier.comes_true), latest)
        latest = next((o for o in later.first[:at] if _undoes(literal, o)), latest)
        if latest is not None:
            yield latest, literal


def _undoes(new: Literal, old: Literal) -> bool:
    return new != old and slot(new) == slot(old) and new.predicate != "holding" and old.predicate != "holding"


def _worth_it(first: Literal, second: Literal, told: Sequence[Told], start: SymbolicState) -> bool:
    """Leaves out pairs that say nothing (what is put somewhere was held before) or that nothing can satisfy.

    The hand must be empty for most that follows a pick, so a pick comes last whatever the words; and what holds
    already and stays so ("… then close the drawer" with a closed one nobody needs) does not come true at all.
    """
    if first.predicate == "holding" or (first.negated and first.predicate in ("on", "in")):
        return False
    if slot(first) == slot(second):
        return True
    return not _stays_true(second, told, start)


def _stays_true(literal: Literal, told: Sequence[Told], start: SymbolicState) -> bool:
    if start.holds(literal) is not True:
        return False
    said = [lit for t in told for lit in t.first]
    if any(_undoes(literal, lit) for lit in said):
        return False
    if literal.predicate not in ("closed", "open"):
        return True
    drawer = literal.arguments[0]
    return not any(_needs_drawer(lit, drawer, start) for lit in said)


def _needs_drawer(literal: Literal, drawer: str, start: SymbolicState) -> bool:
    if literal.predicate in ("open", "closed", "lit"):
        return False
    return drawer in literal.arguments or any(
        a in start.hidden or start.container_of(a) == drawer for a in literal.arguments
    )
