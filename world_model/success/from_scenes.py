"""SceneDetector: judges a call by its success literals in the scene after it, as far as they were observed.

What is only remembered, predicted or told is no evidence: the detector then abstains rather than guesses.
"""

from __future__ import annotations

from dataclasses import dataclass

from skills.calls import apply_call
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill import Skill, SkillCall
from world_model.believed import NOT_OBSERVED
from world_model.results import Verdict, VerdictStatus
from world_model.scene import Scene

SURE_ENOUGH = 0.75  # below this confidence in the scene the detector abstains


@dataclass(frozen=True)
class _Finding:
    """What the scene after says of one success literal. truth None: cannot tell, `words` say why."""

    truth: bool | None
    confidence: float
    words: str


@dataclass(frozen=True)
class SceneDetector:
    """Succeeded when every success literal is observed to hold, failed when one is observed not to, else unsure."""

    library: SkillLibrary
    sure_enough: float = SURE_ENOUGH
    name: str = "scene"

    def judge(self, call: SkillCall, before: Scene, after: Scene, *, attempt: int = 1) -> Verdict:
        """`attempt` makes no difference: the same scenes are judged alike. Raises SkillCallError."""
        del attempt
        skill = self.library.skill(call.skill)
        wanted = skill.success_of(call.arguments, before.symbolic())
        findings = [self._finding(literal, before, after) for literal in wanted]
        changes = _side_effects(call, skill, self.library, before, after)
        status, confidence, reason = _weigh(findings)
        if changes:
            reason = f"{reason}; besides: {', '.join(changes)}"
        return Verdict(status, confidence, reason, self.name, changes)

    def _finding(self, literal: Literal, before: Scene, after: Scene) -> _Finding:
        if "*" in literal.arguments:
            return _unbound(literal, before, after)
        truth = after.holds(literal)
        source, confidence = after.source(literal), after.confidence(literal)
        certainty = max(confidence, 1.0 - confidence)
        if truth is None:
            return _Finding(None, 0.5, f"cannot tell whether {literal}: {_out_of_sight(literal, after)}")
        if source in NOT_OBSERVED:
            return _Finding(None, 0.5, f"cannot tell whether {literal}: known from {source} only, not seen since")
        if certainty < self.sure_enough:
            return _Finding(None, certainty, f"cannot tell whether {literal}: only {certainty:.0%} sure")
        words = str(literal) if truth else f"{literal} does not hold{_instead(literal, after)}"
        return _Finding(truth, certainty, words)


def _weigh(findings: list[_Finding]) -> tuple[VerdictStatus, float, str]:
    """One literal that failed decides; one that cannot be told leaves it open; else all hold."""
    failed = [f for f in findings if f.truth is False]
    if failed:
        return VerdictStatus.FAILED, max(f.confidence for f in failed), "; ".join(f.words for f in failed)
    unclear = [f for f in findings if f.truth is None]
    if unclear:
        return VerdictStatus.UNSURE, max(f.confidence for f in unclear), "; ".join(f.words for f in unclear)
    confidence = min((f.confidence for f in findings), default=1.0)
    return VerdictStatus.SUCCEEDED, confidence, "observed: " + ", ".join(f.words for f in findings)


def _unbound(literal: Literal, before: Scene, after: Scene) -> _Finding:
    """A literal over what was held before, when nothing was known to be: did anything newly become so?"""
    if literal.negated:
        truth = after.symbolic().holds(literal)
        return _Finding(truth, 1.0, str(literal) if truth else f"{literal} does not hold")
    state = after.symbolic()
    new = sorted(fact for fact in state.facts - before.symbolic().facts if state.matches(literal, fact))
    if not new:
        return _Finding(False, 1.0, f"nothing was in the hand, and nothing became {literal}")
    fact = new[0]
    if after.source(fact) in NOT_OBSERVED:
        return _Finding(None, 0.5, f"cannot tell whether {fact}: not seen since")
    return _Finding(True, after.confidence(fact), str(fact))


def _out_of_sight(literal: Literal, scene: Scene) -> str:
    hidden = [a for a in literal.arguments if a in scene.hidden]
    return f"the {' and the '.join(hidden)} cannot be seen" if hidden else "what it speaks of is not known"


def _instead(literal: Literal, scene: Scene) -> str:
    """Where the thing is, where that tells more than that the literal is false."""
    if literal.negated or not literal.arguments:
        return ""
    name = literal.arguments[0]
    where = sorted(
        fact
        for fact in scene.symbolic().facts
        if fact.predicate in ("on", "in", "holding") and fact.arguments[0] == name
    )
    return f" ({', '.join(map(str, where))})" if where else ""


def _side_effects(call: SkillCall, skill: Skill, library: SkillLibrary, before: Scene, after: Scene) -> tuple[str, ...]:
    """Observed changes that the call's effects do not account for, of things it does not act on, as literals."""
    start, end = before.symbolic(), after.symbolic()
    expected = apply_call(call, start, library)
    acted_on = {fact.arguments[0] for fact in start.facts ^ expected.facts if fact.arguments}
    acted_on |= {e.arguments[0] for e in skill.effects_of(call.arguments, start) if e.arguments}
    changes = [*(end.facts - expected.facts), *(fact.negate() for fact in expected.facts - end.facts)]
    return tuple(
        str(change)
        for change in sorted(changes)
        if change.arguments
        and change.arguments[0] not in acted_on
        and change.arguments[0] in start.objects
        and end.holds(change) is True
        and after.source(change) not in NOT_OBSERVED
    )
