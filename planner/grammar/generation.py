"""Instructions with their goals, any number of distinct ones from a seed: training data and the parser's test.

Wordings come from the vocabulary that reading uses; goals are built from what was meant, never by parsing.
Not for: single clauses and their wordings (wordings.py).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from planner.grammar.context import after
from planner.grammar.errors import CannotBe
from planner.grammar.feasibility import impossible
from planner.grammar.narrative import Alternative, Told, goal_of, positive
from planner.grammar.options import Option
from planner.grammar.wordings import CLAUSES, LAST_CLAUSES, Clause, fact
from skills.goal import Goal
from skills.symbolic_state import SymbolicState

_TRIES = 400
_PREFIXES = ("", "", "", "", "please ", "could you ", "can you please ", "robot, ", "I want you to ", "now ", "okay, ",
             "would you please ", "hey robot, please ", "I need you to ", "kindly ", "let's ")  # fmt: skip
_SUFFIXES = ("", "", "", ".", ".", "!", ", please", ", please.", " for me.")
_AND = (" and ", ", ", "; ", ". ", " and also ", ", and ")
_THEN = (", then ", " and then ", ". Then ", "; after that, ", ", and finally ", ". After that ", ". Next, ",
         ", afterwards ", " and after that ", ". Finally, ")  # fmt: skip


@dataclass(frozen=True)
class Generated:
    """An instruction and what it means in the state it was made for."""

    instruction: str
    goal: Goal


def generate(
    state: SymbolicState,
    count: int,
    seed: int = 0,
    *,
    clauses: tuple[int, int] = (1, 4),
    solvable: Callable[[Goal], bool] | None = None,
) -> Iterator[Generated]:
    """`count` distinct instructions for a state, the same for the same seed.

    clauses: least and most clauses of one instruction. solvable: keeps only goals it accepts (a search, say).
    Yields fewer where the state has no more to offer.
    """
    rng = random.Random(seed)
    seen: set[str] = set()
    tries = 0
    while len(seen) < count and tries < _TRIES * (len(seen) + 1):
        tries += 1
        made = _one(state, rng, rng.randint(*clauses))
        if made is None or made.instruction in seen or (solvable is not None and not solvable(made.goal)):
            continue
        seen.add(made.instruction)
        yield made


def _one(state: SymbolicState, rng: random.Random, length: int) -> Generated | None:
    sketch = _Sketch(state, rng)
    for number in range(length):
        if not sketch.extend(last=number == length - 1):
            break
    if not sketch.told or any(not options for told in sketch.told for options in told.options):
        return None
    try:
        goal = goal_of(sketch.told, sketch.untaken, state, commit=False)
    except CannotBe:
        return None
    if impossible(goal, state) or not sketch.changes(goal):
        return None
    return Generated(sketch.finished(), goal)


def _in_order(one: Clause, two: Clause) -> list[str]:
    """Ways to say that `one` comes before `two`. Said first, `two` must not speak of how things are after `one`."""
    ways = [
        f"after {one.gerund}, {two.text}",
        f"{one.text} before {two.gerund}",
        f"{one.text} before you {two.text}",
        f"{two.text} after {one.gerund}",
        f"after you have {one.text}, {two.text}" if one.verb == "put" else f"after {one.gerund}, {two.text}",
    ]
    if two.verb in ("open", "close", "shut", "turn", "switch", "press"):
        ways += [f"before you {two.text}, {one.text}", f"before {two.gerund}, {one.text}"]
    return ways


@dataclass
class _Sketch:
    """An instruction in the making: its text, and what was told so far."""

    start: SymbolicState
    rng: random.Random
    told: list[Told] = field(default_factory=list)
    untaken: list[tuple[Alternative, Option]] = field(default_factory=list)
    text: str = ""
    state: SymbolicState = field(init=False)
    sealed: bool = False
    group: list[int] = field(default_factory=list)
    previous: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = self.start

    def extend(self, *, last: bool) -> bool:
        """Add one clause, or a construction of two. False where nothing fits any more."""
        construction = self.rng.choice((self._plain, self._plain, self._plain, self._ordered, self._conditional))
        return construction(last)

    def _clause(self, *, last: bool) -> Clause | None:
        makers = (*CLAUSES, *LAST_CLAUSES) if last else CLAUSES
        for _ in range(20):
            clause = self.rng.choice(makers)(self.state, self.rng)
            if clause is not None:
                return clause
        return None

    def _join(self, *, sentence: bool = False) -> None:
        """A connector; "then" starts a new group in the order of things, a full stop a new order.

        sentence: what follows has a subordinate clause; it gets a sentence of its own, so that its reach is clear.
        """
        alone, self.sealed = sentence or self.sealed, sentence
        if not self.text:
            return
        ordered = not sentence and self.rng.random() < 0.5
        connectors = _THEN if ordered else _AND
        connector = self.rng.choice([c for c in connectors if c.startswith(". ")] if alone else connectors)
        if ordered:
            self.previous, self.group = self.group or self.previous, []
        elif connector in (". ", "; "):  # a semicolon ends a sentence, too
            self.previous, self.group = [], []
        self.text += connector

    def _tell(self, clause: Clause, after_these: list[int], branch: Alternative | None = None) -> int:
        for options in clause.tellings:
            self.told.append(Told(list(options), self.state, list(after_these), branch, away=clause.away))
            self.state = after(self.state, options[0])
        return len(self.told) - 1

    def _plain(self, last: bool) -> bool:
        clause = self._clause(last=last)
        if clause is None:
            return False
        self._join()
        self.text += clause.text
        first = len(self.told)
        self._tell(clause, self.previous)
        self.group += range(first, len(self.told))
        return True

    def _ordered(self, last: bool) -> bool:
        """ "after putting A in B, C", "before you C, put A in B", "C after you have put A in B"."""
        first = self._clause(last=False)
        if first is None:
            return False
        kept, self.state = self.state, after(self.state, first.options[0])
        second = self._clause(last=last)
        self.state = kept
        if second is None or len(first.tellings) > 1 or len(second.tellings) > 1:
            return False
        self._join(sentence=True)
        self.text += self.rng.choice(_in_order(first, second))
        index = self._tell(first, [])
        self.group += [index, self._tell(second, [index])]
        return True

    def _conditional(self, last: bool) -> bool:
        """ "if the drawer is open, A", "A unless B", "if B, A, otherwise C"; what applies is what holds."""
        asked = fact(self.state, self.rng)
        clause = self._clause(last=last)
        if asked is None or clause is None or len(clause.tellings) > 1 or len(clause.options) > 1:
            return False
        if self.start.holds(asked.literal) is not self.state.holds(asked.literal):
            return False
        self._join(sentence=True)
        holds = self.state.holds(asked.literal) is True
        word = self.rng.choice(("if", "if", "in case", "when"))
        self.text += self.rng.choice((f"{word} {asked.text}, {clause.text}", f"{clause.text} {word} {asked.text}"))
        self._side(clause, positive(Alternative(asked.literal, True)), applies=holds)
        return True

    def _side(self, clause: Clause, alternative: Alternative, *, applies: bool) -> None:
        if applies:
            self.group.append(self._tell(clause, [], alternative))
        else:
            self.untaken.append((alternative, clause.options[0]))

    def changes(self, goal: Goal) -> bool:
        """Whether there is anything to do."""
        return bool(goal.unmet(self.start, self.start)) or bool(goal.order) or bool(goal.branches)

    def finished(self) -> str:
        prefix = (
            self.rng.choice(_PREFIXES) if self.text.split()[0] not in ("if", "when", "in", "after", "before") else ""
        )
        suffix = self.rng.choice(_SUFFIXES)
        text = prefix + self.text + suffix
        style = self.rng.random()
        return text.upper() if style < 0.02 else text[0].upper() + text[1:] if style < 0.6 else text
