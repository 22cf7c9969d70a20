"""What is known while an instruction is read: the scene, the state as told so far, who was spoken of, the answers.

Not for: finding out what a phrase refers to (references.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from planner.grammar.errors import NeedsAnswer
from robots.physical_state import PhysicalState
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.symbolic_state import SymbolicState
from world_model.scene import Scene


@dataclass(frozen=True)
class Roles:
    """The categories that skills can handle: what can be moved, and what things can be put in and on."""

    movable: tuple[str, ...]
    inside: tuple[str, ...]
    surface: tuple[str, ...]

    @classmethod
    def of(cls, library: SkillLibrary) -> Roles:
        def types(skill: str) -> tuple[str, ...]:
            return library.by_name[skill].parameters[0].types if skill in library.by_name else ()

        return cls(types("pick"), types("place_in"), types("place_on"))

    @property
    def place(self) -> tuple[str, ...]:
        return (*self.inside, *self.surface)


@dataclass(frozen=True)
class Mention:
    """Objects spoken of together. chosen: the robot picked them ("any block"), the person did not; each: "every"."""

    names: tuple[str, ...]
    chosen: bool = False
    each: bool = False


@dataclass
class Context:
    """Mutable while one instruction is read.

    start: the believed state; state: as it will be after what was said so far. earlier: states before earlier
    commands, latest first (for "put it back"). answers: question → answer.
    """

    scene: Scene
    library: SkillLibrary
    start: SymbolicState
    state: SymbolicState
    answers: Mapping[str, str] = field(default_factory=dict)
    mentions: list[Mention] = field(default_factory=list)
    earlier: tuple[SymbolicState, ...] = ()
    assumed: dict[str, str] = field(default_factory=dict)
    spoken: set[str] = field(default_factory=set)
    place: tuple[str, str] | None = None  # what "there" is: (predicate, object)
    told: list[SymbolicState] = field(default_factory=list)
    leans_on_choice: bool = False
    protected: frozenset[str] = frozenset()  # "… leaving the yellow one where it is": not part of "every block"

    @property
    def roles(self) -> Roles:
        return Roles.of(self.library)

    @property
    def physical(self) -> PhysicalState | None:
        return self.scene.physical

    def mention(self, names: Iterable[str], chosen: bool = False, each: bool = False) -> None:
        """Remember who was spoken of, most recent first."""
        unique = tuple(dict.fromkeys(names))
        if unique:
            self.mentions.insert(0, Mention(unique, chosen, each))
            self.spoken.update(unique)

    def focus(self) -> tuple[str, ...]:
        """Everything spoken of, most recent first."""
        return tuple(dict.fromkeys(name for mention in self.mentions for name in mention.names))

    def ask(self, text: str, choices: Sequence[str] = ()) -> str:
        """The person's answer. Raises NeedsAnswer where there is none yet."""
        if text not in self.answers:
            raise NeedsAnswer(text, tuple(choices))
        return self.answers[text]

    def confirm(self, text: str) -> bool:
        """The person's yes or no."""
        while True:
            answer = self.ask(text, ("yes", "no")).strip().lower().rstrip(".!")
            if answer in _YES:
                return True
            if answer in _NO:
                return False
            text = f"Please answer yes or no, not '{answer}'. {text}"

    def assume(self, name: str, category: str) -> None:
        """Count on an object that nobody has seen yet."""
        self.assumed[name] = category
        for attribute in ("start", "state"):
            state: SymbolicState = getattr(self, attribute)
            objects = {**state.objects, name: category}
            setattr(self, attribute, SymbolicState(objects, state.facts, state.hidden | {name}))

    def tell(self, literals: Iterable[Literal]) -> None:
        """The state after these have come true."""
        self.told.insert(0, self.state)
        self.state = after(self.state, literals)


_YES = frozenset(
    {"yes", "y", "yeah", "yep", "sure", "ok", "okay", "please do", "yes please", "correct", "right", "do it"}
)
_NO = frozenset({"no", "n", "nope", "nah", "no thanks", "don't", "do not", "wrong"})


def after(state: SymbolicState, literals: Iterable[Literal]) -> SymbolicState:
    """The state told by literals: a new place replaces the old one, what stood on a moved block ends on the table."""
    for literal in literals:
        if literal.predicate in ("on", "in") and not literal.negated and state.holds(literal) is True:
            continue  # it stays, and so does what stands on it
        effects: list[Literal] = []
        first = literal.arguments[0] if literal.arguments else ""
        match literal.predicate, literal.negated:
            case (("on" | "in" | "holding"), False):
                effects += _lifted(first)
                for rider in state.resting.get(first, ()):
                    effects += [*_lifted(rider), Literal("on", (rider, "table"))]
                if literal.predicate != "holding":
                    effects.append(Literal("holding", (first,), negated=True))
                effects.append(literal)
            case "in_zone", False:
                effects += [*_lifted(first), Literal("on", (first, "table")), literal]
            case "clear", False:
                for upper in state.resting.get(first, ()):
                    effects += [*_lifted(upper), Literal("on", (upper, "table"))]
            case "closed", negated:
                effects.append(Literal("open", literal.arguments, negated=not negated))
            case "on" | "in", True if state.holds(literal.positive) and "*" not in first:
                effects += [*_lifted(first), Literal("on", (first, "table"))]
            case "clear" | "hand_empty" | "has_room" | "accessible", _:
                pass
            case _:
                effects.append(literal)
        state = state.apply(effects)
    return state


def _lifted(name: str) -> list[Literal]:
    return [Literal(p, (name, "*"), negated=True) for p in ("on", "in", "in_zone")]
