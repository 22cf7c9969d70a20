"""Revision: the scene that follows from a prior scene and a percept. Pure rules, no memory of their own.

What is seen wins; what is not seen stays as remembered until evidence speaks against it; then its place is unknown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from robots.physical_state import HandState, ObjectState, PhysicalState
from skills.literals import Literal
from skills.predicates import Predicate
from world_model.believed import MEMORY, PREDICTED, TOUCH, BelievedLiteral, SceneObject
from world_model.believed_facts import believed_facts
from world_model.perception.percept import Percept
from world_model.scene import Scene

ENCLOSED_CONFIDENCE = 0.95  # nobody reaches into a closed drawer unseen, but a look beats memory
FADING = 0.9  # of what is out of sight in the open, at every look: somebody may have moved it
FADED = 0.5
SLID_M = 0.005
OVERLAP_M = 0.02  # two 4 cm blocks whose centres are nearer than this in every axis cannot both be there


@dataclass(frozen=True)
class Revised:
    """The new scene, and which things lost their place in it with the reason in words."""

    scene: Scene
    lost: Mapping[str, str]


def revise(prior: Scene, predicted: Scene | None, percept: Percept, predicates: tuple[Predicate, ...]) -> Revised:
    """`predicted`: the prior with the expected effects of what was just done, weak evidence for what is unseen."""
    lost: dict[str, str] = {}
    objects = {
        name: SceneObject(name, state.category, percept.confidence.get(name, 1.0), percept.source, state)
        for name, state in percept.seen.objects.items()
    }
    hand = percept.seen.hand
    for name, item in prior.objects_by_name.items():
        if name in objects:
            continue
        expected = predicted.objects_by_name[name] if predicted is not None else item
        view = _Unseen(prior, predicted if expected.source == PREDICTED else None, percept)
        if expected.hidden:
            objects[name] = item
        elif hand.held is None and percept.grasping and view.may_be_held(name):
            hand = replace(hand, held=name)
            objects[name] = _in_hand(item, hand)
        elif (reason := view.contradiction(item)) is not None:
            lost[name] = reason
            objects[name] = hide(item)
        else:
            objects[name] = view.remembered(item)
    body = _Body(hand, predicted or prior, percept)
    scene = body.scene_of(objects, predicates)
    floating = dict.fromkeys(_floating(scene, prior), "nothing carries it any more")
    if floating:
        scene = body.scene_of(objects | {name: hide(objects[name]) for name in floating}, predicates)
    return Revised(scene, lost | floating)


@dataclass(frozen=True)
class _Body:
    """The parts of the new scene that are no objects: the hand, and joints and switches as known last."""

    hand: HandState
    latest: Scene
    percept: Percept

    def scene_of(self, objects: Mapping[str, SceneObject], predicates: tuple[Predicate, ...]) -> Scene:
        seen, latest = self.percept.seen, self.latest
        placed = {name: item.state for name, item in objects.items() if item.state is not None}
        joints, switches = {**latest.joints, **seen.joints}, {**latest.switches, **seen.switches}
        physical = PhysicalState(seen.time_s, placed, self.hand, joints, switches)
        facts = believed_facts(physical, objects, latest.believed, predicates)
        believed = (*facts, *self._looked_for_in_vain(objects))
        return Scene(objects, believed, time_s=seen.time_s, hand=self.hand, joints=joints, switches=switches)

    def _looked_for_in_vain(self, objects: Mapping[str, SceneObject]) -> list[BelievedLiteral]:
        """`not in(red block, blue bowl)`: the place was in full view, and a thing that has no place was not there."""
        hidden = sorted(name for name, item in objects.items() if item.hidden)
        return [
            BelievedLiteral(Literal("on" if place == "table" else "in", (name, place), True), 1.0, self.percept.source)
            for name in hidden
            for place in sorted(self.percept.inspected)
        ]


def hide(item: SceneObject) -> SceneObject:
    """The thing with its place unknown."""
    return replace(item, state=None, hidden=True, source=MEMORY)


@dataclass(frozen=True)
class _Unseen:
    """What can be said of a thing that the percept does not show; `predicted` only where a skill just moved it."""

    prior: Scene
    predicted: Scene | None
    percept: Percept

    @property
    def _latest(self) -> Scene:
        return self.predicted or self.prior

    def may_be_held(self, name: str) -> bool:
        return name in (self.prior.symbolic().held, self._latest.symbolic().held)

    def contradiction(self, item: SceneObject) -> str | None:
        """Why it cannot be where it was believed to be; None where it can."""
        name = item.name
        if self._latest.symbolic().held == name and not self._still_on_its_place(item):
            return "the hand that held it is empty" if not self.percept.grasping else "something else is in the hand"
        place = self._place(name)
        if place in self.percept.inspected and (place != "table" or item.state is None or self._moved(name)):
            return f"it is not {'on' if place == 'table' else 'in'} the {place}"
        if self._moved(name):
            return None
        if name in self.percept.missing and not self._slid(place):
            return "its place is in view without it"
        taken = self._taken_by(item)
        return f"the {taken} is where it was" if taken else None

    def _still_on_its_place(self, item: SceneObject) -> bool:
        """A predicted grasp that did not happen: it may be where it was before."""
        return self.prior.symbolic().held != item.name and item.name not in self.percept.missing

    def _moved(self, name: str) -> bool:
        """A skill is thought to have put it elsewhere, so that its old place proves nothing."""
        return self.predicted is not None and self.predicted.symbolic().held != name

    def _slid(self, place: str | None) -> bool:
        """The container is seen elsewhere now, so that the old place of what it holds proves nothing."""
        before, now = self.prior.objects_by_name.get(place or ""), self.percept.seen.objects.get(place or "")
        if before is None or before.state is None or now is None:
            return False
        return math.dist(before.state.position_m, now.position_m) > SLID_M

    def _place(self, name: str) -> str | None:
        """The container, or what the lowest of its stack stands on, as believed last."""
        state = (self._latest if self._moved(name) else self.prior).symbolic()
        while name in state.support and state.container_of(name) is None:
            name = state.support[name]
        return state.container_of(name) or name

    def _taken_by(self, item: SceneObject) -> str | None:
        if item.state is None:
            return None
        for other in self.percept.seen.objects.values():
            gaps = (abs(a - b) for a, b in zip(other.position_m, item.state.position_m, strict=True))
            if other.category == item.category and all(gap < OVERLAP_M for gap in gaps):
                return other.name
        return None

    def remembered(self, item: SceneObject) -> SceneObject:
        if self._moved(item.name):
            return self._latest.objects_by_name[item.name]
        place = self._place(item.name)
        state = item.state
        if place is not None and self.prior.symbolic().objects.get(place) == "drawer":
            state = state and _carried_along(state, self.prior.objects_by_name[place], self.percept)
            confidence = min(item.confidence, ENCLOSED_CONFIDENCE)
        else:
            confidence = min(item.confidence, max(FADED, item.confidence * FADING))
        source = item.source if item.source == PREDICTED or item.state is None else MEMORY
        return replace(item, state=state, confidence=confidence, source=source)


def _carried_along(state: ObjectState, container: SceneObject, percept: Percept) -> ObjectState:
    """The thing after its container slid: a drawer takes its content with it."""
    now = percept.seen.objects.get(container.name)
    if now is None or container.state is None:
        return state
    old, new, own = container.state.position_m, now.position_m, state.position_m
    x, y, z = (p + b - a for p, a, b in zip(own, old, new, strict=True))
    return replace(state, position_m=(x, y, z))


def _in_hand(item: SceneObject, hand: HandState) -> SceneObject:
    position = hand.tool_position_m
    state = item.state and replace(item.state, position_m=position)
    if state is None:
        state = ObjectState(item.name, item.category, position)
    confidence = min(item.confidence, ENCLOSED_CONFIDENCE)
    return SceneObject(item.name, item.category, confidence, TOUCH, state)


def _floating(scene: Scene, prior: Scene) -> list[str]:
    """Remembered things that rested on something and now, by what was seen of the rest, rest on nothing."""
    now, before = scene.symbolic(), prior.symbolic()
    return [
        name
        for name, item in scene.objects_by_name.items()
        if item.state is not None
        and item.source == MEMORY
        and name in before.support
        and name not in now.support
        and now.held != name
    ]
