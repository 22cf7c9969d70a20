"""The event log: what is on disk after a kill, a full disk or a flipped byte, and the published schema of a line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forehand import events
from forehand.event_log import EventLog, RunFolderError, cut_torn_line, read_log
from forehand.events import Checkpointed, Event, Judged, Noted, PartFailed, RecoveryChosen, event_schema
from forehand.watching import Watcher
from skills.skill import SkillCall


def log_at(path: Path | None, **kwargs: Any) -> EventLog:
    ticks = iter(range(1000))
    return EventLog(path, clock=lambda: float(next(ticks)), **kwargs)


def written(path: Path, count: int) -> EventLog:
    log = log_at(path)
    for n in range(count):
        log.emit(Noted(part="test", text=f"note {n} – ünïcode"))
    return log


def test_events_are_stamped_in_sequence_and_read_back_equal(tmp_path: Path) -> None:
    log = log_at(tmp_path / "events.jsonl", robot_clock=lambda: 1.5)
    log.emit(Noted(part="planner", text="hm"))
    log.emit(Judged(step="a/1/b", call=SkillCall.parse("pick(red block)"), attempt=2, status="unsure",
                    confidence=0.5, reason="dark", detector="scene"))  # fmt: skip
    log.emit(RecoveryChosen(step=None, rung="give up", reason="enough"))
    log.close()
    read = read_log(tmp_path / "events.jsonl")
    assert list(read.events) == log.events
    assert [(e.seq, e.wall_time_s, e.robot_time_s) for e in read.events] == [
        (1, 0.0, 1.5),
        (2, 1.0, 1.5),
        (3, 2.0, 1.5),
    ]
    assert read.torn_bytes == 0


def test_every_line_fits_the_published_schema(tmp_path: Path) -> None:
    import json

    schema = event_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    written(tmp_path / "e", 3).close()
    for line in (tmp_path / "e").read_text().splitlines():
        validator.validate(json.loads(line))
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"seq": 1, "wall_time_s": 0.0, "robot_time_s": None, "kind": "made_up"})


def test_the_set_of_events_is_closed_and_each_kind_is_its_own() -> None:
    kinds = [kind for model in get_args(get_args(Event)[0]) for kind in get_args(model.model_fields["kind"].annotation)]
    assert len(kinds) == len(set(kinds))
    assert {"run_started", "perceived", "planned", "question", "answer", "impossible", "step_started", "skill_ended",
            "judged", "recovery", "graph_changed", "fault", "safety", "llm_call", "checkpointed", "resumed",
            "attempt_abandoned", "goal_checked", "run_ended"} <= set(kinds)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_cut_off_at_any_byte_every_whole_line_is_kept_and_the_rest_is_told(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("log") / "events.jsonl"
    written(path, 4).close()
    content = path.read_bytes()
    cut = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:cut])
    read = read_log(path)
    whole = content[:cut].count(b"\n")
    assert len(read.events) == whole
    assert read.torn_bytes == cut - len(b"\n".join(content.split(b"\n")[:whole]) + b"\n" * (whole > 0))
    cut_torn_line(path, read.torn_bytes)
    log = log_at(path, earlier=read.events)
    log.emit(Noted(part="test", text="on we go"))
    log.close()
    assert [e.seq for e in read_log(path).events] == list(range(1, whole + 2))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda lines: [lines[0], b"{half", *lines[2:]], "line 2: corrupt, expected one event as JSON"),
        (lambda lines: [lines[0], *lines[2:]], "line 2: corrupt, expected seq 2, found 3"),
        (lambda lines: [lines[0], lines[1], lines[1], lines[2]], "line 3: corrupt, expected seq 3, found 2"),
        (lambda lines: [lines[0].replace(b'"note"', b'"made_up"'), *lines[1:]], "line 1: corrupt"),
        (lambda lines: [b"\xff\xfe", *lines[1:]], "line 1: corrupt"),
        (lambda lines: [b"", *lines], "line 1: corrupt"),
    ],
)
def test_a_corrupt_line_is_named(tmp_path: Path, change: Any, expected: str) -> None:
    path = tmp_path / "events.jsonl"
    written(path, 3).close()
    lines = path.read_bytes().split(b"\n")[:-1]
    path.write_bytes(b"\n".join(change(lines)) + b"\n")
    with pytest.raises(RunFolderError, match=expected):
        read_log(path)


def test_a_log_that_is_not_there_or_a_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="cannot be read"):
        read_log(tmp_path / "none")
    with pytest.raises(RunFolderError, match="cannot be written"):
        log_at(tmp_path)


def test_a_disk_that_fills_up_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events.jsonl"
    log = written(path, 2)
    before = path.read_bytes()
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, line: real(file, line[: len(line) // 2]))
    with pytest.raises(RunFolderError, match="could not be written: no space left"):
        log.emit(Noted(part="test", text="too much"))
    assert path.read_bytes() == before
    assert log.last_seq == 2
    monkeypatch.undo()
    log.emit(Noted(part="test", text="room again"))
    log.close()
    assert [e.seq for e in read_log(path).events] == [1, 2, 3]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_device_is_told(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.symlink_to("/dev/full")
    log = log_at(path)
    with pytest.raises(RunFolderError, match=r"events.jsonl: an event could not be written: No space left"):
        log.emit(Noted(part="test", text="no room"))
    log.close()


def test_an_event_is_on_disk_before_anybody_hears_of_it(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    seen: list[int] = []

    class Reader(Watcher):
        def on_event(self, event: Event) -> None:
            assert read_log(path).events[-1] == event
            seen.append(event.seq)

    log = log_at(path)
    log.attach([Reader()], None)  # type: ignore[arg-type]
    for n in range(3):
        log.emit(Checkpointed(snapshot=f"{n}.json"))
    log.close()
    assert seen == [1, 2, 3]


def test_watchers_that_fail_to_attach_or_to_close_harm_nobody() -> None:
    class Bad(Watcher):
        name = "bad"

        def attach(self, workplace: Any) -> None:  # noqa: ARG002
            raise OSError("no display")

    class Closing(Watcher):
        name = "closing"

        def close(self) -> None:
            raise OSError("pipe")

    log = log_at(None)
    log.attach([Bad(), Closing()], None)  # type: ignore[arg-type]
    log.emit(Noted(part="test", text="first"))
    assert [type(e).__name__ for e in log.events] == ["Noted", "PartFailed"]
    failed = log.events[1]
    assert isinstance(failed, PartFailed)
    assert (failed.part, failed.reason) == ("bad", "no display")
    log.close()


def test_control_steps_cost_nothing_where_nobody_wants_them() -> None:
    class Wants(Watcher):
        wants_control_steps = True

    log = log_at(None)
    log.attach([Watcher()], None)  # type: ignore[arg-type]
    assert log.on_control_step is None
    log.attach([Wants()], None)  # type: ignore[arg-type]
    assert log.on_control_step is not None


def test_the_module_names_all_its_events() -> None:
    models = {model.__name__ for model in get_args(get_args(Event)[0])}
    assert models == {name for name, thing in vars(events).items() if isinstance(thing, type)
                      and issubclass(thing, events._Event) and thing is not events._Event}  # fmt: skip
