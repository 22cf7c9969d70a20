"""GraphRunner: order, hand blocks, branches, repeats, what recoveries put in, and the way through a snapshot."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.graph_runner import GraphRunner
from executor.graph_state import StepStatus
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill_graph import SkillGraph
from world_model.results import EndedBy, SkillRun, StepResult, Verdict, VerdictStatus

LIBRARY = SkillLibrary()
VERDICTS = {
    True: Verdict(VerdictStatus.SUCCEEDED, 1.0, "seen", "fake"),
    False: Verdict(VerdictStatus.FAILED, 1.0, "not seen", "fake"),
    None: Verdict(VerdictStatus.UNSURE, 0.5, "cannot tell", "fake"),
}


class World:
    """Literals as they are believed; None: cannot tell."""

    def __init__(self) -> None:
        self.truth: dict[str, bool | None] = {}

    def holds(self, literal: Literal) -> bool | None:
        return self.truth.get(str(literal), False)


def graph(*steps: dict[str, Any]) -> SkillGraph:
    return SkillGraph.model_validate({"steps": steps})


def runner_of(*steps: dict[str, Any], world: World | None = None) -> GraphRunner:
    return GraphRunner(graph(*steps), LIBRARY, (world or World()).holds)


def paths(runner: GraphRunner) -> list[str]:
    return [step.path for step in runner.ready()]


def finish(runner: GraphRunner, path: str, succeeded: bool | None = True) -> None:
    (step,) = [s for s in runner.ready() if s.path == path]
    attempt = runner.start(path)
    assert attempt == step.attempt
    runner.record(StepResult(path, attempt, SkillRun(step.call, EndedBy.TERMINATED, 1, 0.1), VERDICTS[succeeded]))


def run_out(runner: GraphRunner) -> list[str]:
    """Runs the first ready step until none is left; the order they ran in."""
    order = []
    while ready := paths(runner):
        order.append(ready[0])
        finish(runner, ready[0])
    return order


def pick_and_place(block: str, bowl: str, *, after: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    return [
        {"id": f"pick-{block}", "do": f"pick({block} block)", "after": after},
        {"id": f"place-{block}", "do": f"place_in({bowl} bowl)", "after": [f"pick-{block}"]},
    ]


def test_partial_order_is_honoured_and_file_order_breaks_ties() -> None:
    runner = runner_of(
        {"id": "c", "do": "close(drawer)", "after": ["a", "b"]},
        {"id": "a", "do": "press(button)"},
        {"id": "b", "do": "open(drawer)"},
    )
    assert paths(runner) == ["a", "b"]
    assert runner.statuses == {"c": "pending", "a": "ready", "b": "ready"}
    finish(runner, "b")
    assert paths(runner) == ["a"]
    finish(runner, "a")
    assert paths(runner) == ["c"]
    finish(runner, "c")
    assert (paths(runner), runner.done) == ([], True)


def test_after_a_pick_only_its_place_is_ready() -> None:
    runner = runner_of(
        *pick_and_place("red", "red"), *pick_and_place("blue", "blue"), {"id": "l", "do": "press(button)"}
    )
    assert paths(runner) == ["pick-red", "pick-blue", "l"]
    finish(runner, "pick-blue")
    assert paths(runner) == ["place-blue"]
    finish(runner, "place-blue")
    assert paths(runner) == ["pick-red", "l"]


def test_a_failed_or_unsure_step_waits_for_a_recovery_and_holds_up_its_successors() -> None:
    for verdict in (False, None):
        runner = runner_of({"id": "a", "do": "press(button)"}, {"id": "b", "do": "open(drawer)", "after": ["a"]})
        finish(runner, "a", verdict)
        assert (paths(runner), runner.done, runner.statuses["a"]) == ([], False, "failed")
    runner.retry("a")
    assert [(s.path, s.attempt) for s in runner.ready()] == [("a", 2)]
    finish(runner, "a", None)
    runner.accept("a")
    assert paths(runner) == ["b"]


def test_a_branch_is_decided_when_its_turn_comes() -> None:
    world = World()
    branch = {
        "id": "check",
        "if": "lit(lamp)",
        "then": {"steps": [{"id": "off", "do": "press(button)"}]},
        "else": {"steps": [{"id": "open", "do": "open(drawer)"}]},
        "after": ["first"],
    }
    runner = runner_of(
        {"id": "first", "do": "press(button)"},
        branch,
        {"id": "z", "do": "close(drawer)", "after": ["check"]},
        world=world,
    )
    assert paths(runner) == ["first"]
    world.truth["lit(lamp)"] = True
    finish(runner, "first")
    assert paths(runner) == ["check/then/off"]
    assert runner.decisions == ("check: lit(lamp) holds: then",)
    world.truth["lit(lamp)"] = False  # decided is decided
    assert paths(runner) == ["check/then/off"]
    assert run_out(runner) == ["check/then/off", "z"]
    assert runner.done


@pytest.mark.parametrize("truth", [False, None])
def test_an_empty_arm_frees_what_comes_after_at_once_and_cannot_tell_takes_else(truth: bool | None) -> None:
    world = World()
    world.truth["lit(lamp)"] = truth
    runner = runner_of(
        {"id": "check", "if": "lit(lamp)", "then": {"steps": [{"id": "off", "do": "press(button)"}]}},
        {"id": "z", "do": "close(drawer)", "after": ["check"]},
        world=world,
    )
    assert paths(runner) == ["z"]
    assert runner.statuses["check"] == "succeeded"
    assert ("cannot tell" in runner.decisions[0]) == (truth is None)


def test_a_repeat_asks_before_each_round_and_names_its_rounds() -> None:
    world = World()
    body = {"steps": [{"id": "push", "do": "press(button)"}]}
    runner = runner_of(
        {"id": "until", "repeat": body, "until": "lit(lamp)", "at_most": 5},
        {"id": "z", "do": "close(drawer)", "after": ["until"]},
        world=world,
    )
    finish(runner, "until/1/push")
    finish(runner, "until/2/push")
    world.truth["lit(lamp)"] = True
    assert paths(runner) == ["z"]
    assert {k: str(v) for k, v in runner.statuses.items()} == {
        "until": "succeeded", "until/1": "succeeded", "until/1/push": "succeeded",
        "until/2": "succeeded", "until/2/push": "succeeded", "z": "ready",
    }  # fmt: skip


def test_a_repeat_out_of_rounds_is_stuck_and_without_a_condition_is_done() -> None:
    body = {"steps": [{"id": "push", "do": "press(button)"}]}
    stuck = runner_of({"id": "r", "repeat": body, "until": "lit(lamp)", "at_most": 2})
    assert run_out(stuck) == ["r/1/push", "r/2/push"]
    assert (stuck.done, [(s.path, s.reason) for s in stuck.stuck]) == (
        False, [("r", "lit(lamp) does not hold after 2 rounds")],
    )  # fmt: skip
    counted = runner_of({"id": "r", "repeat": body, "at_most": 2})
    assert run_out(counted) == ["r/1/push", "r/2/push"]
    assert counted.done
    empty = runner_of({"id": "r", "repeat": {"steps": []}, "at_most": 50})
    assert (paths(empty), empty.done) == ([], True)


def test_a_repeat_whose_literal_holds_already_runs_no_round() -> None:
    world = World()
    world.truth["lit(lamp)"] = True
    body = {"steps": [{"id": "push", "do": "press(button)"}]}
    runner = runner_of({"id": "r", "repeat": body, "until": "lit(lamp)", "at_most": 2}, world=world)
    assert (paths(runner), runner.done) == ([], True)


def test_sub_graphs_nest_with_full_paths() -> None:
    inner = {"steps": pick_and_place("red", "red")}
    runner = runner_of(
        {"id": "tidy", "graph": {"steps": [{"id": "first", "graph": inner}, {"id": "l", "do": "press(button)"}]}}
    )
    assert paths(runner) == ["tidy/first/pick-red", "tidy/l"]
    finish(runner, "tidy/first/pick-red")
    assert paths(runner) == ["tidy/first/place-red"], "the hand is full, further in as well"
    finish(runner, "tidy/first/place-red")
    assert run_out(runner) == ["tidy/l"]


def test_a_repair_goes_in_front_of_the_failed_step_and_the_rest_is_kept() -> None:
    runner = runner_of(*pick_and_place("red", "red"), {"id": "z", "do": "close(drawer)", "after": ["place-red"]})
    finish(runner, "pick-red")
    finish(runner, "place-red", False)
    repair = graph({"id": "again", "do": "pick(red block)"})
    assert runner.splice("place-red", repair) == "place-red-repair1"
    assert paths(runner) == ["place-red-repair1/again"]
    finish(runner, "place-red-repair1/again")
    assert [(s.path, s.attempt) for s in runner.ready()] == [("place-red", 2)]
    finish(runner, "place-red", False)
    assert runner.splice("place-red", repair) == "place-red-repair2"
    assert run_out(runner) == ["place-red-repair2/again", "place-red", "z"]
    assert runner.done


def test_a_repair_within_a_round_leaves_the_other_rounds_alone() -> None:
    body = {"steps": [{"id": "open", "do": "open(drawer)"}]}
    runner = runner_of({"id": "r", "repeat": body, "at_most": 2})
    finish(runner, "r/1/open", False)
    runner.splice("r/1/open", graph({"id": "x", "do": "press(button)"}))
    assert run_out(runner) == ["r/1/open-repair1/x", "r/1/open", "r/2/open"]


def test_a_replacement_keeps_what_was_done_and_skips_the_rest() -> None:
    runner = runner_of(*pick_and_place("red", "red"), {"id": "z", "do": "close(drawer)", "after": ["place-red"]})
    finish(runner, "pick-red")
    finish(runner, "place-red", False)
    assert runner.replace(graph({"id": "z", "do": "open(drawer)"})) == "replan1"
    assert paths(runner) == ["replan1/z"]
    finish(runner, "replan1/z", False)
    assert runner.replace(graph({"id": "z", "do": "open(drawer)"})) == "replan2"
    assert run_out(runner) == ["replan2/z"]
    assert runner.done
    assert {k: str(v) for k, v in runner.statuses.items()} == {
        "pick-red": "succeeded", "place-red": "failed", "z": "skipped",
        "replan1": "skipped", "replan1/z": "failed", "replan2": "succeeded", "replan2/z": "succeeded",
    }  # fmt: skip
    assert [s.id for s in runner.graph.steps] == ["pick-red", "place-red", "z", "replan1", "replan2"]


def test_the_drawn_graph_has_a_node_for_each_status() -> None:
    world = World()
    body = {
        "steps": [
            {
                "id": "check",
                "if": "lit(lamp)",
                "then": {"steps": []},
                "else": {"steps": [{"id": "p", "do": "press(button)"}]},
            }
        ]
    }
    runner = runner_of({"id": "r", "repeat": body, "at_most": 2}, {"id": "z", "do": "open(drawer)"}, world=world)
    finish(runner, "r/1/check/else/p", False)
    runner.splice("r/1/check/else/p", graph({"id": "x", "do": "close(drawer)"}))
    run_out(runner)
    drawn = {p for p, _ in _nodes(runner.graph)}
    assert set(runner.statuses) <= drawn


def _nodes(drawn: SkillGraph, level: str = "") -> list[tuple[str, str]]:
    found = []
    for step in drawn.steps:
        path = f"{level}{step.id}"
        found.append((path, type(step).__name__))
        for name, inner in (("then/", "then"), ("else/", "otherwise"), ("", "graph"), ("", "body")):
            if hasattr(step, inner):
                found += _nodes(getattr(step, inner), f"{path}/{name}")
    return found


def test_recording_what_does_not_run_is_refused_by_name() -> None:
    runner = runner_of({"id": "a", "do": "press(button)"})
    call = runner.ready()[0].call
    with pytest.raises(KeyError, match="no step 'b' in use; have: a"):
        runner.record(StepResult("b", 1, SkillRun(call, EndedBy.TERMINATED, 1, 0.1), VERDICTS[True]))


LEAF_CALLS = ["press(button)", "open(drawer)", "close(drawer)"]


@st.composite
def graphs(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    steps: list[dict[str, Any]] = []
    for index in range(draw(st.integers(0, 4))):
        kind = draw(
            st.sampled_from(["call", "call", "block", "branch", "repeat", "graph"] if depth else ["call", "block"])
        )
        after = draw(st.lists(st.sampled_from([s["id"] for s in steps]), unique=True, max_size=2)) if steps else []
        base = {"id": f"s{index}", "after": after}
        if kind == "call":
            steps.append({**base, "do": draw(st.sampled_from(LEAF_CALLS))})
        elif kind == "block":
            steps.append({**base, "do": "pick(red block)"})
            steps.append({"id": f"s{index}p", "after": [f"s{index}"], "do": "place_in(red bowl)"})
        elif kind == "branch":
            arms = {"then": draw(graphs(depth - 1)), "else": draw(graphs(depth - 1))}
            steps.append({**base, "if": draw(st.sampled_from(["lit(lamp)", "open(drawer)"])), **arms})
        elif kind == "repeat":
            until = draw(st.sampled_from([None, "lit(lamp)"]))
            steps.append(
                {**base, "repeat": draw(graphs(depth - 1)), "until": until, "at_most": draw(st.integers(1, 3))}
            )
        else:
            steps.append({**base, "graph": draw(graphs(depth - 1))})
    return {"steps": steps}


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_any_graph_runs_to_its_end_in_order_also_through_snapshots_and_failures(data: st.DataObject) -> None:
    model = SkillGraph.model_validate(data.draw(graphs()))
    world = World()
    runner = GraphRunner(model, LIBRARY, world.holds)
    settled: list[str] = []
    holding: str | None = None
    for _ in range(300):
        world.truth["lit(lamp)"] = data.draw(st.sampled_from([True, False, None]))
        if data.draw(st.booleans()):
            before = runner.statuses
            runner = GraphRunner.restored(json.loads(json.dumps(runner.snapshot())), LIBRARY, world.holds)
            assert runner.statuses == before
        ready = runner.ready()
        if not ready:
            break
        step = data.draw(st.sampled_from(ready))
        if holding is not None:
            assert step.path == f"{holding}p", "a pick and its place are one block"
        verdict = data.draw(st.sampled_from([True, True, False]))
        finish_step(runner, step.path, verdict)
        if not verdict:
            runner.retry(step.path)
            continue
        settled.append(step.path)
        if step.call.skill in ("pick", "place_in"):
            holding = step.path if step.call.skill == "pick" else None
    assert runner.done or runner.stuck
    assert len(set(settled)) == len(settled), "no step succeeds twice"
    assert runner.done == all(s in ("succeeded", "skipped") for s in runner.statuses.values())


def finish_step(runner: GraphRunner, path: str, verdict: bool) -> None:
    (step,) = [s for s in runner.ready() if s.path == path]
    attempt = runner.start(path)
    runner.record(StepResult(path, attempt, SkillRun(step.call, EndedBy.TERMINATED, 1, 0.1), VERDICTS[verdict]))


def test_a_step_that_was_running_when_saved_is_ready_again() -> None:
    runner = runner_of({"id": "a", "do": "press(button)"})
    runner.ready()
    runner.start("a")
    assert (paths(runner), runner.statuses["a"]) == ([], StepStatus.RUNNING)
    restored = GraphRunner.restored(runner.snapshot(), LIBRARY, World().holds)
    assert [(s.path, s.attempt) for s in restored.ready()] == [("a", 1)]
