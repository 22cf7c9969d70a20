"""RunView: the picture of a run that its events add up to; what the terminal view and the report draw from.

Not for: the run's result record (forehand.results) or drawing (forehand.terminal, forehand.report).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from forehand.events import (
    Answered,
    AttemptAbandoned,
    Event,
    FaultInjected,
    FoundImpossible,
    GoalChecked,
    GraphChanged,
    Judged,
    LanguageModelCalled,
    Noted,
    PartFailed,
    Perceived,
    Planned,
    QuestionAsked,
    RecoveryChosen,
    Resumed,
    RunEnded,
    RunStarted,
    Safety,
    SkillEnded,
    StepStarted,
    StepStatus,
)
from skills.skill_graph import SkillGraph


@dataclass(frozen=True)
class Line:
    """One thing that happened, in words. tone: plain, good, bad, doubt, recovery, world or quiet."""

    seq: int
    wall_time_s: float
    robot_time_s: float | None
    tone: str
    title: str
    detail: str = ""


@dataclass
class RunView:
    """Feed it every event in order with `apply`; read the fields."""

    started: RunStarted | None = None
    ended: RunEnded | None = None
    plan: Planned | None = None
    graph: SkillGraph = field(default_factory=SkillGraph)
    statuses: dict[str, StepStatus] = field(default_factory=dict)
    active: StepStarted | None = None
    belief: Perceived | None = None
    lines: list[Line] = field(default_factory=list)

    def apply(self, event: Event) -> Line | None:
        """Take one event in; the line it adds to the story, if it adds one."""
        self._remember(event)
        line = _line_of(event)
        if line is not None:
            self.lines.append(line)
        return line

    def _remember(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.started = event
            case Planned():
                self.plan, self.graph = event, event.graph
            case GraphChanged():
                self.graph, self.statuses = event.graph, dict(event.statuses)
            case StepStarted():
                self.active = event
                self.statuses[event.step] = "running"
            case SkillEnded():
                self.active = None
            case Judged():
                self.statuses[event.step] = "succeeded" if event.status == "succeeded" else "failed"
            case Perceived():
                self.belief = event
            case RunEnded():
                self.ended = event


TONE_OF_VERDICT = {"succeeded": "good", "failed": "bad", "unsure": "doubt"}
TONE_OF_OUTCOME = {"succeeded": "good", "failed": "bad", "stopped": "bad", "clarify": "doubt", "impossible": "doubt"}


def _line_of(event: Event) -> Line | None:
    told = _told(event)
    return None if told is None else Line(event.seq, event.wall_time_s, event.robot_time_s, *told)


def _told(event: Event) -> tuple[str, str, str] | None:  # tone, title, detail
    match event:
        case Planned():
            count = len(list(event.graph.calls()))
            return "plain", f"plan by {event.planner}: {count} skill call{'s' * (count != 1)}", event.reasoning
        case StepStarted():
            again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
            return "plain", f"{event.call}{again}", ""
        case SkillEnded() if event.ended_by != "terminated":
            return "bad", f"{event.call} ended by {event.ended_by.replace('_', ' ')}", event.detail
        case Judged():
            return TONE_OF_VERDICT[event.status], f"{event.status}: {event.call}", event.reason
        case RecoveryChosen() if event.rung != "continue":
            return "recovery", event.rung, event.reason
        case FaultInjected():
            return "world", f"fault: {event.fault}", event.detail
        case Safety():
            return ("bad", "safety stop", event.reason) if event.stopped else ("quiet", "envelope", event.reason)
        case QuestionAsked():
            return "doubt", event.text, " / ".join(event.choices)
        case Answered():
            return "plain", f"answer: {event.text}", ""
        case FoundImpossible():
            return "doubt", "impossible", event.reason
        case LanguageModelCalled():
            tokens = f"{event.tokens_in} + {event.tokens_out} tokens, " if event.tokens_in or event.tokens_out else ""
            spent = f"{tokens}{event.latency_s:.1f} s"
            return "quiet" if event.ok else "doubt", f"language model {event.model}: {spent}", event.detail
        case Noted():
            return "quiet", event.part, event.text
        case PartFailed():
            return "bad", f"{event.part} failed", event.reason
        case Resumed():
            return "recovery", "resumed", event.detail
        case AttemptAbandoned():
            return "quiet", "attempt abandoned", f"events {event.first_seq} to {event.last_seq} are done again"
        case GoalChecked():
            unmet = "" if event.holds else "not yet: " + ", ".join(event.unmet)
            return ("good", "the goal holds", "") if event.holds else ("doubt", "the goal does not hold", unmet)
        case RunEnded():
            return TONE_OF_OUTCOME[event.outcome], event.outcome, ""
        case _:
            return None
