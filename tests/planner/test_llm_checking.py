"""Whatever an answer says: it is either told what is wrong, or its plan is valid and ends where its goal wants."""

from __future__ import annotations

import json

from hypothesis import event, given, settings
from hypothesis import strategies as st
from llm_cases import request

from planner.llm.answer import AnswerError, read_answer
from planner.llm.checking import check_answer
from planner.planner import Impossible, Plan
from planner.search import SearchPlanner
from skills.literals import Literal
from skills.simulation import Possibility, Simulation
from skills.validation import validate

CALLS = [
    "pick(blue block)", "place_on(table)", "pick(red block)", "place_in(red bowl)", "close(drawer)", "open(drawer)",
    "press(button)", "push(green block, left)", "place_on(green pad)", "pick(green block)", "place_in(drawer)",
    "pick(ghost)", "fly()",
]  # fmt: skip
LITERALS = [
    "in(red block, red bowl)", "closed(drawer)", "open(drawer)", "lit(lamp)", "on(blue block, table)",
    "not on(blue block, red block)", "holding(green block)", "in_zone(green block, left)", "in(green block, drawer)",
    "on(ghost, table)", "clear(red block)", "hand_empty()",
]  # fmt: skip
IDS = ["a", "b", "c", "d", "e", "f"]
STEPS = st.lists(
    st.builds(
        lambda name, call, after, condition: {"id": name, "do": call, "after": after, "if": condition},
        st.sampled_from(IDS),
        st.sampled_from(CALLS),
        st.none() | st.lists(st.sampled_from(IDS), max_size=2),
        st.none() | st.sampled_from(LITERALS),
    ),
    max_size=6,
)
LINES = st.lists(st.sampled_from(CALLS[:11]), max_size=6)  # plain lists: more of them work
ANSWERS = st.fixed_dictionaries(
    {
        "answer": st.sampled_from(["plan", "plan", "plan", "impossible"]),
        "goal": st.lists(st.sampled_from(LITERALS), max_size=3),
        "steps": STEPS | LINES,
        "order": st.lists(
            st.builds(lambda a, b: {"first": a, "then": b}, st.sampled_from(LITERALS), st.sampled_from(LITERALS)),
            max_size=1,
        ),
        "reason": st.sampled_from(["", "no"]),
    }
)


@given(ANSWERS)
@settings(deadline=None, max_examples=150)
def test_an_answer_is_corrected_or_keeps_what_it_promises(data):
    asked = request()
    try:
        checked = check_answer(read_answer(json.dumps(data)), asked, SearchPlanner().plan)
    except AnswerError:
        return
    assert (checked.outcome is None) == bool(checked.problems)
    event(type(checked.outcome).__name__)
    if isinstance(checked.outcome, Impossible):
        assert checked.goal is None or not isinstance(SearchPlanner().plan(request(goal=checked.goal)), Plan)
    if isinstance(checked.outcome, Plan):
        _holds_what_it_promises(checked.outcome)


def _holds_what_it_promises(plan: Plan) -> None:
    start, library = request().scene.symbolic(), request().library
    validate(plan.graph, start, library)
    wants_hand_full = any(literal.predicate == "holding" for literal in plan.goal.literals)
    for end in Simulation(library).graph(plan.graph, (Possibility(start),)):
        assert plan.goal.unmet(end.state, start) == ()
        assert end.state.held is None or wants_hand_full


SHORT = {
    "closed(drawer)": ["close(drawer)"],
    "lit(lamp)": ["press(button)"],
    "in_zone(green block, left)": ["push(green block, left)"],
    "on(green block, green pad)": ["pick(green block)", "place_on(green pad)"],
    "on(blue block, table)": ["pick(blue block)", "place_on(table)"],
}


@given(st.lists(st.sampled_from(sorted(SHORT)), min_size=1, max_size=3, unique=True).filter(
    lambda wanted: len({Literal.parse(w).arguments[0] for w in wanted}) == len(wanted)
), st.randoms(use_true_random=False))  # fmt: skip
@settings(deadline=None, max_examples=40)
def test_right_answers_are_taken_whatever_the_order_and_with_no_edges_but_the_needed(wanted, random):
    steps, goal = [], list(wanted)
    for literal in goal:
        calls = SHORT[literal]
        ids = [f"s{len(steps) + i}" for i in range(len(calls))]
        steps += [
            {"id": name, "do": call, "after": ids[i - 1 : i] if i else [], "if": None}
            for i, (name, call) in enumerate(zip(ids, calls, strict=True))
        ]
    random.shuffle(goal)
    checked = check_answer(read_answer(json.dumps({"goal": goal, "steps": steps})), request(), SearchPlanner().plan)
    assert isinstance(checked.outcome, Plan), checked.problems
