"""Skill and SkillCall: a PDDL-like action schema with a language template and a scripted expert.

Conditions and effects are literal templates: `?name` is a parameter, `?held` what the hand holds before the
call, `?opposite` the zone across from a `?direction`; `*` matches anything and `*block` any block (only under
`not`). An effect may start with `flip `: true becomes false and back. Effects apply in their order.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from robots.physical_state import PhysicalState
from robots.robot import Action
from skills.literals import Literal, shown
from skills.symbolic_state import OPPOSITE_ZONE, SymbolicState

if TYPE_CHECKING:
    import numpy as np

    from robots.tabletop.scene_spec import SceneSpec

Expert: TypeAlias = Callable[[PhysicalState, tuple[str, ...]], Action]
"""Stateless scripted expert: privileged state and the call's arguments → the next RT-2 action."""

Furnish: TypeAlias = "Callable[[SceneSpec, np.random.Generator], SceneSpec]"
"""A drawn scene → the same with what a skill of one's own works on, at a drawn place."""

_CALL = re.compile(r"^\s*(?P<skill>[a-z][a-z0-9_]*)\s*\((?P<arguments>[^()]*)\)\s*$")


class SkillCallError(ValueError):
    """A skill call that names no skill, or has the wrong arguments; the message lists the valid choices."""


class NoExpertError(RuntimeError):
    """Somebody asked a skill's expert, but the skill has none."""


def no_expert(_state: PhysicalState, _arguments: tuple[str, ...]) -> Action:
    """The expert of a skill that only recorded demonstrations teach. Raises NoExpertError."""
    raise NoExpertError("this skill has no scripted expert: it is learned from demonstrations")


@dataclass(frozen=True)
class Parameter:
    """One typed argument. types: object categories; choices: fixed words ("left", …) instead of an object."""

    name: str
    types: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skill:
    """A short-horizon behaviour: typed parameters, language, conditions, effects, time limit, expert.

    success: literals that must hold afterwards (same templates; `?held` is what was held before the call).
    time_limit_steps: control steps of 0.1 s after which the skill has failed.
    rise_first_m: how far the executor raises the hand before it asks the policy, where a skill may begin in the very
    state in which it ends (press, press again): a policy that sees only the present cannot tell the two apart.
    wordings: other templates that say the same, for a model that is taught the skill; in them a direction is a whole
    phrase ("to the left").
    furnish: how random scenes get what the skill works on, where the tabletop does not know it.
    """

    name: str
    parameters: tuple[Parameter, ...]
    template: str  # "pick up the {object}"
    preconditions: tuple[str, ...]
    effects: tuple[str, ...]
    success: tuple[str, ...]
    time_limit_steps: int
    expert: Expert = no_expert
    summary: str = ""  # one sentence for a language model and for --help
    rise_first_m: float = 0.0
    wordings: tuple[str, ...] = ()
    furnish: Furnish | None = None

    def bindings(self, arguments: tuple[str, ...], state: SymbolicState) -> Mapping[str, str]:
        bound = {p.name: a for p, a in zip(self.parameters, arguments, strict=True)}
        if state.held is not None:
            bound["held"] = state.held
        if bound.get("direction") in OPPOSITE_ZONE:
            bound["opposite"] = OPPOSITE_ZONE[bound["direction"]]
        return bound

    def preconditions_of(self, arguments: tuple[str, ...], state: SymbolicState) -> tuple[Literal, ...]:
        """Ground preconditions; one that needs `?held` with an empty hand stays as `holding(*)`."""
        return _ground(self.preconditions, self.bindings(arguments, state))

    def effects_of(self, arguments: tuple[str, ...], state: SymbolicState) -> tuple[Literal, ...]:
        """Ground effects in order, `flip` resolved against `state`."""
        bound = self.bindings(arguments, state)
        plain: list[Literal] = []
        for template in self.effects:
            if template.startswith("flip "):
                (literal,) = _ground((template.removeprefix("flip "),), bound)
                plain.append(literal.negate() if state.holds(literal) else literal)
            else:
                plain.extend(_ground((template,), bound))
        return tuple(plain)

    def success_of(self, arguments: tuple[str, ...], before: SymbolicState) -> tuple[Literal, ...]:
        """Literals that must hold after the call, ground; `flip` as in effects."""
        bound = self.bindings(arguments, before)
        goals: list[Literal] = []
        for template in self.success:
            flipped = template.startswith("flip ")
            (literal,) = _ground((template.removeprefix("flip "),), bound)
            goals.append(literal.negate() if flipped and before.holds(literal) else literal)
        return tuple(goals)

    def sentence(self, arguments: tuple[str, ...]) -> str:
        """What the VLA is told: `pick(red block)` → "pick up the red block"."""
        return self.template.format(**{p.name: a for p, a in zip(self.parameters, arguments, strict=True)})


def _ground(templates: tuple[str, ...], bound: Mapping[str, str]) -> tuple[Literal, ...]:
    literals = []
    for template in templates:
        literal = Literal.parse(template)
        arguments = tuple(bound.get(a[1:], "*") if a.startswith("?") else a for a in literal.arguments)
        literals.append(Literal(literal.predicate, arguments, literal.negated))
    return tuple(literals)


@dataclass(frozen=True, order=True)
class SkillCall:
    """A skill with its arguments bound: `pick(red block)`. `str()` parses back."""

    skill: str
    arguments: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> SkillCall:
        match = _CALL.match(text) if isinstance(text, str) else None
        if match is None:
            raise SkillCallError(f"not a skill call: {shown(text)}; expected a form like 'pick(red block)'")
        inner = match["arguments"].strip()
        return cls(match["skill"], tuple(" ".join(a.split()) for a in inner.split(",")) if inner else ())

    def __str__(self) -> str:
        return f"{self.skill}({', '.join(self.arguments)})"


def did_you_mean(word: str, choices: tuple[str, ...] | list[str]) -> str:
    """'; did you mean 'pick'? have: pick, place_in, …' — the tail of an error about an unknown name."""
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.4)
    hint = f"; did you mean '{close[0]}'?" if close else ";"
    return f"{hint} have: {', '.join(sorted(choices))}"
