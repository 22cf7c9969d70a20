"""Reading answers: JSON among chatter, forgiving form, strict content, graphs from flat steps."""

from __future__ import annotations

import contextlib
import json
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from llm_cases import IMPOSSIBLE, OBJECTS, QUESTION, answer, scene

from planner.llm.answer import SCHEMA, AnswerError, AnswerKind, AnswerStep, read_answer
from planner.llm.graph_building import build_graph
from planner.llm.json_text import NoJsonError, find_object
from planner.llm.names import read_call, read_literal
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill_graph import BranchStep
from skills.validation import validate

KEYS = frozenset({"goal", "steps"})
OBJECT = {"goal": ["lit(lamp)"], "steps": ["press(button)"]}
JSON = json.dumps(OBJECT)


@pytest.mark.parametrize(
    "text",
    [
        JSON,
        f"```json\n{JSON}\n```",
        f"```\n{JSON}```",
        f"Of course. {JSON} Shall I go on?",
        f"<think>goal {{x}} </think>{JSON}",
        f"a lot of thought without an opening tag {{}} </think>\n{JSON}",
        f"<THINKING>...</THINKING>```JSON\n{JSON}\n```",
        f"{JSON}<think>was that right?</think>",
        '{"note": 1} then ' + JSON,
        JSON + ' {"note": 1}',
        JSON.replace('"]', '",]'),
        str(OBJECT),
        f"First try: {json.dumps({'goal': ['x'], 'steps': []})}\nNo, better: {JSON}",
    ],
)
def test_the_object_is_found_in_what_surrounds_it(text):
    assert find_object(text, KEYS) == OBJECT


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        ("I would pick up the block.", "no JSON object"),
        (JSON[:-10], "cut off or broken"),
        ("<think>so {", "cut off or broken"),
        ("x" * 70_000, "70000 characters"),
        ("[1, 2]", "no JSON object"),
    ],
)
def test_what_holds_no_object_is_said_in_words(text, words):
    with pytest.raises(NoJsonError, match=words):
        find_object(text, KEYS)


@pytest.mark.parametrize("unit", ["{", '{"a":', "[", "<think>", "```", '{"a":[', "{}", "(", "```{", "</think>{", "}{"])
def test_no_text_takes_long(unit):
    started = time.perf_counter()
    with contextlib.suppress(AnswerError):
        read_answer(unit * (60_000 // len(unit)))
    assert time.perf_counter() - started < 2.0


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
@settings(deadline=None, max_examples=80)
def test_any_text_is_an_answer_or_an_answer_error(text):
    with contextlib.suppress(AnswerError):  # nothing else may come out
        read_answer(text)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["goal", "steps", "answer", "plan", "do", "after", "if", "order", "first", "skill", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*SCHEMA["required"], "graph", "branches", "alternatives"]), JSON_VALUES))
@settings(deadline=None, max_examples=120)
def test_any_object_is_an_answer_or_an_answer_error_and_its_steps_a_graph_or_one(data):
    with contextlib.suppress(AnswerError):  # nothing else may come out
        read = read_answer(json.dumps(data))
        build_graph(read.steps, OBJECTS)


@pytest.mark.parametrize("right", [answer(), QUESTION, IMPOSSIBLE])
def test_the_schema_sent_describes_the_answers_read(right):
    Draft202012Validator.check_schema(dict(SCHEMA))
    Draft202012Validator(dict(SCHEMA)).validate(right)
    assert read_answer(json.dumps(right)).answer.value == right["answer"]


def test_every_object_of_the_schema_is_closed_and_requires_all_its_keys():
    """What strict servers ask of a schema."""

    def walk(node):
        if isinstance(node, dict):
            if node.get("type") == "object":
                assert node["additionalProperties"] is False
                assert node["required"] == list(node["properties"])
            for value in node.values():
                walk(value)

    walk(dict(SCHEMA))


CALLS = ["pick(red block)", "place_in(red bowl)"]


