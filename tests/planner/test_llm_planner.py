"""The language-model planner over the real client: modes and fallbacks, repairs in words, search behind it."""

from __future__ import annotations

import pytest
from llm_cases import IMPOSSIBLE, INSTRUCTION, QUESTION, Events, answer, planner_at, request, scene, step
from llm_loopback import LoopbackEndpoint, completion, refusal, tool_call

from planner.llm.chat import Mode
from planner.planner import Impossible, Plan, PlannerError, Question
from skills.goal import Goal
from skills.literals import Literal
from skills.skill import SkillCall
from skills.validation import validate
from world_model.results import EndedBy, SkillRun, StepResult, Verdict, VerdictStatus
from world_model.scene import Scene

FACTS_CLOSED = ("on(red block, table)", "on(blue block, red block)")
NO_SCHEMA = refusal(400, "'response_format' of type 'json_schema' is not supported with this model")


def test_an_answer_in_the_schema_becomes_a_validated_plan_at_once():
    events = Events()
    with LoopbackEndpoint(completion(answer())) as endpoint:
        plan = planner_at(endpoint.url).plan(request(events))
    assert isinstance(plan, Plan)
    assert plan.goal == Goal.parse("in(red block, red bowl); closed(drawer)")
    assert [str(call) for call in plan.graph.calls()][:2] == ["pick(blue block)", "place_on(table)"]
    assert plan.graph.step("e").after == ()  # what the model left unordered stays so
    validate(plan.graph, scene().symbolic(), request().library)
    (call,) = events.of("llm_call")
    assert (call["model"], call["mode"], call["attempt"]) == ("loopback", "json_schema", 1)
    assert (call["tokens_in"], call["tokens_out"]) == (800, 90)
    assert call["latency_s"] > 0
    assert len(endpoint.requests) == 1


def test_the_request_on_the_wire_is_what_compatible_servers_expect():
    with LoopbackEndpoint(completion(answer())) as endpoint:
        planner_at(endpoint.url).plan(request())
    (sent,) = endpoint.requests
    assert sent["model"] == "loopback"
    assert [m["role"] for m in sent["messages"]] == ["system", "user"]
    assert INSTRUCTION in sent["messages"][1]["content"]
    assert sent["response_format"]["type"] == "json_schema"
    schema = sent["response_format"]["json_schema"]["schema"]
    assert set(schema["required"]) == set(schema["properties"])
    assert not sent.get("stream")


@pytest.mark.parametrize(
    ("script", "mode"),
    [
        ((NO_SCHEMA, tool_call(answer())), Mode.FUNCTION_CALLING),
        ((NO_SCHEMA, refusal(422, "tools: extra fields not permitted"), completion(answer())), Mode.JSON_MODE),
        ((NO_SCHEMA, NO_SCHEMA, refusal(400, "json_object"), completion(answer())), Mode.TEXT),
        ((refusal(404, "No endpoints found that support json_schema"), tool_call(answer())), Mode.FUNCTION_CALLING),
        ((refusal(500, "grammar failed"), tool_call(answer())), Mode.FUNCTION_CALLING),
        ((refusal(501, "not implemented"), tool_call(answer())), Mode.FUNCTION_CALLING),
    ],
)
def test_a_server_that_refuses_a_mode_is_asked_in_the_next_and_the_one_that_worked_is_kept(script, mode):
    with LoopbackEndpoint(*script) as endpoint:
        planner = planner_at(endpoint.url)
        assert isinstance(planner.plan(request()), Plan)
        assert planner.mode is mode
        before = len(endpoint.requests)
        assert isinstance(planner.plan(request()), Plan)
        assert len(endpoint.requests) == before + 1


