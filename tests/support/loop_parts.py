"""Parts of the loop that do as they are told: a planner of given answers, one that raises, graphs in a row."""

from __future__ import annotations

from typing import Any

from planner.planner import PlanOutcome, PlanRequest
from skills.skill_graph import SkillGraph


class FixedPlanner:
    """Answers in turn; the last one for ever."""

    name = "fixed"

    def __init__(self, *answers: PlanOutcome) -> None:
        self.answers = list(answers)
        self.asked: list[PlanRequest] = []

    def plan(self, request: PlanRequest) -> PlanOutcome:
        self.asked.append(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Raises:
    """A part whose methods fail from the n-th call on; before that, and where it only tells, it is the usual one."""

    name = "raising"

    def __init__(self, error: BaseException, instead_of: Any = None, first: int = 1) -> None:
        self.error, self.instead_of, self.calls, self.first = error, instead_of, 0, first

    def __getattr__(self, name: str) -> Any:
        usual = getattr(self.instead_of, name, None)
        if usual is not None and not callable(usual):
            return usual

        def method(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls >= self.first:
                raise self.error
            return usual(*args, **kwargs) if usual is not None else None

        return method


def graph_of(*calls: str) -> SkillGraph:
    steps = [{"id": f"s{n}", "do": call, "after": [f"s{n - 1}"] if n else []} for n, call in enumerate(calls)]
    return SkillGraph.model_validate({"steps": steps})
