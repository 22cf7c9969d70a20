"""LanguagePlanner: plans, questions and their answers, refusals, referents across commands, and input of any kind."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from language_scenes import BUILT, FLAT, LIBRARY, scene

from planner.grammar.errors import InstructionError
from planner.language import LanguagePlanner
from planner.planner import Impossible, Plan, PlanOutcome, PlanRequest, Question
from skills.literals import Literal
from world_model.scene import Scene


def ask(
    text: str,
    where: Scene = FLAT,
    *,
    planner: LanguagePlanner | None = None,
    answers: Iterable[tuple[str, str]] = (),
    focus: tuple[str, ...] = (),
) -> PlanOutcome:
    request = PlanRequest(text, where, LIBRARY, answers=tuple(answers), focus=focus)
    return (planner or LanguagePlanner()).plan(request)


def planned(outcome: PlanOutcome) -> Plan:
    assert isinstance(outcome, Plan), outcome
    return outcome


def answered(text: str, answer: str, where: Scene = FLAT) -> Plan:
    question = ask(text, where)
    assert isinstance(question, Question), question
    return planned(ask(text, where, answers=[(question.text, answer)]))


def literals(plan: Plan) -> set[str]:
    return set(map(str, plan.goal.literals))


def test_an_instruction_becomes_a_goal_and_a_graph() -> None:
    plan = planned(ask("put the red block in the blue bowl, then turn on the lamp"))
    assert literals(plan) == {"in(red block, blue bowl)", "lit(lamp)"}
    assert [str(c) for c in plan.graph.calls()] == ["pick(red block)", "place_in(blue bowl)", "press(button)"]
    assert "the red block in the blue bowl" in plan.reasoning
    assert plan.focus[0] == "lamp"


def test_a_goal_given_directly_is_not_read() -> None:
    goal = planned(ask("open the drawer")).goal
    request = PlanRequest("", FLAT, LIBRARY, goal=goal)
    assert literals(planned(LanguagePlanner().plan(request))) == {"open(drawer)"}


@pytest.mark.parametrize("answer", ["red", "the red one", "the red block", "red block", "Red.", "the red cube"])
def test_an_ambiguous_block_is_asked_about_and_the_answer_used(answer: str) -> None:
    assert literals(answered("put the block in the drawer", answer)) == {"in(red block, drawer)"}


def test_the_question_names_the_choices() -> None:
    question = ask("put the block in the drawer")
    assert isinstance(question, Question)
    assert question.choices == ("blue block", "green block", "red block", "yellow block")
    assert "the red block" in question.text


@pytest.mark.parametrize(("answer", "count"), [("all of them", 4), ("the red and the blue one", 2), ("any", 1)])
def test_several_may_be_the_answer(answer: str, count: int) -> None:
    assert len(answered("put the block in the drawer", answer).goal.literals) == count


def test_an_answer_that_does_not_tell_is_asked_about_again() -> None:
    first = ask("put the block in the drawer")
    assert isinstance(first, Question)
    second = ask("put the block in the drawer", answers=[(first.text, "the shiny one")])
    assert isinstance(second, Question)
    assert second.text != first.text
    answers = [(first.text, "the shiny one"), (second.text, "blue")]
    assert literals(planned(ask("put the block in the drawer", answers=answers))) == {"in(blue block, drawer)"}


@pytest.mark.parametrize("answer", ["yes", "block", "Yes please"])
def test_a_spelling_slip_is_asked_about(answer: str) -> None:
    question = ask("put the red blcok in the drawer")
    assert isinstance(question, Question)
    assert "'blcok'" in question.text
    assert "did you mean 'block'" in question.text
    assert literals(answered("put the red blcok in the drawer", answer)) == {"in(red block, drawer)"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("put the red block except and in the drawer", "I understood 'put the red block except', but not how 'and in"),
        ("wobble the red block in the drawer", "I do not know the word 'wobble'"),
        ("put the red block in the drawer of for under", "'of'"),
    ],
)
def test_what_is_not_understood_is_said_word_by_word(text: str, words: str) -> None:
    question = ask(text)
    assert isinstance(question, Question)
    assert words in question.text
    assert literals(answered(text, "put the red block in the drawer")) == {"in(red block, drawer)"}


@pytest.mark.parametrize(
    "answer", ["in the blue bowl", "the blue bowl", "blue bowl", "put the red block in the blue bowl"]
)
def test_what_was_left_out_is_asked_for(answer: str) -> None:
    assert literals(answered("put the red block", answer)) == {"in(red block, blue bowl)"}


def test_yes_and_no_settle_what_was_asked() -> None:
    text = "put the red and the green block on the blue pad"
    assert literals(answered(text, "yes")) == {"on(red block, blue pad)", "on(green block, red block)"}
    question = ask(text)
    assert isinstance(question, Question)
    assert isinstance(ask(text, answers=[(question.text, "no")]), Impossible)


def test_a_block_nobody_sees_is_looked_for_where_a_drawer_is_unexplored() -> None:
    where = scene(["on(red block, table)"], ["red block", "blue block", "red bowl", "drawer", "table"], ["blue block"])
    plan = planned(ask("put the blue block in the red bowl", where))
    assert str(next(plan.graph.calls())) == "open(drawer)"
    every = planned(ask("put every block in the red bowl", where))
    assert literals(every) == {"in(red block, red bowl)", "in(blue block, red bowl)"}


def test_what_is_not_there_is_impossible_and_the_reason_says_what_is() -> None:
    outcome = ask("put the pink block in the red bowl", BUILT)
    assert isinstance(outcome, Impossible)
    assert "no pink block" in outcome.reason
    assert "the yellow block" in outcome.reason


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("put the red bowl on the blue pad", "bowl stays"),
        ("put all four blocks in the red bowl", "holds 3"),
        ("put the red block in the green block", "no inside"),
        ("pick up the red and the blue block", "one block at a time"),
        ("open the lamp", "only a drawer"),
        ("put the red block on itself", "on itself"),
    ],
)
def test_the_impossible_is_refused_with_its_reason(text: str, words: str) -> None:
    outcome = ask(text)
    assert isinstance(outcome, Impossible), outcome
    assert words in outcome.reason


def test_it_is_what_the_last_command_spoke_of() -> None:
    planner = LanguagePlanner()
    first = planned(ask("put the red block in the blue bowl", planner=planner))
    later = scene(
        ["in(red block, blue bowl)", "on(green block, table)", "on(blue block, table)", "on(yellow block, table)"]
    )
    second = planned(ask("now put it on the red pad", later, planner=planner, focus=first.focus))
    assert literals(second) == {"on(red block, red pad)"}
    fresh = planned(ask("now put it on the red pad", later, focus=first.focus))
    assert literals(fresh) == {"on(red block, red pad)"}


def test_back_is_where_it_was_before() -> None:
    planner = LanguagePlanner()
    first = planned(ask("put the yellow block in the drawer", BUILT, planner=planner))
    facts = {str(f) for f in BUILT.symbolic().facts} - {"on(yellow block, red pad)"} | {"in(yellow block, drawer)"}
    second = ask("now put it back", scene(facts), planner=planner, focus=first.focus)
    assert literals(planned(second)) == {"on(yellow block, red pad)"}


def test_them_are_the_several_last_spoken_of() -> None:
    planner = LanguagePlanner()
    first = planned(ask("put the red and the blue block in the drawer", planner=planner))
    second = planned(ask("put them in the green bowl", planner=planner, focus=first.focus))
    assert literals(second) == {"in(red block, green bowl)", "in(blue block, green bowl)"}


@pytest.mark.parametrize(
    "text", ["", "   ", "\n\t", "?!.", "...", "a" * 100_000, "put the red block in the bowl " * 4000]
)
def test_what_is_no_instruction_is_refused_at_once(text: str) -> None:
    with pytest.raises(InstructionError):
        ask(text)


_SENTENCE = (
    "put take the a red blue block blocks bowl drawer it them in on of and or , . then if otherwise is open every all "
    "but except not two one other stack lamp off before after its colour what there with left back"
)
_WORDS = st.sampled_from(tuple(_SENTENCE.split()))


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.lists(_WORDS, max_size=14).map(" ".join), st.text(max_size=60)))
def test_any_text_gets_an_outcome(text: str) -> None:
    try:
        outcome = ask(text, BUILT)
    except InstructionError:
        return
    assert isinstance(outcome, Plan | Question | Impossible)
    if isinstance(outcome, Plan):
        assert all(isinstance(lit, Literal) for lit in outcome.goal.literals)