def test_a_model_that_takes_no_temperature_is_asked_without_one():
    with LoopbackEndpoint(
        refusal(400, "Unsupported value: 'temperature' does not support 0"), completion(answer())
    ) as endpoint:
        planner = planner_at(endpoint.url)
        assert isinstance(planner.plan(request()), Plan)
    assert "temperature" in endpoint.requests[0]
    assert "temperature" not in endpoint.requests[1]
    assert planner.mode is Mode.JSON_SCHEMA


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (answer(goal=["in(red block, crimson bowl)"]), "no object 'crimson bowl' here"),
        (answer(goal=["inside(red block, red bowl)"]), "no literal 'inside'"),
        (answer(goal=[]), "the goal is empty"),
        (answer(steps=answer()["steps"][2:4]), "comes after 'b', which does not exist"),
        (answer(steps=[step("c", "pick(red block)"), step("d", "place_in(red bowl)", "c")]), "clear(red block)"),
        (answer(steps=[step("c", "grab(red block)")]), "no skill 'grab'"),
        (answer(steps=[step("c", "pick(the ball)")]), "no object 'ball' here"),
        (answer(steps=[step("a", "pick(blue block)", "b"), step("b", "place_on(table)", "a")]), "cycle"),
        (answer(steps=answer()["steps"][:4]), "after all steps this does not hold: closed(drawer)"),
        (
            answer(goal=["closed(drawer)"], steps=[*answer()["steps"][4:], step("p", "pick(green block)", "e")]),
            "holds the",
        ),
        ({"foo": 1}, "other keys than asked for (foo)"),
        ("Sure! I will do that for you.", "no JSON object"),
        ('{"reasoning": "a", "answer": "plan", "goal": ["in(red', "cut off"),
        (None, "empty"),
        (answer(answer="question"), "the question is empty"),
        (answer(answer="impossible", goal=[], reasoning=""), "no reason is given"),
        (answer(answer="maybe"), "answer: Input should be 'plan', 'question' or 'impossible'"),
        (IMPOSSIBLE | {"goal": ["closed(drawer)"]}, "can be reached from this scene (it starts with close(drawer))"),
    ],
)
def test_what_is_wrong_goes_back_in_words_and_the_corrected_answer_is_taken(wrong, words):
    events = Events()
    with LoopbackEndpoint(completion(wrong), completion(answer())) as endpoint:
        assert isinstance(planner_at(endpoint.url).plan(request(events)), Plan)
    (invalid,) = events.of("llm_invalid")
    assert words in " ".join(invalid["problems"])
    last = endpoint.requests[1]["messages"]
    assert [m["role"] for m in last] == ["system", "user", "assistant", "user"]
    assert words in last[-1]["content"]


def test_after_three_repairs_search_takes_over_from_sound_goal_literals():
    events = Events()
    unusable = answer(steps=[step("a", "pick(red block)")])
    with LoopbackEndpoint(completion(unusable)) as endpoint:
        plan = planner_at(endpoint.url).plan(request(events))
    assert isinstance(plan, Plan)
    assert len(endpoint.requests) == 4
    assert len(events.of("llm_invalid")) == 4
    (fallback,) = events.of("llm_fallback_search")
    assert fallback["goal"]["literals"] == ["in(red block, red bowl)", "closed(drawer)"]
    assert "no usable graph in 4 tries" in fallback["why"]
    assert "search" in plan.reasoning
    assert len(list(plan.graph.calls())) == 5


def test_without_a_sound_goal_the_error_says_what_was_wrong_last_and_what_to_do():
    unusable = completion(answer(goal=["in(ball, red bowl)"], steps=[]))
    said = r"(?s)no usable answer in 4 tries.*no object 'ball'.*'search'"
    with LoopbackEndpoint(unusable) as endpoint, pytest.raises(PlannerError, match=said):
        planner_at(endpoint.url).plan(request())


def test_an_endpoint_that_dies_during_repairs_leaves_a_sound_goal_to_search():
    events = Events()
    with LoopbackEndpoint(completion(answer(steps=[])), refusal(401, "key expired")) as endpoint:
        assert isinstance(planner_at(endpoint.url).plan(request(events)), Plan)
    assert "401" in events.of("llm_fallback_search")[0]["why"]


def test_a_question_with_its_choices_and_a_reasoned_refusal_are_outcomes():
    with LoopbackEndpoint(completion(QUESTION), completion(IMPOSSIBLE)) as endpoint:
        planner = planner_at(endpoint.url)
        assert planner.plan(request()) == Question("Which one?", ("red block", "blue block"))
        assert planner.plan(request()) == Impossible("there is no purple bowl")


