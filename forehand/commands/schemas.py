"""`forehand schema`: the published JSON schemas; docs/schemas holds the same, and a test compares them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from skills.skill import did_you_mean


def _of(model: Callable[[], type[BaseModel]], title: str) -> Callable[[], dict[str, Any]]:
    def schema() -> dict[str, Any]:
        body = model().model_json_schema(mode="serialization")
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **body, "title": title}

    return schema


def _run() -> type[BaseModel]:
    from forehand.results import RunResult

    return RunResult


def _plan() -> type[BaseModel]:
    from forehand.commands.planning import PlanResult

    return PlanResult


def _eval() -> type[BaseModel]:
    from forehand.evaluation import EvalResult

    return EvalResult


def _graph() -> type[BaseModel]:
    from skills.skill_graph import SkillGraph

    return SkillGraph


def _goal() -> type[BaseModel]:
    from skills.goal import Goal

    return Goal


def _task() -> type[BaseModel]:
    from forehand.suites import Task

    return Task


def _event() -> dict[str, Any]:
    from forehand.events import event_schema

    return event_schema()


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "run": _of(_run, "ForehandRun"),
    "plan": _of(_plan, "ForehandPlan"),
    "eval": _of(_eval, "ForehandEval"),
    "event": _event,
    "graph": _of(_graph, "ForehandSkillGraph"),
    "goal": _of(_goal, "ForehandGoal"),
    "task": _of(_task, "ForehandTask"),
}


class UnknownSchemaError(ValueError):
    """A schema that is not published; the message names those that are."""


def schema_command(name: str) -> int:
    if name not in SCHEMAS:
        raise UnknownSchemaError(f"no schema '{name}'{did_you_mean(name, list(SCHEMAS))}")
    print(schema_text(name))
    return 0


def schema_text(name: str) -> str:
    return json.dumps(SCHEMAS[name](), indent=2, sort_keys=True)
