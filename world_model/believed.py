"""What a scene is made of: one believed object, one believed literal, each with its confidence and source.

Not for: a whole scene (world_model.scene).
"""

from __future__ import annotations

from dataclasses import dataclass

from robots.physical_state import ObjectState
from skills.literals import Literal

# Sources that are no perception; what perceives (see world_model.perception) labels itself.
GIVEN = "given"  # by whoever built the scene
INSTRUCTION = "instruction"  # a person said so
MEMORY = "memory"  # seen before, out of sight now
PREDICTED = "predicted"  # a skill is expected to have done it; nobody looked
TOUCH = "touch"  # the fingers feel something, and this is what they went for
NOT_OBSERVED = frozenset({MEMORY, PREDICTED, INSTRUCTION})  # no evidence of how things are now


@dataclass(frozen=True)
class SceneObject:
    """One thing believed to exist.

    confidence: in [0, 1], that it is where `state` and the literals say (hidden: that it exists at all).
    source: what perceived it ("oracle", "vla", …), or one of the sources above.
    state: its geometry where known. hidden: exists, but nobody knows where. gone: looked for everywhere, not there.
    """

    name: str
    category: str
    confidence: float = 1.0
    source: str = GIVEN
    state: ObjectState | None = None
    hidden: bool = False
    gone: bool = False


@dataclass(frozen=True)
class BelievedLiteral:
    """A base literal, positive or negated (`not open(drawer)`), and how sure of it from where."""

    literal: Literal
    confidence: float = 1.0
    source: str = GIVEN

    def in_words(self) -> str:
        """As in "on the table" or "in the drawer (memory, 95% sure)"; doubt and memory are said, certainty is not."""
        doubt = f", {self.confidence:.0%} sure" if self.confidence < 1.0 else ""
        words = _in_words(self.literal)
        return f"{words} ({self.source}{doubt})" if doubt or self.source == MEMORY else words


def _in_words(literal: Literal) -> str:
    """The literal without its subject."""
    match literal.predicate, literal.arguments:
        case "holding", _:
            return "held by the hand"
        case "in_zone", (_, zone):
            return f"in the {zone} zone"
        case "open", _ if literal.negated:
            return "closed"
        case predicate, (_, *others):
            return " ".join([*(["not"] if literal.negated else []), predicate, *(f"the {o}" for o in others)])
        case _:
            return str(literal)
