"""Chat models that record what another one answers, and that answer from such a record without a network.

One line of JSON for a request: a hash of what was asked, what was asked, and the reply or the failure. With the same
scenes and prompts a study repeats reply by reply, refusals included. Importing this imports langchain_core: be lazy.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from planner.llm.failures import EndpointError, FailureKind, find_failure
from planner.planner import PlannerError


class RecordedFailure(BaseModel):
    """An EndpointError as it was."""

    model_config = ConfigDict(extra="forbid")

    kind: FailureKind
    message: str
    status: int | None = None
    retry_after_s: float | None = None
    text: str = ""

    def as_error(self) -> EndpointError:
        # no waiting on replay: the wait belonged to the server of that day
        return EndpointError(self.kind, self.message, status=self.status, retry_after_s=0.0, text=self.text)


class RecordedReply(BaseModel):
    """One line of a record."""

    model_config = ConfigDict(extra="forbid")

    request: str
    prompt: tuple[tuple[str, str], ...] = ()
    content: str = ""
    tool_arguments: dict[str, Any] | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    finish_reason: str = "stop"
    failure: RecordedFailure | None = None

    def as_message(self) -> AIMessage:
        if self.failure is not None:
            raise self.failure.as_error()
        calls = (
            []
            if self.tool_arguments is None
            else [{"name": "answer", "args": self.tool_arguments, "id": "call_0", "type": "tool_call"}]
        )
        counts = (self.tokens_in, self.tokens_out)
        usage = (
            None
            if None in counts
            else {"input_tokens": counts[0], "output_tokens": counts[1], "total_tokens": sum(filter(None, counts))}
        )
        metadata = {"finish_reason": self.finish_reason}
        return AIMessage(self.content, tool_calls=calls, usage_metadata=usage, response_metadata=metadata)


def request_hash(messages: Sequence[BaseMessage], arguments: dict[str, Any]) -> str:
    """The same for the same conversation and output mode, in every process."""
    asked = {"messages": _prompt(messages), "arguments": arguments}
    text = json.dumps(asked, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _prompt(messages: Sequence[BaseMessage]) -> tuple[tuple[str, str], ...]:
    return tuple((message.type, str(message.text)) for message in messages)


class RecordingModel(BaseChatModel):
    """Passes everything to `inner` and appends each reply or failure to `path`. redact: takes secrets out of lines."""

    inner: BaseChatModel
    path: Path
    redact: Callable[[str], str] = str
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    @property
    def _llm_type(self) -> str:
        return f"recording {self.inner._llm_type}"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 (LangChain's signature)
        **kwargs: Any,
    ) -> ChatResult:
        record = RecordedReply(request=request_hash(messages, kwargs), prompt=_prompt(messages))
        try:
            message = self.inner.invoke(messages, stop=stop, **kwargs)
        except Exception as error:
            failure = find_failure(error)
            if failure is not None:
                self._append(record.model_copy(update={"failure": _recorded(failure)}))
            raise
        usage = message.usage_metadata
        self._append(
            record.model_copy(
                update={
                    "content": str(message.text),
                    "tool_arguments": message.tool_calls[0]["args"] if message.tool_calls else None,
                    "tokens_in": usage["input_tokens"] if usage else None,
                    "tokens_out": usage["output_tokens"] if usage else None,
                    "finish_reason": str(message.response_metadata.get("finish_reason") or "stop"),
                }
            )
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _append(self, record: RecordedReply) -> None:
        line = f"{self.redact(record.model_dump_json(exclude_defaults=True))}\n".encode()
        try:
            with self._lock, self.path.open("ab", buffering=0) as file:
                file.write(line)  # in one write, so that processes that share a file do not mix their lines
        except OSError as error:
            raise PlannerError(f"cannot record replies to {self.path}: {error.strerror}") from error


def _recorded(failure: EndpointError) -> RecordedFailure:
    return RecordedFailure(
        kind=failure.kind,
        message=str(failure),
        status=failure.status,
        retry_after_s=failure.retry_after_s,
        text=failure.text,
    )


class ReplayModel(BaseChatModel):
    """Answers from a record: the k-th time a request is made, its k-th line, and its last line ever after.

    Raises EndpointError where a request was never recorded, PlannerError where the file is no record.
    """

    path: Path
    _lines: dict[str, list[RecordedReply]] = PrivateAttr(default_factory=dict)
    _used: dict[str, int] = PrivateAttr(default_factory=dict)
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    def model_post_init(self, context: Any, /) -> None:
        super().model_post_init(context)
        for record in _read_record(self.path):
            self._lines.setdefault(record.request, []).append(record)

    @property
    def _llm_type(self) -> str:
        return "replay"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 (LangChain's signature)
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 (LangChain's signature)
        **kwargs: Any,
    ) -> ChatResult:
        key = request_hash(messages, kwargs)
        with self._lock:
            lines = self._lines.get(key)
            count = self._used.get(key, 0)
            self._used[key] = count + 1
        if not lines:
            last = str(messages[-1].text).strip().splitlines() if messages else []
            raise EndpointError(
                FailureKind.NOT_RECORDED,
                f"{self.path} holds no reply to this request ({len(self._lines)} others, none with hash {key}; it "
                f"ends in {last[-1][:80] if last else ''!r}): scene, prompts, skills or instruction differ from when "
                "it was recorded; record again",
            )
        return ChatResult(generations=[ChatGeneration(message=lines[min(count, len(lines) - 1)].as_message())])


def _read_record(path: Path) -> list[RecordedReply]:
    try:
        *lines, _cut_off = path.read_text(encoding="utf-8").split("\n")  # a line without its end was never finished
    except (OSError, UnicodeDecodeError) as error:
        raise PlannerError(f"no record of replies at {path}: {error}") from error
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(RecordedReply.model_validate_json(line))
        except ValidationError as error:
            raise PlannerError(f"{path}, line {number}: not a recorded reply: {error.errors()[0]['msg']}") from error
    return records
