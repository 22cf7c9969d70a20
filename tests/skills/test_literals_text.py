"""Literals as text: parse and print, negate, hash; and the typed check against objects and predicates."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skills.checking import LiteralError, check_goal, check_literal
from skills.goal import Goal
from skills.library import SkillLibrary
from skills.literals import Literal, LiteralSyntaxError

NAMES = st.from_regex(r"\A[a-z0-9]([a-z0-9_-]| (?! ))*[a-z0-9_-]\Z|\A[a-z]\Z", fullmatch=True).filter(
    lambda name: not name.endswith(" ")
)
LITERALS = st.builds(
    Literal,
    st.from_regex(r"\A[a-z][a-z0-9_]*\Z", fullmatch=True).filter(lambda p: p != "not"),
    st.lists(NAMES, max_size=3).map(tuple),
    st.booleans(),
)
OBJECTS = {"red block": "block", "green block": "block", "red bowl": "bowl", "drawer": "drawer", "table": "table"}
PREDICATES = SkillLibrary().predicates


@given(LITERALS)
def test_text_round_trip(literal: Literal) -> None:
    assert Literal.parse(str(literal)) == literal
    assert hash(Literal.parse(str(literal))) == hash(literal)


@given(LITERALS)
def test_negating_twice_changes_nothing_and_positive_drops_the_sign(literal: Literal) -> None:
    assert literal.negate().negate() == literal
    assert literal.negate() != literal
    assert literal.positive == literal.negate().positive
    assert not literal.positive.negated


@given(st.text(max_size=40))
def test_any_text_is_a_literal_that_prints_back_or_refused(text: str) -> None:
    with contextlib.suppress(LiteralSyntaxError):
        literal = Literal.parse(text)
        assert Literal.parse(str(literal)) == literal


@pytest.mark.parametrize(
    "text", ["", "on", "on(", "on(red block", "on(a, b) x", "on(a,,b)", "On(a)", "on(a;b)", "not", None, 3]
)
def test_what_is_no_literal_is_refused(text: str) -> None:
    with pytest.raises(LiteralSyntaxError, match=r"expected a form like|is not a name"):
        Literal.parse(text)


def test_spaces_do_not_matter() -> None:
    assert str(Literal.parse("  not   on( red   block ,green block )")) == "not on(red block, green block)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("inn(red block, red bowl)", "no literal 'inn'; did you mean 'in'?"),
        ("in(red block)", r"in takes 2 argument\(s\)"),
        ("in(rad block, red bowl)", "no object 'rad block' here; did you mean 'red block'?"),
        ("in(red bowl, red block)", "'red bowl' is a bowl"),
        ("in(red block, green block)", "'green block' is a block; in takes a"),
        ("in_zone(red block, lift)", "no .*'lift'; did you mean 'left'?"),
        ("in(red block, *pot)", "no kind 'pot'"),
    ],
)
def test_a_literal_that_does_not_fit_is_named_with_the_valid_choices(text: str, message: str) -> None:
    with pytest.raises(LiteralError, match=message):
        check_literal(Literal.parse(text), OBJECTS, PREDICATES)


@pytest.mark.parametrize(
    "text", ["in(red block, *)", "on(red block, *block)", "not in_zone(red block, left)", "hand_empty()"]
)
def test_literals_that_fit_pass(text: str) -> None:
    check_literal(Literal.parse(text), OBJECTS, PREDICATES)


def test_every_part_of_a_goal_is_checked() -> None:
    good = "clear(red block)"
    for part in (
        {"literals": ["lit(lamp)"]},
        {"alternatives": [[good], ["lit(lamp)"]]},
        {"order": [[good, "lit(lamp)"]]},
        {"branches": [{"condition": "lit(lamp)", "then": [good]}]},
        {"branches": [{"condition": good, "otherwise": ["lit(lamp)"]}]},
    ):
        with pytest.raises(LiteralError, match="no object 'lamp'"):
            check_goal(Goal.model_validate(part), OBJECTS, PREDICATES)
