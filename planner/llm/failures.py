"""EndpointError: what can go wrong between here and a language model, each kind by name and in words.

Not for: replies that arrived whole but are unusable as plans (planner.llm.checking).
"""

from __future__ import annotations

from enum import StrEnum

from planner.planner import ServiceError


class FailureKind(StrEnum):
    """Why a request got no usable reply; what may be tried next depends on it."""

    NO_ENDPOINT = "no_endpoint"  # nothing configured, or a URL that is none
    DOWN = "down"  # refused, unknown host, no route
    BROKEN = "broken"  # the connection broke in the middle, or the reply is no HTTP
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    RATE_LIMITED = "rate_limited"
    BUSY = "busy"  # 408, 502, 503, 504, 529: try again soon
    SERVER_ERROR = "server_error"  # any other 5xx
    UNAUTHORISED = "unauthorised"
    NOT_FOUND = "not_found"
    REQUEST_REFUSED = "request_refused"  # any other 4xx: 400, 413, 422, …
    REDIRECTED = "redirected"
    TOO_LARGE = "too_large"
    NOT_A_COMPLETION = "not_a_completion"
    NO_MODEL = "no_model"
    NOT_RECORDED = "not_recorded"
    MODEL_ERROR = "model_error"  # a chat model that is no endpoint raised


class EndpointError(ServiceError):
    """One request that got no usable reply. The message says what was expected and what to do.

    status: the HTTP status where there was one; retry_after_s: what the server asked us to wait;
    text: the start of what the server said, without secrets.
    """

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        text: str = "",
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.retry_after_s = retry_after_s
        self.text = text


def find_failure(error: BaseException) -> EndpointError | None:
    """The EndpointError in an exception or its causes: client libraries wrap what their transport raises."""
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None or isinstance(seen, EndpointError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None
