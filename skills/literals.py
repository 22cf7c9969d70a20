"""Literals: one predicate of the world, the words of preconditions, effects, goals and branches.

Not for: deciding whether a literal holds (skills.symbolic_state for symbols, skills.predicates for geometry).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LITERAL = re.compile(r"^\s*(?P<negation>not\s+)?(?P<predicate>[a-z][a-z0-9_]*)\s*\((?P<arguments>[^()]*)\)\s*$")
_ARGUMENT = re.compile(r"^[a-z0-9?*][a-z0-9 _-]*$")


LONGEST_QUOTE = 120


class LiteralSyntaxError(ValueError):
    """A string that is not a literal; the message shows what one looks like."""


def shown(value: object) -> str:
    """A value as an error message quotes it: long ones are cut."""
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"


@dataclass(frozen=True, order=True)
class Literal:
    """`on(red block, green block)`, `not open(drawer)`. Hashable, ordered, immutable; `str()` parses back."""

    predicate: str
    arguments: tuple[str, ...] = ()
    negated: bool = False

    @classmethod
    def parse(cls, text: str) -> Literal:
        """Read one literal. Raises LiteralSyntaxError with an example of the form expected."""
        match = _LITERAL.match(text) if isinstance(text, str) else None
        if match is None:
            raise LiteralSyntaxError(f"not a literal: {shown(text)}; expected a form like 'on(red block, green block)'")
        inner = match["arguments"].strip()
        arguments = tuple(" ".join(part.split()) for part in inner.split(",")) if inner else ()
        for argument in arguments:
            if not _ARGUMENT.match(argument):
                raise LiteralSyntaxError(f"not a literal: {shown(text)}; {shown(argument)} is not a name")
        return cls(match["predicate"], arguments, match["negation"] is not None)

    def __str__(self) -> str:
        return f"{'not ' if self.negated else ''}{self.predicate}({', '.join(self.arguments)})"

    def negate(self) -> Literal:
        return Literal(self.predicate, self.arguments, not self.negated)

    @property
    def positive(self) -> Literal:
        return self.negate() if self.negated else self
