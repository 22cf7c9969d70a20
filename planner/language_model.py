"""LanguageModelPlanner: a language model plans, everything it says is checked, and search stands behind it.

One conversation for each request: rules, scene and instruction; then, while the answer is not usable and at most
`most_repairs` times, what is wrong with it. After that search plans for the goal the model gave, where that much is
sound. The model sees what the scene believes and nothing else.
Waits on a network for up to `deadline_s`: call it between skills, never on the control thread. Ctrl-C ends the wait at
once; `cancel` does from another thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from planner.llm.answer import SCHEMA
from planner.llm.chat import Mode, StructuredChat
from planner.llm.checking import spoken_of
from planner.llm.conversation import Conversation
from planner.llm.endpoint import Endpoint
from planner.llm.failures import EndpointError, FailureKind
from planner.llm.memory import EarlierCommand, Memory
from planner.llm.model_list import explain_not_found, with_model
from planner.llm.prompting import Prompts
from planner.planner import Impossible, Plan, Planner, PlannerError, PlanOutcome, PlanRequest
from skills.goal import Goal

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

LONGEST_INSTRUCTION = 4000
"""Characters; more is a pasted file, and would push the rules out of a small model's context."""


class LanguageModelPlanner:
    """Implements Planner over any chat model.

    open_model: makes the chat model for a temperature, or for None where it takes none. model_name: for events.
    Keep one for a session: it remembers the output mode that worked and the earlier commands.
    fallback: plans for a goal without a model (search). deadline_s: for one request, all questions and waits together.
    """

    name = "llm"

    def __init__(
        self,
        open_model: Callable[[float | None], BaseChatModel],
        fallback: Planner,
        *,
        model_name: str = "",
        prompts: Prompts | None = None,
        call_timeout_s: float = 60.0,
        deadline_s: float = 180.0,
        most_repairs: int = 3,
        retry_wait_s: float = 0.5,
        explain: Callable[[EndpointError], EndpointError] = lambda failure: failure,
        redact: Callable[[str], str] = str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.model_name = model_name
        self._chat = StructuredChat(
            open_model, SCHEMA, call_timeout_s=call_timeout_s, retry_wait_s=retry_wait_s, redact=redact, clock=clock
        )
        self._fallback = fallback
        self._prompts = prompts or Prompts.load()
        self._deadline_s = deadline_s
        self._most_repairs = most_repairs
        self._explain = explain
        self._clock = clock
        self._memory = Memory()

    @property
    def mode(self) -> Mode:
        """The output mode that the endpoint was last asked in."""
        return self._chat.mode

    def cancel(self) -> None:
        """End the wait of a `plan` on another thread with a PlannerError. Later plans are refused, too."""
        self._chat.cancelled.set()

    def plan(self, request: PlanRequest) -> PlanOutcome:
        """Raises PlannerError when the endpoint fails for good or no answer is usable; the message says what to do."""
        _check_length(request)
        earlier = self._memory.begin(request)
        outcome = self._settle(request, earlier)
        if isinstance(outcome, Plan):
            self._memory.planned(request)
        return outcome

    def _settle(self, request: PlanRequest, earlier: tuple[EarlierCommand, ...]) -> PlanOutcome:
        talk = Conversation(
            self._chat, self._prompts, self._fallback.plan, request, model_name=self.model_name, earlier=earlier
        )
        try:
            outcome = talk.settle(self._most_repairs + 1, self._clock() + self._deadline_s)
        except EndpointError as failure:
            if talk.goal is None or failure.kind is FailureKind.CANCELLED:
                raise self._explain(failure) from None
            return self._search(request, talk.goal, f"the endpoint failed: {failure}")
        if outcome is not None:
            return outcome
        problems = "; ".join(talk.problems)
        tries = self._most_repairs + 1
        if talk.goal is None:
            raise PlannerError(
                f"{self.model_name or 'the language model'} gave no usable answer in {tries} tries; the last one: "
                f"{problems}. Try a larger model, or the planners 'search' or 'language'"
            )
        return self._search(request, talk.goal, f"no usable graph in {tries} tries: {problems}")

    def _search(self, request: PlanRequest, goal: Goal, why: str) -> PlanOutcome:
        """Search plans for the model's goal."""
        request.report("llm_fallback_search", {"goal": goal.model_dump(mode="json", exclude_defaults=True), "why": why})
        outcome = self._fallback.plan(replace(request, goal=goal))
        match outcome:
            case Plan():
                reasoning = f"{outcome.reasoning} (goal by the language model, graph by search)"
                return replace(outcome, reasoning=reasoning, focus=spoken_of(goal))
            case Impossible():
                return replace(outcome, reason=f"{outcome.reason} (goal by the language model)")
            case _:
                return outcome


def _check_length(request: PlanRequest) -> None:
    length = len(request.instruction)
    if not request.instruction.strip() and request.goal is None:
        raise PlannerError("the instruction is empty; expected something like 'put the red block in the blue bowl'")
    if length > LONGEST_INSTRUCTION:
        raise PlannerError(f"the instruction has {length} characters; at most {LONGEST_INSTRUCTION} are sent")


def open_planner(
    fallback: Planner,
    *,
    model: str | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    prompts: Path | None = None,
    record: Path | None = None,
    replay: Path | None = None,
    timeout_s: float = 60.0,
    deadline_s: float | None = None,
    retry_wait_s: float = 0.5,
) -> LanguageModelPlanner:
    """The planner for the environment's endpoint (OPENAI_BASE_URL, OPENAI_API_KEY) or the one named.

    timeout_s: for one request; deadline_s: for all that one plan takes, three times as long unless said.
    record: a JSONL file that replies are appended to; replay: one to answer from, without any endpoint.
    Raises PlannerError where no endpoint is set, no model can be chosen, or a prompt file cannot be used.
    """
    texts = Prompts.load(prompts)
    if replay is not None:
        from planner.llm.recording import ReplayModel

        replaying = ReplayModel(path=replay)
        return LanguageModelPlanner(lambda _: replaying, fallback, model_name=model or "replay", prompts=texts)
    endpoint = with_model(
        Endpoint.from_environment(base_url=base_url, api_key=api_key, model=model, timeout_s=timeout_s)
    )

    def open_model(temperature: float | None) -> BaseChatModel:
        from planner.llm.openai_model import open_model as open_endpoint

        inner = open_endpoint(endpoint, temperature)
        if record is None:
            return inner
        from planner.llm.recording import RecordingModel

        return RecordingModel(inner=inner, path=record, redact=endpoint.redact)

    return LanguageModelPlanner(
        open_model,
        fallback,
        model_name=endpoint.model or "",
        prompts=texts,
        call_timeout_s=timeout_s,
        deadline_s=3 * timeout_s if deadline_s is None else deadline_s,
        retry_wait_s=retry_wait_s,
        redact=endpoint.redact,
        explain=lambda failure: (
            explain_not_found(endpoint, failure) if failure.kind is FailureKind.NOT_FOUND else failure
        ),
    )
