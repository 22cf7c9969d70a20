"""Which models an endpoint has: choosing one when none is named, and what `forehand doctor` wants to know."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from planner.llm.deadline import DeadlineError, call_within
from planner.llm.endpoint import Endpoint
from planner.llm.failures import EndpointError, FailureKind
from skills.skill import did_you_mean

_SHOWN = 20


@dataclass(frozen=True)
class EndpointStatus:
    """What a look at an endpoint found. models may be empty though it is reachable; error is in words, or empty."""

    url: str
    reachable: bool
    models: tuple[str, ...] = ()
    latency_s: float | None = None
    error: str = ""


def list_models(endpoint: Endpoint) -> tuple[str, ...]:
    """The ids that GET /models names, sorted. Raises EndpointError; a list in no known form is empty."""
    from planner.llm.wire import WireClient  # before the clock starts: it imports for a second

    def get() -> bytes:
        with WireClient(endpoint) as client:
            headers = {"Authorization": f"Bearer {endpoint.api_key}"}
            return bytes(client.get(f"{endpoint.base_url}/models", headers=headers).content)

    try:
        body = call_within(get, endpoint.timeout_s, threading.Event())
    except DeadlineError as error:
        said = f"the language-model endpoint {endpoint.public_url} did not answer within {endpoint.timeout_s:g} s"
        raise EndpointError(FailureKind.TIMEOUT, said) from error
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    if isinstance(data, dict):
        data = data.get("data") or data.get("models") or ()
    return tuple(sorted({name for item in data if (name := _model_name(item))})) if isinstance(data, list) else ()


def _model_name(item: Any) -> str:
    if isinstance(item, dict):
        item = item.get("id") or item.get("name") or item.get("model")
    return item if isinstance(item, str) else ""


def with_model(endpoint: Endpoint) -> Endpoint:
    """The endpoint with a model: the one named, or the only one it has.

    Raises EndpointError that lists the models where there are several, or says to name one where none is listed.
    """
    if endpoint.model is not None:
        return endpoint
    try:
        models = list_models(endpoint)
    except EndpointError as failure:
        if failure.kind not in (FailureKind.NOT_FOUND, FailureKind.REQUEST_REFUSED):
            raise
        models = ()
    if len(models) == 1:
        return replace(endpoint, model=models[0])
    if not models:
        raise _no_model(f"{endpoint.public_url} does not say which models it has; name one with --model")
    more = f" and {len(models) - _SHOWN} more" if len(models) > _SHOWN else ""
    raise _no_model(
        f"{endpoint.public_url} has {len(models)} models; name one with --model: {', '.join(models[:_SHOWN])}{more}"
    )


def explain_not_found(endpoint: Endpoint, failure: EndpointError) -> EndpointError:
    """A 404 made clear: a model the endpoint does not have, or a URL that is not the API's root."""
    try:
        models = list_models(endpoint)
    except EndpointError:
        return failure
    if not models or endpoint.model in models:
        return failure
    wanted = endpoint.model or ""
    return EndpointError(
        FailureKind.NO_MODEL,
        f"{endpoint.public_url} has no model '{wanted}'{did_you_mean(wanted, list(models)[: 5 * _SHOWN])}",
        status=failure.status,
        text=failure.text,
    )


def check_endpoint(
    base_url: str | None = None,
    api_key: str | None = None,
    timeout_s: float = 5.0,
    clock: Callable[[], float] = time.monotonic,
) -> EndpointStatus:
    """Ask an endpoint (by default the environment's) for its models; never raises on what the endpoint does."""
    url = ""
    started_s = clock()
    try:
        endpoint = Endpoint.from_environment(base_url=base_url, api_key=api_key, timeout_s=timeout_s)
        url = endpoint.public_url
        models = list_models(endpoint)
    except EndpointError as failure:
        answered = failure.status is not None
        latency_s = clock() - started_s if answered else None
        return EndpointStatus(url, answered, (), latency_s, str(failure))
    error = "" if models else "it lists no models; name one with --model"
    return EndpointStatus(url, True, models, clock() - started_s, error)


def _no_model(message: str) -> EndpointError:
    return EndpointError(FailureKind.NO_MODEL, message)
