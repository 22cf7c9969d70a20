"""Endpoints that fail, through the real client over HTTP: each ends in an error that says what to do, or recovers."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import threading
import time

import pytest
from llm_cases import Events, answer, planner_at, request
from llm_loopback import LoopbackEndpoint, Reply, completion, raw, refusal, tool_call

from planner.llm.chat import Mode
from planner.llm.failures import EndpointError
from planner.planner import Plan, PlannerError

GOOD = completion(answer())
KEY = "sk-very-secret-0123456789"
HTML = {"Content-Type": "text/html"}
MEGABYTE = 1_000_000


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def failure_of(*script, planner_options=None, **request_changes) -> tuple[str, LoopbackEndpoint]:
    with LoopbackEndpoint(*script) as endpoint, pytest.raises(EndpointError) as caught:
        planner_at(endpoint.url, model="loopback", **(planner_options or {})).plan(request(**request_changes))
    return str(caught.value), endpoint


def recovered_from(*script, **options) -> LoopbackEndpoint:
    with LoopbackEndpoint(*script) as endpoint:
        assert isinstance(planner_at(endpoint.url, model="loopback", **options).plan(request()), Plan)
    return endpoint


def test_nobody_listens():
    url = f"http://127.0.0.1:{free_port()}/v1"
    with pytest.raises(PlannerError, match=rf"{url} cannot be reached .*is the server running\?"):
        planner_at(url, model="any").plan(request())


def test_an_unknown_host():
    with pytest.raises(PlannerError, match="cannot be reached"):
        planner_at("http://no-such-host.invalid/v1", model="any", timeout_s=5.0).plan(request())


@pytest.mark.parametrize(
    "slow",
    [
        Reply(wait_s=5.0),
        Reply(chunks=[b" "] * 50, chunk_s=0.1),
        Reply(body=b"{}", header_drip_s=0.1),
    ],
    ids=["silent", "body drips", "headers drip"],
)
def test_too_slow_an_endpoint_is_given_up_on_in_time(slow):
    started = time.monotonic()
    said, _ = failure_of(slow, planner_options={"timeout_s": 0.5})
    assert time.monotonic() - started < 3.0
    assert "did not answer within 0.5 s; allow a longer time" in said


def test_the_deadline_covers_all_requests_together():
    unusable = Reply(completion("no plan").body, wait_s=0.4)
    started = time.monotonic()
    said, endpoint = failure_of(unusable, planner_options={"deadline_s": 1.0})
    assert time.monotonic() - started < 2.5
    assert len(endpoint.requests) <= 3
    assert "did not answer within" in said or "no time left" in said


def test_a_rate_limit_is_waited_out_for_as_long_as_the_server_says():
    endpoint = recovered_from(refusal(429, "slow down", Retry_After="1"), GOOD)
    assert endpoint.times_s[1] - endpoint.times_s[0] >= 1.0


def test_a_rate_limit_longer_than_the_deadline_is_not_waited_for():
    started = time.monotonic()
    said, endpoint = failure_of(refusal(429, "quota", Retry_After="3600"))
    assert time.monotonic() - started < 3.0
    assert len(endpoint.requests) == 1
    assert "429 (quota)" in said
    assert "3600 s of waiting, more than is left" in said


def test_a_wait_until_a_date_counts_from_the_servers_clock():
    midnight, one = (f"Mon, 01 Jan 2024 0{hour}:00:00 GMT" for hour in (0, 1))
    limited = Reply(status=429, headers={"Date": midnight, "Retry-After": one})
    said, _ = failure_of(limited)
    assert "3600 s of waiting" in said


def test_a_rate_limit_that_never_ends_is_given_up_on_after_bounded_retries():
    said, endpoint = failure_of(refusal(429, "slow down", Retry_After_Ms="10"))
    assert len(endpoint.requests) == 4
    assert "wait a while, or check the account's quota" in said


@pytest.mark.parametrize("status", [408, 502, 503, 504])
def test_a_busy_server_is_asked_again_in_the_same_mode(status):
    endpoint = recovered_from(refusal(status, "loading model", Retry_After="0"), GOOD)
    assert [r["response_format"]["type"] for r in endpoint.requests] == ["json_schema", "json_schema"]


def test_400_to_everything_ends_in_the_servers_own_words():
    said, endpoint = failure_of(refusal(400, "messages: roles must alternate"))
    assert len(endpoint.requests) == len(Mode)
    assert "answered 400 (messages: roles must alternate)" in said


def test_400_for_a_prompt_that_is_too_long_is_not_tried_in_other_modes():
    said, endpoint = failure_of(refusal(400, "maximum context length is 2048 tokens"))
    assert len(endpoint.requests) == 1
    assert "maximum context length is 2048 tokens" in said


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_says_how_to_set_one_and_never_says_the_key(status):
    events = Events()
    echo = refusal(status, f"Incorrect API key provided: {KEY} (sk-very*****6789), Bearer {KEY}")
    with LoopbackEndpoint(echo) as endpoint, pytest.raises(PlannerError) as caught:
        planner_at(endpoint.url, model="m", api_key=KEY).plan(request(events))
    assert endpoint.authorizations == [f"Bearer {KEY}"]
    assert "set OPENAI_API_KEY" in str(caught.value)
    chain = []
    error: BaseException | None = caught.value
    while error is not None:
        chain.append(f"{error!r} {error}")
        error = error.__cause__ or error.__context__
    assert KEY not in " ".join(chain) + events.text()
    assert "6789" not in str(caught.value) + events.text()


def test_a_reply_that_tells_the_key_back_does_not_bring_it_into_events_or_plans():
    events = Events()
    told = completion(answer(reasoning=f"your key is {KEY}"))
    with LoopbackEndpoint(told) as endpoint:
        plan = planner_at(endpoint.url, api_key=KEY).plan(request(events))
    assert KEY not in events.text() + repr(plan)


def test_a_local_server_needs_no_key():
    endpoint = recovered_from(GOOD)
    assert endpoint.authorizations == ["Bearer none-needed"]


def test_an_unknown_model_is_named_with_the_models_there_are():
    missing = refusal(404, "model 'llama9' not found")
    said = r"has no model 'llama9'; did you mean 'llama3'\? have: llama3, qwen3"
    with LoopbackEndpoint(missing, models=("llama3", "qwen3")) as endpoint, pytest.raises(PlannerError, match=said):
        planner_at(endpoint.url, model="llama9").plan(request())


def test_a_base_url_that_is_not_the_api_root_is_pointed_out():
    said = r"answered 404.*OPENAI_BASE_URL is the API root, mostly …/v1"
    with LoopbackEndpoint(GOOD) as endpoint, pytest.raises(PlannerError, match=said):
        planner_at(endpoint.url.removesuffix("/v1"), model="m").plan(request())


def test_ten_megabytes_are_not_read():
    flood = Reply(chunks=[b'{"choices": [{"message": {"content": "'] + [b"x" * MEGABYTE] * 10 + [b'"}}]}'])
    said, endpoint = failure_of(flood)
    assert "sent more than 2000000 bytes" in said
    assert len(endpoint.requests) == 1


def test_a_long_rambling_answer_within_the_limit_is_refused_quickly_and_corrected():
    started = time.monotonic()
    endpoint = recovered_from(completion('{"a":' * 200_000), GOOD)
    assert time.monotonic() - started < 5.0
    assert "characters; answer with one short JSON object" in endpoint.requests[1]["messages"][-1]["content"]


def test_a_body_that_unpacks_itself_is_refused():
    bomb = gzip.compress(b" " * 50 * MEGABYTE)
    said, _ = failure_of(Reply(bomb, headers={"Content-Type": "application/json", "Content-Encoding": "gzip"}))
    assert "packed with gzip" in said


def test_a_connection_cut_in_the_middle_is_tried_again():
    recovered_from(Reply(GOOD.body, breaks_after=40), GOOD)


def test_a_connection_cut_every_time_is_an_error():
    said, endpoint = failure_of(Reply(GOOD.body, breaks_after=40))
    assert "broke off the connection" in said
    assert len(endpoint.requests) == 3


def test_half_a_json_body_is_tried_again():
    recovered_from(Reply(GOOD.body[:60]), GOOD)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(b""), "an empty body"),
        (Reply(GOOD.body[:60]), "cut off or broken JSON"),
        (Reply(b"<!DOCTYPE html><html><body>Sign in</body></html>", headers=HTML), "a web page"),
        (Reply(b"upstream error", headers={"Content-Type": "text/plain"}), "plain text: upstream error"),
        (Reply(b"\xff\xfe\x80garbage"), "plain text"),
        (raw([1, 2]), "a JSON list, not an object"),
        (raw({"foo": 1}), "no 'choices' with a message in them (it holds: foo)"),
        (raw({"choices": []}), "no 'choices'"),
        (raw({"choices": None}), "no 'choices'"),
        (raw({"choices": ["x"]}), "a choice without a message"),
        (raw({"choices": [{"message": None}]}), "a choice without a message"),
        (raw({"error": {"message": "model crashed"}}), "an error with status 200: model crashed"),
        (Reply(b"data: {}\n\ndata: [DONE]\n\n"), "a stream of events without content"),
        (Reply(b"[" * 100_000), "no JSON"),
    ],
)
def test_a_reply_that_is_no_completion_is_described(reply, words):
    said, _ = failure_of(reply)
    assert words in said
    assert "expected a chat completion in JSON: check that OPENAI_BASE_URL" in said


def message(**fields) -> Reply:
    return raw({"choices": [{"message": fields}]})


TEXT = json.dumps(answer())


@pytest.mark.parametrize(
    "reply",
    [
        message(role="assistant", content=TEXT),
        message(content=TEXT),
        message(role="assistant", content=[{"type": "text", "text": TEXT}]),
        message(role="assistant", content=answer()),
        message(role="assistant", content="", reasoning_content=TEXT),
        message(role="assistant", content=TEXT, reasoning_content="hm", extra={"a": 1}),
        message(role="assistant", content=None, tool_calls=[{"function": {"name": "plan", "arguments": answer()}}]),
        message(role="assistant", content=None, function_call={"name": "answer", "arguments": TEXT}),
        message(role="model", content=TEXT, tool_calls=None),
        message(role="assistant", content=TEXT, tool_calls=[]),
        raw({"choices": [{"text": TEXT}]}),
        raw({"choices": [{"message": {"content": TEXT}}], "usage": {"prompt_tokens": None}, "created": "now"}),
        raw({"choices": [{"message": {"content": TEXT}, "finish_reason": None}], "usage": None, "id": None}),
        raw({"choices": [{"message": {"content": TEXT}, "finish_reason": "length"}], "usage": "none"}),
        Reply(GOOD.body, headers={"Content-Type": "text/plain"}),
        Reply(GOOD.body, headers={}),
        Reply(b"\xef\xbb\xbf" + GOOD.body),
        Reply(GOOD.body.replace(b"loopback", b"loop\xffback")),
        completion(f"<think>Maybe {{'steps': []}}?</think>\n```json\n{TEXT}\n```\nGood luck!"),
        completion(f"Here is the plan:\n{TEXT}\nAnything else?"),
        completion(TEXT.replace("]}", "],}").replace("}]", "},]")),
        completion(repr(answer())),
        tool_call(answer(), name="something_else"),
    ],
)
def test_completions_as_servers_really_send_them_are_read_at_once(reply):
    assert len(recovered_from(reply).requests) == 1


def test_a_stream_nobody_asked_for_is_read():
    def event(content: str) -> str:
        return f"data: {json.dumps({'choices': [{'delta': {'content': content}}]})}\n\n"

    body = "".join(event(TEXT[i : i + 50]) for i in range(0, len(TEXT), 50)) + "data: [DONE]\n\n"
    recovered_from(Reply(body.encode(), headers={"Content-Type": "text/event-stream"}))


@pytest.mark.parametrize("arguments", ['{"answer": "pl', "[]", "null", '"plan"', {}])
def test_a_tool_call_with_bad_arguments_is_corrected(arguments):
    refused = refusal(400, "response_format is not supported")
    endpoint = recovered_from(refused, tool_call(arguments), completion(answer()))
    assert len(endpoint.requests) == 3
    assert [m["role"] for m in endpoint.requests[2]["messages"]] == ["system", "user", "assistant", "user"]


def test_a_refusal_by_the_model_is_answered_with_what_was_expected():
    endpoint = recovered_from(message(role="assistant", content=None, refusal="I cannot help with that"), GOOD)
    assert "no JSON object" in endpoint.requests[1]["messages"][-1]["content"]


def test_a_redirect_that_keeps_the_request_is_followed():
    with LoopbackEndpoint(GOOD) as real:
        moved = Reply(status=308, headers={"Location": f"{real.url}/chat/completions"})
        with LoopbackEndpoint(moved) as old:
            assert isinstance(planner_at(old.url, model="m", api_key=KEY).plan(request()), Plan)
    assert real.authorizations == [None]  # another server: it never sees the key


def test_a_redirect_to_a_web_page_is_described():
    with LoopbackEndpoint(GOOD, prefix="/login") as login:
        moved = Reply(status=302, headers={"Location": f"{login.url}/models"})
        said, _ = failure_of(moved)
    assert "after a redirect" in said


def test_a_redirect_in_circles_is_an_error():
    said, _ = failure_of(Reply(status=307, headers={"Location": "/v1/chat/completions"}))
    assert "redirects in circles" in said


def test_a_wait_is_ended_from_another_thread():
    with LoopbackEndpoint(Reply(wait_s=10.0)) as endpoint:
        planner = planner_at(endpoint.url, model="m")
        threading.Timer(0.3, planner.cancel).start()
        started = time.monotonic()
        with pytest.raises(PlannerError, match="stopped while waiting"):
            planner.plan(request())
    assert time.monotonic() - started < 3.0


def test_a_wait_between_retries_is_ended_from_another_thread():
    with LoopbackEndpoint(refusal(429, "slow down", Retry_After="30")) as endpoint:
        planner = planner_at(endpoint.url, model="m")
        threading.Timer(0.3, planner.cancel).start()
        started = time.monotonic()
        with pytest.raises(PlannerError, match="stopped while waiting"):
            planner.plan(request())
    assert time.monotonic() - started < 3.0


def test_ctrl_c_ends_the_wait_at_once():
    with LoopbackEndpoint(Reply(wait_s=10.0)) as endpoint:
        planner = planner_at(endpoint.url, model="m")
        main = threading.main_thread().ident
        assert main is not None
        threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT)).start()
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            planner.plan(request())
    assert time.monotonic() - started < 3.0


def test_every_request_is_an_event_with_its_error_and_its_time():
    events = Events()
    with LoopbackEndpoint(refusal(503, "loading", Retry_After="0"), GOOD) as endpoint:
        planner_at(endpoint.url, model="m").plan(request(events))
    failed, worked = events.of("llm_call")
    assert "503 (loading)" in failed["error"]
    assert failed["latency_s"] > 0
    assert "error" not in worked
    assert json.loads(worked["reply"])["answer"] == "plan"
