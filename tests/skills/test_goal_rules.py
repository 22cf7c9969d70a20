"""Goal: reading --goal, end states with branches, what is unmet, order by when each became true."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from symbolic_cases import literals, table

from skills.goal import Goal
from skills.literals import Literal, LiteralSyntaxError
from skills.symbolic_state import SymbolicState

DARK = table(["red block", "red bowl", "drawer", "lamp", "button"])
LIT = DARK.apply(literals("lit(lamp)"))
OPEN = DARK.apply(literals("open(drawer)"))
BOTH = LIT.apply(literals("open(drawer)"))


@pytest.mark.parametrize(
    "text",
    ["lit(lamp); open(drawer)", "lit(lamp) & open(drawer)", "lit(lamp), open(drawer)", "lit(lamp) and open(drawer)"],
)
def test_goals_are_read_with_every_separator(text: str) -> None:
    assert Goal.parse(text).literals == literals("lit(lamp)", "open(drawer)")


def test_commas_within_literals_do_not_separate() -> None:
    goal = Goal.parse("in(red block, red bowl), not lit(lamp)")
    assert goal.literals == literals("in(red block, red bowl)", "not lit(lamp)")


def test_and_may_be_part_of_a_name_but_a_goal_may_not_be_empty() -> None:
    assert Goal.parse("on(sand and stone, red pad) and lit(lamp)").literals[0].arguments[0] == "sand and stone"
    assert Goal.parse("in(a, b) , in(c, d)").literals == literals("in(a, b)", "in(c, d)")
    for text in ("", "  ", ";,"):
        with pytest.raises(LiteralSyntaxError, match="empty goal"):
            Goal.parse(text)


def test_a_huge_goal_is_refused_at_once_and_in_few_words() -> None:
    for text in ("x" * 100_000, " " * 100_000 + "(", "(" * 100_000, "in(a, b) " * 10_000):
        with pytest.raises(LiteralSyntaxError) as error:
            Goal.parse(text)
        assert len(str(error.value)) < 400


def test_records_refuse_what_is_no_literal_and_unknown_keys() -> None:
    with pytest.raises(ValidationError, match="not a literal"):
        Goal.model_validate({"literals": ["on("]})
    with pytest.raises(ValidationError):
        Goal.model_validate({"literal": ["lit(lamp)"]})


def test_json_round_trip() -> None:
    goal = Goal.model_validate(
        {
            "literals": ["lit(lamp)"],
            "alternatives": [["open(drawer)"]],
            "order": [["lit(lamp)", "open(drawer)"]],
            "branches": [{"condition": "lit(lamp)", "then": ["closed(drawer)"]}],
        }
    )
    assert Goal.model_validate_json(goal.model_dump_json()) == goal


def test_branches_look_at_the_start_and_alternatives_offer_ways() -> None:
    branch = {"condition": "lit(lamp)", "then": ["open(drawer)"], "otherwise": ["clear(red block)"]}
    goal = Goal.model_validate({"branches": [branch], "alternatives": [["lit(lamp)"], ["not lit(lamp)"]]})
    lit, dark = literals("lit(lamp)", "not lit(lamp)")
    assert goal.end_states(LIT) == ((lit, Literal.parse("open(drawer)")), (dark, Literal.parse("open(drawer)")))
    assert goal.unmet(LIT, LIT) == literals("open(drawer)")
    assert goal.reached([DARK, DARK])


@pytest.mark.parametrize(
    ("history", "kept"),
    [
        ([DARK, LIT, BOTH], True),
        ([DARK, OPEN, BOTH], False),
        ([DARK, BOTH], False),  # at once is not before
        ([LIT, BOTH], True),
        ([BOTH], True),  # the first was true from the start
        ([OPEN, BOTH], False),
        ([OPEN, BOTH, LIT, BOTH], True),  # done over in the right order
        ([DARK, LIT, BOTH, OPEN, BOTH], False),  # the first was redone after the second
    ],
)
def test_order_compares_when_each_last_became_true(history: list[SymbolicState], kept: bool) -> None:
    lit, opened = literals("lit(lamp)", "open(drawer)")
    goal = Goal(literals=(lit, opened), order=((lit, opened),))
    assert goal.reached(history) is kept
