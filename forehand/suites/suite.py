"""Reading suite files: YAML in, checked tasks out, with errors that say what a suite looks like."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from robots.tabletop.scene_spec import SceneError, SceneSpec, load_scene
from skills.goal import Goal, GoalBranch, LiteralText
from skills.skill import did_you_mean

SHIPPED = Path(__file__).parent
EXAMPLE = (
    '- {id: sort-1, scene: {objects: [red block, red bowl]}, instruction: "…", '
    'expect: goal, goal: ["in(red block, red bowl)"]}'
)
LARGEST_FILE_BYTES = 10_000_000


class SuiteError(ValueError):
    """A suite that cannot be used; the message names the file, the task and what was expected."""


class Task(BaseModel):
    """One task: where it starts, what a person says, and what counts as right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)
    scene: SceneSpec
    instruction: str = Field(min_length=1)
    expect: Literal["goal", "clarify", "impossible"] = "goal"
    goal: tuple[LiteralText, ...] = ()
    alternatives: tuple[tuple[LiteralText, ...], ...] = ()
    order: tuple[tuple[LiteralText, LiteralText], ...] = ()
    branches: tuple[GoalBranch, ...] = ()
    family: str = ""
    min_skills: int | None = Field(default=None, ge=0)

    @field_validator("scene", mode="before")
    @classmethod
    def _named_scene(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return load_scene(value)
        except SceneError as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _goal_where_one_is_expected(self) -> Task:
        if self.expect == "goal" and not self.states_goal:
            raise ValueError("expect: goal needs a goal: a list of literals like 'in(red block, red bowl)'")
        return self

    @property
    def states_goal(self) -> bool:
        return bool(self.goal or self.alternatives or self.branches)

    @property
    def wanted(self) -> Goal:
        """The task's goal record."""
        return Goal(literals=self.goal, alternatives=self.alternatives, order=self.order, branches=self.branches)


class Suite(BaseModel):
    """A named list of tasks with unique ids."""

    model_config = ConfigDict(frozen=True)

    name: str
    tasks: tuple[Task, ...] = Field(min_length=1)


def suite_names() -> tuple[str, ...]:
    """The suites that ship with Forehand."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.yaml")))


def load_suite(name_or_path: str) -> Suite:
    """A shipped suite by name, or a YAML file by path. Raises SuiteError."""
    path = SHIPPED / f"{name_or_path}.yaml" if name_or_path in suite_names() else Path(name_or_path)
    if not path.is_file():
        raise SuiteError(
            f"no suite '{name_or_path}'{did_you_mean(name_or_path, suite_names())}, or the path of a YAML file"
        )
    return Suite(name=path.stem, tasks=_read_tasks(path))


def _read_tasks(path: Path) -> tuple[Task, ...]:
    if path.stat().st_size > LARGEST_FILE_BYTES:
        raise SuiteError(f"{path}: larger than {LARGEST_FILE_BYTES // 1_000_000} MB; that is not a suite")
    try:
        entries = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise SuiteError(f"{path}: not YAML: {error}") from error
    if not isinstance(entries, list) or not entries:
        raise SuiteError(f"{path}: a suite is a list of tasks, each like\n  {EXAMPLE}\ngot {_kind(entries)}")
    tasks = tuple(_read_task(path, number, entry) for number, entry in enumerate(entries, start=1))
    twice = [task_id for task_id, count in Counter(task.id for task in tasks).items() if count > 1]
    if twice:
        raise SuiteError(f"{path}: two tasks are called '{twice[0]}'; ids must be unique")
    return tasks


def _read_task(path: Path, number: int, entry: Any) -> Task:
    if not isinstance(entry, dict):
        raise SuiteError(f"{path}: task {number}: expected a mapping like\n  {EXAMPLE}\ngot {_kind(entry)}")
    try:
        return Task.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SuiteError(f"{path}: task {entry.get('id', number)!r}: {where or 'task'}: {first['msg']}") from error


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
