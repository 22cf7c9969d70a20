"""An instruction and a scene → what is meant: a goal, what was spoken of, and a sentence that says so.

Asks where it cannot settle something.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from planner.grammar.context import Context, Mention
from planner.grammar.errors import CannotBe, InstructionError, NeedsAnswer
from planner.grammar.feasibility import check
from planner.grammar.narrative import goal_of
from planner.grammar.questions import read_instruction
from planner.grammar.reading import Reading
from planner.grammar.telling import in_words
from skills.goal import Goal
from skills.library import SkillLibrary
from skills.symbolic_state import SymbolicState
from world_model.scene import Scene


@dataclass(frozen=True)
class Understood:
    """goal, the objects spoken of (most recent first), a sentence for the reader; assumed: name → category of
    objects that nobody has seen yet but the person counts on."""

    goal: Goal
    reasoning: str
    mentions: tuple[Mention, ...] = ()
    assumed: Mapping[str, str] = field(default_factory=dict)

    @property
    def focus(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for mention in self.mentions for name in mention.names))


def understand(
    instruction: str,
    scene: Scene,
    library: SkillLibrary,
    *,
    answers: Mapping[str, str] | None = None,
    mentions: Sequence[Mention] = (),
    earlier: Sequence[SymbolicState] = (),
) -> Understood:
    """Read an instruction in a scene.

    answers: question → answer of this dialogue. mentions: what earlier commands spoke of, most recent first.
    earlier: states before earlier commands, latest first. Raises InstructionError (no instruction), NeedsAnswer
    (a question to ask), CannotBe (understood and impossible).
    """
    known = dict(answers or {})
    try:
        return _understood(instruction, scene, library, known, mentions, earlier)
    except NeedsAnswer as question:
        if question.text not in known:
            raise
        reply = known.pop(question.text)
        return _with_reply(instruction, reply, question, scene, library, known, mentions, earlier)


def _with_reply(
    instruction: str,
    reply: str,
    question: NeedsAnswer,
    scene: Scene,
    library: SkillLibrary,
    answers: Mapping[str, str],
    mentions: Sequence[Mention],
    earlier: Sequence[SymbolicState],
) -> Understood:
    """An open question's answer says it anew, or says what was missing: "in the drawer", "the blue bowl"."""
    trouble: Exception | None = None
    for text in (reply, f"{instruction} {reply}", f"{instruction} to {reply}"):
        try:
            return understand(text, scene, library, answers=answers, mentions=mentions, earlier=earlier)
        except (InstructionError, NeedsAnswer, CannotBe) as error:
            trouble = error if isinstance(error, CannotBe) else trouble
    raise trouble or NeedsAnswer(f"'{reply}' does not tell me. {question.text}", question.choices)


def _understood(
    instruction: str,
    scene: Scene,
    library: SkillLibrary,
    answers: Mapping[str, str],
    mentions: Sequence[Mention],
    earlier: Sequence[SymbolicState],
) -> Understood:
    state = scene.symbolic()
    context = Context(scene, library, state, state, answers, list(mentions), tuple(earlier))
    sentences = read_instruction(instruction, context)
    reading = Reading(context)
    for sentence in sentences:
        reading.read(sentence)
    goal = goal_of(reading.told, reading.untaken, context.start, commit=context.leans_on_choice)
    check(goal, context)
    return Understood(goal, in_words(goal), tuple(context.mentions), dict(context.assumed))
