"""A language model from the command line: a plan, or one line that says what to do and exit code 2."""

from __future__ import annotations

import json
import sys

import pytest
from llm_loopback import LoopbackEndpoint, Reply, completion, raw, refusal

from forehand.cli import main

ANSWER = {
    "reasoning": "One block to move.",
    "goal": ["in(red block, red bowl)"],
    "steps": ["pick(red block)", "place_in(red bowl)"],
}
CYCLE = {
    "goal": ["holding(ghost)"],
    "steps": [
        {"id": "a", "do": "pick(red block)", "after": ["b"]},
        {"id": "b", "do": "place_in(red bowl)", "after": ["a"]},
    ],
}
COMMAND = ("plan", "put the red block in the red bowl", "--planner", "llm", "--model", "loopback", "--json")


def forehand(monkeypatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["forehand", *words])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_a_plan_is_printed_as_one_object(monkeypatch, capsys):
    with LoopbackEndpoint(completion(ANSWER)) as endpoint:
        assert forehand(monkeypatch, *COMMAND, "--base-url", endpoint.url) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["goal"]["literals"] == ["in(red block, red bowl)"]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (refusal(400, "no chat template"), "answered 400 (no chat template)"),
        (refusal(429, "quota", Retry_After="9999"), "9999 s of waiting"),
        (Reply(b'{"choices": [{"mess'), "cut off or broken JSON"),
        (raw({"foo": 1}), "it holds: foo"),
        (completion({"foo": 1}), "other keys than asked for (foo)"),
        (completion({**ANSWER, "goal": ["in(ghost, red bowl)"]}), "no object 'ghost' here"),
        (completion(CYCLE), "no object 'ghost' here"),
        (Reply(b"x" * 10_000_000), "more than 2000000 bytes"),
    ],
    ids=["400", "rate limit", "half a JSON", "another schema", "another answer", "a ghost", "a cycle", "10 MB"],
)
def test_an_endpoint_that_is_of_no_use_is_one_line_and_exit_code_2(monkeypatch, capsys, reply, words):
    with LoopbackEndpoint(reply) as endpoint:
        assert forehand(monkeypatch, *COMMAND, "--base-url", endpoint.url) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert words in told.err
    assert len(told.err.strip().splitlines()) == 1


def test_no_endpoint_at_all_says_how_to_set_one(monkeypatch, capsys):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert forehand(monkeypatch, *COMMAND) == 2
    assert "set OPENAI_BASE_URL" in capsys.readouterr().err


def test_a_run_that_gets_no_plan_leaves_nothing_behind(monkeypatch, capsys, tmp_path):
    with LoopbackEndpoint(refusal(400, "no chat template")) as endpoint:
        words = (
            "run",
            *COMMAND[1:],
            "--base-url",
            endpoint.url,
            "--out",
            str(tmp_path / "run"),
            "--no-video",
            "--policy",
            "expert",
        )
        assert forehand(monkeypatch, *words) == 2
    assert "no chat template" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
