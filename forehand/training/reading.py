"""Recipes: a training's YAML file, by path or by the name of one that ships, with single settings changed.

Errors name field and line of the file. Not for: what the fields mean (forehand.training.config).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from forehand.config import ConfigError
from forehand.training.config import TrainConfig
from skills.skill import did_you_mean

RECIPES = Path(__file__).with_name("recipes")
SUFFIX = ".yaml"


def recipe_names() -> list[str]:
    """Names of the recipes that ship."""
    return sorted(path.stem for path in RECIPES.glob(f"*{SUFFIX}"))


def recipe_path(name: str) -> Path:
    """The file of a shipped recipe's name, or of a path. Raises ConfigError, naming the recipes."""
    shipped = RECIPES / f"{name}{SUFFIX}"
    if shipped.is_file():
        return shipped
    path = Path(name)
    if path.is_file():
        return path
    if path.suffix in (SUFFIX, ".yml") or len(path.parts) > 1:
        raise ConfigError(f"{path}: no such file; recipes that ship: {', '.join(recipe_names())}")
    raise ConfigError(f"no recipe '{name}'{did_you_mean(name, recipe_names())}; or give the path of a YAML file")


def read_recipe(path: Path, changes: Sequence[str] = ()) -> TrainConfig:
    """The training that a file describes. changes: 'training.minutes=10', each put in place of what the file says.

    Raises ConfigError, naming the file, line and field of what is wrong.
    """
    text = path.read_text(encoding="utf-8")
    try:
        content, tree = yaml.safe_load(text), yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: a training is a mapping with the fields {', '.join(TrainConfig.model_fields)}")
    content.setdefault("name", path.stem)
    changed = [_change(content, change) for change in changes]
    try:
        return TrainConfig.model_validate(content)
    except ValidationError as error:
        lines = [_complaint(found, path, tree, changed) for found in error.errors()]
        raise ConfigError("\n".join(lines)) from error


def _change(content: dict[str, Any], change: str) -> tuple[str, ...]:
    """Put one setting in place; returns where."""
    name, equals, value = change.partition("=")
    where = tuple(name.strip().split("."))
    if not equals or not all(where):
        raise ConfigError(f"--set {change}: expected FIELD.FIELD=VALUE, as in training.minutes=10")
    inside: Any = content
    for part in where[:-1]:
        inside = inside.setdefault(part, {}) if isinstance(inside, dict) else None
    if not isinstance(inside, dict):
        raise ConfigError(f"--set {change}: there are no fields in '{'.'.join(where[:-1])}'")
    try:
        inside[where[-1]] = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {change}: the value is not YAML: {' '.join(str(error).split())}") from error
    return where


def _complaint(found: Any, path: Path, tree: yaml.Node | None, changed: Sequence[tuple[str, ...]]) -> str:
    where = tuple(str(part) for part in found["loc"])
    place = f"--set {'.'.join(where)}" if where in changed else f"{path}:{_line(tree, where)}: {'.'.join(where)}"
    place = place.removesuffix(": ")
    if found["type"] == "extra_forbidden":
        return f"{place}: no such field{did_you_mean(where[-1], _fields(where[:-1]))}"
    given = found["input"]
    shown = f" (got {given!r})" if isinstance(given, str | int | float | bool) and len(str(given)) < 80 else ""
    return f"{place}: {found['msg'].removeprefix('Value error, ')}{shown}"


def _line(tree: yaml.Node | None, where: Sequence[str]) -> int:
    """The line, from 1, of a field, or of the innermost thing around it that is in the file."""
    line, node = 1, tree
    for part in where:
        key, inner = _entry(node, part)
        if key is None:
            break
        line, node = key.start_mark.line + 1, inner
    return line


def _entry(node: yaml.Node | None, part: str) -> tuple[yaml.Node | None, yaml.Node | None]:
    """The node that names a field or an item, and what it holds."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == part), (None, None))
    if isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
        return node.value[int(part)], node.value[int(part)]
    return None, None


def _fields(where: Sequence[str]) -> list[str]:
    """The fields there are at a place of TrainConfig."""
    model: type[BaseModel] = TrainConfig
    for part in where:
        if not part.isdigit():
            model = _model_in(model.model_fields[part].annotation)
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(_model_in(inner) for inner in get_args(annotation) if inner is not Ellipsis)


def differences(before: Mapping[str, Any], now: Mapping[str, Any], inside: str = "") -> list[str]:
    """Fields in which two dumped configurations differ, in words."""
    found = []
    for name in dict.fromkeys((*before, *now)):
        old, new = before.get(name), now.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += differences(old, new, f"{inside}{name}.")
        elif old != new:
            found.append(f"{inside}{name}: was {old!r}, is {new!r}")
    return found
