"""Believed facts: the literals that a believed geometry makes true, and those known only by word.

Things believed without geometry (a skill is thought to have put them there, somebody said so) keep literals of
their own until a look gives them geometry. Not for: what to keep believing (world_model.revision).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from robots.physical_state import PhysicalState
from skills.grounding import facts_of, objects_of
from skills.literals import Literal
from skills.predicates import Predicate
from world_model.believed import BelievedLiteral, SceneObject
from world_model.scene import Scene

PLACEMENTS = ("on", "in", "holding")


def believed_facts(
    physical: PhysicalState,
    objects: Mapping[str, SceneObject],
    words: Iterable[BelievedLiteral],
    predicates: tuple[Predicate, ...],
) -> tuple[BelievedLiteral, ...]:
    """Facts of the geometry, what it refutes (`not open(drawer)`), and `words` it has nothing to say about; sorted."""
    believed = {literal: _weighed(literal, objects) for literal in facts_of(physical, predicates)}
    believed |= {literal: _weighed(literal, objects) for literal in _refuted(physical, predicates)}
    table = {predicate.name: predicate for predicate in predicates}
    for told in words:
        if _geometry_is_silent(told.literal, objects, physical, table):
            weakest = min((objects[a].confidence for a in told.literal.arguments if a in objects), default=1.0)
            believed.setdefault(told.literal, replace(told, confidence=min(told.confidence, weakest)))
    return tuple(believed[literal] for literal in sorted(believed))


def with_literals(scene: Scene, literals: Iterable[Literal], source: str, confidence: float) -> Scene:
    """The scene in which the literals (as effects, in order) hold on somebody's word: without geometry."""
    before = scene.symbolic()
    after = before.apply(tuple(literals))
    changed = before.facts ^ after.facts
    moved = {fact.arguments[0] for fact in changed if fact.predicate in PLACEMENTS}
    objects = {
        name: replace(item, state=None, hidden=False, gone=False, source=source, confidence=confidence)
        if name in moved
        else item
        for name, item in scene.objects_by_name.items()
    }
    kept = [b for b in scene.believed if b.literal.positive not in changed]
    told = [BelievedLiteral(fact, confidence, source) for fact in after.facts - before.facts]
    denied = [
        BelievedLiteral(fact.negate(), confidence, source)
        for fact in before.facts - after.facts
        if len(fact.arguments) == 1
    ]
    switched = {fact.arguments[0] for fact in changed if len(fact.arguments) == 1}
    return replace(
        scene,
        objects_by_name=objects,
        believed=tuple(sorted([*kept, *told, *denied], key=lambda b: b.literal)),
        hand=replace(scene.hand, held=after.held) if scene.hand is not None else None,
        joints={name: value for name, value in scene.joints.items() if name not in switched},
        switches={name: value for name, value in scene.switches.items() if name not in switched},
    )


def _geometry_is_silent(
    literal: Literal,
    objects: Mapping[str, SceneObject],
    physical: PhysicalState,
    predicates: Mapping[str, Predicate],
) -> bool:
    """What it speaks of is believed to be somewhere, and nothing that is known of the geometry decides it."""
    if literal.predicate == "holding" or any(a in objects and objects[a].hidden for a in literal.arguments):
        return False
    subject = objects.get(literal.arguments[0]) if literal.arguments else None
    if literal.predicate in PLACEMENTS and (subject is None or subject.state is not None):
        return False  # where it is known to be says where it is
    known = predicates.get(literal.predicate)
    return known is None or known.evaluate(physical, literal.arguments) is None


def _refuted(physical: PhysicalState, predicates: tuple[Predicate, ...]) -> list[Literal]:
    """`not open(drawer)`, `not lit(lamp)`: base properties of one thing that are known not to hold."""
    denied = []
    for predicate in predicates:
        if predicate.derived or predicate.name in PLACEMENTS or len(predicate.parameters) != 1:
            continue
        for name, category in objects_of(physical).items():
            if category in predicate.parameters[0].types and predicate.evaluate(physical, (name,)) is False:
                denied.append(Literal(predicate.name, (name,), negated=True))
    return denied


def _weighed(literal: Literal, objects: Mapping[str, SceneObject]) -> BelievedLiteral:
    """As sure as the least sure thing it speaks of, and with its source."""
    named = [objects[a] for a in literal.arguments if a in objects]
    weakest = min(named, key=lambda item: item.confidence, default=None)
    return BelievedLiteral(literal, weakest.confidence, weakest.source) if weakest else BelievedLiteral(literal)
