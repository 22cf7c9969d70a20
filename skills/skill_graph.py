"""SkillGraph: a partial order of skill calls, with branches, bounded repeats and sub-graphs.

Not for: checking a graph against a scene (skills.validation) or drawing it (skills.drawing).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    WithJsonSchema,
)

from skills.goal import LiteralText
from skills.skill import SkillCall, did_you_mean


class GraphError(ValueError):
    """A graph that cannot work. step: the id of the first step at fault ("loop/press" inside a nested graph)."""

    def __init__(self, step: str | None, reason: str) -> None:
        super().__init__(f"step '{step}' {reason}" if step is not None else reason)
        self.step = step
        self.reason = reason


def _read_call(value: Any) -> SkillCall:
    return value if isinstance(value, SkillCall) else SkillCall.parse(value)


CallText = Annotated[SkillCall, BeforeValidator(_read_call), PlainSerializer(str), WithJsonSchema({"type": "string"})]


def _read_after(value: Any) -> Any:
    return (value,) if isinstance(value, str | int) else value


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, coerce_numbers_to_str=True)

    id: str
    after: Annotated[tuple[str, ...], BeforeValidator(_read_after)] = ()


class CallStep(_Step):
    """One skill call."""

    do: CallText


class BranchStep(_Step):
    """Runs `then` where the literal holds when the step becomes ready, else `otherwise` (may be empty)."""

    condition: LiteralText = Field(validation_alias="if", serialization_alias="if")
    then: SkillGraph
    otherwise: SkillGraph = Field(
        validation_alias="else",
        serialization_alias="else",
        default_factory=lambda: SkillGraph(),  # noqa: PLW0108 (defined below)
    )


class RepeatStep(_Step):
    """Runs `body` until the literal holds (checked before each round), at most `at_most` rounds."""

    body: SkillGraph = Field(validation_alias="repeat", serialization_alias="repeat")
    until: LiteralText | None = None
    at_most: int | None = None  # validation refuses None: unbounded


class SubGraphStep(_Step):
    """A graph as one step of another."""

    graph: SkillGraph


Step: TypeAlias = CallStep | BranchStep | RepeatStep | SubGraphStep


def _kind_of_step(value: Any) -> str | None:
    """Which step a record is, by the key that only that kind has; None where it is none."""
    for kind, keys in _KEYS_OF_KIND.items():
        if any(key in value if isinstance(value, dict) else hasattr(value, key) for key in keys):
            return kind
    return None


_KEYS_OF_KIND = {"do": ("do",), "if": ("if", "condition"), "repeat": ("repeat", "body"), "graph": ("graph",)}
_AnyStep: TypeAlias = Annotated[
    Annotated[CallStep, Tag("do")]
    | Annotated[BranchStep, Tag("if")]
    | Annotated[RepeatStep, Tag("repeat")]
    | Annotated[SubGraphStep, Tag("graph")],
    Discriminator(
        _kind_of_step,
        custom_error_type="not_a_step",
        custom_error_message="not a step; expected a mapping with id and one of: do, if, repeat, graph",
    ),
]


class SkillGraph(BaseModel):
    """Steps with `after` edges. Ids are unique within one level; order among steps not linked is free."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    steps: tuple[_AnyStep, ...] = ()

    def step(self, step_id: str) -> Step:
        """The step of that id on this level. Raises GraphError that names the ids there are."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise GraphError(None, f"no step '{step_id}'{did_you_mean(step_id, [s.id for s in self.steps])}")

    def calls(self) -> Iterator[SkillCall]:
        """Every skill call in it, branches and bodies included, in file order."""
        for step in self.steps:
            match step:
                case CallStep():
                    yield step.do
                case BranchStep():
                    yield from step.then.calls()
                    yield from step.otherwise.calls()
                case RepeatStep():
                    yield from step.body.calls()
                case SubGraphStep():
                    yield from step.graph.calls()


for _model in (BranchStep, RepeatStep, SubGraphStep, SkillGraph):
    _model.model_rebuild()
