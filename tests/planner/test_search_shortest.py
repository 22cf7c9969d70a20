"""Search against breadth-first search: plans are shortest, valid in every order, and found fast."""

from __future__ import annotations

import random
import time
from collections import deque
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from symbolic_cases import LIBRARY, every_call, literals, possible_calls, table

from planner.search import Found, find_graph
from planner.search_order import OrderWatch
from planner.search_problem import Problem
from skills.calls import apply_call, unmet_precondition
from skills.goal import Goal
from skills.hand_blocks import hand_blocks
from skills.skill_graph import CallStep, SkillGraph
from skills.symbolic_state import SymbolicState
from skills.validation import validate

COLOURS = ("red", "green", "blue", "yellow", "purple", "orange")
BLOCKS = tuple(f"{colour} block" for colour in COLOURS)
WORLDS = (
    ("red block", "green block", "drawer", "button", "lamp"),
    ("red block", "green block", "blue block", "drawer"),
    ("red block", "green block", "blue block", "red pad", "green pad"),
)
ODD_LITERALS = literals(
    "not lit(lamp)",
    "closed(drawer)",
    "clear(red block)",
    "not on(red block, table)",
    "not in(red block, *)",
    "in(red block, *drawer)",
    "not clear(red block)",
    "has_room(red block)",
    "not accessible(red block)",
    "not in_zone(red block, left)",
)


def after_random_calls(state: SymbolicState, rng: random.Random, count: int) -> SymbolicState:
    for _ in range(count):
        state = apply_call(rng.choice(list(possible_calls(state))), state, LIBRARY)
    return state


def random_order(graph: SkillGraph, start: SymbolicState, rng: random.Random) -> list[SymbolicState]:
    """The states of one random order of the graph's hand blocks that its edges allow."""
    groups = list(hand_blocks(graph, LIBRARY))
    after = {step.id: set(step.after) for step in graph.steps}
    history, done = [start], set[str]()
    while groups:
        ready = [g for g in groups if set().union(*(after[i] for i in g)) <= done | set(g)]
        group = rng.choice(ready)
        groups.remove(group)
        done |= set(group)
        for step_id in group:
            step = graph.step(step_id)
            assert isinstance(step, CallStep)
            assert unmet_precondition(step.do, history[-1], LIBRARY) is None, step_id
            history.append(apply_call(step.do, history[-1], LIBRARY))
    return history


def assert_works_in_any_order(found: Found, start: SymbolicState, goal: Goal, rng: random.Random) -> None:
    validate(found.graph, start, LIBRARY)
    for _ in range(4):
        assert goal.reached(random_order(found.graph, start, rng)), found.graph
    assert len(list(found.graph.calls())) == found.skills


@settings(deadline=None, max_examples=15)
@given(st.sampled_from(WORLDS), st.randoms(use_true_random=False))
def test_bits_say_the_same_as_symbols(world: tuple[str, ...], rng: random.Random) -> None:
    state = table(world)
    problem = Problem(state, LIBRARY)
    conditions = [(literal, problem.condition((literal,))) for literal in ODD_LITERALS]
    bits = problem.start
    for _ in range(10):
        possible = set(possible_calls(state))
        able = {a.call: a for a in problem.actions if not a.condition.never and problem.holds(a.condition, bits)}
        assert set(able) == possible
        call = rng.choice(sorted(possible))
        state, bits = apply_call(call, state, LIBRARY), problem.apply(able[call], bits)
        assert problem.decode(bits) == state
        for literal, condition in conditions:
            if literal.arguments[0] in state.objects:
                assert problem.holds(condition, bits) is state.holds(literal), (literal, state)