def test_a_question_that_was_answered_is_not_asked_again():
    with LoopbackEndpoint(completion(QUESTION), completion(answer())) as endpoint:
        outcome = planner_at(endpoint.url).plan(request(answers=(("Which one?", "red block"),)))
    assert isinstance(outcome, Plan)
    assert "Which one? -> red block" in endpoint.requests[0]["messages"][1]["content"]


def test_a_goal_given_by_the_user_is_kept_whatever_the_model_makes_of_it():
    goal = Goal.parse("in(red block, red bowl); closed(drawer)")
    with LoopbackEndpoint(completion(answer(goal=["lit(lamp)"]))) as endpoint:
        plan = planner_at(endpoint.url).plan(request(goal=goal))
    assert isinstance(plan, Plan)
    assert plan.goal == goal


ORDER = [{"first": "closed(drawer)", "then": "in(red block, red bowl)"}]


def test_steps_that_make_the_goal_true_in_the_wrong_order_are_a_fault():
    first = step("e", "close(drawer)")
    late, early = [*answer()["steps"][:4], first], [first, step("a", "pick(blue block)", "e"), *answer()["steps"][1:4]]
    with LoopbackEndpoint(
        completion(answer(order=ORDER, steps=late)), completion(answer(order=ORDER, steps=early))
    ) as endpoint:
        plan = planner_at(endpoint.url).plan(request())
    assert isinstance(plan, Plan)
    assert "closed(drawer) before in(red block, red bowl)" in endpoint.requests[1]["messages"][-1]["content"]
    assert plan.goal.order


@pytest.mark.parametrize(
    "changes",
    [
        {"order": ORDER, "steps": [step("e", "close(drawer)"), *answer()["steps"][:4]]},
        {"steps": [step("a", "pick(blue block)"), step("b", "place_on(table)", "a"), step("c", "pick(red block)"),
                   step("d", "place_in(red bowl)", "c"), step("e", "close(drawer)")]},
    ],
)  # fmt: skip
def test_an_edge_that_was_forgotten_is_taken_from_the_listed_order(changes):
    with LoopbackEndpoint(completion(answer(**changes))) as endpoint:
        plan = planner_at(endpoint.url).plan(request())
    assert isinstance(plan, Plan)
    assert len(endpoint.requests) == 1
    assert [str(call) for call in plan.graph.calls()] == [item["do"] for item in changes["steps"]]
    assert all(later.after for later in plan.graph.steps[1:])


def test_all_misnamed_things_are_told_at_once():
    wrong = answer(goal=["in(ball, red bowl)", "lit(candle)"], steps=["grab(ball)", "pick(cup)", "place_in(table)"])
    with LoopbackEndpoint(completion(wrong), completion(answer())) as endpoint:
        planner_at(endpoint.url).plan(request())
    said = endpoint.requests[1]["messages"][-1]["content"]
    for word in ("'ball'", "'candle'", "'grab'", "'cup'", "'table' is a table; place_in takes a bowl or drawer"):
        assert word in said


def test_a_goal_that_depends_on_what_only_a_look_can_tell_keeps_its_branch():
    hidden = scene(facts=FACTS_CLOSED, hidden=frozenset({"green block"}))
    branch = {"if": "in(green block, drawer)", "then": ["in(green block, red bowl)"], "else": ["lit(lamp)"]}
    inside = "in(green block, drawer)"
    steps = [
        step("o", "open(drawer)"),
        step("p", "pick(green block)", "o", condition=inside),
        step("q", "place_in(red bowl)", "p", condition=inside),
        step("r", "press(button)", "q", condition=f"not {inside}"),
    ]
    with LoopbackEndpoint(completion(answer(goal=[], branches=[branch], steps=steps))) as endpoint:
        plan = planner_at(endpoint.url).plan(request(scene=hidden))
    assert isinstance(plan, Plan)
    assert len(endpoint.requests) == 1
    assert plan.goal.branches[0].condition == Literal.parse(inside)


LOOK = ["open(drawer)", "pick(yellow block)", "place_in(blue bowl)"]
YELLOW = answer(goal=["in(yellow block, blue bowl)"], steps=LOOK)


