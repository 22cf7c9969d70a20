"""StructuredChat: a chat model asked for JSON in the best way its server takes, within a deadline.

Four modes, best first: a JSON schema, a forced function call, JSON mode, plain text. A server that refuses one is
asked in the next, and the one that worked is kept. Not for: what the JSON means (planner.llm.answer).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from planner.llm.deadline import CancelledError, DeadlineError, call_within
from planner.llm.failures import EndpointError, FailureKind, find_failure

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage

CallReport = Callable[[Mapping[str, Any]], None]
_EVENT_TEXT_LIMIT = 8000
_RETRIES: Mapping[FailureKind, int] = {  # failures that may pass by themselves, and how often that is hoped for
    FailureKind.RATE_LIMITED: 3,
    FailureKind.BUSY: 3,
    FailureKind.BROKEN: 2,
    FailureKind.SERVER_ERROR: 2,
    FailureKind.NOT_A_COMPLETION: 1,
}


class Mode(StrEnum):
    """How JSON is asked for, best first."""

    JSON_SCHEMA = "json_schema"
    FUNCTION_CALLING = "function_calling"
    JSON_MODE = "json_mode"
    TEXT = "text"

    @property
    def next(self) -> Mode | None:
        modes = list(Mode)
        place = modes.index(self) + 1
        return modes[place] if place < len(modes) else None

    def arguments(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """What is sent with the messages, in the words of the chat completions protocol."""
        match self:
            case Mode.JSON_SCHEMA:
                named = {"name": "answer", "strict": True, "schema": schema}
                return {"response_format": {"type": "json_schema", "json_schema": named}}
            case Mode.FUNCTION_CALLING:
                function = {"name": "answer", "description": "Give the answer.", "parameters": schema}
                choice = {"type": "function", "function": {"name": "answer"}}
                return {"tools": [{"type": "function", "function": function}], "tool_choice": choice}
            case Mode.JSON_MODE:
                return {"response_format": {"type": "json_object"}}
            case Mode.TEXT:
                return {}


@dataclass(frozen=True)
class Reply:
    """What came back: the raw text (a function call's arguments as JSON) and what it cost.

    tokens are None where the server does not count; cut_off: the server stopped the model at its length limit.
    """

    text: str
    mode: Mode
    tokens_in: int | None
    tokens_out: int | None
    latency_s: float
    cut_off: bool = False


class StructuredChat:
    """One model for a whole session. `mode` is the mode that worked last.

    open_model: makes the chat model for a temperature (None: the server's own), which some models refuse.
    call_timeout_s: for one request, whatever the model does. retry_wait_s: before the first retry after a failure that
    may pass, doubled for each next one, where the server does not say how long. redact: takes secrets out of replies.
    """

    def __init__(
        self,
        open_model: Callable[[float | None], BaseChatModel],
        schema: Mapping[str, Any],
        *,
        call_timeout_s: float = 60.0,
        retry_wait_s: float = 0.5,
        redact: Callable[[str], str] = str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.mode = Mode.JSON_SCHEMA
        self.cancelled = threading.Event()
        self._settled = False
        self._open_model = open_model
        self._model: BaseChatModel | None = None
        self._temperature: float | None = 0.0
        self._schema = schema
        self._call_timeout_s = call_timeout_s
        self._retry_wait_s = retry_wait_s
        self._redact = redact
        self._clock = clock

    def ask(self, messages: Sequence[BaseMessage], deadline: float, report: CallReport) -> Reply:
        """The model's reply to a conversation, before `deadline` on the clock.

        report is called once for each request. Raises EndpointError when there is none to be had.
        """
        retries = 0
        while True:
            started = self._clock()
            try:
                reply = self._request(messages, deadline)
            except EndpointError as failure:
                report({"mode": self.mode.value, "latency_s": self._clock() - started, "error": str(failure)})
                if self._step_down(failure, retries):
                    continue
                retries += 1
                self._wait_to_retry(failure, retries, deadline)
            else:
                self._settled = True
                report(_as_event(reply))
                return reply

    def distrust_mode(self) -> None:
        """The last reply held no JSON: ask in the next mode from now on."""
        if self.mode.next is not None:
            self.mode, self._settled = self.mode.next, False

    def _request(self, messages: Sequence[BaseMessage], deadline: float) -> Reply:
        model = self._open()  # before the clock starts: the first time imports LangChain
        started = self._clock()
        allowed_s = min(self._call_timeout_s, deadline - started)
        mode, arguments = self.mode, self.mode.arguments(self._schema)
        if allowed_s <= 0:
            raise EndpointError(FailureKind.TIMEOUT, "no time left for another question to the language model")
        try:
            message = call_within(lambda: model.invoke(list(messages), **arguments), allowed_s, self.cancelled)
        except Exception as error:
            failure = _as_failure(error, allowed_s)
        else:
            return _read_reply(message, mode, self._clock() - started, self._redact)
        raise failure  # outside the handler: it may be the cause of what was caught, and causes must not go in circles

    def _open(self) -> BaseChatModel:
        if self._model is None:
            self._model = self._open_model(self._temperature)
        return self._model

    def _step_down(self, failure: EndpointError, retries: int) -> bool:
        """Ask for less than was refused: no temperature, or the next mode. False: nothing left to leave out."""
        refused = failure.kind is FailureKind.REQUEST_REFUSED or _is_unsupported(failure)
        if refused and self._temperature is not None and "temperature" in failure.text.lower():
            self._temperature, self._model = None, None
            return True
        if refused and _is_too_long(failure.text):
            return False
        choked = failure.kind is FailureKind.SERVER_ERROR and (retries > 0 or not self._settled)
        babbled = failure.kind is FailureKind.NOT_A_COMPLETION and retries > 0
        if not (refused or choked or babbled) or self.mode.next is None:
            return False
        self.distrust_mode()
        return True

    def _wait_to_retry(self, failure: EndpointError, retries: int, deadline: float) -> None:
        """Sleeps before another try; raises the failure where none makes sense."""
        if retries > _RETRIES.get(failure.kind, 0):
            raise failure
        wait_s = failure.retry_after_s
        if wait_s is None:
            wait_s = self._retry_wait_s * 2 ** (retries - 1)
        if self._clock() + wait_s >= deadline:
            raise EndpointError(
                failure.kind, f"{failure}; it wants {wait_s:g} s of waiting, more than is left", status=failure.status
            ) from failure
        if self.cancelled.wait(wait_s):
            raise EndpointError(FailureKind.CANCELLED, "stopped while waiting for the language model")


def _as_failure(error: Exception, allowed_s: float) -> EndpointError:
    """What went wrong in words, whatever client raised it."""
    if isinstance(error, DeadlineError):
        said = (
            f"the language model did not answer within {allowed_s:.3g} s; allow a longer time or take a smaller model"
        )
        return EndpointError(FailureKind.TIMEOUT, said)
    if isinstance(error, CancelledError):
        return EndpointError(FailureKind.CANCELLED, "stopped while waiting for the language model")
    said = f"the chat model raised {type(error).__name__}: {str(error)[:300]}"
    return find_failure(error) or EndpointError(FailureKind.MODEL_ERROR, said)


def _read_reply(message: AIMessage, mode: Mode, latency_s: float, redact: Callable[[str], str]) -> Reply:
    if message.tool_calls:
        text = json.dumps(message.tool_calls[0]["args"], ensure_ascii=False)
    elif message.invalid_tool_calls:
        text = message.invalid_tool_calls[0]["args"] or ""
    else:
        text = str(message.text)
    usage = message.usage_metadata
    return Reply(
        redact(text),
        mode,
        usage["input_tokens"] if usage else None,
        usage["output_tokens"] if usage else None,
        latency_s,
        cut_off=message.response_metadata.get("finish_reason") == "length",
    )


def _as_event(reply: Reply) -> dict[str, Any]:
    return {
        "mode": reply.mode.value,
        "tokens_in": reply.tokens_in,
        "tokens_out": reply.tokens_out,
        "latency_s": reply.latency_s,
        "reply": reply.text[:_EVENT_TEXT_LIMIT],
    }


def _is_unsupported(failure: EndpointError) -> bool:
    """Routers in front of many models answer 404 where none of them takes the output mode."""
    return failure.kind is FailureKind.NOT_FOUND and "support" in failure.text.lower()


def _is_too_long(text: str) -> bool:
    text = text.lower()
    return "context length" in text or "context_length" in text or "context window" in text or "too long" in text
