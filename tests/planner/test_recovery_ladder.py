"""The recovery ladder: which rung for which situation, budgets that end every run, snapshots, and whole symbolic runs
with skills that fail, detectors that lie and a world that interferes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pytest
from pydantic import ValidationError
from symbolic_cases import LIBRARY, literals, table

from executor.graph_runner import GraphRunner
from planner.planner import Impossible, Plan, PlanRequest
from planner.recovery import Recovery, RecoveryBudgets, RecoveryLadder, Rung, Situation
from planner.search import SearchPlanner
from robots.physical_state import HandState, ObjectState, PhysicalState
from skills.building import branch, sequence, unordered
from skills.calls import apply_call, unmet_precondition
from skills.goal import Goal
from skills.literals import Literal
from skills.skill import SkillCall
from skills.skill_graph import SkillGraph
from skills.symbolic_state import SymbolicState
from world_model.results import EndedBy, SkillRun, StepResult, Verdict, VerdictStatus
from world_model.scene import Scene

THINGS = ("red block", "green block", "blue block", "red bowl", "green bowl", "drawer", "button", "lamp")
START = table(THINGS)
GRAPH = unordered(
    sequence("pick(red block)", "place_in(red bowl)"), sequence("pick(green block)", "place_in(green bowl)")
)
GOAL = Goal.parse("in(red block, red bowl), in(green block, green bowl)")
PICK, PLACE = "pick-red-block", "place_in-red-bowl"


def result(step: str, call: str, status: str = "failed", ended_by: EndedBy = EndedBy.TERMINATED) -> StepResult:
    run = SkillRun(SkillCall.parse(call), ended_by, 20, 2.0)
    return StepResult(step, 1, run, Verdict(VerdictStatus(status), 0.9, "as it looks", "test"))


def situation(
    judged: StepResult | None,
    before: SymbolicState | Scene = START,
    after: SymbolicState | Scene = START,
    *,
    graph: SkillGraph = GRAPH,
    done: tuple[str, ...] = (),
    goal: Goal | None = GOAL,
    can_ask: bool = False,
) -> Situation:
    scenes = [s if isinstance(s, Scene) else Scene.from_symbolic(s) for s in (before, after)]
    statuses = {step.id: "succeeded" if step.id in done else "pending" for step in graph.steps}
    return Situation(judged, scenes[0], scenes[1], graph, statuses, goal, START, can_ask)


def decide(*arguments: object, **options: object) -> Recovery:
    return RecoveryLadder(LIBRARY).decide(situation(*arguments, **options))  # type: ignore[arg-type]


def calls(graph: SkillGraph | None) -> list[str]:
    return [str(call) for call in graph.calls()] if graph is not None else []


HELD = table(THINGS, "holding(red block)")
FAILED_PICK, FAILED_PLACE = result(PICK, "pick(red block)"), result(PLACE, "place_in(red bowl)")


def test_a_success_goes_on() -> None:
    recovery = decide(result(PICK, "pick(red block)", "succeeded"), START, HELD)
    assert recovery == Recovery(Rung.CONTINUE, "as it looks")


def test_effects_that_are_seen_count_though_the_step_was_judged_failed() -> None:
    recovery = decide(FAILED_PLACE, HELD, table(THINGS, "in(red block, red bowl)"), done=(PICK,))
    assert recovery.rung is Rung.CONTINUE
    assert "in(red block, red bowl)" in recovery.reason


def test_effects_that_are_only_expected_do_not_count_against_a_failure() -> None:
    expected = Scene.from_symbolic(table(THINGS, "in(red block, red bowl)"), source="predicted", confidence=0.6)
    assert decide(FAILED_PLACE, HELD, expected, done=(PICK,)).rung is not Rung.CONTINUE


def test_what_could_work_right_away_is_tried_again_within_its_budget() -> None:
    ladder = RecoveryLadder(LIBRARY, RecoveryBudgets(retries_per_step=2))
    rungs = [ladder.decide(situation(FAILED_PICK)).rung for _ in range(3)]
    assert rungs == [Rung.RETRY, Rung.RETRY, Rung.REPLAN]


def test_what_was_moved_is_looked_for_before_the_next_try() -> None:
    def scene(x_m: float) -> Scene:
        hand = HandState((0.3, 0.0, 0.3), (0.0, 0.0, 0.0, 1.0), 0.08)
        block = ObjectState("red block", "block", (x_m, 0.0, 0.02))
        base = Scene.from_symbolic(START)
        placed = {**base.objects_by_name, "red block": replace(base.objects_by_name["red block"], state=block)}
        seen = replace(base, objects_by_name=placed, hand=hand)
        assert isinstance(seen.physical, PhysicalState)
        return seen

    moved = decide(FAILED_PICK, scene(0.40), scene(0.52))
    assert moved.rung is Rung.RE_GROUND
    assert not moved.judge_again
    assert "the red block is not where it was" in moved.reason
    assert decide(FAILED_PICK, scene(0.40), scene(0.41)).rung is Rung.RETRY


@pytest.mark.parametrize(
    ("after", "done", "judged", "repair"),
    [
        (START, (PICK,), FAILED_PLACE, ["pick(red block)"]),  # it slipped
        (table(THINGS, "on(blue block, red block)"), (), FAILED_PICK, ["pick(blue block)", "place_on(table)"]),
        (table(THINGS, "in(red block, drawer)"), (), FAILED_PICK, ["open(drawer)"]),
        (table(THINGS, "on(red block, blue block)"), (PICK,), FAILED_PLACE, ["pick(red block)"]),
    ],
)
def test_lost_preconditions_are_restored_and_the_rest_is_kept(
    after: SymbolicState, done: tuple[str, ...], judged: StepResult, repair: list[str]
) -> None:
    recovery = decide(judged, HELD if done else START, after, done=done)
    assert recovery.rung is Rung.REPAIR
    assert calls(recovery.graph) == repair
    assert judged.run.call.skill in recovery.reason


def test_a_drawer_shut_in_between_is_opened_with_the_hand_freed_first() -> None:
    moves = [sequence(f"pick({block} block)", "place_in(drawer)") for block in ("red", "green")]
    graph = sequence("open(drawer)", unordered(*moves))
    held = table(THINGS, "holding(red block)")
    judged = result("place_in-drawer", "place_in(drawer)", ended_by=EndedBy.NOT_STARTED)
    goal = Goal.parse("in(red block, drawer), in(green block, drawer)")
    recovery = decide(judged, held, held, graph=graph, done=("open-drawer", PICK), goal=goal)
    assert recovery.rung is Rung.REPAIR
    assert calls(recovery.graph) == ["place_on(table)", "open(drawer)", "pick(red block)"]


def test_inside_a_branch_the_pick_before_it_says_what_to_hold() -> None:
    place = branch("lit(lamp)", then="place_in(red bowl)", otherwise="place_in(green bowl)")
    graph = sequence("pick(red block)", place)
    path = "if-lit-lamp/else/place_in-green-bowl"
    statuses = {PICK: "succeeded", "if-lit-lamp": "running", path: "failed"}
    judged = result(path, "place_in(green bowl)", ended_by=EndedBy.NOT_STARTED)
    scene = Scene.from_symbolic(START)
    goal = Goal.parse("in(red block, green bowl)")
    recovery = RecoveryLadder(LIBRARY).decide(Situation(judged, scene, scene, graph, statuses, goal, START))
    assert recovery.rung is Rung.REPAIR
    assert calls(recovery.graph) == ["pick(red block)"]


def test_a_repair_that_would_spoil_the_goal_becomes_a_new_plan() -> None:
    graph = sequence("pick(red block)", "place_on(green block)")
    buried = table(THINGS, "on(blue block, green block)")
    goal = Goal.parse("on(red block, green block), on(blue block, green bowl)".replace("green bowl", "table"))
    assert decide(FAILED_PICK, START, buried, graph=graph, goal=goal).rung is not Rung.REPAIR
    wanted = Goal.parse("in(red block, red bowl), on(blue block, red block)")
    on_top = table(THINGS, "on(blue block, red block)")
    recovery = decide(FAILED_PICK, START, on_top, goal=wanted)
    assert recovery.rung is Rung.REPLAN
    assert "on(blue block, red block) would not hold at the end" in recovery.reason


def test_what_is_out_of_sight_is_looked_for_then_searched_for_then_given_up() -> None:
    ladder = RecoveryLadder(LIBRARY, RecoveryBudgets(looks_per_step=1))
    hidden = table(THINGS, hidden=["red block"])
    missing = situation(result(PICK, "pick(red block)", ended_by=EndedBy.NOT_STARTED), START, hidden)
    assert ladder.decide(missing).rung is Rung.RE_GROUND
    opened = ladder.decide(missing)
    assert opened.rung is Rung.REPAIR
    assert calls(opened.graph) == ["open(drawer)"]
    scene = Scene.from_symbolic(hidden, unexplored=[])
    gone = {**scene.objects_by_name, "red block": replace(scene.objects_by_name["red block"], gone=True)}
    final = ladder.decide(replace(missing, after=replace(scene, objects_by_name=gone)))
    assert final.rung is Rung.GIVE_UP
    assert final.impossible
    assert "the red block" in final.reason


def test_what_is_gone_but_not_needed_leads_to_a_new_plan() -> None:
    scene = Scene.from_symbolic(table(THINGS, hidden=["red block"]), unexplored=[])
    gone = {**scene.objects_by_name, "red block": replace(scene.objects_by_name["red block"], gone=True)}
    recovery = decide(FAILED_PICK, START, replace(scene, objects_by_name=gone), goal=Goal.parse("lit(lamp)"))
    assert recovery.rung is Rung.REPLAN


def test_unsure_looks_again_then_goes_on_only_where_the_effect_is_believed_or_not_needed() -> None:
    doubtful = result(PLACE, "place_in(red bowl)", "unsure")
    ladder = RecoveryLadder(LIBRARY, RecoveryBudgets(looks_per_step=1))
    believed = Scene.from_symbolic(table(THINGS, "in(red block, red bowl)"), source="predicted", confidence=0.6)
    look = ladder.decide(situation(doubtful, HELD, believed, done=(PICK,)))
    assert (look.rung, look.judge_again) == (Rung.RE_GROUND, True)
    assert ladder.decide(situation(doubtful, HELD, believed, done=(PICK,))).rung is Rung.CONTINUE
    spent = RecoveryLadder(LIBRARY, RecoveryBudgets(looks_per_step=0))
    not_needed = situation(doubtful, HELD, START, done=(PICK,), goal=Goal.parse("in(green block, green bowl)"))
    assert spent.decide(not_needed).rung is Rung.CONTINUE
    assert spent.decide(situation(doubtful, HELD, START, done=(PICK,))).rung is Rung.REPAIR


def test_a_done_graph_without_its_goal_is_planned_anew_until_the_budget_is_spent() -> None:
    ladder = RecoveryLadder(LIBRARY, RecoveryBudgets(replans=5, barren_replans=2))
    at_end = situation(None)
    assert [ladder.decide(at_end).rung for _ in range(3)] == [Rung.REPLAN, Rung.REPLAN, Rung.GIVE_UP]
    ladder.decide(situation(result(PICK, "pick(red block)", "succeeded"), START, HELD))
    assert ladder.decide(at_end).rung is Rung.REPLAN
    assert "in(red block, red bowl)" in ladder.decide(at_end).reason


def test_a_person_is_asked_before_giving_up_where_there_is_one() -> None:
    budgets = RecoveryBudgets(retries_per_step=0, replans=0, questions=1)
    ladder = RecoveryLadder(LIBRARY, budgets)
    asked = ladder.decide(situation(FAILED_PICK, can_ask=True))
    assert asked.rung is Rung.ASK
    assert asked.question is not None
    assert asked.question.choices == ("try again", "stop")
    assert ladder.decide(situation(FAILED_PICK, can_ask=True)).rung is Rung.GIVE_UP
    assert RecoveryLadder(LIBRARY, budgets).decide(situation(FAILED_PICK)).rung is Rung.GIVE_UP


def test_without_a_goal_a_graph_is_retried_and_repaired_but_not_replanned() -> None:
    ladder = RecoveryLadder(LIBRARY, RecoveryBudgets(retries_per_step=1))
    slipped = ladder.decide(situation(FAILED_PLACE, HELD, START, done=(PICK,), goal=None))
    assert slipped.rung is Rung.REPAIR
    rungs = [ladder.decide(situation(FAILED_PICK, goal=None)) for _ in range(2)]
    assert [r.rung for r in rungs] == [Rung.RETRY, Rung.GIVE_UP]
    assert not rungs[1].impossible


def test_the_check_before_a_step_catches_a_false_done() -> None:
    ladder = RecoveryLadder(LIBRARY)
    assert ladder.unmet(PICK, GRAPH, Scene.from_symbolic(START)) is None
    not_held = ladder.unmet(PLACE, GRAPH, Scene.from_symbolic(START))
    assert not_held == "place_in(red bowl) needs holding(red block), but the hand is empty"
    wrong = Scene.from_symbolic(table(THINGS, "holding(blue block)"))
    assert ladder.unmet(PLACE, GRAPH, wrong) is not None
    hidden = Scene.from_symbolic(table(THINGS, hidden=["red block"]))
    assert "is not known" in (ladder.unmet(PICK, GRAPH, hidden) or "")


def test_a_snapshot_keeps_what_was_spent() -> None:
    ladder = RecoveryLadder(LIBRARY)
    for _ in range(2):
        ladder.decide(situation(FAILED_PICK))
    other = RecoveryLadder(LIBRARY)
    other.restore(json.loads(json.dumps(ladder.snapshot())))
    assert other.decide(situation(FAILED_PICK)).rung is Rung.REPLAN
    with pytest.raises(ValidationError):
        other.restore({"retries": "many"})


@dataclass
class Table:
    """A symbolic world in which skills fail and slip, things happen in between, and the detector may lie."""

    state: SymbolicState
    rng: random.Random
    fails: float = 0.0
    lies: float = 0.0
    meddle: Callable[[SymbolicState, random.Random], SymbolicState] = lambda state, _: state

    def holds(self, literal: Literal) -> bool | None:
        return self.state.holds(literal)

    def carry_out(self, call: SkillCall) -> None:
        if self.rng.random() >= self.fails:
            assert unmet_precondition(call, self.state, LIBRARY) is None, "the check before the step let it through"
            self.state = apply_call(call, self.state, LIBRARY)
        self.state = self.meddle(self.state, self.rng)

    def judge(self, call: SkillCall, before: SymbolicState) -> VerdictStatus:
        wanted = LIBRARY.skill(call.skill).success_of(call.arguments, before)
        truth = all(self.state.holds(literal) for literal in wanted)
        told = truth ^ (self.rng.random() < self.lies)
        return VerdictStatus.SUCCEEDED if told else VerdictStatus.FAILED


def run(world: Table, goal: Goal, most: int = 400) -> tuple[str, int]:
    """The loop without robot or events: how it ended, and after how many attempts."""
    ladder, start, attempts = RecoveryLadder(LIBRARY), world.state, 0
    while True:
        plan = SearchPlanner().plan(PlanRequest("", Scene.from_symbolic(world.state), LIBRARY, goal))
        if isinstance(plan, Impossible):
            return "impossible", attempts
        assert isinstance(plan, Plan)
        runner = GraphRunner(plan.graph, LIBRARY, world.holds)
        while ready := runner.ready():
            attempts += 1
            assert attempts <= most, "the budgets did not end the run"
            step = ready[0]
            before = world.state
            unmet = ladder.unmet(step.path, runner.graph, Scene.from_symbolic(before))
            attempt = runner.start(step.path)
            if unmet is None:
                world.carry_out(step.call)
                status, ended = world.judge(step.call, before), EndedBy.TERMINATED
            else:
                status, ended = VerdictStatus.FAILED, EndedBy.NOT_STARTED
            judged = StepResult(
                step.path, attempt, SkillRun(step.call, ended, 1, 0.1), Verdict(status, 1.0, unmet or "", "test")
            )
            runner.record(judged)
            chosen = ladder.decide(seen(judged, before, world.state, runner.graph, runner.statuses, goal, start))
            match chosen.rung:
                case Rung.CONTINUE:
                    runner.accept(step.path)
                case Rung.RETRY | Rung.RE_GROUND:
                    runner.retry(step.path)
                case Rung.REPAIR:
                    assert chosen.graph is not None
                    runner.splice(step.path, chosen.graph)
                case Rung.REPLAN:
                    break
                case _:
                    return "gave up", attempts
        else:
            if not goal.unmet(world.state, start):
                return "reached", attempts
            if (
                ladder.decide(seen(None, world.state, world.state, runner.graph, runner.statuses, goal, start)).rung
                is not Rung.REPLAN
            ):
                return "gave up", attempts


def seen(
    judged: StepResult | None,
    before: SymbolicState,
    after: SymbolicState,
    graph: SkillGraph,
    statuses: Mapping[str, str],
    goal: Goal,
    start: SymbolicState,
) -> Situation:
    return Situation(judged, Scene.from_symbolic(before), Scene.from_symbolic(after), graph, statuses, goal, start)


LONG_GOAL = Goal.parse("in(red block, drawer), on(green block, blue block), closed(drawer), lit(lamp)")


def meddler(chance: float) -> Callable[[SymbolicState, random.Random], SymbolicState]:
    """Someone shuts the drawer, switches the lamp, takes things out of the hand or puts them elsewhere."""

    def meddle(state: SymbolicState, rng: random.Random) -> SymbolicState:
        if rng.random() >= chance:
            return state
        block = rng.choice([b for b in state.of_category("block") if not state.resting.get(b)])
        what = rng.choice(["shut", "lamp", "move", "move"])
        if what == "shut":
            return state.apply(literals("closed(drawer)"))
        if what == "lamp":
            lit = Literal("lit", ("lamp",))
            return state.apply((lit.negate() if state.holds(lit) else lit,))
        gone_from = (Literal(p, (block, *rest), True) for p, rest in (("on", "*"), ("in", "*"), ("holding", "")))
        return state.apply((*gone_from, Literal("on", (block, "table"))))

    return meddle


def test_runs_without_faults_take_no_attempt_too_many() -> None:
    assert run(Table(START, random.Random(0)), LONG_GOAL) == ("reached", 7)


def test_runs_with_failing_skills_and_a_meddling_world_reach_the_goal() -> None:
    ends = [run(Table(START, random.Random(seed), fails=0.15, meddle=meddler(0.15)), LONG_GOAL) for seed in range(25)]
    assert sum(end == "reached" for end, _ in ends) >= 24, ends


def test_a_lying_detector_never_makes_a_run_endless() -> None:
    for lies in (0.3, 1.0):
        ends = [run(Table(START, random.Random(seed), fails=0.1, lies=lies), LONG_GOAL) for seed in range(6)]
        assert all(end in ("reached", "gave up") for end, _ in ends)


def test_a_skill_that_never_works_ends_in_giving_up() -> None:
    end, attempts = run(Table(START, random.Random(1), fails=1.0), LONG_GOAL)
    assert end == "gave up"
    assert attempts <= 3 * 4
