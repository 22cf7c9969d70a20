"""Events: the closed set of what can happen in a run. The log, the terminal view, video and studies read nothing else.

Each has `seq` (1, 2, 3, … without gaps), `wall_time_s` (Unix seconds), `robot_time_s` (None before the robot was
asked) and `kind`. Times are stamped by the log (forehand.event_log); whoever emits leaves them out.
Not for: writing or reading them (forehand.event_log) or adding them up (forehand.results).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from executor.graph_runner import GraphRunner
from skills.goal import Goal
from skills.skill_graph import CallText, SkillGraph

Outcome: TypeAlias = Literal["succeeded", "failed", "clarify", "impossible", "stopped"]
StepStatus: TypeAlias = Literal["pending", "ready", "running", "succeeded", "failed", "skipped"]
Rung: TypeAlias = Literal["continue", "retry", "re-ground", "repair", "replan", "ask", "give up"]


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    seq: int = 0
    wall_time_s: float = 0.0
    robot_time_s: float | None = None


class RunStarted(_Event):
    """The first event: what is asked, and which parts answer for it."""

    kind: Literal["run_started"] = "run_started"
    run_id: str
    instruction: str
    goal: Goal | None = None  # given directly by the user
    seed: int
    planner: str
    policy: str
    checkpoint: str = ""  # path and fingerprint of the weights that drive; empty for a policy without
    perception: str
    detector: str
    closed_loop: bool
    faults: str = "none"
    versions: dict[str, str] = {}
    config: dict[str, Any] = {}  # the whole RunConfig


class Perceived(_Event):
    """The belief after looking. literals: those believed to hold; changed: what holds and did not
    before the last step, and (negated) what held and does not any more."""

    kind: Literal["perceived"] = "perceived"
    source: str
    objects: dict[str, str]  # name → category
    literals: tuple[str, ...]
    hidden: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class Planned(_Event):
    """The planner answered with a goal and a graph."""

    kind: Literal["planned"] = "planned"
    planner: str
    goal: Goal
    graph: SkillGraph
    reasoning: str = ""
    wall_s: float = 0.0


class GraphChanged(_Event):
    """The graph as it now stands, and the status of each step by its full path ("sort/3/pick")."""

    kind: Literal["graph_changed"] = "graph_changed"
    graph: SkillGraph
    statuses: dict[str, StepStatus]
    reason: str

    @classmethod
    def of(cls, runner: GraphRunner, reason: str) -> GraphChanged:
        """Where `runner` stands now."""
        statuses: dict[str, StepStatus] = {path: status.value for path, status in runner.statuses.items()}
        return cls(graph=runner.graph, statuses=statuses, reason=reason)


class QuestionAsked(_Event):
    kind: Literal["question"] = "question"
    text: str
    choices: tuple[str, ...] = ()


class Answered(_Event):
    kind: Literal["answer"] = "answer"
    question: str
    text: str


class FoundImpossible(_Event):
    """The planner says that no graph reaches the goal."""

    kind: Literal["impossible"] = "impossible"
    reason: str
    goal: Goal | None = None


class StepStarted(_Event):
    """An attempt at a step begins; attempt counts from 1 for each step."""

    kind: Literal["step_started"] = "step_started"
    step: str  # full path
    call: CallText
    sentence: str
    attempt: int


class SkillEnded(_Event):
    """The skill executor came back. robot_s is robot time spent, wall_s our own."""

    kind: Literal["skill_ended"] = "skill_ended"
    step: str
    call: CallText
    attempt: int
    ended_by: Literal["terminated", "time_limit", "no_progress", "stopped", "error", "not_started"]
    control_steps: int
    robot_s: float
    wall_s: float
    detail: str = ""


class Judged(_Event):
    """A success detector's verdict on an attempt."""

    kind: Literal["judged"] = "judged"
    step: str
    call: CallText
    attempt: int
    status: Literal["succeeded", "failed", "unsure"]
    confidence: float
    reason: str
    detector: str


class RecoveryChosen(_Event):
    """What follows a verdict, and why. step is None where the whole run is concerned (the goal does not hold)."""

    kind: Literal["recovery"] = "recovery"
    step: str | None
    rung: Rung
    reason: str


class FaultInjected(_Event):
    """A fault of the schedule took effect (known to the study, not to the agent)."""

    kind: Literal["fault"] = "fault"
    fault: str
    detail: str = ""


class Safety(_Event):
    """The envelope clipped what the policy asked (once per reason and attempt) or stopped the robot."""

    kind: Literal["safety"] = "safety"
    step: str | None
    reason: str
    stopped: bool = False


class LanguageModelCalled(_Event):
    """One request to a language model. ok is False where the answer could not be used; detail says why."""

    kind: Literal["llm_call"] = "llm_call"
    model: str = ""
    tokens_in: int | None = None  # None: the server does not count
    tokens_out: int | None = None
    latency_s: float = 0.0
    ok: bool = True
    detail: str = ""
    extra: dict[str, Any] = {}


class Noted(_Event):
    """Something a part reports that needs no action: a fallback taken, a check skipped."""

    kind: Literal["note"] = "note"
    part: str
    text: str
    data: dict[str, Any] = {}


class PartFailed(_Event):
    """An exception in a part of the system, turned into a reason. `trace` is for developers."""

    kind: Literal["part_failed"] = "part_failed"
    part: str  # perception, planner, policy, detector, robot, recovery, a viewer's name, …
    reason: str
    trace: str = ""


class Checkpointed(_Event):
    """The whole run was saved; what follows can be done again from here."""

    kind: Literal["checkpointed"] = "checkpointed"
    snapshot: str  # file name in the run folder


class Resumed(_Event):
    """Another process goes on from the snapshot taken at `from_seq`."""

    kind: Literal["resumed"] = "resumed"
    from_seq: int
    detail: str = ""


class AttemptAbandoned(_Event):
    """Events first_seq..last_seq happened, but are not part of the run any more: it went on from before them."""

    kind: Literal["attempt_abandoned"] = "attempt_abandoned"
    first_seq: int
    last_seq: int
    step: str | None = None
    attempt: int | None = None


class GoalChecked(_Event):
    """The believed scene held against the goal after the last step."""

    kind: Literal["goal_checked"] = "goal_checked"
    holds: bool
    unmet: tuple[str, ...] = ()


class RunEnded(_Event):
    """The last event of a run that came to its end.

    goal_reached: settled true state and true history against the goal; None where there is no truth to ask
    (no simulator, or no goal). truth: where that came from.
    """

    kind: Literal["run_ended"] = "run_ended"
    outcome: Outcome
    reason: str
    goal_reached: bool | None = None
    truth: str = ""


Event: TypeAlias = Annotated[
    RunStarted
    | Perceived
    | Planned
    | GraphChanged
    | QuestionAsked
    | Answered
    | FoundImpossible
    | StepStarted
    | SkillEnded
    | Judged
    | RecoveryChosen
    | FaultInjected
    | Safety
    | LanguageModelCalled
    | Noted
    | PartFailed
    | Checkpointed
    | Resumed
    | AttemptAbandoned
    | GoalChecked
    | RunEnded,
    Field(discriminator="kind"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads one event: `EVENT.validate_json(line)`."""


def event_schema() -> dict[str, Any]:
    """The published JSON schema of one line of events.jsonl."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **EVENT.json_schema(), "title": "ForehandEvent"}