def breadth_first(problem: Problem) -> dict[int, int]:
    """Skills needed to each state, nothing pruned."""
    found = {problem.start: 0}
    frontier = deque(found)
    while frontier:
        bits = frontier.popleft()
        for action in problem.actions:
            if problem.holds(action.condition, bits):
                after = problem.apply(action, bits)
                if after not in found:
                    found[after] = found[bits] + 1
                    frontier.append(after)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_plans_are_shortest(seed: int) -> None:
    rng = random.Random(seed)
    start = after_random_calls(table(WORLDS[seed % len(WORLDS)]), rng, rng.randrange(8))
    problem = Problem(start, LIBRARY)
    steps = breadth_first(problem)
    states = {bits: problem.decode(bits) for bits in steps}
    everywhere = list(states)
    for _ in range(8):
        target = states[rng.choice(everywhere)]
        wanted = rng.sample(sorted(target.facts), rng.randint(1, 3))
        wanted += [x for x in rng.sample(ODD_LITERALS, 2) if x.arguments[0] in start.objects and target.holds(x)]
        goal = Goal(literals=tuple(wanted))
        may_hold = any(literal.predicate == "holding" and not literal.negated for literal in wanted)
        reached = (
            count
            for bits, count in steps.items()
            if (may_hold or states[bits].held is None) and all(states[bits].holds(x) for x in wanted)
        )
        shortest = min(reached, default=None)
        found = find_graph(start, goal, LIBRARY)
        assert (found.skills if isinstance(found, Found) else None) == shortest, (start, wanted)
        if isinstance(found, Found):
            assert found.shortest
            assert_works_in_any_order(found, start, goal, rng)


def shortest_in_order(problem: Problem, goal: Goal) -> int | None:
    """Breadth-first over states and what has become true when, by Goal's own reading of a history."""
    literals_watched = sorted({literal for pair in goal.order for literal in pair})
    start = problem.decode(problem.start)
    frontier: deque[tuple[SymbolicState, tuple[SymbolicState, ...]]] = deque([(start, (start,))])
    seen = set()
    calls = every_call(start)
    while frontier:
        state, history = frontier.popleft()
        if state.held is None and goal.reached(history):
            return len(history) - 1
        onsets = [
            max((i for i, (a, b) in enumerate(pairwise(history), 1) if b.holds(x) and not a.holds(x)), default=-1)
            for x in literals_watched
        ]
        ranks = tuple(sorted(set(onsets)).index(onset) for onset in onsets)
        key = (state.facts, ranks, -1 in onsets)
        if key in seen or len(history) > 9:
            continue
        seen.add(key)
        for call in calls:
            if unmet_precondition(call, state, LIBRARY) is None:
                after = apply_call(call, state, LIBRARY)
                frontier.append((after, (*history, after)))
    return None


@pytest.mark.parametrize("seed", range(8))
def test_order_is_kept_in_the_fewest_skills(seed: int) -> None:
    rng = random.Random(100 + seed)
    start = after_random_calls(table(("red block", "drawer", "button", "lamp", "red bowl")), rng, rng.randrange(6))
    choices = literals("lit(lamp)", "not lit(lamp)", "open(drawer)", "closed(drawer)", "in(red block, drawer)")
    choices += literals("in(red block, red bowl)", "holding(red block)", "on(red block, table)")
    first, second, third = rng.sample(choices, 3)
    final = tuple(x for x in (second, third) if x.predicate in ("lit", "open"))
    goal = Goal(literals=final, order=((first, second), (second, third))[: rng.randint(1, 2)])
    found = find_graph(start, goal, LIBRARY)
    shortest = shortest_in_order(Problem(start, LIBRARY), goal)
    assert (found.skills if isinstance(found, Found) else None) == shortest, (start, goal)
    if isinstance(found, Found):
        assert_works_in_any_order(found, start, goal, rng)


def test_the_watch_agrees_with_the_goal_on_random_histories() -> None:
    rng = random.Random(5)
    goal = Goal(order=(literals("lit(lamp)", "open(drawer)"),))  # type: ignore[arg-type]
    for _ in range(60):
        state = table(("red block", "drawer", "button", "lamp"), *rng.choice([(), ("lit(lamp)",), ("open(drawer)",)]))
        problem = Problem(state, LIBRARY)
        watch = OrderWatch(problem, goal.order)
        history, bits = [state], problem.start
        progress = watch.start(bits)
        for _ in range(8):
            calls = [c for c in possible_calls(history[-1]) if c.skill in ("press", "open", "close")]
            history.append(apply_call(rng.choice(calls), history[-1], LIBRARY))
            before, bits = bits, problem.encode(history[-1])
            progress = watch.advance(progress, before, bits)
            assert watch.satisfied(progress) is goal.reached(history)


def towers(blocks: list[str], rng: random.Random) -> list[str]:
    """Blocks stacked at random, up to 5 high."""
    facts, tops = [], list[tuple[str, int]]()
    for block in blocks:
        low = [top for top in tops if top[1] < 5]
        if low and rng.random() < 0.7:
            below, height = rng.choice(low)
            tops.remove((below, height))
        else:
            below, height = "table", 0
        facts.append(f"on({block}, {below})")
        tops.append((block, height + 1))
    return facts


