"""Endpoint: where the language model answers, with which key, and what may be said of it in public.

Not for: speaking to it (planner.llm.wire, planner.llm.model_list).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit, urlunsplit

from planner.llm.failures import EndpointError, FailureKind

OPENAI_URL = "https://api.openai.com/v1"
DUMMY_KEY = "none-needed"  # local servers want no key, the client library insists on one
HOW_TO_SET = (
    "set OPENAI_BASE_URL to an OpenAI-compatible server (Ollama: http://localhost:11434/v1, llama.cpp: "
    "http://localhost:8080/v1, vLLM: http://localhost:8000/v1, LM Studio: http://localhost:1234/v1) or "
    "OPENAI_API_KEY to use OpenAI's; the planners 'search' and 'language' work offline"
)
_KEY_LIKE = re.compile(r"\b(?:sk|pk|gsk|hf|key|xai|nvapi)[-_][A-Za-z0-9*_-]{6,}|(?i:bearer)\s+[^\s\"',}]{4,}")


@dataclass(frozen=True)
class Endpoint:
    """base_url ends before `/chat/completions`; model is None until somebody chose one.

    timeout_s: for one request, from connecting to the last byte; reply_limit_bytes: a larger reply is refused.
    """

    base_url: str
    api_key: str = field(default=DUMMY_KEY, repr=False)
    model: str | None = None
    timeout_s: float = 60.0
    reply_limit_bytes: int = 2_000_000

    def __post_init__(self) -> None:
        parts = _split(self.base_url)
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            raise EndpointError(
                FailureKind.NO_ENDPOINT,
                f"OPENAI_BASE_URL is {self.redact(self.base_url)!r}: expected a URL like http://localhost:11434/v1",
            )

    @classmethod
    def from_environment(
        cls,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        model: str | None = None,
        timeout_s: float = 60.0,
        environment: Mapping[str, str] = os.environ,
    ) -> Endpoint:
        """From OPENAI_BASE_URL and OPENAI_API_KEY, what is given going first.

        Raises EndpointError that says how to set them when there is neither.
        """
        url = base_url or environment.get("OPENAI_BASE_URL", "").strip()
        key = api_key or environment.get("OPENAI_API_KEY", "").strip()
        if not url and not key:
            raise EndpointError(FailureKind.NO_ENDPOINT, f"no language-model endpoint: {HOW_TO_SET}")
        return cls((url or OPENAI_URL).rstrip("/"), key or DUMMY_KEY, model or None, timeout_s)

    @property
    def public_url(self) -> str:
        """base_url without user, password or query: fit for logs, events and errors."""
        parts = _split(self.base_url)
        if parts is None:
            return "(unreadable URL)"
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    @property
    def is_loopback(self) -> bool:
        """On this machine: no proxy is asked on the way there."""
        host = (_split(self.base_url) or urlsplit("")).hostname or ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")

    def redact(self, text: str) -> str:
        """`text` without this endpoint's secrets, nor anything that looks like a key."""
        parts = _split(self.base_url)
        secrets = [self.api_key, parts.password if parts else None, parts.query if parts else None]
        for secret in secrets:
            if secret and secret != DUMMY_KEY:
                text = text.replace(secret, "[key]")
        return _KEY_LIKE.sub("[key]", text)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError on a port that is no number
    except ValueError:
        return None
    return parts
