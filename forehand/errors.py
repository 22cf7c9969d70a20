"""Which exceptions are a person's to mend, and what they are told. Everything else is a bug and keeps its traceback."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def told_in_one_message() -> Iterator[None]:
    """For a program's main: what a person can mend ends it with one message instead of a traceback."""
    try:
        yield
    except Exception as error:
        message = usage_message(error)
        if message is None:
            raise
        raise SystemExit(message) from None


def usage_message(error: BaseException) -> str | None:
    """One readable line (or a few), or None where the error is ours."""
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        return _first_of(error)
    if isinstance(error, _mendable()):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "no space left on the disk; with more of it the same command goes on"
    return None


def _mendable() -> tuple[type[BaseException], ...]:
    from forehand.commands.schemas import UnknownSchemaError
    from forehand.config import ConfigError
    from forehand.event_log import RunFolderError
    from forehand.suites import SuiteError
    from planner.grammar.errors import InstructionError
    from planner.planner import PlannerError
    from robots.tabletop.fault_schedule import FaultError
    from robots.tabletop.scene_spec import SceneError
    from robots.tabletop.trace import TraceError
    from robots.tabletop.world import DisplayError
    from rt2.errors import VLAError
    from rt2.training.errors import TrainingError
    from rt2.training.examples import ExampleError
    from skills.checking import LiteralError
    from skills.dataset_format import DatasetError
    from skills.graph_files import GraphFileError
    from skills.library import SkillFileError
    from skills.literals import LiteralSyntaxError
    from skills.skill import SkillCallError
    from skills.skill_graph import GraphError

    return (
        ConfigError, DatasetError, DisplayError, ExampleError, FaultError, GraphError, GraphFileError,
        InstructionError, LiteralError, LiteralSyntaxError, PlannerError, RunFolderError, SceneError, SkillCallError,
        SkillFileError, SuiteError, TraceError, TrainingError, UnknownSchemaError, VLAError,
    )  # fmt: skip


def _first_of(error: object) -> str:
    from pydantic import ValidationError

    assert isinstance(error, ValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    given = first.get("input")
    shown = f" (got {given!r})" if isinstance(given, str | int | float) and len(str(given)) < 80 else ""
    return f"{where}: {message}{shown}" if where else message
