"""Scene: confidence and source of everything, hidden things, words, JSON."""

from __future__ import annotations

import json

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robots.physical_state import HandState, ObjectState
from skills.literals import Literal
from skills.symbolic_state import SymbolicState
from world_model.scene import BelievedLiteral, Scene, SceneGraphError, SceneObject

OBJECTS = {"red block": "block", "blue block": "block", "blue bowl": "bowl", "drawer": "drawer", "table": "table"}


def literal(text: str) -> Literal:
    return Literal.parse(text)


def scene_of(*facts: str, hidden: tuple[str, ...] = (), **options: float) -> Scene:
    state = SymbolicState(OBJECTS, frozenset(map(literal, facts)), frozenset(hidden))
    return Scene.from_symbolic(state, **options)  # type: ignore[arg-type]


def test_symbolic_round_trip() -> None:
    state = SymbolicState(OBJECTS, frozenset({literal("on(red block, table)")}), frozenset({"blue block"}))
    assert Scene.from_symbolic(state).symbolic() == state


def test_graph_is_frozen_and_carries_records() -> None:
    scene = scene_of("on(red block, table)", "holding(blue block)")
    edge = scene.graph.edges["red block", "table", "on(red block, table)"]["believed"]
    assert edge == BelievedLiteral(literal("on(red block, table)"))
    assert scene.graph.has_edge("hand", "blue block")
    assert scene.graph.nodes["drawer"]["object"].category == "drawer"
    with pytest.raises(nx.NetworkXError):
        scene.graph.add_node("green block")


def test_confidence_of_what_is_stored_absent_derived_and_hidden() -> None:
    scene = scene_of("on(red block, table)", hidden=("blue block",), confidence=0.9)
    assert scene.confidence(literal("on(red block, table)")) == pytest.approx(0.9)
    assert scene.confidence(literal("not on(red block, table)")) == pytest.approx(0.1)
    assert scene.confidence(literal("on(red block, blue bowl)")) == pytest.approx(0.1)
    assert scene.confidence(literal("closed(drawer)")) == pytest.approx(0.9)
    assert scene.confidence(literal("in(blue block, drawer)")) == 0.5


def test_source_is_that_of_the_least_sure_evidence() -> None:
    objects = {
        "red block": SceneObject("red block", "block", 1.0, "oracle"),
        "blue bowl": SceneObject("blue bowl", "bowl", 0.8, "memory"),
    }
    stored = BelievedLiteral(literal("lit(lamp)"), 0.6, "predicted")
    scene = Scene(objects, (stored,))
    assert scene.source(literal("in(red block, blue bowl)")) == "memory"
    assert scene.source(literal("not lit(lamp)")) == "predicted"
    assert scene.source("red block") == "oracle"


def test_unknown_object_names_the_known_ones() -> None:
    with pytest.raises(SceneGraphError, match="did you mean 'red block'"):
        scene_of().confidence("red blok")


def test_assumed_object_is_hidden_and_a_closed_drawer_may_hold_it() -> None:
    scene = scene_of().assume("green block", "block")
    assert scene.hidden == {"green block"}
    assert scene.source("green block") == "instruction"
    assert scene.symbolic().holds(literal("in(green block, drawer)")) is None
    assert scene.assume("red block", "block") is scene


def test_scene_with_hidden_objects_leaves_closed_drawers_unexplored() -> None:
    assert scene_of(hidden=("red block",)).unexplored == {"drawer"}
    assert scene_of("open(drawer)", hidden=("red block",)).unexplored == frozenset()
    assert scene_of().unexplored == frozenset()


def test_description_speaks_of_every_object_and_of_doubt() -> None:
    scene = scene_of("on(red block, table)", "in_zone(red block, left)", hidden=("blue block",), confidence=0.7)
    assert "red block: in the left zone (given, 70% sure), on the table (given, 70% sure)" in scene.describe()
    assert "blue block: somewhere out of sight" in scene.describe()
    assert "nobody has looked into the drawer" in scene.describe()


@pytest.mark.parametrize(
    "data", [None, [], {"objects": 3}, {"objects": [], "literals": [{"literal": "on(", "confidence": 1}]}]
)
def test_json_that_is_no_scene_is_refused(data: object) -> None:
    with pytest.raises(SceneGraphError, match="not a scene"):
        Scene.from_json(data)


names = st.sampled_from(["red block", "green block", "lamp", "drawer"])
numbers = st.floats(-1, 1, allow_nan=False)
states = st.builds(ObjectState, names, st.just("block"), st.tuples(numbers, numbers, numbers))
items = st.builds(
    SceneObject,
    names,
    st.just("block"),
    st.floats(0, 1),
    st.sampled_from(["oracle", "memory"]),
    st.none() | states,
    st.booleans(),
    st.booleans(),
)
hands = st.builds(HandState, st.tuples(numbers, numbers, numbers), st.just((0.0, 0.0, 0.0, 1.0)), st.floats(0, 0.08))
literals = st.builds(Literal, st.sampled_from(["on", "near"]), st.tuples(names, names), st.booleans())
scenes = st.builds(
    Scene,
    st.lists(items).map(lambda found: {item.name: item for item in found}),
    st.lists(st.builds(BelievedLiteral, literals, st.floats(0, 1), st.just("vla"))).map(tuple),
    st.frozensets(names),
    st.frozensets(names),
    st.floats(0, 100),
    st.none() | hands,
    st.dictionaries(names, numbers),
    st.dictionaries(names, st.booleans()),
)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(scenes)
def test_json_round_trip_is_exact(scene: Scene) -> None:
    assert Scene.from_json(json.loads(json.dumps(scene.to_json()))) == scene