def in_containers(blocks: tuple[str, ...], containers: list[str], rng: random.Random) -> list[str]:
    """Blocks in containers at random, no bowl over 3."""
    places = [c for c in containers for _ in range(3)]
    return [f"in({b}, {place})" for b, place in zip(blocks, rng.sample(places, len(blocks)), strict=True)]


def hard_task(kind: str, rng: random.Random) -> tuple[SymbolicState, Goal]:
    bowls = [f"{colour} bowl" for colour in COLOURS[:3]]
    match kind:
        case "restack a tower of five":
            order, wanted = rng.sample(BLOCKS[:5], 5), rng.sample(BLOCKS[:5], 5)
            start = table((*BLOCKS[:5], *bowls), *(f"on({a}, {b})" for a, b in pairwise(order)))
            return start, Goal(literals=literals(*(f"on({a}, {b})" for a, b in pairwise(wanted))))
        case "swap between full bowls":
            start = table((*BLOCKS, *bowls), *in_containers(BLOCKS, bowls, rng))
            return start, Goal(literals=literals(*in_containers(BLOCKS, bowls, rng)))
        case "sort with drawer and lamp":
            places = [*bowls, "drawer"]
            start = table((*BLOCKS, *places, "lamp", "button"), *in_containers(BLOCKS, places, rng))
            return start, Goal(literals=literals(*in_containers(BLOCKS, places, rng), "closed(drawer)", "lit(lamp)"))
        case _:
            wanted = rng.sample(BLOCKS, 5)
            start = table((*BLOCKS, *bowls, "lamp", "button"), *towers(rng.sample(BLOCKS, 6), rng))
            return start, Goal(literals=literals(*(f"on({a}, {b})" for a, b in pairwise(wanted)), "lit(lamp)"))


@pytest.mark.parametrize(
    "kind", ["restack a tower of five", "swap between full bowls", "sort with drawer and lamp", "rebuild towers"]
)
def test_hard_tasks_are_solved_in_well_under_a_second(kind: str) -> None:
    for seed in range(12):
        rng = random.Random(seed)
        start, goal = hard_task(kind, rng)
        began_s = time.process_time()
        found = find_graph(start, goal, LIBRARY)
        took_s = time.process_time() - began_s
        assert isinstance(found, Found)
        assert found.shortest
        assert took_s < 1.0, (kind, seed, took_s)
        assert_works_in_any_order(found, start, goal, rng)


def test_the_same_task_gives_the_same_graph() -> None:
    start, goal = hard_task("sort with drawer and lamp", random.Random(3))
    first, second = find_graph(start, goal, LIBRARY), find_graph(start, goal, LIBRARY)
    shuffled = SymbolicState(dict(reversed(start.objects.items())), start.facts)
    assert isinstance(first, Found)
    assert first == second == find_graph(shuffled, goal, LIBRARY)


def test_independent_parts_stay_unordered() -> None:
    start = table(("red block", "green block", "blue block", "red bowl", "green bowl", "drawer", "lamp", "button"))
    texts = ("in(red block, red bowl)", "in(green block, green bowl)", "in(blue block, drawer)", "closed(drawer)")
    found = find_graph(start, Goal(literals=literals(*texts, "lit(lamp)")), LIBRARY)
    assert isinstance(found, Found)
    after = {step.id: step.after for step in found.graph.steps}
    assert after == {
        "press-button": (),
        "open-drawer": (),
        "pick-red-block": (),
        "place_in-red-bowl": ("pick-red-block",),
        "pick-green-block": (),
        "place_in-green-bowl": ("pick-green-block",),
        "pick-blue-block": ("open-drawer",),
        "place_in-drawer": ("pick-blue-block",),
        "close-drawer": ("place_in-drawer",),
    }


def test_a_stack_is_built_in_its_order() -> None:
    goal = Goal(literals=literals("on(red block, green block)", "on(green block, blue block)"))
    found = find_graph(table(("red block", "green block", "blue block")), goal, LIBRARY)
    assert isinstance(found, Found)
    assert {step.id: step.after for step in found.graph.steps} == {
        "pick-green-block": (),
        "place_on-blue-block": ("pick-green-block",),
        "pick-red-block": ("place_on-blue-block",),
        "place_on-green-block": ("pick-red-block",),
    }
