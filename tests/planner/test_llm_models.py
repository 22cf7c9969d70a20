"""Finding the endpoint and its model: the environment, the list of models, what `doctor` is told."""

from __future__ import annotations

import subprocess
import sys

import pytest
from llm_cases import answer, planner_at, request
from llm_loopback import LoopbackEndpoint, Reply, completion, raw, refusal

from planner.language_model import open_planner
from planner.llm.endpoint import DUMMY_KEY, OPENAI_URL, Endpoint
from planner.llm.failures import EndpointError, FailureKind
from planner.llm.model_list import check_endpoint, list_models
from planner.planner import PlannerError
from planner.search import SearchPlanner

KEY = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def no_endpoint_set(monkeypatch):
    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_neither_url_nor_key_says_how_to_set_them_and_what_works_offline():
    with pytest.raises(
        PlannerError, match=r"set OPENAI_BASE_URL.*OPENAI_API_KEY.*'search' and 'language' work offline"
    ):
        open_planner(SearchPlanner())


def test_the_environment_names_the_endpoint(monkeypatch):
    with LoopbackEndpoint(completion(answer())) as endpoint:
        monkeypatch.setenv("OPENAI_BASE_URL", f" {endpoint.url}/ ")
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        open_planner(SearchPlanner()).plan(request())
    assert endpoint.authorizations == [f"Bearer {KEY}"]


def test_a_key_alone_means_openai_and_a_url_alone_needs_no_key():
    assert Endpoint.from_environment(environment={"OPENAI_API_KEY": KEY}).base_url == OPENAI_URL
    local = Endpoint.from_environment(
        environment={"OPENAI_BASE_URL": "http://localhost:11434/v1/", "OPENAI_API_KEY": ""}
    )
    assert (local.base_url, local.api_key) == ("http://localhost:11434/v1", DUMMY_KEY)


@pytest.mark.parametrize(
    "url", ["localhost:11434/v1", "ftp://host/v1", "http://", "http://host:port/v1", "http://[::1"]
)
def test_a_url_that_is_none_is_refused_with_an_example(url):
    with pytest.raises(EndpointError, match=r"expected a URL like http://localhost:11434/v1"):
        Endpoint(url)


def test_no_secret_is_in_what_may_be_shown():
    endpoint = Endpoint(f"https://me:{KEY}@host.example/v1?token=abcdef", api_key="my-own-key")
    assert endpoint.public_url == "https://host.example/v1"
    assert KEY not in repr(endpoint.public_url)
    assert "my-own-key" not in repr(endpoint)
    said = endpoint.redact(f"{KEY} my-own-key token=abcdef Authorization: Bearer xyz123 sk-abc***def")
    for secret in (KEY, "my-own-key", "abcdef", "xyz123", "sk-abc"):
        assert secret not in said


def test_a_proxy_is_not_asked_on_the_way_to_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with LoopbackEndpoint(completion(answer())) as endpoint:
        planner_at(endpoint.url).plan(request())
    assert len(endpoint.requests) == 1


def test_the_only_model_is_taken():
    with LoopbackEndpoint(completion(answer()), models=("qwen3:8b",)) as endpoint:
        planner_at(endpoint.url).plan(request())
    assert endpoint.requests[0]["model"] == "qwen3:8b"


def test_of_several_models_one_must_be_named():
    with LoopbackEndpoint(completion(answer()), models=("a", "b", "c")) as endpoint:
        with pytest.raises(PlannerError, match=r"has 3 models; name one with --model: a, b, c"):
            planner_at(endpoint.url)
        planner_at(endpoint.url, model="b").plan(request())
    assert endpoint.requests[0]["model"] == "b"


def test_a_long_list_of_models_is_cut():
    names = [f"m{i:03}" for i in range(100)]
    said = r"has 100 models.*m019 and 80 more"
    with LoopbackEndpoint(completion(answer()), models=names) as endpoint, pytest.raises(PlannerError, match=said):
        planner_at(endpoint.url)


@pytest.mark.parametrize("listing", [refusal(404, "no such route"), raw({"data": []}), raw({}), Reply(b"hello")])
def test_an_endpoint_that_lists_no_models_asks_for_a_name(listing):
    with LoopbackEndpoint(completion(answer()), models=listing) as endpoint:
        with pytest.raises(PlannerError, match=r"does not say which models it has; name one with --model"):
            planner_at(endpoint.url)
        planner_at(endpoint.url, model="any").plan(request())


@pytest.mark.parametrize(
    "listing",
    [
        {"object": "list", "data": [{"id": "b"}, {"id": "a"}]},
        {"models": [{"name": "a"}, {"name": "b", "size": 1}]},
        {"data": ["a", "b", None, 3, {}]},
        [{"id": "a"}, {"model": "b"}],
    ],
)
def test_lists_of_models_are_read_in_the_forms_in_use(listing):
    with LoopbackEndpoint(completion("x"), models=raw(listing)) as endpoint:
        assert list_models(Endpoint(endpoint.url)) == ("a", "b")


def test_doctor_is_told_which_models_answer_and_how_fast():
    with LoopbackEndpoint(completion("x"), models=("a", "b")) as endpoint:
        status = check_endpoint(endpoint.url)
    assert (status.reachable, status.models, status.error) == (True, ("a", "b"), "")
    assert status.latency_s is not None
    assert status.latency_s < 5.0


@pytest.mark.parametrize(
    ("listing", "reachable", "words"),
    [
        (refusal(401, "bad key"), True, "set OPENAI_API_KEY"),
        (refusal(404, "no route"), True, "mostly …/v1"),
        (raw({"data": []}), True, "it lists no models"),
        (Reply(wait_s=3.0), False, "did not answer within 0.3 s"),
    ],
)
def test_doctor_is_told_in_words_what_is_wrong(listing, reachable, words):
    with LoopbackEndpoint(completion("x"), models=listing) as endpoint:
        status = check_endpoint(endpoint.url, timeout_s=0.3)
    assert status.reachable is reachable
    assert words in status.error


def test_doctor_never_raises():
    assert not check_endpoint("http://127.0.0.1:1/v1").reachable
    assert "expected a URL like" in check_endpoint("nonsense").error
    assert "no language-model endpoint" in check_endpoint().error


def test_an_endpoint_that_is_down_is_known_before_anything_runs():
    with pytest.raises(EndpointError) as caught:
        planner_at("http://127.0.0.1:1/v1")
    assert caught.value.kind is FailureKind.DOWN


def test_the_planner_is_imported_without_langchain_or_openai():
    """They take seconds; `--help` has none to give."""
    code = "import sys, planner.language_model; print([m for m in ('langchain_core', 'openai') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
