"""Skill graphs in files and built from Python: round trips, and errors that say where and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from symbolic_cases import LIBRARY, table

from skills.building import branch, grouped, repeat, sequence, unordered
from skills.graph_files import GraphFileError, graph_json, graph_yaml, load_graph, parse_graph, save_graph
from skills.literals import Literal
from skills.skill import SkillCall
from skills.skill_graph import BranchStep, CallStep, RepeatStep, SkillGraph, Step, SubGraphStep
from skills.validation import validate

WORDS = st.sampled_from(["red block", "green bowl", "drawer", "on", "yes", "12", "null", "lamp"])
CALLS = st.builds(SkillCall, st.sampled_from(["pick", "no", "press"]), st.lists(WORDS, max_size=2).map(tuple))
CONDITIONS = st.builds(Literal, st.sampled_from(["on", "lit"]), st.lists(WORDS, max_size=2).map(tuple), st.booleans())


def branch_step(
    step_id: str, after: tuple[str, ...], condition: Literal, then: SkillGraph, otherwise: SkillGraph
) -> BranchStep:
    return BranchStep(id=step_id, after=after, condition=condition, then=then, otherwise=otherwise)


def repeat_step(step_id: str, body: SkillGraph, until: Literal | None, at_most: int | None) -> RepeatStep:
    return RepeatStep(id=step_id, body=body, until=until, at_most=at_most)


def steps(inner: st.SearchStrategy[SkillGraph]) -> st.SearchStrategy[Step]:
    ids = st.sampled_from(["1", "a", "no", "pick-red", "~"])
    after = st.lists(st.sampled_from(["1", "b", "null"]), max_size=2).map(tuple)
    return st.one_of(
        st.builds(CallStep, id=ids, after=after, do=CALLS),
        st.builds(branch_step, ids, after, CONDITIONS, inner, inner),
        st.builds(repeat_step, ids, inner, st.none() | CONDITIONS, st.none() | st.integers(1, 9)),
        st.builds(SubGraphStep, id=ids, after=after, graph=inner),
    )


GRAPHS = st.recursive(
    st.builds(SkillGraph),
    lambda inner: st.builds(SkillGraph, name=st.text(max_size=8), steps=st.lists(steps(inner), max_size=3).map(tuple)),
    max_leaves=6,
)


@settings(deadline=None, max_examples=60)
@given(GRAPHS)
def test_yaml_and_json_round_trip(graph: SkillGraph) -> None:
    assert parse_graph(graph_yaml(graph)) == graph
    assert parse_graph(graph_json(graph)) == graph
    assert SkillGraph.model_validate_json(graph.model_dump_json(by_alias=True)) == graph


@pytest.mark.parametrize("name", ["\x85", "\u2028", "\U00010000", "ü", "a\nb", " a ", "#x: y"])
def test_names_in_rare_characters_round_trip(name: str) -> None:
    graph = SkillGraph(name=name)
    assert parse_graph(graph_yaml(graph)) == graph == parse_graph(graph_json(graph))


def test_files_round_trip_by_their_ending(tmp_path: Path) -> None:
    graph = sequence("pick(red block)", "place_in(red bowl)", name="tidy")
    for name in ("graph.yaml", "graph.json"):
        save_graph(graph, tmp_path / name)
        assert load_graph(tmp_path / name) == graph
    assert (tmp_path / "graph.json").read_text().startswith("{")


def test_people_may_write_numbers_and_a_single_predecessor() -> None:
    graph = parse_graph("steps: [{id: 1, do: pick(red block)}, {id: 2, do: place_in(red bowl), after: 1}]")
    assert graph.steps[1].after == ("1",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a mapping with 'steps'"),
        ("[]", "expected a mapping with 'steps'"),
        ("just words", "expected a mapping with 'steps'"),
        ("steps: 3", "steps: expected a list"),
        ("steps: [{id: a}]", r"steps\[0\]: not a step; expected a mapping with id and one of: do, if, repeat, graph"),
        ("steps: [pick(red block)]", r"steps\[0\]: not a step"),
        ("steps: [{do: pick(red block)}]", r"steps\[0\].id: is missing"),
        ("steps: [{id: a, do: pick}]", r"steps\[0\].do: not a skill call: 'pick'; expected a form like"),
        ("steps: [{id: a, do: pick(x), aftr: b}]", r"steps\[0\].aftr: there is no such key here"),
        ("steps: [{id: a, if: lit, then: {steps: []}}]", r"steps\[0\].if: not a literal: 'lit'"),
        ("steps: [{id: r, repeat: {steps: [{id: a, do: 3}]}}]", r"steps\[0\].repeat.steps\[0\].do: not a skill call"),
        ("steps: [", "neither YAML nor JSON"),
        ("steps: &a [*a]", "aliases"),
        ("{steps: [{id: a, graph: " * 2000, "nested too deep|recursion"),
    ],
)
def test_what_is_no_graph_is_refused_with_what_was_expected(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "graph.yaml"
    file.write_text(text)
    with pytest.raises(GraphFileError, match=message) as error:
        load_graph(file)
    assert str(file) in str(error.value)


def test_a_missing_or_huge_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GraphFileError, match="cannot be read"):
        load_graph(tmp_path / "none.yaml")
    (tmp_path / "huge.yaml").write_text("#" * 1_000_001)
    with pytest.raises(GraphFileError, match="larger than"):
        load_graph(tmp_path / "huge.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(GraphFileError, match="cannot be read"):
        load_graph(tmp_path / "binary.yaml")


def test_a_graph_in_a_few_lines_of_python_works() -> None:
    graph = sequence(
        "open(drawer)",
        unordered(sequence("pick(red block)", "place_in(drawer)"), sequence("pick(green block)", "place_in(drawer)")),
        "close(drawer)",
        branch("lit(lamp)", then="press(button)"),
        repeat("press(button)", until="lit(lamp)", at_most=2),
        grouped("once more", "open(drawer)"),
    )
    by_id = {step.id: step for step in graph.steps}
    assert by_id["pick-red-block"].after == by_id["pick-green-block"].after == ("open-drawer",)
    assert by_id["close-drawer"].after == ("place_in-drawer", "place_in-drawer-2")
    validate(graph, table(["red block", "green block", "drawer", "lamp", "button"]), LIBRARY)


def test_parts_used_twice_get_ids_of_their_own() -> None:
    twice = sequence("press(button)", "press(button)")
    four = sequence(twice, twice)
    assert [step.id for step in four.steps] == ["press-button", "press-button-2", "press-button-3", "press-button-2-2"]
    assert [step.after for step in four.steps[1:]] == [("press-button",), ("press-button-2",), ("press-button-3",)]
