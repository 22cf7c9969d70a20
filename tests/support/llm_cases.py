"""One small scene, answers to one instruction about it, and a listener: what the language-model tests share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from planner.language_model import LanguageModelPlanner, open_planner
from planner.planner import PlanRequest
from planner.search import SearchPlanner
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.symbolic_state import SymbolicState
from world_model.scene import Scene

OBJECTS = {
    "red block": "block",
    "blue block": "block",
    "green block": "block",
    "red bowl": "bowl",
    "blue bowl": "bowl",
    "green pad": "pad",
    "drawer": "drawer",
    "button": "button",
    "lamp": "lamp",
    "table": "table",
}
FACTS = ("on(red block, table)", "on(blue block, red block)", "on(green block, table)", "open(drawer)")
INSTRUCTION = "put the red block in the red bowl and close the drawer"


def scene(facts: tuple[str, ...] = FACTS, hidden: frozenset[str] = frozenset()) -> Scene:
    state = SymbolicState(OBJECTS, frozenset(Literal.parse(fact) for fact in facts), hidden)
    return Scene.from_symbolic(state)


def step(name: str, call: str, *after: str, condition: str | None = None) -> dict[str, Any]:
    return {"id": name, "do": call, "after": list(after), "if": condition}


def answer(**changes: Any) -> dict[str, Any]:
    """A right answer to INSTRUCTION in the schema asked for, with some of it changed."""
    steps = [
        step("a", "pick(blue block)"),
        step("b", "place_on(table)", "a"),
        step("c", "pick(red block)", "b"),
        step("d", "place_in(red bowl)", "c"),
        step("e", "close(drawer)"),
    ]
    return {
        "reasoning": "Clear the red block, then two jobs.",
        "answer": "plan",
        "goal": ["in(red block, red bowl)", "closed(drawer)"],
        "order": [],
        "branches": [],
        "steps": steps,
        "question": "",
        "choices": [],
        "reason": "",
        **changes,
    }


QUESTION = answer(answer="question", goal=[], steps=[], question="Which one?", choices=["red block", "blue block"])
IMPOSSIBLE = answer(answer="impossible", goal=[], steps=[], reason="there is no purple bowl")


@dataclass
class Events:
    """Listens to reports: (kind, data) pairs in order."""

    seen: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def __call__(self, kind: str, data: Mapping[str, Any]) -> None:
        self.seen.append((kind, data))

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        return [data for seen, data in self.seen if seen == kind]

    def text(self) -> str:
        return repr(self.seen)


def request(events: Events | None = None, **changes: Any) -> PlanRequest:
    given = {"instruction": INSTRUCTION, "scene": scene(), "library": SkillLibrary(), **changes}
    return PlanRequest(**given, report=events or Events())


def planner_at(url: str, **options: Any) -> LanguageModelPlanner:
    """The real planner with the real client against one URL, with search behind it."""
    return open_planner(SearchPlanner(), base_url=url, **{"retry_wait_s": 0.02, **options})
