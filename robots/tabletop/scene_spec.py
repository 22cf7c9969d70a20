"""SceneSpec: what stands where, as scene files say it; scenes by name, from YAML, or drawn from a seed.

Not for: choosing free positions (placement) or building bodies (objects).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from robots.tabletop import footprints
from robots.tabletop.models import ModelSpec, check_model
from robots.tabletop.names import FIXTURES, PAD_COLOURS, SEEN_COLOURS, TABLE, SceneError, nearest, read_thing, tidy
from robots.tabletop.relations import Arrangement, arrange, placed_by, read_relation

__all__ = ["SceneError", "SceneSpec", "load_scene", "random_scene", "read_scene_text", "scene_names"]

SHIPPED = Path(__file__).parent / "scenes"
LARGEST_FILE_BYTES = 1_000_000
MOST_OBJECTS = 40
EXAMPLE = 'objects: [red block, green block, blue bowl, drawer]\nrelations: ["on(red block, green block)"]'


class SceneSpec(BaseModel):
    """objects by name; relations that hold at the start; positions (x, y) in metres of what stands on the table.

    A block that a relation puts somewhere need not be among the objects, too. What has no position stands at a seeded
    random free place. Names and relations are kept tidy: lower case, single spaces. The drawer is closed and the lamp
    off unless a relation says otherwise; the table is always there. A lamp without a button cannot be toggled by the
    robot, a button without a lamp toggles nothing: both are allowed.
    models: things of one's own from URDF files, by name (robots.tabletop.models).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    objects: tuple[str, ...] = Field(min_length=1, max_length=MOST_OBJECTS)
    relations: tuple[str, ...] = ()
    positions: dict[str, tuple[float, float]] = {}
    models: dict[str, ModelSpec] = {}

    @model_validator(mode="before")
    @classmethod
    def _take_in_what_relations_place(cls, data: Any) -> Any:
        """`in(blue block, drawer)` brings the blue block, whether or not it is among the objects."""
        match data:
            case {"objects": [*objects], "relations": [*relations]}:
                placed = [name for text in relations if isinstance(text, str) and (name := placed_by(text))]
                known = {tidy(name) for name in objects if isinstance(name, str)}
                return {**data, "objects": [*objects, *(n for n in dict.fromkeys(placed) if n not in known)]}
        return data

    @field_validator("objects")
    @classmethod
    def _read_objects(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        tidied = [tidy(name) for name in names]
        read = [name if name in FIXTURES else read_thing(name).name for name in tidied if name != TABLE]
        for name in read:
            if read.count(name) > 1:
                raise SceneError(f"two objects are called '{name}'; names are unique in a scene")
        return tuple(read)

    @field_validator("relations")
    @classmethod
    def _read_relations(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(read_relation(text)) for text in texts))

    @field_validator("positions")
    @classmethod
    def _read_positions(cls, positions: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        return {tidy(name): place for name, place in positions.items()}

    @field_validator("models")
    @classmethod
    def _find_models(cls, models: dict[str, ModelSpec], info: ValidationInfo) -> dict[str, ModelSpec]:
        folder = (info.context or {}).get("folder", Path.cwd())
        return {name: model.within(folder) for name, model in models.items()}

    @model_validator(mode="after")
    def _is_possible(self) -> SceneSpec:
        arrangement = self.arrangement
        for name, place in self.positions.items():
            if name not in self.objects:
                raise SceneError(f"a position for '{name}', which is not among the objects"
                                 f"{nearest(name, self.objects)}")  # fmt: skip
            if name in FIXTURES:
                raise SceneError(f"a position for the {name}, which has a fixed place")
            if name in arrangement.on or name in arrangement.inside:
                raise SceneError(f"a position for '{name}', but a relation already says what it is on or in")
            if name in arrangement.zone and not footprints.in_zone(place, arrangement.zone[name]):
                raise SceneError(f"the position of '{name}' is not in the zone '{arrangement.zone[name]}'")
            footprints.check_place(name, read_thing(name).category, place, self.objects)
        for one, other in combinations(self.positions, 2):
            footprints.check_apart(one, self.positions[one], other, self.positions[other])
        for name, model in self.models.items():
            check_model(name, model, self.objects)
        return self

    @cached_property
    def arrangement(self) -> Arrangement:
        """The relations taken apart."""
        return arrange(self.objects, [read_relation(text) for text in self.relations])

    @property
    def things(self) -> tuple[str, ...]:
        """The loose things: all objects but the fixtures."""
        return tuple(name for name in self.objects if name not in FIXTURES)

    def with_model(self, name: str, model: ModelSpec) -> SceneSpec:
        """This scene and one more thing of one's own. Raises SceneError."""
        check_model(name, model, self.objects)
        return self.model_copy(update={"models": {**self.models, name: model}})


def scene_names() -> tuple[str, ...]:
    """The scenes that ship with the tabletop."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.yaml")))


def load_scene(name_or_path: str | Path) -> SceneSpec:
    """A shipped scene by name, or a YAML file by path. Raises SceneError."""
    text = str(name_or_path)
    path = SHIPPED / f"{text}.yaml" if text in scene_names() else Path(text)
    if not path.is_file():
        raise SceneError(
            f"no scene '{text}'{nearest(text, scene_names())}; have: {', '.join(scene_names())}, "
            f"or the path of a YAML file"
        )
    if path.stat().st_size > LARGEST_FILE_BYTES:
        raise SceneError(f"{path}: larger than {LARGEST_FILE_BYTES // 1_000_000} MB; that is not a scene")
    try:
        return read_scene_text(path.read_text(encoding="utf-8"), folder=path.parent)
    except UnicodeDecodeError as error:
        raise SceneError(f"{path}: not a text file: {error.reason}") from error
    except SceneError as error:
        raise SceneError(f"{path}: {error}") from error


def read_scene_text(text: str, *, folder: Path | None = None) -> SceneSpec:
    """A scene from YAML text; URDF paths are taken from `folder`, by default the working directory.

    Raises SceneError with an example of the form expected.
    """
    try:
        entries: Any = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise SceneError(f"not YAML: {error}") from error
    if not isinstance(entries, dict):
        raise SceneError(f"a scene is a mapping like\n{EXAMPLE}\ngot {type(entries).__name__}")
    try:
        return SceneSpec.model_validate(entries, context={"folder": folder or Path.cwd()})
    except ValidationError as error:
        raise SceneError(_in_words(error)) from error


def random_scene(
    seed: int,
    *,
    blocks: int | None = None,
    bowls: int | None = None,
    pads: int | None = None,
    stacks: Sequence[int] | None = None,
    in_drawer: int | None = None,
    drawer: bool | None = None,
    lamp: bool | None = None,
    colours: Sequence[str] = SEEN_COLOURS,
) -> SceneSpec:
    """A scene drawn from a seed; what is None is drawn, too.

    stacks: heights of the stacks to begin with, as (3, 2); in_drawer: blocks that start in the drawer; lamp: button
    and lamp, or neither. Raises SceneError where the numbers do not fit together.
    """
    rng = np.random.default_rng(seed)
    drawn = _Drawn(rng)
    count = drawn.number(blocks, 2, 5)
    bowl_count, pad_count = drawn.number(bowls, 0, 3), drawn.number(pads, 0, 2)
    has_drawer = drawn.choice(drawer, 0.6) or bool(in_drawer)
    has_lamp = drawn.choice(lamp, 0.6)
    _check_counts(count, bowl_count, pad_count, len(colours))
    if (in_drawer or 0) + sum(stacks or ()) > count:
        raise SceneError(f"{count} blocks are too few for {in_drawer or 0} in the drawer and stacks {stacks}")
    hidden = drawn.number(in_drawer, 0, min(2, count - sum(stacks or ()))) if has_drawer else 0
    heights = drawn.stacks(count - hidden) if stacks is None else tuple(stacks)
    names = [f"{colour} block" for colour in drawn.some(colours, count)]
    relations = [f"in({name}, drawer)" for name in names[:hidden]]
    free = names[hidden:]
    for height in heights:
        tower, free = free[:height], free[height:]
        relations += [f"on({upper}, {lower})" for upper, lower in zip(tower[1:], tower, strict=False)]
    if has_drawer and drawn.choice(None, 0.4):
        relations.append("open(drawer)")
    if has_lamp and drawn.choice(None, 0.4):
        relations.append("lit(lamp)")
    objects = [
        *names,
        *(f"{colour} bowl" for colour in drawn.some(colours, bowl_count)),
        *(f"{colour} pad" for colour in drawn.some(PAD_COLOURS, pad_count)),
        *(("drawer",) if has_drawer else ()),
        *(("button", "lamp") if has_lamp else ()),
    ]
    return SceneSpec(objects=tuple(objects), relations=tuple(relations))


class _Drawn:
    """Draws what a caller left open."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def number(self, given: int | None, low: int, high: int) -> int:
        drawn = int(self._rng.integers(low, high + 1))  # drawn also when given, so that other draws stay the same
        return drawn if given is None else given

    def choice(self, given: bool | None, probability: float) -> bool:
        drawn = bool(self._rng.random() < probability)
        return drawn if given is None else given

    def some(self, choices: Sequence[str], count: int) -> list[str]:
        return [choices[k] for k in self._rng.permutation(len(choices))[:count]]

    def stacks(self, free: int) -> tuple[int, ...]:
        """No stack, or one of 2 or 3."""
        height = int(self._rng.integers(1, 4))
        return (height,) if 2 <= height <= free else ()


def _check_counts(blocks: int, bowls: int, pads: int, colours: int) -> None:
    for what, count, most in (("blocks", blocks, colours), ("bowls", bowls, colours), ("pads", pads, len(PAD_COLOURS))):
        if not 0 <= count <= most:
            raise SceneError(f"{count} {what}; names are unique, so with these colours there are 0 to {most}")
    if blocks < 1:
        raise SceneError("a random scene has at least one block")


def _in_words(error: ValidationError) -> str:
    first = error.errors()[0]
    message = first["msg"].removeprefix("Value error, ")
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"a scene has no field '{where}'; have: {', '.join(SceneSpec.model_fields)}"
    if first["type"] == "missing":
        return f"a scene needs '{where}', like\n{EXAMPLE}"
    if first["type"] == "value_error":
        return message
    return f"{where}: {message}" if where else message
