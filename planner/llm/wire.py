"""WireClient: the HTTP client below LangChain; bounded in bytes and seconds, and strict about what comes back.

It reads a whole reply up to the endpoint's limits, turns every refusal into an EndpointError in words and hands
clean completions upwards, so that no client library ever sees a body it chokes on.
Not for: retries and deadlines over several requests (planner.llm.chat). Importing this imports openai: be lazy.
"""

from __future__ import annotations

import functools
import importlib
import json
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import openai

from planner.llm.completion import NotACompletionError, error_message, preview, read_completion
from planner.llm.endpoint import Endpoint
from planner.llm.failures import EndpointError, FailureKind

# The openai package moved from httpx to its successor: take whichever it is built on.
_httpx: Any = importlib.import_module(openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])

_BUSY = (408, 425, 502, 503, 504, 529)
_CONNECT_TIMEOUT_S = 10.0


@functools.cache
def _trusted_certificates() -> Any:
    """One TLS context for the process: reading the certificates takes longer than a local server's answer."""
    return _httpx.create_ssl_context()


class WireClient(openai.DefaultHttpxClient):
    """An HTTP client for one endpoint. Raises EndpointError for everything but a well-formed reply."""

    def __init__(self, endpoint: Endpoint) -> None:
        timeout = _httpx.Timeout(endpoint.timeout_s, connect=min(_CONNECT_TIMEOUT_S, endpoint.timeout_s))
        super().__init__(
            timeout=timeout,
            follow_redirects=True,
            trust_env=not endpoint.is_loopback,
            verify=_trusted_certificates(),
            headers={"Accept-Encoding": "identity"},  # a reply that unpacks itself has no bound
        )
        self._endpoint = endpoint

    def send(self, request: Any, **options: Any) -> Any:
        """The reply, read whole. A completion's body is replaced by its clean form."""
        started_s = time.monotonic()
        request.headers["Accept-Encoding"] = "identity"
        try:
            response = super().send(request, **{**options, "stream": True})
            try:
                body = self._read(response, started_s)
            finally:
                response.close()
        except EndpointError:
            raise
        except Exception as error:
            raise self._transport_failure(error) from error
        self._raise_for_status(response, body)
        if request.url.path.endswith("/chat/completions"):
            body = self._clean(response, body)
        headers = {"content-type": "application/json"}
        return _httpx.Response(response.status_code, headers=headers, content=body, request=request)

    def _read(self, response: Any, started_s: float) -> bytes:
        limit = self._endpoint.reply_limit_bytes
        encoding = response.headers.get("content-encoding", "identity").lower()
        if encoding not in ("identity", ""):
            raise self._failure(FailureKind.NOT_A_COMPLETION, f"sent a body packed with {encoding}, unasked")
        body = bytearray()
        for chunk in response.iter_raw(65536):
            body += chunk
            if len(body) > limit:
                raise self._failure(
                    FailureKind.TOO_LARGE,
                    f"sent more than {limit} bytes; a plan takes a few thousand. Try another model",
                )
            if time.monotonic() - started_s > self._endpoint.timeout_s:
                raise self._too_slow()
        return bytes(body)

    def _raise_for_status(self, response: Any, body: bytes) -> None:
        status = response.status_code
        if 200 <= status < 300:
            return
        said = self._endpoint.redact(error_message(body))
        kind, advice = _verdict_on(status, bool(response.history))
        message = f"answered {status}{f' ({said})' if said else ''}; {advice}"
        raise self._failure(kind, message, status=status, retry_after_s=_retry_after_s(response), text=said)

    def _clean(self, response: Any, body: bytes) -> bytes:
        try:
            return json.dumps(read_completion(body)).encode()
        except NotACompletionError as error:
            hint = "; after a redirect" if response.history else ""
            said = self._endpoint.redact(str(error))
            advice = "check that OPENAI_BASE_URL is the root of an OpenAI-compatible API (it mostly ends in /v1)"
            raise self._failure(
                FailureKind.NOT_A_COMPLETION,
                f"sent {said}{hint}; expected a chat completion in JSON: {advice}",
                status=response.status_code,
                text=preview(self._endpoint.redact(body[:2000].decode("utf-8", errors="replace"))),
            ) from error

    def _transport_failure(self, error: Exception) -> EndpointError:
        said = self._endpoint.redact(str(error)) or type(error).__name__
        if isinstance(error, _httpx.ConnectTimeout):
            return self._failure(FailureKind.DOWN, f"cannot be reached ({said or 'no answer'}); is the server running?")
        if isinstance(error, _httpx.TimeoutException):
            return self._too_slow()
        if "CERTIFICATE_VERIFY_FAILED" in said:
            return self._failure(FailureKind.DOWN, f"shows a certificate not trusted here ({said}); set SSL_CERT_FILE")
        if isinstance(error, _httpx.ConnectError):
            return self._failure(FailureKind.DOWN, f"cannot be reached ({said}); is the server running?")
        if isinstance(error, _httpx.TooManyRedirects):
            return self._failure(FailureKind.REDIRECTED, "redirects in circles; check OPENAI_BASE_URL")
        return self._failure(FailureKind.BROKEN, f"broke off the connection ({said}); look at the server's log")

    def _too_slow(self) -> EndpointError:
        return self._failure(
            FailureKind.TIMEOUT,
            f"did not answer within {self._endpoint.timeout_s:g} s; allow a longer time or take a smaller model",
        )

    def _failure(self, kind: FailureKind, message: str, **details: Any) -> EndpointError:
        return EndpointError(kind, f"the language-model endpoint {self._endpoint.public_url} {message}", **details)


def _verdict_on(status: int, redirected: bool) -> tuple[FailureKind, str]:
    if status in (401, 403):
        return FailureKind.UNAUTHORISED, "set OPENAI_API_KEY to a key that this endpoint accepts"
    if 300 <= status < 400:
        return FailureKind.REDIRECTED, "set OPENAI_BASE_URL to where it points"
    if status in (404, 405):
        where = " (it was redirected there)" if redirected else ""
        return FailureKind.NOT_FOUND, f"check --model, and that OPENAI_BASE_URL is the API root, mostly …/v1{where}"
    if status == 429:
        return FailureKind.RATE_LIMITED, "wait a while, or check the account's quota"
    if status in _BUSY:
        return FailureKind.BUSY, "try again when the server is less busy"
    if status >= 500:
        return FailureKind.SERVER_ERROR, "look at the server's log"
    return FailureKind.REQUEST_REFUSED, "the server does not take this request"


def _retry_after_s(response: Any) -> float | None:
    """Retry-After in seconds; the form with a date counts from the server's own clock."""
    for header, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(response.headers[header]) * unit_s)
        except (KeyError, ValueError):
            continue
    return _until_date_s(response.headers.get("retry-after"), response.headers.get("date"))


def _until_date_s(wanted: str | None, now: str | None) -> float | None:
    try:
        start = parsedate_to_datetime(now) if now else datetime.now(UTC)
        return max(0.0, (parsedate_to_datetime(wanted or "") - start).total_seconds())
    except (TypeError, ValueError):
        return None
