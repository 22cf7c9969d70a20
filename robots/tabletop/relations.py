"""Relations of a scene: what is on or in what at the start, drawer and lamp; read from text and checked.

Not for: SceneSpec itself (scene_spec), or literals in general, which live above this layer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from robots.tabletop import layout
from robots.tabletop.names import FIXTURES, TABLE, SceneError, nearest, read_thing, tidy

_RELATION = re.compile(r"^(?P<negated>not )?(?P<predicate>[a-z_]+) ?\( ?(?P<arguments>[^()]*?) ?\)$")
FORMS = (
    "on(BLOCK, BLOCK or PAD or table)", "in(BLOCK, BOWL or drawer)", "in_zone(BLOCK, left or right or front or back)",
    "open(drawer)", "closed(drawer)", "lit(lamp)",
)  # fmt: skip
ARITY = {"on": 2, "in": 2, "in_zone": 2, "open": 1, "closed": 1, "lit": 1}
ZONES = ("left", "right", "front", "back")
SUPPORTS = {"on": ("block", "pad", TABLE), "in": ("bowl", "drawer")}
CAPACITY = {"bowl": layout.BOWL_CAPACITY, "drawer": layout.DRAWER_CAPACITY}


@dataclass(frozen=True)
class Arrangement:
    """Relations taken apart. on: block → block or pad; inside: block → bowl or drawer; zone: block → where it is."""

    on: Mapping[str, str] = field(default_factory=dict)
    inside: Mapping[str, str] = field(default_factory=dict)
    zone: Mapping[str, str] = field(default_factory=dict)
    drawer_open: bool = False
    lamp_lit: bool = False

    def standing(self, things: Iterable[str]) -> list[str]:
        """Those that stand on the table themselves."""
        return [name for name in things if name not in self.on and name not in self.inside]

    def tower(self, bottom: str) -> list[str]:
        """The thing and all that stands above it, upwards."""
        above = {lower: upper for upper, lower in self.on.items()}
        tower = [bottom]
        while tower[-1] in above:
            tower.append(above[tower[-1]])
        return tower


@dataclass(frozen=True)
class Relation:
    """One relation: predicate, arguments, negated or not; `str()` is its tidy text."""

    predicate: str
    arguments: tuple[str, ...]
    negated: bool = False

    def __str__(self) -> str:
        return f"{'not ' if self.negated else ''}{self.predicate}({', '.join(self.arguments)})"


def read_relation(text: str) -> Relation:
    """One relation from text. Raises SceneError with the forms there are."""
    match = _RELATION.match(tidy(text))
    if match is None:
        raise SceneError(f"not a relation: '{text}'; have: {', '.join(FORMS)}")
    predicate = match["predicate"]
    arguments = tuple(part.strip() for part in match["arguments"].split(","))
    if predicate not in ARITY:
        raise SceneError(f"no relation '{predicate}' at the start{nearest(predicate, ARITY)}; have: {', '.join(FORMS)}")
    if len(arguments) != ARITY[predicate] or not all(arguments):
        raise SceneError(f"'{text}': {predicate} takes {ARITY[predicate]} name(s); have: {', '.join(FORMS)}")
    negated = match["negated"] is not None
    if negated and predicate not in ("open", "closed", "lit"):
        raise SceneError(f"'{text}': say where it is, not where it is not")
    return Relation(predicate, arguments, negated)


def arrange(objects: Iterable[str], relations: Iterable[Relation]) -> Arrangement:
    """All relations together. Raises SceneError for what cannot be: unknown, contradictory, too full, circular."""
    names = set(objects)
    on: dict[str, str] = {}
    inside: dict[str, str] = {}
    zone: dict[str, str] = {}
    switches: dict[str, bool] = {}
    for relation in relations:
        _check_arguments(relation, names)
        first, second = relation.arguments[0], relation.arguments[-1]
        match relation.predicate:
            case "on" | "in":
                _check_single(relation, on, inside)
                (on if relation.predicate == "on" else inside)[first] = second
            case "in_zone":
                if zone.setdefault(first, second) != second:
                    raise SceneError(f"'{first}' cannot be in zones {zone[first]} and {second}; name one")
            case _:
                wanted = (relation.predicate != "closed") != relation.negated
                if switches.setdefault(first, wanted) != wanted:
                    raise SceneError(f"'{relation}' contradicts another relation about the {first}")
    on = {upper: lower for upper, lower in on.items() if lower != TABLE}
    arrangement = Arrangement(on, inside, zone, switches.get("drawer", False), switches.get("lamp", False))
    _check_towers(arrangement)
    _check_room(arrangement)
    return arrangement


def placed_by(text: str) -> str | None:
    """The block that a relation puts somewhere, or None: it places nothing, or cannot be read (told elsewhere)."""
    try:
        relation = read_relation(text)
        thing = read_thing(relation.arguments[0])
    except SceneError:
        return None
    return thing.name if relation.predicate in SUPPORTS and not relation.negated and thing.shape == "block" else None


def _check_arguments(relation: Relation, names: set[str]) -> None:
    first, second = relation.arguments[0], relation.arguments[-1]
    named = [first] if relation.predicate == "in_zone" else relation.arguments
    for name in named:
        if name not in names and name != TABLE:
            raise SceneError(f"'{relation}' speaks of '{name}', which is not among the objects{nearest(name, names)}")
    if relation.predicate in ("open", "closed", "lit"):
        wanted = "lamp" if relation.predicate == "lit" else "drawer"
        if first != wanted:
            raise SceneError(f"'{relation}': only the {wanted} can be {relation.predicate}")
        return
    if first in FIXTURES or first == TABLE or read_thing(first).category != "block":
        raise SceneError(f"'{relation}': only blocks can be placed by a relation; '{first}' is none")
    if relation.predicate == "in_zone":
        if second not in ZONES:
            raise SceneError(f"'{relation}': no zone '{second}'; have: {', '.join(ZONES)}")
        return
    category = second if second in FIXTURES or second == TABLE else read_thing(second).category
    if category not in SUPPORTS[relation.predicate]:
        raise SceneError(f"'{relation}': {relation.predicate} takes a {' or '.join(SUPPORTS[relation.predicate])}")


def _check_single(relation: Relation, on: Mapping[str, str], inside: Mapping[str, str]) -> None:
    upper, lower = relation.arguments
    if upper in on or upper in inside:
        raise SceneError(f"'{relation}': '{upper}' is already on or in something")
    if relation.predicate == "on" and lower != TABLE and lower in on.values():
        other = next(name for name, below in on.items() if below == lower)
        raise SceneError(f"'{relation}': '{other}' is already on '{lower}', which holds one block or one stack")


def _check_towers(arrangement: Arrangement) -> None:
    for name in arrangement.on:
        height, below, seen = 1, name, {name}
        while below in arrangement.on:
            below = arrangement.on[below]
            if below in seen:
                raise SceneError(f"'{name}' cannot stand on itself: the 'on' relations go in a circle")
            seen.add(below)
            height += read_thing(below).category == "block"
        if height > layout.STACK_LIMIT:
            raise SceneError(f"a stack of {height} under '{name}'; a stack is at most {layout.STACK_LIMIT} high")
        if below in arrangement.inside:
            raise SceneError(f"'{name}' stands on '{below}', which is in the {arrangement.inside[below]}; say "
                             f"'in({name}, {arrangement.inside[below]})' instead")  # fmt: skip


def _check_room(arrangement: Arrangement) -> None:
    for container in sorted(set(arrangement.inside.values())):
        count = sum(where == container for where in arrangement.inside.values())
        capacity = CAPACITY[container if container in FIXTURES else read_thing(container).category]
        if count > capacity:
            raise SceneError(f"{count} blocks in the {container}, which holds {capacity}")
    for name in arrangement.zone:
        if name in arrangement.on or name in arrangement.inside:
            raise SceneError(f"'{name}' is on or in something, so its zone cannot be given as well")
