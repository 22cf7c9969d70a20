"""Chat completions as servers really send them → one clean shape, or a failure that says what came instead.

Servers that call themselves OpenAI-compatible leave out roles and usage, send arguments as objects, answer errors
with status 200, stream although nobody asked, or put the whole answer into `reasoning_content`.
Not for: what the content means (planner.llm.json_text, planner.llm.answer).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

PREVIEW_CHARACTERS = 160


class NotACompletionError(ValueError):
    """A body that is no chat completion; the message says what it is instead."""


def read_completion(body: bytes) -> dict[str, Any]:
    """The body of a 200 reply to POST /chat/completions, as a clean completion with at least one choice.

    Raises NotACompletionError.
    """
    text = body.decode("utf-8", errors="replace").lstrip("\ufeff").strip()
    if not text:
        raise NotACompletionError("an empty body")
    if text.startswith(("data:", "event:", ":")):
        return _clean(_join_stream(text.splitlines()))
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotACompletionError(f"no JSON ({_kind_of(text)}: {preview(text)})") from error
    if not isinstance(data, dict):
        raise NotACompletionError(f"a JSON {type(data).__name__}, not an object: {preview(text)}")
    return _clean(data)


def preview(text: str) -> str:
    """The start of a text, on one line."""
    line = " ".join(text[: 4 * PREVIEW_CHARACTERS].split())
    return line if len(line) <= PREVIEW_CHARACTERS else line[:PREVIEW_CHARACTERS] + "…"


def error_message(body: bytes) -> str:
    """What a server says is wrong, from the error shapes in use: OpenAI's, FastAPI's, plain text, HTML."""
    text = body.decode("utf-8", errors="replace").strip()
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return preview(text)
    for key in ("error", "message", "detail", "msg"):
        if isinstance(data, dict) and data.get(key):
            data = data[key]
    return preview(data if isinstance(data, str) else json.dumps(data, ensure_ascii=False))


def _clean(data: Mapping[str, Any]) -> dict[str, Any]:
    choices = data.get("choices")
    if not isinstance(choices, list) or not choices:
        if data.get("error"):
            raise NotACompletionError(f"an error with status 200: {error_message(json.dumps(data).encode())}")
        have = ", ".join(map(str, list(data)[:8])) or "nothing"
        raise NotACompletionError(f"no 'choices' with a message in them (it holds: {preview(have)})")
    first = choices[0] if isinstance(choices[0], dict) else {}
    message = first.get("message")
    if not isinstance(message, dict):
        text = first.get("text")  # the older completions shape, still sent by some servers
        if not isinstance(text, str):
            raise NotACompletionError("a choice without a message")
        message = {"content": text}
    return {
        "id": str(data.get("id") or "none"),
        "object": "chat.completion",
        "created": 0,
        "model": str(data.get("model") or ""),
        "choices": [
            {"index": 0, "finish_reason": str(first.get("finish_reason") or "stop"), "message": _clean_message(message)}
        ],
        **({"usage": usage} if (usage := _clean_usage(data.get("usage"))) else {}),
    }


def _clean_message(message: Mapping[str, Any]) -> dict[str, Any]:
    arguments = list(_tool_arguments(message))
    content = next((text for text in arguments if not _is_object(text)), None) or _text_of(message.get("content"))
    calls = [_tool_call(text) for text in arguments[:1] if _is_object(text)]
    if not content.strip() and not calls:
        kept = (_text_of(message.get(key)) for key in ("reasoning_content", "reasoning", "refusal"))
        content = next((text for text in kept if text.strip()), "")
    return {"role": "assistant", "content": content or None, **({"tool_calls": calls} if calls else {})}


def _text_of(content: Any) -> str:
    """Content as a string: plain, in parts, or as the JSON object a server parsed already."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else part for part in content]
        return "".join(part for part in parts if isinstance(part, str))
    return json.dumps(content, ensure_ascii=False) if isinstance(content, dict) else ""


def _tool_arguments(message: Mapping[str, Any]) -> Iterable[str]:
    """The arguments of every tool call as text, whatever shape they came in."""
    calls = message.get("tool_calls")
    functions = [c.get("function") for c in calls if isinstance(c, dict)] if isinstance(calls, list) else []
    for function in functions or [message.get("function_call")]:
        if isinstance(function, dict):
            arguments = function.get("arguments")
            yield arguments if isinstance(arguments, str) else json.dumps(arguments or {}, ensure_ascii=False)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _tool_call(arguments: str) -> dict[str, Any]:
    return {"id": "call_0", "type": "function", "function": {"name": "answer", "arguments": arguments}}


def _clean_usage(usage: Any) -> dict[str, int] | None:
    if not isinstance(usage, dict):
        return None
    counts = {}
    for key in ("prompt_tokens", "completion_tokens"):
        value = usage.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            return None
        counts[key] = value
    return {**counts, "total_tokens": sum(counts.values())}


def _join_stream(lines: Iterable[str]) -> dict[str, Any]:
    """Server-sent events, joined into one completion."""
    content: list[str] = []
    arguments: list[str] = []
    last: dict[str, Any] = {}
    for line in lines:
        payload = line.removeprefix("data:").strip()
        if not line.startswith("data:") or payload == "[DONE]":
            continue
        try:
            chunk = json.loads(payload)
            delta = chunk["choices"][0].get("delta") or {}
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            continue
        last = {**last, **{k: chunk[k] for k in ("model", "usage") if chunk.get(k)}}
        content.append(_text_of(delta.get("content")))
        arguments += [
            str((call.get("function") or {}).get("arguments") or "")
            for call in delta.get("tool_calls") or ()
            if isinstance(call, dict)
        ]
    if not any(content) and not any(arguments):
        raise NotACompletionError("a stream of events without content (stream was not asked for)")
    return {**last, "choices": [{"message": {"content": "".join(content) or "".join(arguments)}}]}


def _kind_of(text: str) -> str:
    start = text[:200].lower()
    if "<html" in start or "<!doctype" in start:
        return "a web page"
    return "cut off or broken JSON" if start.startswith(("{", "[")) else "plain text"
