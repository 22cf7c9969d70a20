"""The loop on a table of literals: nothing a part does wrong escapes it, a stop ends it, and it goes on from any
boundary."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from loop_parts import FixedPlanner, Raises, graph_of

from executor.stop import StopToken
from forehand.event_log import EventLog, RunFolderError
from forehand.events import Event
from forehand.run_state import RunState
from planner.planner import Plan, PlannerError, PlanOutcome, PlanRequest
from skills.goal import Goal
from skills.library import SkillLibrary
from world_model.results import EndedBy, SkillRun

LIBRARY = SkillLibrary()
MakeBench = Callable[..., Any]
IN_BOWL = "in(red block, red bowl)"


# ---- exceptions in every part


@pytest.mark.parametrize("part", ["perception", "planner", "detector", "ladder", "executor", "belief", "truth"])
@pytest.mark.parametrize("first", [1, 2, 3])
def test_an_exception_in_any_part_is_an_outcome_with_a_reason(bench: MakeBench, part: str, first: int) -> None:
    usual = bench(IN_BOWL).parts
    broken = Raises(RuntimeError("the cable is loose"), getattr(usual, part) if part != "truth" else None, first)
    replacement = broken.look if part == "truth" else broken
    run = bench(IN_BOWL, parts_changed={part: replacement})
    ending = run.run()
    assert ending.outcome in ("succeeded", "failed")
    if broken.calls >= first:
        failures = run.of_kind("part_failed")
        assert failures
        assert all("the cable is loose" in e.reason for e in failures)
        assert all("RuntimeError" in e.trace for e in failures)
    if ending.outcome == "failed":
        assert "the cable is loose" in ending.reason or run.of_kind("recovery")


def test_a_policy_that_raises_is_a_failed_step_that_is_recovered(
    bench: MakeBench, table: Any, mishaps: dict[str, Any]
) -> None:
    table.mishaps[1] = mishaps["ends_by"](EndedBy.ERROR, "policy: ValueError: nan")
    run = bench(IN_BOWL)
    assert run.run().outcome == "succeeded"
    assert run.of_kind("skill_ended")[0].detail == "policy: ValueError: nan"
    assert run.of_kind("recovery")[0].rung == "retry"


def test_a_watcher_that_raises_is_dropped_and_told_of(bench: MakeBench, mishaps: dict[str, Any]) -> None:
    def fails(event: Event) -> None:
        if event.seq == 4:
            raise OSError("terminal is gone")

    broken, healthy = mishaps["Recorder"](fails), mishaps["Recorder"]()
    run = bench(IN_BOWL, watchers=(broken, healthy))
    assert run.run().outcome == "succeeded"
    assert broken.heard[-1].seq == 4
    assert [e.seq for e in healthy.heard] == list(range(1, len(run.log.events) + 1))
    assert [(e.part, e.seq) for e in run.of_kind("part_failed")] == [("recorder", 5)]


def test_a_log_that_cannot_be_written_stops_the_robot_and_is_no_outcome(bench: MakeBench, table: Any) -> None:
    run = bench(IN_BOWL)
    real = run.log.emit

    def emit(event: Event) -> Event:
        if event.kind == "judged":
            raise RunFolderError("disk full")
        return real(event)

    run.log.emit = emit
    with pytest.raises(RunFolderError, match="disk full"):
        run.run()
    assert table.stopped == ["the run's log cannot be written"]


# ---- stopping


def test_a_stop_ends_the_run_and_halts_the_robot(bench: MakeBench, table: Any) -> None:
    stop = StopToken()
    run = bench(IN_BOWL, stop=stop)
    run.checkpoint = lambda _bench: stop.set("a person stopped it") if table.done else None
    ending = run.run()
    assert (ending.outcome, ending.reason) == ("stopped", "a person stopped it")
    assert table.done == ["pick(red block)"]
    assert table.stopped == ["a person stopped it"]


def test_no_motion_of_our_own_undoes_a_stop(bench: MakeBench, table: Any) -> None:
    stop = StopToken()
    run = bench(IN_BOWL, stop=stop)
    stop.set("Ctrl-C")
    for motion in (run.parts.hold_still, run.parts.step_back):
        motion(stop)
        assert table.stopped == ["Ctrl-C"], "ends a stop by the envelope, not a person's"
    run.parts.go_aside(stop, 1)
    assert not any(map(any, table.moved)), "nothing but holding still"
    assert bench(IN_BOWL, stop=stop).run().outcome == "stopped"


def test_a_stop_within_a_skill_leaves_the_attempt_unjudged(bench: MakeBench, table: Any) -> None:
    stop = StopToken()

    def pressed(_table: Any, call: Any) -> SkillRun:
        stop.set("Ctrl-C")
        return SkillRun(call, EndedBy.STOPPED, 2, 0.2, "Ctrl-C")

    table.mishaps[1] = pressed
    run = bench(IN_BOWL, stop=stop)
    assert run.run().outcome == "stopped"
    assert "judged" not in run.kinds
    assert "recovery" not in run.kinds


def test_a_safety_stop_is_a_failed_step_and_not_the_end(bench: MakeBench, table: Any, mishaps: dict[str, Any]) -> None:
    table.mishaps[1] = mishaps["ends_by"](EndedBy.STOPPED, "safety envelope: contact force 300 N")
    run = bench(IN_BOWL)
    assert run.run().outcome == "succeeded"
    assert [(e.reason, e.stopped) for e in run.of_kind("safety")] == [("safety envelope: contact force 300 N", True)]


def test_a_stop_ends_the_wait_for_a_planner(bench: MakeBench, table: Any) -> None:
    class Waiting:
        name = "waiting"

        def __init__(self) -> None:
            self.cancelled = threading.Event()

        def cancel(self) -> None:
            self.cancelled.set()

        def plan(self, _request: PlanRequest) -> PlanOutcome:
            assert self.cancelled.wait(10.0)
            raise PlannerError("cancelled")

    stop = StopToken()
    threading.Timer(0.05, stop.set, ["Ctrl-C"]).start()
    ending = bench(IN_BOWL, planner=Waiting(), stop=stop).run()
    assert (ending.outcome, ending.reason, table.stopped) == ("stopped", "Ctrl-C", ["Ctrl-C"])


def test_an_outside_service_that_fails_before_anything_moved_is_for_whoever_asked(bench: MakeBench) -> None:
    with pytest.raises(PlannerError, match="endpoint is down"):
        bench(IN_BOWL, planner=Raises(PlannerError("the endpoint is down"))).run()


def test_an_outside_service_that_fails_later_is_a_failed_run(
    bench: MakeBench, table: Any, mishaps: dict[str, Any]
) -> None:
    plan = Plan(Goal.parse(IN_BOWL), graph_of("pick(red block)", "place_in(red bowl)"))
    table.mishaps = dict.fromkeys(range(1, 9), mishaps["nothing"])
    planner = Raises(PlannerError("the endpoint is down"), FixedPlanner(plan), first=2)
    ending = bench(IN_BOWL, planner=planner).run()
    assert (ending.outcome, ending.reason) == ("failed", "planner: the endpoint is down")


def test_an_interrupt_anywhere_is_a_stop(bench: MakeBench, table: Any) -> None:
    ending = bench(IN_BOWL, planner=Raises(KeyboardInterrupt())).run()
    assert ending.outcome == "stopped"
    assert table.stopped == ["interrupted"]


# ---- going on from any boundary


@pytest.mark.parametrize("closed_loop", [True, False])
def test_from_every_boundary_on_the_rest_of_the_run_is_the_same(
    bench: MakeBench, table: Any, mishaps: dict[str, Any], closed_loop: bool
) -> None:
    goal = "in(red block, drawer); not open(drawer); lit(lamp)"
    script = {2: mishaps["nothing"], 4: mishaps["nothing"], 5: mishaps["nothing"], 6: mishaps["also"]("not lit(lamp)")}
    table.mishaps = dict(script)
    saved: list[tuple[int, str, Any, list[str]]] = []

    def save(b: Any) -> None:
        data = {"run": b.state.to_json(), "ladder": b.parts.ladder.snapshot()}
        saved.append((len(b.log.events), json.dumps(data), table.state, list(table.done)))

    whole = bench(goal, checkpoint=save, closed_loop=closed_loop)
    ending = whole.run()
    assert len(saved) > 4
    for count, text, symbols, done in saved:
        data = json.loads(text)
        table.state, table.done[:] = symbols, done
        rest = bench(goal, closed_loop=closed_loop)
        rest.parts.belief.update(None)
        rest.parts.ladder.restore(data["ladder"])
        rest.state = RunState.from_json(data["run"], LIBRARY, rest.parts.holds)
        assert rest.run() == ending
        assert _told(rest.log) == _told(whole.log, count)


def _told(log: EventLog, skip: int = 0) -> list[dict[str, Any]]:
    times = {"seq", "wall_time_s", "wall_s"}
    return [event.model_dump(exclude=times) for event in log.events[skip:]]
