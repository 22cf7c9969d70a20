"""Prediction: the states that a call and a graph lead to, and the first call that cannot be made."""

from __future__ import annotations

import pytest
from symbolic_cases import LIBRARY, literals, table

from skills.building import branch, grouped, repeat, sequence, unordered
from skills.graph_files import parse_graph
from skills.skill import SkillCall, SkillCallError
from skills.skill_graph import GraphError
from world_model.prediction import PredictionError, predict_call, predict_graph

STATE = table(["red block", "green block", "red bowl", "drawer", "button", "lamp"])


def test_a_call_changes_what_its_schema_says() -> None:
    held = predict_call(STATE, SkillCall.parse("pick(red block)"), LIBRARY)
    assert held.facts == STATE.facts - set(literals("on(red block, table)")) | set(literals("holding(red block)"))
    assert predict_call(held, SkillCall.parse("place_in(red bowl)"), LIBRARY).support["red block"] == "red bowl"


def test_a_press_turns_the_lamp_on_and_off() -> None:
    lit = predict_call(STATE, SkillCall.parse("press(button)"), LIBRARY)
    assert lit.holds(literals("lit(lamp)")[0])
    assert predict_call(lit, SkillCall.parse("press(button)"), LIBRARY) == STATE


def test_a_call_that_cannot_be_made_is_named_with_its_reason() -> None:
    with pytest.raises(PredictionError, match=r"place_in\(red bowl\) cannot be done: .* the hand is empty"):
        predict_call(STATE, SkillCall.parse("place_in(red bowl)"), LIBRARY)
    with pytest.raises(SkillCallError, match="did you mean 'red block'"):
        predict_call(STATE, SkillCall.parse("pick(rad block)"), LIBRARY)
    hidden = table(["green block", "red block"], hidden=["red block"])
    with pytest.raises(PredictionError, match="is not known"):
        predict_call(hidden, SkillCall.parse("pick(red block)"), LIBRARY)


def test_a_graph_gives_a_state_for_each_call() -> None:
    graph = sequence("open(drawer)", grouped("store", sequence("pick(red block)", "place_in(drawer)")), "close(drawer)")
    states = predict_graph(STATE, graph, LIBRARY)
    assert states[0] is STATE
    assert len(states) == 5
    assert states[-1].holds(literals("in(red block, drawer)")[0])
    assert not states[-1].holds(literals("open(drawer)")[0])


def test_blocks_are_not_torn_apart() -> None:
    graph = parse_graph(
        """steps: [{id: a, do: pick(red block)}, {id: b, do: pick(green block)},
                   {id: c, do: place_in(red bowl), after: b}, {id: d, do: place_in(red bowl), after: a}]"""
    )
    states = predict_graph(STATE, graph, LIBRARY)
    assert [state.held for state in states] == [None, "red block", None, "green block", None]


def test_branches_follow_the_state_and_repeats_their_bound() -> None:
    light = branch("lit(lamp)", then="open(drawer)", otherwise="press(button)")
    assert len(predict_graph(STATE, sequence(light, light), LIBRARY)) == 3
    assert len(predict_graph(STATE, repeat("press(button)", until="lit(lamp)", at_most=5), LIBRARY)) == 2
    assert len(predict_graph(STATE, repeat("press(button)", at_most=3), LIBRARY)) == 4
    for rounds in (5, 1_000_000_001):
        assert predict_graph(STATE, repeat("press(button)", at_most=rounds), LIBRARY)[-1].holds(
            literals("lit(lamp)")[0]
        )
    circling = repeat("press(button)", until="open(drawer)", at_most=1_000_000_000)
    assert not predict_graph(STATE, circling, LIBRARY)[-1].holds(literals("lit(lamp)")[0])
    unknown = table(["red block", "drawer"], hidden=["red block"])
    looked = branch("in(red block, drawer)", then="close(drawer)", otherwise="open(drawer)")
    assert predict_graph(unknown, looked, LIBRARY)[-1].holds(literals("open(drawer)")[0])


def test_the_first_call_that_cannot_be_made_ends_the_prediction() -> None:
    graph = unordered("press(button)", sequence("pick(red block)", "pick(green block)"))
    with pytest.raises(PredictionError, match=r"pick\(green block\) cannot be done") as error:
        predict_graph(STATE, graph, LIBRARY)
    assert len(error.value.states) == 3
    with pytest.raises(GraphError, match="without a bound"):
        predict_graph(STATE, parse_graph("steps: [{id: r, repeat: {steps: []}}]"), LIBRARY)