@pytest.mark.parametrize(
    "data",
    [
        {"goal": ["in(red block, red bowl)"], "steps": CALLS},
        {"goal": "in(red block, red bowl)", "plan": CALLS},
        {"goals": ["in(red block, red bowl)"], "graph": {"steps": CALLS}},
        {"goal": {"literals": ["in(red block, red bowl)"]}, "actions": [{"action": call} for call in CALLS]},
        {"plan": {"goal": ["in(red block, red bowl)"], "steps": CALLS}},
        {"answer": {"goal": ["in(red block, red bowl)"], "steps": CALLS}},
        {"Goal": ["in(red block, red bowl)"], "Steps": [{"call": call} for call in CALLS]},
        {
            "goal": ["in(red block, red bowl)"],
            "steps": [
                {"id": 1, "skill": "pick", "args": ["red block"], "after": None},
                {"id": 2, "skill": "place_in", "arguments": {"container": "red bowl"}, "after": 1},
            ],
        },
    ],
)
def test_other_shapes_of_the_same_answer_are_read(data):
    read = read_answer(json.dumps(data))
    assert read.answer is AnswerKind.PLAN
    assert read.goal == ("in(red block, red bowl)",)
    graph = build_graph(read.steps, OBJECTS)
    assert [str(call) for call in graph.calls()] == CALLS
    assert graph.steps[1].after == (graph.steps[0].id,)


def test_a_goal_with_all_its_parts_is_read():
    goal = {
        "literals": ["lit(lamp)"],
        "alternatives": [["closed(drawer)"]],
        "order": [["lit(lamp)", "closed(drawer)"]],
        "branches": [{"if": "open(drawer)", "then": ["closed(drawer)"], "else": []}],
    }
    read = read_answer(json.dumps({"goal": goal, "steps": ["press(button)"]}))
    assert read.alternatives == (("closed(drawer)",),)
    assert (read.order[0].first, read.order[0].then) == ("lit(lamp)", "closed(drawer)")
    assert read.branches[0].condition == "open(drawer)"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("In(Red Block, RED BOWL)", "in(red block, red bowl)"),
        ("in(red_block, red-bowl).", "in(red block, red bowl)"),
        ("in(\"red block\", 'red bowl')", "in(red block, red bowl)"),
        ("in(the red block, the red bowl)", "in(red block, red bowl)"),
        ("in(block=red block, container=red bowl)", "in(red block, red bowl)"),
        ("not(open(drawer))", "not open(drawer)"),
        ("NOT open(drawer)", "not open(drawer)"),
        ("!open(drawer)", "not open(drawer)"),
        ("hand_empty()", "hand_empty()"),
        ("`lit(lamp)`", "lit(lamp)"),
    ],
)
def test_names_are_forgiven_their_form(written, meant):
    assert read_literal(written, OBJECTS) == Literal.parse(meant)


def test_an_object_of_ones_own_with_an_underscore_keeps_it():
    assert read_call("pick(tool_1)", {"tool_1": "block"}).arguments == ("tool_1",)
    assert read_call("pick(Tool_2)", {"tool_1": "block"}).arguments == ("tool 2",)


def steps(*texts: str, **fields: object) -> list[AnswerStep]:
    return [AnswerStep.model_validate({"do": text, **fields}) for text in texts]


def test_a_list_that_names_no_order_is_a_sequence():
    for after in (None, []):
        graph = build_graph(steps("open(drawer)", "close(drawer)", "press(button)", after=after), OBJECTS)
        assert all(later.after == (earlier.id,) for earlier, later in pairwise(graph.steps))


def test_conditions_become_branches_with_both_arms():
    listed = [
        {"id": "o", "do": "open(drawer)"},
        {"id": "p", "do": "pick(green block)", "after": ["o"], "if": "in(green block, drawer)"},
        {"id": "q", "do": "place_in(red bowl)", "after": ["p"], "if": "in(green block, drawer)"},
        {"id": "r", "do": "pick(red block)", "after": ["q"], "if": "not in(green block, drawer)"},
        {"id": "s", "do": "place_in(red bowl)", "after": ["r"], "if": "not in(green block, drawer)"},
        {"id": "c", "do": "close(drawer)", "after": ["s"]},
    ]
    graph = build_graph([AnswerStep.model_validate(item) for item in listed], OBJECTS)
    first, branch, last = graph.steps
    assert isinstance(branch, BranchStep)
    assert branch.condition == Literal.parse("in(green block, drawer)")
    assert [str(c) for c in branch.then.calls()] == ["pick(green block)", "place_in(red bowl)"]
    assert [str(c) for c in branch.otherwise.calls()] == ["pick(red block)", "place_in(red bowl)"]
    assert (branch.after, last.after) == ((first.id,), (branch.id,))
    facts = ("on(red block, table)",)
    validate(graph, scene(facts=facts, hidden=frozenset({"green block"})).symbolic(), SkillLibrary())