def test_what_the_person_names_and_nobody_has_seen_is_looked_for():
    closed = Scene.from_symbolic(scene(facts=FACTS_CLOSED).symbolic(), unexplored=["drawer"])
    asked = request(instruction="put the yellow block into the blue bowl", scene=closed)
    with LoopbackEndpoint(completion(YELLOW)) as endpoint:
        plan = planner_at(endpoint.url).plan(asked)
    assert isinstance(plan, Plan)
    assert plan.assumed == {"yellow block": "block"}


@pytest.mark.parametrize(
    ("instruction", "unexplored"), [("put something into the blue bowl", ["drawer"]), ("get the yellow block", [])]
)
def test_what_the_model_makes_up_or_can_be_nowhere_is_not(instruction, unexplored):
    closed = Scene.from_symbolic(scene(facts=FACTS_CLOSED).symbolic(), unexplored=unexplored)
    with LoopbackEndpoint(completion(YELLOW), completion(IMPOSSIBLE)) as endpoint:
        outcome = planner_at(endpoint.url).plan(request(instruction=instruction, scene=closed))
    assert isinstance(outcome, Impossible)
    assert "no object 'yellow block' here" in endpoint.requests[1]["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("instruction", "words"), [("", "empty"), ("  ", "empty"), ("pick " * 20_000, "100000 characters")]
)
def test_no_instruction_and_a_file_of_one_are_refused_before_anything_is_sent(instruction, words):
    with LoopbackEndpoint(completion(answer())) as endpoint, pytest.raises(PlannerError, match=words):
        planner_at(endpoint.url).plan(request(instruction=instruction))
    assert not endpoint.requests


def test_a_step_under_a_condition_becomes_a_branch():
    steps = [
        step("o", "close(drawer)"),
        {**step("p", "press(button)", condition="not lit(lamp)"), "after": None},
    ]
    with LoopbackEndpoint(completion(answer(goal=["lit(lamp)"], steps=steps))) as endpoint:
        plan = planner_at(endpoint.url).plan(request())
    assert isinstance(plan, Plan)
    assert [type(s).__name__ for s in plan.graph.steps] == ["CallStep", "BranchStep"]


def test_what_is_out_of_sight_is_looked_for_in_the_drawer():
    hidden = scene(facts=FACTS_CLOSED, hidden=frozenset({"green block"}))
    steps = ["open(drawer)", "pick(green block)", "place_in(blue bowl)"]
    with LoopbackEndpoint(completion(answer(goal=["in(green block, blue bowl)"], steps=steps))) as endpoint:
        plan = planner_at(endpoint.url).plan(request(scene=hidden))
    assert isinstance(plan, Plan)
    said = endpoint.requests[0]["messages"][1]["content"]
    assert "out of sight: green block (block)" in said
    assert "nobody has looked into the drawer yet" in said


def test_a_session_knows_what_was_asked_before_and_how_things_stood_then():
    moved = scene(facts=("on(blue block, table)", "in(red block, red bowl)", "on(green block, table)"))
    back = answer(goal=["on(red block, table)"], steps=["pick(red block)", "place_on(table)"])
    with LoopbackEndpoint(completion(answer()), completion(back)) as endpoint:
        planner = planner_at(endpoint.url)
        first = planner.plan(request())
        assert isinstance(first, Plan)
        assert isinstance(planner.plan(request(instruction="now put it back", scene=moved, focus=first.focus)), Plan)
    said = endpoint.requests[1]["messages"][1]["content"]
    assert f'"{INSTRUCTION}"; before it: on(blue block, red block); on(red block, table); open(drawer)' in said
    assert '("it", "them"): drawer, red block, red bowl' in said


def test_replanning_is_no_new_command():
    verdict = Verdict(VerdictStatus.FAILED, 1.0, "it slipped", "scene")
    run = SkillRun(SkillCall.parse("pick(blue block)"), EndedBy.TERMINATED, 10, 1.0)
    with LoopbackEndpoint(completion(answer())) as endpoint:
        planner = planner_at(endpoint.url)
        planner.plan(request())
        planner.plan(request(history=(StepResult("a", 1, run, verdict),)))
    assert "before it" not in endpoint.requests[1]["messages"][1]["content"]
    assert "it slipped" in endpoint.requests[1]["messages"][1]["content"]
