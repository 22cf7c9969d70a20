"""Belief: what stays believed unseen, what a look overturns, and when a thing is given up for gone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robots.physical_state import HandState, ObjectState, PhysicalState
from robots.tabletop import layout
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.predicates import Predicate
from skills.skill import Parameter, SkillCall
from world_model.belief import Belief, BeliefError
from world_model.perception.percept import Percept
from world_model.results import VerdictStatus
from world_model.scene import Scene, SceneGraphError
from world_model.success.from_scenes import SceneDetector

LIBRARY = SkillLibrary()
PAINTED = Predicate(
    "painted",
    (Parameter("block", types=("block",)), Parameter("colour", choices=("blue", "red"))),
    lambda _state, _arguments: None,
)
OPEN_M = layout.DRAWER_TRAVEL_M


def literal(text: str) -> Literal:
    return Literal.parse(text)


def block(name: str, x: float, y: float, z: float = 0.02) -> ObjectState:
    return ObjectState(name, "block", (x, y, z))


def stowed(name: str, opening_m: float = OPEN_M, slot: int = 0) -> ObjectState:
    return ObjectState(name, "block", layout.drawer_slot(slot, opening_m))


def look(
    *things: ObjectState,
    opening_m: float | None = 0.0,
    held: str | None = None,
    grasping: bool = False,
    missing: tuple[str, ...] = (),
    table: bool = True,
) -> Percept:
    """A percept of a table with a drawer (None: the drawer is out of view); an open drawer is looked into."""
    objects = {thing.name: thing for thing in things}
    joints = {}
    if opening_m is not None:
        centre = (layout.CABINET_X_M, layout.drawer_centre_y(opening_m), 0.035)
        objects["drawer"] = ObjectState("drawer", "drawer", centre, size_m=(0.236, 0.136, 0.05))
        joints["drawer"] = opening_m
    inspected = {"table"} if table else set()
    if opening_m is not None and opening_m >= layout.DRAWER_OPEN_M:
        inspected.add("drawer")
    hand = HandState((0.42, 0.0, 0.28), (1.0, 0.0, 0.0, 0.0), 0.08, held)
    seen = PhysicalState(0.0, objects, hand, joints)
    return Percept("oracle", seen, frozenset(inspected), frozenset(missing), grasping or held is not None)


def believing(*percepts: Percept) -> Belief:
    belief = Belief(LIBRARY)
    for percept in percepts:
        belief.update(percept)
    return belief


def test_what_is_seen_is_believed_with_its_source() -> None:
    scene = believing(look(block("red block", 0.4, 0.0))).scene
    assert scene.symbolic().holds(literal("on(red block, table)"))
    assert (scene.confidence("red block"), scene.source("red block")) == (1.0, "oracle")
    assert scene.confidence(literal("not open(drawer)")) == 1.0


def test_block_in_the_closed_drawer_stays_believed() -> None:
    belief = believing(look(stowed("blue block"), opening_m=OPEN_M))
    for _ in range(5):
        scene = belief.update(look(opening_m=0.0))
    fact = literal("in(blue block, drawer)")
    assert scene.symbolic().holds(fact)
    assert scene.source(fact) == "memory"
    assert scene.confidence(fact) == pytest.approx(0.95)
    assert scene.objects_by_name["blue block"].state == stowed("blue block", 0.0), "it slid in with the drawer"
    assert scene.unexplored == frozenset(), "the drawer has been looked into before it was closed"


def test_what_slid_away_in_the_drawer_is_not_missing() -> None:
    belief = believing(look(stowed("blue block"), opening_m=OPEN_M))
    scene = belief.update(look(opening_m=0.0, missing=("blue block",)))
    assert scene.symbolic().holds(literal("in(blue block, drawer)"))


def test_block_not_in_the_opened_drawer_has_no_place_then_is_gone() -> None:
    belief = believing(look(stowed("blue block"), opening_m=OPEN_M), look(opening_m=0.0))
    first = belief.update(look(opening_m=OPEN_M))
    assert first.hidden == {"blue block"}
    assert not first.gone, "one look may have missed it"
    assert belief.why_hidden("blue block") == "it is not in the drawer"
    assert belief.update(look(opening_m=OPEN_M)).gone == {"blue block"}


def test_hidden_block_is_not_gone_while_a_place_was_not_looked_into() -> None:
    belief = believing(look(block("red block", 0.4, 0.0)))
    for _ in range(4):
        scene = belief.update(look(missing=("red block",)))
    assert scene.hidden == {"red block"}
    assert not scene.gone
    assert scene.unexplored == {"drawer"}
    scene = belief.update(look(opening_m=OPEN_M))
    assert scene.gone == {"red block"}


def test_place_that_was_not_in_full_view_since_is_obscured_until_it_is() -> None:
    belief = believing(look(block("red block", 0.42, 0.0, 0.28), held="red block", opening_m=OPEN_M))
    scene = belief.update(look(opening_m=OPEN_M, table=False))
    assert scene.hidden == {"red block"}
    assert scene.obscured == {"table"}, "it may lie behind the arm"
    assert belief.update(look(opening_m=OPEN_M)).obscured == frozenset()


def test_gone_block_that_turns_up_is_back() -> None:
    belief = believing(look(block("red block", 0.4, 0.0), opening_m=OPEN_M))
    belief.update(look(opening_m=OPEN_M, missing=("red block",)))
    assert belief.update(look(opening_m=OPEN_M)).gone == {"red block"}
    scene = belief.update(look(block("red block", 0.5, 0.1)))
    assert (scene.gone, scene.hidden) == (frozenset(), frozenset())
    assert scene.symbolic().holds(literal("on(red block, table)"))


def test_block_seen_elsewhere_leaves_the_drawer() -> None:
    belief = believing(look(stowed("blue block"), opening_m=OPEN_M), look(opening_m=0.0))
    scene = belief.update(look(block("blue block", 0.4, 0.0)))
    assert scene.symbolic().support == {"blue block": "table"}


def test_occluded_block_is_remembered_with_fading_confidence() -> None:
    belief = believing(look(block("red block", 0.4, 0.0)))
    confidences = [belief.update(look(table=False)).confidence("red block") for _ in range(20)]
    assert confidences == sorted(confidences, reverse=True)
    assert confidences[0] == pytest.approx(0.9)
    assert confidences[-1] == pytest.approx(0.5)
    assert belief.scene.symbolic().holds(literal("on(red block, table)"))


def test_block_on_whose_place_another_is_seen_has_no_place() -> None:
    belief = believing(look(block("red block", 0.4, 0.0)))
    belief.update(look(block("green block", 0.41, 0.0)))
    assert belief.why_hidden("red block") == "the green block is where it was"


def test_block_whose_support_was_taken_has_no_place() -> None:
    belief = believing(look(block("green block", 0.4, 0.0), block("red block", 0.4, 0.0, 0.06)))
    belief.update(look(block("green block", 0.55, 0.1), table=False))
    assert belief.why_hidden("red block") == "nothing carries it any more"


def test_block_seen_elsewhere_leaves_a_support_that_was_lost() -> None:
    belief = believing(look(block("green block", 0.4, 0.0), block("red block", 0.4, 0.0, 0.06)))
    scene = belief.update(look(block("red block", 0.55, 0.1), missing=("green block",)))
    assert scene.hidden == {"green block"}
    assert scene.symbolic().support == {"red block": "table"}


def test_grasp_that_is_felt_but_not_seen_is_believed_by_touch() -> None:
    belief = believing(look(block("red block", 0.4, 0.0)))
    belief.predict(SkillCall.parse("pick(red block)"))
    scene = belief.update(look(missing=("red block",), grasping=True))
    assert scene.symbolic().held == "red block"
    assert scene.source("red block") == "touch"


def test_predicted_grasp_is_refuted_by_an_empty_hand() -> None:
    belief = believing(look(block("red block", 0.4, 0.0)))
    predicted = belief.predict(SkillCall.parse("pick(red block)"))
    assert predicted.symbolic().held == "red block"
    assert predicted.source(literal("holding(red block)")) == "predicted"
    occluded = belief.update(look(table=False))
    assert occluded.symbolic().held is None
    assert occluded.symbolic().holds(literal("on(red block, table)")), "it may still be where it was"
    assert occluded.source(literal("not holding(red block)")) == "touch"


def test_held_block_that_slips_out_of_sight_has_no_place() -> None:
    belief = believing(look(block("red block", 0.42, 0.0, 0.28), held="red block"))
    belief.update(look())
    assert belief.why_hidden("red block") == "the hand that held it is empty"


def test_what_was_looked_for_in_vain_is_known_not_to_be_there() -> None:
    belief = believing(look(block("red block", 0.42, 0.0, 0.28), held="red block", opening_m=OPEN_M))
    before = belief.scene
    belief.predict(SkillCall.parse("place_in(drawer)"))
    scene = belief.update(look(opening_m=OPEN_M, table=False))
    assert scene.holds(literal("in(red block, drawer)")) is False
    assert scene.holds(literal("on(red block, table)")) is None, "the table was not in full view"
    verdict = SceneDetector(LIBRARY).judge(SkillCall.parse("place_in(drawer)"), before, scene)
    assert verdict.status is VerdictStatus.FAILED
    assert belief.update(look(table=False)).holds(literal("in(red block, drawer)")) is None, "that was then"


def test_predicted_placement_holds_weakly_until_the_place_is_looked_into() -> None:
    belief = believing(look(block("red block", 0.42, 0.0, 0.28), held="red block", opening_m=OPEN_M))
    belief.predict(SkillCall.parse("place_in(drawer)"))
    scene = belief.update(look(opening_m=None, table=False))
    fact = literal("in(red block, drawer)")
    assert scene.symbolic().holds(fact)
    assert scene.source(fact) == "predicted"
    assert scene.confidence(fact) <= 0.6
    belief.update(look(opening_m=OPEN_M, table=False))
    assert belief.why_hidden("red block") == "it is not in the drawer"


def test_expected_effect_on_a_thing_out_of_view_is_weak() -> None:
    belief = believing(look(opening_m=0.0))
    belief.predict(SkillCall.parse("open(drawer)"))
    scene = belief.update(look(opening_m=None))
    assert scene.symbolic().holds(literal("open(drawer)"))
    assert scene.source(literal("open(drawer)")) == "predicted"
    assert belief.update(look(opening_m=0.0)).symbolic().holds(literal("not open(drawer)"))


def test_what_no_geometry_can_tell_stays_as_said() -> None:
    library = SkillLibrary(predicates=(*LIBRARY.predicates, PAINTED))
    belief = Belief(library)
    belief.update(look(block("red block", 0.4, 0.0)))
    belief.tell([literal("painted(red block, blue)")])
    scene = belief.update(look(block("red block", 0.5, 0.1)))
    assert scene.symbolic().holds(literal("painted(red block, blue)"))
    assert scene.source(literal("painted(red block, blue)")) == "instruction"
    assert scene.source("red block") == "oracle"


def test_prediction_of_placing_nothing_known_places_nothing() -> None:
    belief = believing(look(block("red block", 0.4, 0.0)))
    before = belief.scene.symbolic()
    assert belief.predict(SkillCall.parse("place_on(table)")).symbolic() == before


def test_person_says_where_it_is_until_a_look_shows_otherwise() -> None:
    belief = believing(look())
    belief.assume("green block", "block")
    assert belief.scene.hidden == {"green block"}
    scene = belief.tell([literal("in(green block, drawer)")])
    assert (scene.hidden, scene.source(literal("in(green block, drawer)"))) == (frozenset(), "instruction")
    assert belief.update(look()).symbolic().holds(literal("in(green block, drawer)"))
    assert belief.update(look(opening_m=OPEN_M)).hidden == {"green block"}
    with pytest.raises(SceneGraphError, match="no object 'pink block'"):
        belief.tell([literal("in(pink block, drawer)")])


def test_named_thing_that_nobody_ever_saw_is_given_up_after_looking_everywhere() -> None:
    belief = believing(look())
    belief.assume("green block", "block")
    assert belief.update(look()).unexplored == {"drawer"}
    belief.update(look(opening_m=OPEN_M))
    assert belief.update(look(opening_m=OPEN_M)).gone == {"green block"}


@pytest.mark.parametrize("data", [None, {}, {"scene": {}, "predicted": None, "explored": [], "searches": {}}])
def test_snapshot_that_is_none_leaves_the_belief_as_it_was(data: object) -> None:
    belief = believing(look(block("red block", 0.4, 0.0)))
    before = belief.scene
    with pytest.raises(BeliefError):
        belief.restore(data)
    assert belief.scene is before


# Arbitrary worlds: every block is somewhere, each look shows some of them truly.
SPOTS = {
    "a": (0.40, -0.10, 0.02),
    "b": (0.50, -0.10, 0.02),
    "on b": (0.50, -0.10, 0.06),
    "slot 0": layout.drawer_slot(0, OPEN_M),
    "slot 1": layout.drawer_slot(1, OPEN_M),
}
BLOCKS = ("red block", "green block", "blue block")


@st.composite
def looks(draw: st.DrawFn) -> Percept:
    spots = draw(st.permutations(sorted(SPOTS)))
    shown = [ObjectState(n, "block", SPOTS[s]) for n, s in zip(BLOCKS, spots, strict=False) if draw(st.booleans())]
    opening_m = draw(st.sampled_from([None, 0.0, OPEN_M]))
    shown = [s for s in shown if opening_m == OPEN_M or s.position_m[1] < 0.2]
    unseen = sorted(set(BLOCKS) - {s.name for s in shown})
    missing = tuple(name for name in unseen if draw(st.booleans()))
    held = draw(st.sampled_from([None, *(s.name for s in shown)]))
    percept = look(*shown, opening_m=opening_m, held=held, missing=missing, table=draw(st.booleans()))
    return percept if held else replace(percept, grasping=draw(st.booleans()))


calls = st.sampled_from(["pick(red block)", "place_on(table)", "place_in(drawer)", "open(drawer)", "close(drawer)"])


@settings(deadline=None, max_examples=80, derandomize=True)
@given(st.lists(st.tuples(st.none() | calls, looks()), min_size=1, max_size=6))
def test_invariants_of_any_history(history: list[tuple[str | None, Percept]]) -> None:
    belief = Belief(LIBRARY)
    for call, percept in history:
        if call is not None and all(name in belief.scene.objects for name in SkillCall.parse(call).arguments):
            belief.predict(SkillCall.parse(call))
        before = belief.scene
        scene = belief.update(percept)
        _nothing_is_in_two_places(scene)
        _what_is_seen_wins(scene, percept)
        assert set(before.objects) <= set(scene.objects), "nothing is forgotten"
        assert scene.gone <= scene.hidden
        twin = Belief(LIBRARY)
        twin.restore(json.loads(json.dumps(belief.snapshot())))
        assert twin.update(percept) == belief.update(percept), "a restored belief goes on alike"


def _nothing_is_in_two_places(scene: Scene) -> None:
    facts = [f for f in scene.symbolic().facts if f.predicate in ("on", "in", "holding")]
    subjects = [f.arguments[0] for f in facts]
    assert len(subjects) == len(set(subjects)), facts
    assert not scene.hidden & set(subjects)
    held = [f for f in facts if f.predicate == "holding"]
    assert len(held) <= 1
    assert scene.physical is not None
    assert scene.physical.hand.held == scene.symbolic().held


def _what_is_seen_wins(scene: Scene, percept: Percept) -> None:
    for name, state in percept.seen.objects.items():
        item = scene.objects_by_name[name]
        assert (item.state, item.source, item.confidence, item.hidden) == (state, "oracle", 1.0, False)
    for name in percept.missing:
        item = scene.objects_by_name.get(name)
        assert item is None or item.source != "memory" or item.hidden or scene.symbolic().container_of(name) == "drawer"
