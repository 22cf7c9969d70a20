"""The syntax of an instruction: typed records of sentences, clauses and noun phrases, built by lark's Earley parser.

Not for: what they mean in a scene (frames.py, references.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias


@dataclass(frozen=True)
class Relative:
    """What tells an object apart: "(that is) on the green pad", "(that is not) in a bowl", "next to it"."""

    prep: str  # a preposition, or "state" / "direction" / "particle" with `value`
    noun_phrase: NounPhrase | None = None
    value: str = ""
    negated: bool = False
    others: tuple[NounPhrase, ...] = ()  # "on the red and the green pad": the green pad


@dataclass(frozen=True)
class NounPhrase:
    """ "the two red blocks on the pad". quantifiers are values of the vocabulary ("the", "every", "2", "other", …)."""

    quantifiers: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    not_colours: tuple[str, ...] = ()
    noun: str = ""  # a category, a word of an object's name, "thing", "one", "everything", "nothing", "stack" or ""
    pronoun: str = ""  # it | them | this | that
    plural: bool = False
    matching: bool = False  # "of its colour"
    superlative: str = ""
    state: str = ""
    relatives: tuple[Relative, ...] = ()
    start: int = 0
    end: int = 0

    def has(self, *quantifiers: str) -> bool:
        return any(q in self.quantifiers for q in quantifiers)

    @property
    def number(self) -> int | None:
        return next((int(q) for q in self.quantifiers if q.isdigit()), 1 if self.has("one") else None)


@dataclass(frozen=True)
class PrepPhrase:
    prep: str
    noun_phrase: NounPhrase


@dataclass(frozen=True)
class Particle:
    """A word or fixed phrase that stands alone in a clause. kind: particle | direction | state."""

    kind: Literal["particle", "direction", "state"]
    value: str


@dataclass(frozen=True)
class Separator:
    """ "," / "and" / "or" between parts of a clause."""

    value: str


@dataclass(frozen=True)
class Leaving:
    """ "except the red one"."""

    noun_phrase: NounPhrase


Part: TypeAlias = NounPhrase | PrepPhrase | Particle | Separator | Leaving


@dataclass(frozen=True)
class Imperative:
    verb: str
    parts: tuple[Part, ...] = ()
    prohibited: bool = False


@dataclass(frozen=True)
class Statement:
    """Something that is or should be so. kind: copula | there_is | contains | bare."""

    subject: tuple[Part, ...]
    predicate: tuple[Part, ...] = ()
    negated: bool = False
    kind: str = "copula"


@dataclass(frozen=True)
class Ensure:
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Check:
    """ "check whether the drawer is open": what "if so" and "otherwise" after it speak of."""

    statements: tuple[Clause, ...]


@dataclass(frozen=True)
class Declared:
    """ "the red block is in the drawer": said as a fact, to be held against what is believed."""

    statement: Statement


Clause: TypeAlias = "Imperative | Statement | Ensure | Check | Declared"


@dataclass(frozen=True)
class Subordinate:
    """A clause that says when: kind if | unless | when | so | until | after | before | while | by."""

    kind: str
    clauses: tuple[Clause, ...]
    leads: bool


@dataclass(frozen=True)
class Step:
    """One clause of a sentence; otherwise: it is the else of an earlier `if`.

    joined: start | and | then | colon | earlier (it comes before the step it follows).
    """

    clause: Clause
    joined: str = "start"
    otherwise: bool = False
    subordinates: tuple[Subordinate, ...] = ()
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class ParseFailure(Exception):  # noqa: N818 - carries where understanding stopped
    """No derivation. position: index of the first written word that does not fit; expected: terminals that would."""

    position: int
    expected: frozenset[str] = field(default_factory=frozenset)
