"""LangChain's ChatOpenAI over WireClient: the chat model that stands for an endpoint.

Not for: which output mode to ask for (planner.llm.chat). Importing this imports langchain_openai: be lazy.
"""

from __future__ import annotations

from typing import Any

from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from planner.llm.endpoint import Endpoint
from planner.llm.wire import WireClient


class EndpointChatModel(ChatOpenAI):
    """ChatOpenAI that sends `response_format` as it stands and leaves judging the reply to us.

    Given as an argument, `response_format` makes the client library parse the reply, which raises on a reply
    cut short or refused and loses its text.
    """

    def _get_request_payload(self, input_: Any, *, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        payload: dict[str, Any] = super()._get_request_payload(input_, stop=stop, **kwargs)
        if "response_format" in payload:
            extra = {"response_format": payload.pop("response_format")}
            payload["extra_body"] = {**(payload.get("extra_body") or {}), **extra}
        return payload


def open_model(endpoint: Endpoint, temperature: float | None = 0.0) -> EndpointChatModel:
    """A chat model for an endpoint whose model is chosen. Retries are the caller's: it knows the deadline."""
    assert endpoint.model is not None, "choose a model first (planner.llm.model_list.with_model)"
    return EndpointChatModel(
        model=endpoint.model,
        base_url=endpoint.base_url,
        api_key=SecretStr(endpoint.api_key),
        http_client=WireClient(endpoint),
        openai_proxy=None,  # proxies are the HTTP client's business; it reads HTTPS_PROXY
        temperature=temperature,
        timeout=endpoint.timeout_s,
        max_retries=0,
        use_responses_api=False,
    )
