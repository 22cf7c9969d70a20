"""validate: the first step that cannot work, and why, in every order that the runner may take."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from symbolic_cases import LIBRARY, every_call, literals, table

from skills.building import Part, branch, repeat, sequence, unordered
from skills.calls import apply_call, unmet_precondition
from skills.graph_files import parse_graph
from skills.hand_blocks import hand_blocks
from skills.simulation import Possibility, Simulation
from skills.skill_graph import CallStep, GraphError, SkillGraph
from skills.symbolic_state import SymbolicState
from skills.validation import validate

BLOCKS = ("red block", "green block", "blue block", "yellow block")
STATE = table([*BLOCKS, "red bowl", "green bowl", "drawer", "lamp", "button"])


def move(block: str, place: str) -> SkillGraph:
    return sequence(f"pick({block})", place)


def check(*parts: Part, state: SymbolicState = STATE) -> None:
    validate(unordered(*parts), state, LIBRARY)


def fault(graph: SkillGraph, state: SymbolicState = STATE) -> tuple[str | None, str]:
    with pytest.raises(GraphError) as error:
        validate(graph, state, LIBRARY)
    return error.value.step, error.value.reason


@pytest.mark.parametrize(
    ("text", "step", "reason"),
    [
        ("{id: a, do: grab(red block)}", "a", "no skill 'grab'"),
        ("{id: a, do: pick(rad block)}", "a", "no object 'rad block' here; did you mean 'red block'?"),
        ("{id: a, do: pick(red bowl)}", "a", "'red bowl' is a bowl; pick takes a block"),
        ("{id: a, do: 'push(red block, up)'}", "a", "no direction 'up'"),
        ("{id: a, do: 'pick(red block, drawer)'}", "a", "takes (object), got 2"),
        ("{id: a, do: pick(red block), after: [b]}", "a", "comes after 'b', which does not exist"),
        ("{id: a, do: press(button)}, {id: a, do: press(button)}", "a", "appears 2 times"),
        ("{id: '', do: press(button)}", "", "no usable id"),
        ("{id: a/b, do: press(button)}", "a/b", "must not be empty nor contain '/'"),
        ("{id: a, do: press(button), after: b}, {id: b, do: press(button), after: a}", "a", "cycle: a → b → a"),
        ("{id: a, do: press(button), after: a}", "a", "cycle: a → a"),
        ("{id: r, repeat: {steps: [{id: a, do: press(button)}]}, until: lit(lamp)}", "r", "without a bound"),
        ("{id: r, repeat: {steps: []}, at_most: 0}", "r", "without a bound"),
        ("{id: i, if: lit(lump), then: {steps: []}}", "i", "no object 'lump' here; did you mean 'lamp'?"),
        ("{id: i, if: glowing(lamp), then: {steps: []}}", "i", "no literal 'glowing'"),
        ("{id: i, if: lit(lamp), then: {steps: [{id: a, do: pick(x)}]}}", "i/then/a", "no object 'x'"),
        ("{id: g, graph: {steps: [{id: a, do: pick(x)}]}}", "g/a", "no object 'x'"),
    ],
)
def test_faults_of_structure_names_and_types(text: str, step: str, reason: str) -> None:
    found_step, found_reason = fault(parse_graph(f"steps: [{text}]"))
    assert found_step == step
    assert reason in found_reason


@pytest.mark.parametrize(
    ("parts", "step", "reason"),
    [
        (["place_in(red bowl)"], "place_in-red-bowl", "needs holding(*), and by then the hand is empty"),
        (["pick(red block)", "place_in(drawer)"], "place_in-drawer", "the drawer is closed"),
        (["pick(red block)", "pick(green block)"], "pick-green-block", "the one hand must be empty"),
        (["pick(red block)", "press(button)"], "press-button", "the hand holds the red block"),
        (
            ["pick(red block)", "place_on(green block)", "pick(green block)"],
            "pick-green-block",
            "needs clear(green block), and by then the red block is on the green block",
        ),
        (["pick(red block)", "place_on(red block)"], "place_on-red-block", "the red block is in the hand"),
    ],
)
def test_a_precondition_not_met_after_the_steps_before_it(parts: list[str], step: str, reason: str) -> None:
    found_step, found_reason = fault(sequence(*parts))
    assert found_step == step
    assert reason in found_reason


def test_unordered_blocks_are_fine_and_are_kept_whole() -> None:
    graph = unordered(
        move("red block", "place_in(red bowl)"), move("green block", "place_in(red bowl)"), "press(button)"
    )
    validate(graph, STATE, LIBRARY)
    assert hand_blocks(graph, LIBRARY) == (
        ("pick-red-block", "place_in-red-bowl"),
        ("pick-green-block", "place_in-red-bowl-2"),
        ("press-button",),
    )


def test_two_steps_that_need_the_one_hand_at_once() -> None:
    text = """steps: [{id: a, do: pick(red block)}, {id: b, do: place_on(table), after: [a, c]},
                      {id: c, do: pick(green block)}, {id: d, do: place_on(table), after: [c, a]}]"""
    step, reason = fault(parse_graph(text))
    assert step == "c"
    assert "the one hand must be empty, and by then the hand holds the red block" in reason
    open_end = unordered("pick(red block)", move("green block", "place_in(red bowl)"))
    assert "one hand" in fault(open_end)[1]


def test_two_picks_that_wait_for_each_others_place() -> None:
    text = """steps: [{id: a, do: pick(red block)}, {id: b, do: place_on(table), after: [a]},
                      {id: c, do: pick(green block)}, {id: d, do: place_on(table), after: [c]},
                      {id: e, do: press(button), after: [a, c]}]"""
    validate(parse_graph(text), STATE, LIBRARY)  # the press waits for both picks, so for both blocks
    crossed = text.replace("after: [a]}", "after: [a, c]}").replace("after: [c]}", "after: [c, a]}")
    with pytest.raises(GraphError, match="one hand"):
        validate(parse_graph(crossed), STATE, LIBRARY)


def test_a_step_that_lacks_an_edge_to_what_it_needs() -> None:
    step, reason = fault(unordered("open(drawer)", move("red block", "place_in(drawer)")))
    assert step == "place_in-drawer"
    assert "step 'open-drawer' would have to come before it: add an edge" in reason


def test_a_step_that_undoes_what_an_unordered_one_needs() -> None:
    graph = sequence("open(drawer)", unordered(move("red block", "place_in(drawer)"), "close(drawer)"))
    step, reason = fault(graph)
    assert step == "place_in-drawer"
    assert "step 'close-drawer' may come before it, as nothing orders the two" in reason


def test_unordered_steps_with_different_results() -> None:
    graph = sequence("open(drawer)", unordered("open(drawer)", "close(drawer)"))
    step, reason = fault(graph)
    assert step == "close-drawer"
    assert "leave different results depending on which comes first" in reason
    check("press(button)", "press(button)")  # either way round the lamp is as it was


def test_room_is_used_up_by_all_that_may_come_before() -> None:
    three = [move(block, "place_in(red bowl)") for block in BLOCKS[:3]]
    check(*three)
    step, reason = fault(unordered(*three, move(BLOCKS[3], "place_in(red bowl)")))
    assert step == "place_in-red-bowl-4"
    assert "the red bowl is full (3 blocks)" in reason
    full = table([*BLOCKS, "red bowl"], *(f"in({block}, red bowl)" for block in BLOCKS[:3]))
    swap = (move(BLOCKS[0], "place_on(table)"), move(BLOCKS[3], "place_in(red bowl)"))
    validate(sequence(*swap), full, LIBRARY)
    assert "full" in fault(unordered(*swap), full)[1]


def test_known_branches_are_followed_and_the_other_arm_is_checked_for_names_only() -> None:
    lit = STATE.apply(literals("lit(lamp)"))
    graph = branch("lit(lamp)", then="pick(red block)", otherwise="place_in(red bowl)")
    validate(graph, lit, LIBRARY)
    assert fault(graph, STATE)[0] == "if-lit-lamp/else/place_in-red-bowl"
    assert "no object 'x'" in fault(branch("lit(lamp)", then="pick(x)"), STATE)[1]


def test_after_an_unknown_branch_only_what_both_arms_leave_may_be_counted_on() -> None:
    hidden = table([*BLOCKS, "drawer", "lamp", "button"], hidden=["red block"])
    look = branch("in(red block, drawer)", then=sequence("open(drawer)", "press(button)"), otherwise="press(button)")
    validate(sequence(look, "press(button)"), hidden, LIBRARY)
    step, reason = fault(sequence(look, move("green block", "place_in(drawer)")), hidden)
    assert step == "place_in-drawer"
    assert "the drawer is closed" in reason
    both = branch("in(red block, drawer)", then="open(drawer)", otherwise=sequence("open(drawer)", "press(button)"))
    validate(sequence(both, move("green block", "place_in(drawer)")), hidden, LIBRARY)


def test_hidden_objects_may_be_used_once_something_was_opened() -> None:
    hidden = table([*BLOCKS, "red bowl", "drawer"], hidden=["red block"])
    fetch = move("red block", "place_in(red bowl)")
    assert "is not known" in fault(fetch, hidden)[1]
    validate(sequence("open(drawer)", fetch), hidden, LIBRARY)
    assert "step 'open-drawer' would have to come before it" in fault(unordered("open(drawer)", fetch), hidden)[1]
    found = branch("in(red block, drawer)", then=fetch, otherwise="close(drawer)")
    validate(sequence("open(drawer)", found), hidden, LIBRARY)


@pytest.mark.parametrize("rounds", [1, 2, 3, 4, 5, 1_000_000_001])
def test_a_repeat_that_goes_round_in_circles_ends_where_its_last_round_does(rounds: int) -> None:
    (end,) = Simulation(LIBRARY).graph(repeat("press(button)", at_most=rounds), (Possibility(STATE),))
    assert end.state.holds(literals("lit(lamp)")[0]) is (rounds % 2 == 1)


def test_repeats_are_run_to_their_bound() -> None:
    validate(repeat("press(button)", until="lit(lamp)", at_most=1_000_000), STATE, LIBRARY)
    validate(repeat(sequence("open(drawer)", "close(drawer)"), at_most=3), STATE, LIBRARY)
    step, reason = fault(repeat("pick(red block)", at_most=2))
    assert step == "2-times/pick-red-block"
    assert "the one hand must be empty" in reason


def test_a_branch_may_carry_the_place_of_a_pick() -> None:
    place = branch("lit(lamp)", then="place_in(red bowl)", otherwise="place_in(green bowl)")
    graph = unordered(sequence("pick(red block)", place), move("green block", "place_in(red bowl)"), "press(button)")
    assert hand_blocks(graph, LIBRARY)[0] == ("pick-red-block", "if-lit-lamp")
    ordered = sequence(sequence("pick(red block)", place), "press(button)")
    validate(ordered, STATE, LIBRARY)


def test_a_hand_that_is_full_at_the_start_comes_first() -> None:
    state = table([*BLOCKS, "red bowl"], "holding(red block)")
    validate(sequence("place_in(red bowl)", "pick(green block)"), state, LIBRARY)
    assert "one hand" in fault(unordered("place_in(red bowl)", move("green block", "place_in(red bowl)")), state)[1]


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_valid_graph_works_in_every_order(data: st.DataObject) -> None:
    """Random graphs of short chains: whatever validate lets pass runs in every order of its blocks, to one end."""
    state = table(["red block", "green block", "red bowl", "drawer"], "open(drawer)")
    calls = [c for c in every_call(state) if c.skill in ("pick", "place_in", "place_on", "open", "close")]
    chain = st.lists(st.sampled_from(calls), min_size=1, max_size=2)
    parts = data.draw(st.lists(chain, min_size=1, max_size=4))
    graph = unordered(*(sequence(*part) for part in parts))
    try:
        validate(graph, state, LIBRARY)
    except GraphError:
        return
    assert len({end.facts for end in _all_ends(graph, state)}) == 1


def _all_ends(graph: SkillGraph, start: SymbolicState) -> list[SymbolicState]:
    """The end states of every order of hand blocks that the edges allow; fails where a call is not possible."""
    groups = hand_blocks(graph, LIBRARY)
    after = {step.id: set(step.after) for step in graph.steps}
    ends: list[SymbolicState] = []

    def go_on(state: SymbolicState, done: frozenset[str]) -> None:
        ready = [g for g in groups if g[0] not in done and set().union(*(after[i] for i in g)) <= done | set(g)]
        if not ready:
            assert len(done) == len(graph.steps)
            ends.append(state)
        for group in ready:
            following = state
            for step_id in group:
                step = graph.step(step_id)
                assert isinstance(step, CallStep)
                assert unmet_precondition(step.do, following, LIBRARY) is None, (step_id, done)
                following = apply_call(step.do, following, LIBRARY)
            go_on(following, done | set(group))

    go_on(start, frozenset())
    return ends
