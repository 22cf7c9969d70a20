"""Scene: the symbolic and geometric snapshot that the world model believes, as an immutable scene graph.

Objects and literals each carry a confidence and a source. Not for: how a belief changes over time
(world_model.belief) or where what it says comes from (world_model.perception).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import networkx as nx
from pydantic import ValidationError

from robots.physical_state import HandState, PhysicalState
from skills.literals import Literal
from skills.skill import did_you_mean
from skills.symbolic_state import SymbolicState
from world_model.believed import GIVEN, INSTRUCTION, TOUCH, BelievedLiteral, SceneObject
from world_model.scene_record import LiteralRecord, SceneRecord

__all__ = ["BelievedLiteral", "Scene", "SceneGraphError", "SceneObject"]

HAND = "hand"  # the node that holding() hangs on
CANNOT_TELL = 0.5


class SceneGraphError(ValueError):
    """A scene that cannot be: an unknown object, a literal over nothing, JSON that is no scene."""


@dataclass(frozen=True)
class Scene:
    """Objects and base literals believed at one moment. Build with `from_symbolic`, a Belief, or by hand.

    hand, joints, switches: the rest of the geometry (see PhysicalState); hand is None in a purely symbolic scene.
    unexplored: closed containers in which hidden objects may be looked for, and those nobody ever looked into.
    obscured: places in the open in which hidden objects may be, that no look has shown whole since they vanished:
        something (mostly the arm) stands in the way; to step back and look again would tell.
    """

    objects_by_name: Mapping[str, SceneObject]
    believed: tuple[BelievedLiteral, ...] = ()
    unexplored: frozenset[str] = frozenset()
    obscured: frozenset[str] = frozenset()
    time_s: float = 0.0
    hand: HandState | None = None
    joints: Mapping[str, float] = field(default_factory=dict)
    switches: Mapping[str, bool] = field(default_factory=dict)

    @classmethod
    def from_symbolic(
        cls,
        state: SymbolicState,
        source: str = GIVEN,
        confidence: float = 1.0,
        unexplored: Iterable[str] | None = None,
    ) -> Scene:
        """A scene without geometry. Closed drawers count as unexplored where something is hidden, unless said."""
        objects = {
            name: SceneObject(name, category, confidence, source, hidden=name in state.hidden)
            for name, category in state.objects.items()
        }
        if unexplored is None:
            drawers = state.of_category("drawer") if state.hidden else ()
            unexplored = [name for name in drawers if Literal("open", (name,)) not in state.facts]
        believed = tuple(BelievedLiteral(fact, confidence, source) for fact in sorted(state.facts))
        return cls(objects, believed, frozenset(unexplored))

    @cached_property
    def graph(self) -> nx.MultiDiGraph[str]:
        """The scene graph: nodes are objects (and the hand, zones), edges believed literals; frozen.

        An edge runs from a literal's first argument to its last, keyed by the literal's text; a literal of one
        argument is a loop, `holding(A)` an edge from the hand. Attributes: `object` on nodes, `believed` on edges.
        """
        graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        for item in self.objects_by_name.values():
            graph.add_node(item.name, object=item)
        for believed in self.believed:
            literal = believed.literal
            first, last = (literal.arguments[0], literal.arguments[-1]) if literal.arguments else (HAND, HAND)
            first = HAND if literal.predicate == "holding" else first
            graph.add_edge(first, last, key=str(literal), believed=believed)
        nx.freeze(graph)
        return graph

    @property
    def objects(self) -> Mapping[str, str]:
        """name → category, hidden ones included."""
        return {name: item.category for name, item in self.objects_by_name.items()}

    @property
    def hidden(self) -> frozenset[str]:
        """Objects whose place nobody knows; those given up for gone are among them."""
        return frozenset(name for name, item in self.objects_by_name.items() if item.hidden)

    @property
    def gone(self) -> frozenset[str]:
        """Hidden objects that are in none of the places there are: taken away."""
        return frozenset(name for name, item in self.objects_by_name.items() if item.gone)

    @cached_property
    def _state(self) -> SymbolicState:
        facts = frozenset(b.literal for b in self.believed if not b.literal.negated)
        return SymbolicState(self.objects, facts, self.hidden)

    def symbolic(self) -> SymbolicState:
        """What planners search in: the positive literals, however sure; hidden objects listed as such."""
        return self._state

    @cached_property
    def physical(self) -> PhysicalState | None:
        """The believed geometry; None in a purely symbolic scene. Hidden objects are not in it."""
        if self.hand is None:
            return None
        placed = {name: item.state for name, item in self.objects_by_name.items() if item.state is not None}
        return PhysicalState(self.time_s, placed, self.hand, self.joints, self.switches)

    def object(self, name: str) -> SceneObject:
        """Raises SceneGraphError that lists the objects."""
        if name not in self.objects_by_name:
            raise SceneGraphError(f"no object '{name}' here{did_you_mean(name, list(self.objects_by_name))}")
        return self.objects_by_name[name]

    @cached_property
    def _believed_by_literal(self) -> Mapping[Literal, BelievedLiteral]:
        return {b.literal: b for b in self.believed}

    def holds(self, literal: Literal) -> bool | None:
        """As `symbolic().holds`, and knows besides where hidden things were looked for in vain. None: cannot tell."""
        if literal.negate() in self._believed_by_literal:
            return False
        return True if literal in self._believed_by_literal else self._state.holds(literal)

    def confidence(self, about: Literal | str) -> float:
        """How sure that the literal holds (0.5: cannot tell), or of the object of that name, in [0, 1].

        What is not stored is as sure as the least sure thing it speaks of: closed world.
        """
        if isinstance(about, str):
            return self.object(about).confidence
        truth = self.holds(about)
        if truth is None:
            return CANNOT_TELL
        basis = min((confidence for confidence, _ in self._evidence(about)), default=1.0)
        return basis if truth else 1.0 - basis

    def source(self, about: Literal | str) -> str:
        """Where the belief about the literal (or the object of that name) comes from; the least sure one's."""
        if isinstance(about, str):
            return self.object(about).source
        return min(self._evidence(about), default=(1.0, GIVEN))[1]

    def _evidence(self, literal: Literal) -> list[tuple[float, str]]:
        """(confidence, source) of the stored literal, of its negation, of the hand, or of the objects it speaks of."""
        base = Literal("open", literal.arguments) if literal.predicate == "closed" else literal.positive
        for version in (base, base.negate()):
            if version in self._believed_by_literal:
                stored = self._believed_by_literal[version]
                return [(stored.confidence, stored.source)]
        if literal.predicate == "holding" and self.hand is not None:
            return [(1.0, TOUCH)]
        named = (self.objects_by_name[a] for a in literal.arguments if a in self.objects_by_name)
        return [(item.confidence, item.source) for item in named]

    def assume(self, name: str, category: str, source: str = INSTRUCTION, confidence: float = 0.5) -> Scene:
        """This scene and a hidden object that somebody spoke of but nobody has seen; unchanged where it is known."""
        if name in self.objects_by_name:
            return self
        item = SceneObject(name, category, confidence, source, hidden=True)
        return replace(self, objects_by_name={**self.objects_by_name, name: item})

    def describe(self) -> str:
        """The scene in words, for people and language models: one line an object, in the order of names."""
        lines = [self._describe_object(item) for _, item in sorted(self.objects_by_name.items())]
        lines += [f"nobody has looked into the {name}" for name in sorted(self.unexplored)]
        lines += [f"something stands in the way of seeing all of the {name}" for name in sorted(self.obscured)]
        return "\n".join(lines)

    def _describe_object(self, item: SceneObject) -> str:
        if item.gone:
            return f"{item.name}: nowhere to be found"
        if item.hidden:
            return f"{item.name}: somewhere out of sight"
        held: Iterable[dict[str, Any]] = self.graph.get_edge_data(HAND, item.name, default={}).values()
        own = (data for _, _, data in self.graph.out_edges(item.name, data=True))
        said: list[BelievedLiteral] = [data["believed"] for data in (*held, *own)]
        words = [b.in_words() for b in sorted(said, key=lambda b: b.literal)]
        return f"{item.name}: {', '.join(words) if words else 'here'}"

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict that `from_json` reads back to an equal scene."""
        record = SceneRecord(
            objects=tuple(self.objects_by_name.values()),
            literals=tuple(LiteralRecord.of(believed) for believed in self.believed),
            unexplored=tuple(sorted(self.unexplored)),
            obscured=tuple(sorted(self.obscured)),
            time_s=self.time_s,
            hand=self.hand,
            joints=dict(self.joints),
            switches=dict(self.switches),
        )
        return record.model_dump(mode="json")

    @classmethod
    def from_json(cls, data: Any) -> Scene:
        """Raises SceneGraphError where `data` is not what `to_json` wrote."""
        try:
            record = SceneRecord.model_validate(data)
        except ValidationError as error:
            raise SceneGraphError(f"not a scene: {error}") from error
        return cls(
            {item.name: item for item in record.objects},
            tuple(literal.believed() for literal in record.literals),
            frozenset(record.unexplored),
            frozenset(record.obscured),
            record.time_s,
            record.hand,
            record.joints,
            record.switches,
        )
