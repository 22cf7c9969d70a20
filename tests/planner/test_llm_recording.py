"""Recorded replies replay offline, failures and fallbacks included; a request never made is a clear miss."""

from __future__ import annotations

import json
import sys

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import HumanMessage
from llm_cases import INSTRUCTION, Events, answer, planner_at, request, scene
from llm_loopback import LoopbackEndpoint, completion, refusal, tool_call

from planner.language_model import LanguageModelPlanner, open_planner
from planner.llm.failures import EndpointError, FailureKind
from planner.llm.recording import RecordingModel, ReplayModel, request_hash
from planner.planner import Plan, PlannerError
from planner.search import SearchPlanner

KEY = "sk-very-secret-0123456789"
SCRIPT = (
    refusal(400, f"no json_schema here, {KEY}"),
    refusal(429, "slow down", Retry_After="0"),
    tool_call(answer(goal=["in(ball, red bowl)"])),
    tool_call(answer()),
)


def replayed(path, events=None, **changes):
    return open_planner(SearchPlanner(), replay=path).plan(request(events, **changes))


@pytest.fixture
def record(tmp_path):
    path = tmp_path / "replies.jsonl"
    with LoopbackEndpoint(*SCRIPT) as endpoint:
        assert isinstance(planner_at(endpoint.url, api_key=KEY, record=path).plan(request()), Plan)
    return path


def test_a_replay_repeats_the_run_event_by_event_without_an_endpoint(record, monkeypatch):
    live = Events()
    with LoopbackEndpoint(*SCRIPT) as endpoint:
        plan = planner_at(endpoint.url).plan(request(live))
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the network was used"))
    offline = Events()
    assert replayed(record, offline) == plan

    def told(events):
        ignored = ("latency_s", "model", "error")
        return [(kind, {k: v for k, v in data.items() if k not in ignored}) for kind, data in events.seen]

    assert told(offline) == told(live)


def test_a_replay_needs_no_client_library(record):
    """Studies replay where langchain_openai is not importable."""
    blocked = {name: sys.modules.pop(name) for name in list(sys.modules) if name.startswith("langchain_openai")}
    try:
        sys.modules["langchain_openai"] = None  # type: ignore[assignment]
        assert isinstance(replayed(record), Plan)
    finally:
        del sys.modules["langchain_openai"]
        sys.modules.update(blocked)


def test_no_secret_is_recorded_and_every_line_is_json(record):
    text = record.read_text()
    assert KEY not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert [("failure" in line) for line in lines] == [True, True, False, False]
    assert lines[2]["tool_arguments"]["goal"] == ["in(ball, red bowl)"]
    assert INSTRUCTION in lines[0]["prompt"][1][1]


@pytest.mark.parametrize(
    "changes", [{"instruction": "close the drawer"}, {"scene": scene(facts=("on(red block, table)",))}]
)
def test_a_request_that_was_never_recorded_is_a_clear_miss(record, changes):
    with pytest.raises(EndpointError, match=r"holds no reply to this request.*record again") as caught:
        replayed(record, **changes)
    assert caught.value.kind is FailureKind.NOT_RECORDED


def test_a_line_that_a_kill_cut_off_is_not_missed(record):
    whole = record.read_bytes()
    record.write_bytes(whole + b'{"request": "ab')
    assert isinstance(replayed(record), Plan)


def test_a_second_recording_is_appended(record):
    before = record.read_text()
    with LoopbackEndpoint(completion(answer())) as endpoint:
        planner_at(endpoint.url, record=record).plan(request(instruction="something else"))
    assert record.read_text().startswith(before)
    assert isinstance(replayed(record, instruction="something else"), Plan)
    assert isinstance(replayed(record), Plan)


def test_a_request_made_more_often_than_recorded_gets_its_last_reply(tmp_path):
    path = tmp_path / "replies.jsonl"
    recording = RecordingModel(inner=FakeListChatModel(responses=["one", "two"]), path=path)
    asked = [HumanMessage("hello")]
    assert [recording.invoke(asked).text for _ in range(2)] == ["one", "two"]
    replay = ReplayModel(path=path)
    assert [replay.invoke(asked).text for _ in range(4)] == ["one", "two", "two", "two"]


def test_the_hash_tells_conversations_and_modes_apart_and_nothing_else():
    asked = [HumanMessage("hello")]
    assert request_hash(asked, {"a": 1, "b": 2}) == request_hash([HumanMessage("hello", id="x")], {"b": 2, "a": 1})
    assert request_hash(asked, {}) != request_hash([HumanMessage("hullo")], {})
    assert request_hash(asked, {}) != request_hash(asked, {"response_format": {"type": "json_object"}})


@pytest.mark.parametrize("content", ["not json\n", '{"foo": 1}\n', b"\xff\xfe\x00"])
def test_a_file_that_is_no_record_is_refused_by_line(tmp_path, content):
    path = tmp_path / "broken.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(PlannerError, match=r"line 1: not a recorded reply|no record of replies"):
        open_planner(SearchPlanner(), replay=path)


def test_a_missing_record_and_an_unwritable_one_are_errors(tmp_path):
    with pytest.raises(PlannerError, match="no record of replies at"):
        open_planner(SearchPlanner(), replay=tmp_path / "none.jsonl")
    with LoopbackEndpoint(completion(answer())) as endpoint, pytest.raises(PlannerError, match="cannot record replies"):
        planner_at(endpoint.url, record=tmp_path / "no folder" / "x.jsonl").plan(request())


def test_any_chat_model_of_langchain_will_do():
    fake = FakeListChatModel(responses=["hm", json.dumps(answer())])
    events = Events()
    plan = LanguageModelPlanner(lambda _: fake, SearchPlanner(), model_name="fake").plan(request(events))
    assert isinstance(plan, Plan)
    assert events.of("llm_call")[0]["tokens_in"] is None


def test_a_chat_model_that_raises_is_a_planner_error():
    class Broken(FakeListChatModel):
        def _call(self, *_args, **_kwargs):
            raise ZeroDivisionError("oops")

    with pytest.raises(PlannerError, match="the chat model raised ZeroDivisionError: oops"):
        LanguageModelPlanner(lambda _: Broken(responses=["x"]), SearchPlanner()).plan(request())
