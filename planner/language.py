"""LanguagePlanner: instruction → goal by the grammar → graph by search. The planner that needs no model.

Not for: the grammar itself (planner.grammar) or the search (planner.search).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from planner.dialogue import Dialogue
from planner.grammar.errors import CannotBe, NeedsAnswer
from planner.grammar.understanding import Understood, understand
from planner.planner import Impossible, Plan, Planner, PlanOutcome, PlanRequest, Question
from planner.search import SearchPlanner
from world_model.scene import Scene


class LanguagePlanner:
    """The Planner that reads English. Keeps what was spoken of across commands.

    search: the planner that turns a goal into a graph.
    """

    name = "language"

    def __init__(self, search: Planner | None = None, dialogue: Dialogue | None = None) -> None:
        self.search = search or SearchPlanner()
        self.dialogue = dialogue or Dialogue()

    def plan(self, request: PlanRequest) -> PlanOutcome:
        """A plan, a question, or impossible with a reason. Raises InstructionError for what is no instruction."""
        if request.goal is not None:
            return self.search.plan(request)
        try:
            understood = self._understand(request)
        except NeedsAnswer as question:
            return Question(question.text, question.choices)
        except CannotBe as reason:
            return Impossible(f"{str(reason)[:1].upper()}{str(reason)[1:]}.")
        return self._planned(understood, request)

    def snapshot(self) -> Any:
        """What was spoken of, JSON-ready."""
        return self.dialogue.snapshot()

    def restore(self, data: Any) -> None:
        """Raises pydantic.ValidationError where `data` is no snapshot."""
        self.dialogue.restore(data)

    def _understand(self, request: PlanRequest) -> Understood:
        self.dialogue.begin(request)
        understood = understand(
            request.instruction,
            request.scene,
            request.library,
            answers=dict(request.answers),
            mentions=self.dialogue.mentions(request.focus),
            earlier=self.dialogue.earlier,
        )
        self.dialogue.end(understood)
        return understood

    def _planned(self, understood: Understood, request: PlanRequest) -> PlanOutcome:
        scene = _with_assumed(request.scene, understood)
        outcome = self.search.plan(replace(request, goal=understood.goal, scene=scene))
        match outcome:
            case Plan():
                return replace(outcome, reasoning=understood.reasoning, focus=understood.focus)
            case Impossible(reason):
                return Impossible(f"{understood.reasoning} {reason}", understood.goal)
            case _:
                return outcome


def _with_assumed(scene: Scene, understood: Understood) -> Scene:
    for name, category in understood.assumed.items():
        scene = scene.assume(name, category)
    return scene
