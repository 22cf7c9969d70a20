"""Belief: what the robot holds true from one look to the next, also about what it does not see now.

It remembers, is revised by percepts (world_model.revision holds the rules), takes the expected effects of skills and
people's words as weak evidence, and gives a thing up for gone only after a look into every place there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from robots.physical_state import ObjectState
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill import SkillCall
from world_model.believed import PREDICTED
from world_model.believed_facts import with_literals
from world_model.perception.percept import Percept
from world_model.revision import revise
from world_model.scene import Scene, SceneGraphError

PREDICTED_CONFIDENCE = 0.6  # a skill said to be done without a look: more likely than not
TOLD_CONFIDENCE = 0.8  # people are mostly right about their table
LOOKS_BEFORE_GONE = 2  # the first may have been while the arm stood in the way
PLACE_CATEGORIES = ("bowl", "drawer")
TABLE = "table"


class BeliefError(ValueError):
    """A snapshot that is none."""


@dataclass(frozen=True)
class Search:
    """Where a hidden thing has been looked for since it was last believed somewhere, and in how many looks.

    reason: in words, why its place is unknown.
    """

    reason: str
    searched: frozenset[str] = frozenset()
    looks: int = 0

    def after(self, percept: Percept) -> Search:
        return replace(self, searched=self.searched | percept.inspected, looks=self.looks + 1)


class Belief:
    """Owns the current scene. `update` after every look; `predict` after a skill ran and before that look."""

    def __init__(
        self,
        library: SkillLibrary,
        scene: Scene | None = None,
        *,
        looks_before_gone: int = LOOKS_BEFORE_GONE,
    ) -> None:
        """`scene`: what is known beforehand, else nothing."""
        self._library = library
        self._looks_before_gone = looks_before_gone
        self._scene = scene if scene is not None else Scene({})
        self._predicted: Scene | None = None
        self._explored: frozenset[str] = frozenset()
        self._searches: dict[str, Search] = {name: Search("nobody has seen it") for name in self._scene.hidden}

    @property
    def scene(self) -> Scene:
        """What is believed now, expected effects included until a look confirms or refutes them."""
        return self._predicted or self._scene

    @property
    def expected(self) -> Mapping[str, ObjectState]:
        """Where things are believed to be: what to hand to `Perception.perceive`."""
        items = self._scene.objects_by_name.items()
        return {name: item.state for name, item in items if item.state is not None}

    def why_hidden(self, name: str) -> str:
        """In words; empty for what is not hidden."""
        return self._searches[name].reason if name in self._searches else ""

    def update(self, percept: Percept) -> Scene:
        """Revise by one look. What is seen wins."""
        revised = revise(self._scene, self._predicted, percept, self._library.predicates)
        self._predicted = None
        self._explored |= percept.inspected
        self._follow_searches(revised.scene, revised.lost, percept)
        self._scene = self._with_search_results(revised.scene)
        return self._scene

    def predict(self, call: SkillCall) -> Scene:
        """The call was carried out, as far as anybody knows: its effects are expected, as weak evidence."""
        skill = self._library.skill(call.skill)
        effects = [
            effect
            for effect in skill.effects_of(call.arguments, self._scene.symbolic())
            if effect.negated or "*" not in effect.arguments  # placed what nobody knows the hand to have held
        ]
        self._predicted = with_literals(self._scene, effects, PREDICTED, PREDICTED_CONFIDENCE)
        return self._predicted

    def tell(
        self, literals: Iterable[Literal], source: str = "instruction", confidence: float = TOLD_CONFIDENCE
    ) -> Scene:
        """Somebody says that these literals hold ("the blue block is in the drawer"). The next look may refute it.

        Raises SceneGraphError for an object that nobody has introduced (see `assume`).
        """
        told = tuple(literals)
        for name in (name for literal in told for name in literal.arguments[:1]):
            self._scene.object(name)
        self._scene = with_literals(self._scene, told, source, confidence)
        self._searches = {name: s for name, s in self._searches.items() if name in self._scene.hidden}
        return self._scene

    def assume(self, name: str, category: str) -> Scene:
        """A thing somebody spoke of that nobody has seen yet: it is hidden, and may be looked for."""
        self._scene = self._scene.assume(name, category)
        if name in self._scene.hidden:
            self._searches.setdefault(name, Search("nobody has seen it"))
        self._scene = self._with_search_results(self._scene)
        return self._scene

    def _follow_searches(self, scene: Scene, lost: Mapping[str, str], percept: Percept) -> None:
        going_on = {name: search for name, search in self._searches.items() if name in scene.hidden}
        started = {name: Search(reason) for name, reason in lost.items()}
        self._searches = {name: search.after(percept) for name, search in (going_on | started).items()}

    def _with_search_results(self, scene: Scene) -> Scene:
        """The scene with what the searches came to: what is gone, and which places are still to be looked at."""
        places = {name for name, category in scene.objects.items() if category in PLACE_CATEGORIES} | {TABLE}
        gone = {
            name
            for name, search in self._searches.items()
            if search.looks >= self._looks_before_gone and places <= search.searched
        }
        objects = {name: replace(item, gone=name in gone) for name, item in scene.objects_by_name.items()}
        going_on = [search for name, search in self._searches.items() if name not in gone]
        wanted = {place for place in places if any(place not in search.searched for search in going_on)}
        state = scene.symbolic()
        shut = {place for place in places if state.holds(Literal("accessible", (place,))) is False}
        return replace(
            scene,
            objects_by_name=objects,
            unexplored=frozenset(shut & (wanted | (places - self._explored))),
            obscured=frozenset(wanted - shut),
        )

    def snapshot(self) -> dict[str, Any]:
        """JSON-ready; `restore` continues from it as if nothing had happened."""
        return _Snapshot(
            scene=self._scene.to_json(),
            predicted=self._predicted.to_json() if self._predicted is not None else None,
            explored=sorted(self._explored),
            searches={
                name: _SearchRecord(reason=s.reason, searched=sorted(s.searched), looks=s.looks)
                for name, s in self._searches.items()
            },
        ).model_dump(mode="json")

    def restore(self, data: Any) -> Scene:
        """Take over a snapshot. Raises BeliefError and leaves the belief as it was where `data` is none."""
        try:
            record = _Snapshot.model_validate(data)
            scene = Scene.from_json(record.scene)
            predicted = Scene.from_json(record.predicted) if record.predicted is not None else None
        except (ValidationError, SceneGraphError) as error:
            raise BeliefError(f"not a belief snapshot: {error}") from error
        self._scene, self._predicted = scene, predicted
        self._explored = frozenset(record.explored)
        self._searches = {name: Search(s.reason, frozenset(s.searched), s.looks) for name, s in record.searches.items()}
        return self.scene


class _SearchRecord(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str
    searched: list[str]
    looks: int


class _Snapshot(BaseModel):
    model_config = ConfigDict(extra="forbid")

    scene: dict[str, Any]
    predicted: dict[str, Any] | None
    explored: list[str]
    searches: dict[str, _SearchRecord]
