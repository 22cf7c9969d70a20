"""Places of the same colour: "the bowl of its colour", "the matching pads".

Not for: which places fit a description (references.py).
"""

from __future__ import annotations

from dataclasses import replace

from planner.grammar.choosing import listing
from planner.grammar.context import Context
from planner.grammar.errors import CannotBe
from planner.grammar.options import place_literal
from planner.grammar.references import candidates, colour_of
from planner.grammar.syntax import NounPhrase
from skills.literals import Literal


def match(name: str, target: NounPhrase, context: Context) -> Literal:
    """The bowl (pad) of the block's own colour."""
    plain = replace(target, matching=False, quantifiers=(), plural=True)
    kinds = context.roles.place
    pool = candidates(plain, kinds, context)
    fitting = [n for n in pool if colour_of(n) == colour_of(name) and n != name]
    if not fitting:
        noun = target.noun if target.noun not in ("", "one", "thing") else "place"
        raise CannotBe(f"there is no {colour_of(name)} {noun} for the {name}; there is {listing(sorted(pool))}"
                       if pool else f"there is no {noun} here to match the {name}")  # fmt: skip
    return place_literal(name, fitting[0], context)
