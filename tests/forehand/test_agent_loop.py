"""The loop on a table of literals: what follows what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from loop_parts import FixedPlanner, graph_of

from forehand.events import Event
from forehand.parts import ASIDE_M, ASIDE_STEPS
from planner.planner import Impossible, Plan, Question
from planner.recovery import Recovery, RecoveryBudgets, Rung, Situation
from skills.goal import Goal
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill_graph import SkillGraph
from world_model.results import EndedBy, Verdict, VerdictStatus

LIBRARY = SkillLibrary()
MakeBench = Callable[..., Any]
IN_BOWL = "in(red block, red bowl)"


# ---- the good course


def test_perceive_plan_act_judge_check(bench: MakeBench, table: Any) -> None:
    run = bench(IN_BOWL)
    ending = run.run()
    assert (ending.outcome, table.done) == ("succeeded", ["pick(red block)", "place_in(red bowl)"])
    assert run.kinds == [
        "perceived", "planned", "graph_changed",
        "step_started", "skill_ended", "perceived", "judged",
        "step_started", "skill_ended", "perceived", "judged",
        "perceived", "goal_checked",
    ]  # fmt: skip


def test_it_looks_once_more_before_it_says_succeeded(bench: MakeBench, table: Any) -> None:
    run = bench(IN_BOWL)

    def someone_takes_it_out(_bench: Any) -> None:
        if table.done == ["pick(red block)", "place_in(red bowl)"]:
            table.state = table.state.apply(map(Literal.parse, (f"not {IN_BOWL}", "on(red block, table)")))

    run.checkpoint = someone_takes_it_out
    ending = run.run()
    assert ending.outcome == "succeeded"
    assert table.done == ["pick(red block)", "place_in(red bowl)"] * 2
    missed, held = run.of_kind("goal_checked")
    assert (missed.holds, held.holds) == (False, True)
    assert missed.unmet == ("in(red block, red bowl) does not hold",)
    assert [(e.rung, e.step) for e in run.of_kind("recovery")] == [("replan", None)]


def test_every_event_is_heard_before_its_effect(bench: MakeBench, table: Any, mishaps: dict[str, Any]) -> None:
    seen: dict[str, int] = {}

    def on_event(event: Event) -> None:
        if event.kind == "step_started":
            assert len(table.done) == seen.get("skill_ended", 0), "the robot moves after step_started, not before"
        if event.kind in ("judged", "recovery"):
            assert run.state.runner is not None
            assert run.state.runner.statuses[event.step] in ("running", "failed")
        seen[event.kind] = seen.get(event.kind, 0) + 1

    recorder = mishaps["Recorder"](on_event)
    table.mishaps[2] = mishaps["nothing"]
    run = bench(IN_BOWL, watchers=(recorder,))
    assert run.run().outcome == "succeeded"
    assert [e.seq for e in recorder.heard] == list(range(1, len(run.log.events) + 1))
    assert "part_failed" not in run.kinds


# ---- recovery


def test_a_skill_that_does_nothing_is_tried_again(bench: MakeBench, table: Any, mishaps: dict[str, Any]) -> None:
    table.mishaps[1] = mishaps["nothing"]
    run = bench(IN_BOWL)
    assert run.run().outcome == "succeeded"
    assert table.done == ["pick(red block)", "pick(red block)", "place_in(red bowl)"]
    assert [e.rung for e in run.of_kind("recovery")] == ["retry"]
    assert [(e.step, e.attempt) for e in run.of_kind("step_started")][:2] == [
        ("pick-red-block", 1),
        ("pick-red-block", 2),
    ]


def test_a_block_that_slips_is_picked_up_again_by_a_repair(
    bench: MakeBench, table: Any, mishaps: dict[str, Any]
) -> None:
    def slips(t: Any, call: Any) -> Any:
        t.state = t.state.apply(map(Literal.parse, ("not holding(red block)", "on(red block, table)")))
        return mishaps["nothing"](t, call)

    table.mishaps[2] = slips
    run = bench(IN_BOWL)
    assert run.run().outcome == "succeeded"
    assert table.done == ["pick(red block)", "place_in(red bowl)", "pick(red block)", "place_in(red bowl)"]
    (recovery,) = run.of_kind("recovery")
    assert (recovery.rung, "hand is empty" in recovery.reason) == ("repair", True)
    assert [e.step for e in run.of_kind("step_started")][2].startswith("place_in-red-bowl-repair1/")


def test_a_step_whose_preconditions_do_not_hold_is_not_started(
    bench: MakeBench, table: Any, mishaps: dict[str, Any]
) -> None:
    table.state = table.state.apply([Literal.parse("open(drawer)")])
    table.mishaps[1] = mishaps["also"]("not open(drawer)")  # somebody shuts it meanwhile
    run = bench("in(red block, drawer)")
    assert run.run().outcome == "succeeded"
    not_started = [e for e in run.of_kind("skill_ended") if e.ended_by == "not_started"]
    assert len(not_started) == 1
    assert "drawer is closed" in not_started[0].detail


def test_after_a_run_that_got_stuck_the_hand_goes_home_first_with_what_it_holds(
    bench: MakeBench, table: Any, mishaps: dict[str, Any]
) -> None:
    table.mishaps[1] = mishaps["ends_by"](EndedBy.NO_PROGRESS)
    run = bench(IN_BOWL)
    assert run.run().outcome == "succeeded"
    assert table.homed == ["open"]
    table.mishaps[len(table.done) + 2] = mishaps["ends_by"](EndedBy.TIME_LIMIT)
    assert bench("in(blue block, blue bowl)").run().outcome == "succeeded"
    assert table.homed == ["open", "closed"]


def asides(table: Any) -> list[tuple[float, ...]]:
    """Where the hand went beside home, each time."""
    moved = [way for way in table.moved if any(way)]
    runs = [moved[k : k + ASIDE_STEPS] for k in range(0, len(moved), ASIDE_STEPS)]
    return [tuple(round(sum(axis), 6) for axis in zip(*run, strict=True)) for run in runs]


def test_each_further_attempt_at_a_call_begins_from_another_place(
    bench: MakeBench, table: Any, mishaps: dict[str, Any]
) -> None:
    """A policy that sees only the present would fail from one place as often as it is asked."""
    table.mishaps = dict.fromkeys((1, 2, 3), mishaps["nothing"])
    run = bench(IN_BOWL, budgets=RecoveryBudgets(retries_per_step=3))
    assert run.run().outcome == "succeeded"
    assert table.homed == ["open", "open"], "not after the first: it ended of itself"
    assert asides(table) == [(*ASIDE_M[0], 0.0), (*ASIDE_M[1], 0.0)]


def test_a_hand_that_cannot_get_home_is_not_moved_aside(bench: MakeBench, table: Any, mishaps: dict[str, Any]) -> None:
    table.mishaps, table.blocked = dict.fromkeys((1, 2), mishaps["nothing"]), True
    assert bench(IN_BOWL).run().outcome == "succeeded"
    assert (table.homed, asides(table)) == (["open"], [])


def test_what_failed_long_ago_and_has_worked_since_is_forgotten(
    bench: MakeBench, table: Any, mishaps: dict[str, Any]
) -> None:
    twice = graph_of("pick(red block)", "place_on(table)", "pick(red block)")
    table.mishaps = dict.fromkeys((1, 4), mishaps["nothing"])
    run = bench(None, planner=FixedPlanner(Plan(Goal.parse("holding(red block)"), twice)))
    assert run.run().outcome == "succeeded"
    assert table.done.count("pick(red block)") == 4
    assert table.homed == []


def test_a_skill_that_never_works_ends_the_run_within_its_budgets(
    bench: MakeBench, table: Any, mishaps: dict[str, Any]
) -> None:
    table.mishaps = dict.fromkeys(range(1, 1000), mishaps["nothing"])
    run = bench(IN_BOWL, budgets=RecoveryBudgets(retries_per_step=1, replans=2, barren_replans=2))
    ending = run.run()
    assert ending.outcome == "failed"
    assert len(table.done) == 2 * 3
    assert run.of_kind("recovery")[-1].rung == "give up"
    assert ending.reason == run.of_kind("recovery")[-1].reason


def test_attempts_are_bounded_whatever_the_ladder_says(bench: MakeBench, table: Any, mishaps: dict[str, Any]) -> None:
    table.mishaps = dict.fromkeys(range(1, 1000), mishaps["nothing"])
    run = bench(IN_BOWL, most_steps=7, budgets=RecoveryBudgets(retries_per_step=1000))
    assert run.run().outcome == "failed"
    assert len(table.done) == 7


def test_unsure_is_looked_at_again_and_the_new_verdict_counts(bench: MakeBench, table: Any) -> None:
    class LooksTwice:
        name = "hazy"

        def __init__(self) -> None:
            self.asked: list[tuple[str, int]] = []

        def judge(self, call: Any, *_scenes: Any, attempt: int = 1) -> Verdict:
            self.asked.append((str(call), attempt))
            clear = len(self.asked) > 1
            status = VerdictStatus.SUCCEEDED if clear else VerdictStatus.UNSURE
            return Verdict(status, 0.9 if clear else 0.5, "clear" if clear else "hazy", self.name)

    class LooksAgain:
        """Takes a second look at what is unsure, and goes on with everything else."""

        def unmet(self, *_: Any) -> None:
            return None

        def decide(self, situation: Situation) -> Recovery:
            assert situation.result is not None
            unsure = situation.result.verdict.status is VerdictStatus.UNSURE
            return Recovery(Rung.RE_GROUND if unsure else Rung.CONTINUE, "to be sure", judge_again=unsure)

    detector = LooksTwice()
    run = bench(IN_BOWL, detector=detector, parts_changed={"ladder": LooksAgain()})
    assert run.run().outcome == "succeeded"
    assert detector.asked[:2] == [("pick(red block)", 1), ("pick(red block)", 1)]
    assert [(e.status, e.attempt) for e in run.of_kind("judged")][:2] == [("unsure", 1), ("succeeded", 1)]
    assert [r.verdict.status for r in run.state.history] == ["succeeded", "succeeded"]
    assert table.done == ["pick(red block)", "place_in(red bowl)"]


def test_a_repeat_out_of_rounds_is_a_failure_to_recover_from(bench: MakeBench, table: Any) -> None:
    body = {"steps": [{"id": "press", "do": "press(button)"}]}
    loop = SkillGraph.model_validate({"steps": [{"id": "r", "repeat": body, "until": "lit(lamp)", "at_most": 2}]})

    def someone_switches_it_off(b: Any) -> None:
        if len(table.done) < 3:
            table.state = table.state.apply([Literal.parse("not lit(lamp)")])
            b.parts.belief.update(None)

    planner = FixedPlanner(Plan(Goal.parse("lit(lamp)"), loop))
    run = bench("lit(lamp)", planner=planner, checkpoint=someone_switches_it_off)
    assert run.run().outcome == "succeeded"
    assert [e.step for e in run.of_kind("step_started")] == ["r/1/press", "r/2/press", "replan1/r/1/press"]
    (recovery,) = run.of_kind("recovery")
    assert recovery.rung == "replan"
    assert "lit(lamp) does not hold after 2 rounds" in recovery.reason


@pytest.mark.parametrize(("answer", "outcome"), [("stop", "failed"), (None, "failed"), ("try again", "succeeded")])
def test_at_the_end_of_its_budgets_it_asks_the_person(
    bench: MakeBench, table: Any, mishaps: dict[str, Any], answer: str | None, outcome: str
) -> None:
    table.mishaps = {1: mishaps["nothing"]}
    budgets = RecoveryBudgets(retries_per_step=0, replans=0, barren_replans=0)
    run = bench(IN_BOWL, budgets=budgets, ask=lambda _question: answer)
    assert run.run().outcome == outcome
    assert [e.rung for e in run.of_kind("recovery")] == ["ask"]
    assert "What should be done?" in run.of_kind("question")[0].text
    assert run.state.answers == []


def test_more_than_a_nod_goes_to_the_planner(bench: MakeBench, table: Any, mishaps: dict[str, Any]) -> None:
    table.mishaps = {1: mishaps["nothing"]}
    budgets = RecoveryBudgets(retries_per_step=0, replans=0, barren_replans=0)
    run = bench(IN_BOWL, budgets=budgets, ask=lambda _question: "take it from the side")
    assert run.run().outcome == "succeeded"
    assert [answer for _, answer in run.state.answers] == ["take it from the side"]


# ---- planners that ask, refuse, or give a graph that cannot work


def test_a_question_without_anybody_to_answer_ends_in_clarify(bench: MakeBench, table: Any) -> None:
    run = bench(None, planner=FixedPlanner(Question("Which block?", ("red", "blue"))), instruction="take it")
    ending = run.run()
    assert (ending.outcome, ending.reason, table.done) == ("clarify", "Which block?", [])
    assert run.kinds == ["perceived", "question"]


def test_an_answer_goes_to_the_planner_and_the_run_goes_on(bench: MakeBench) -> None:
    plan = Plan(Goal.parse(IN_BOWL), graph_of("pick(red block)", "place_in(red bowl)"), focus=("red block",))
    planner = FixedPlanner(Question("Which block?"), plan)
    run = bench(None, planner=planner, instruction="take it", ask=lambda _question: " the red one ")
    assert run.run().outcome == "succeeded"
    assert planner.asked[-1].answers == (("Which block?", "the red one"),)
    assert [e.text for e in run.of_kind("answer")] == ["the red one"]
    assert run.state.focus == ("red block",)


def test_impossible_says_why(bench: MakeBench) -> None:
    run = bench(IN_BOWL, planner=FixedPlanner(Impossible("there is no bowl")))
    ending = run.run()
    assert (ending.outcome, ending.reason) == ("impossible", "there is no bowl")
    assert run.kinds[-1] == "impossible"


def test_a_plan_that_cannot_work_moves_nothing(bench: MakeBench, table: Any) -> None:
    planner = FixedPlanner(Plan(Goal.parse(IN_BOWL), graph_of("place_in(red bowl)")))
    ending = bench(IN_BOWL, planner=planner).run()
    assert (ending.outcome, table.done) == ("failed", [])
    assert "s0" in ending.reason


def test_replanning_keeps_the_goal_and_tells_what_was_tried(
    bench: MakeBench, table: Any, mishaps: dict[str, Any]
) -> None:
    goal = Goal.parse(IN_BOWL)
    plan = Plan(goal, graph_of("pick(red block)", "place_in(red bowl)"))
    planner = FixedPlanner(plan)
    table.mishaps = dict.fromkeys((1, 2), mishaps["nothing"])
    run = bench(None, planner=planner, instruction="sort", budgets=RecoveryBudgets(retries_per_step=1))
    assert run.run().outcome == "succeeded"
    assert planner.asked[0].goal is None
    assert planner.asked[1].goal == goal
    assert [str(r.run.call) for r in planner.asked[1].history] == ["pick(red block)"] * 2
    assert [e.step for e in run.of_kind("step_started")] == ["s0", "s0", "replan1/s0", "replan1/s1"]


def test_a_graph_that_is_for_nothing_that_can_be_told_is_not_replanned_into_a_success(
    bench: MakeBench, table: Any, mishaps: dict[str, Any]
) -> None:
    twice = FixedPlanner(Plan(Goal(), graph_of("press(button)", "press(button)")))
    run = bench(None, planner=twice)
    assert (run.run().reason, run.state.goal) == ("every step is done", None)
    table.mishaps = dict.fromkeys(range(3, 99), mishaps["nothing"])
    ending = bench(None, planner=twice).run()
    assert (ending.outcome, len(twice.asked)) == ("failed", 2)
    assert "no goal to plan for" in ending.reason


# ---- the arm without feedback


def test_open_loop_runs_the_graph_once_whatever_comes_of_it(
    bench: MakeBench, table: Any, mishaps: dict[str, Any]
) -> None:
    table.mishaps[1] = mishaps["nothing"]
    run = bench(IN_BOWL, closed_loop=False)
    ending = run.run()
    assert table.done == ["pick(red block)", "place_in(red bowl)"]
    assert ending.outcome == "failed"
    assert "recovery" not in run.kinds
    assert run.of_kind("judged")[0].status == "failed"


def test_open_loop_succeeds_where_nothing_goes_wrong(bench: MakeBench) -> None:
    assert bench(IN_BOWL, closed_loop=False).run().outcome == "succeeded"
