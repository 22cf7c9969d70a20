"""Reading a user's skill file: a module with SKILL (or SKILLS) and, where needed, PREDICATES, checked before any use.

Not for: the table of skills that a run may use (skills.library), calls of them (SkillLibrary.check_call).
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from string import Formatter
from types import ModuleType
from typing import TypeVar

import numpy as np

from robots.tabletop.names import Thing
from robots.tabletop.scene_spec import SceneError, SceneSpec
from skills.checking import LiteralError, check_literal
from skills.literals import Literal, LiteralSyntaxError, shown
from skills.predicates import Predicate
from skills.skill import Parameter, Skill, SkillCall, SkillCallError

Item = TypeVar("Item")

OF_SYMBOLS = tuple(
    Predicate(name, (Parameter("thing"),), lambda _state, _arguments: None, derived=True)
    for name in ("has_room", "accessible")
)
"""What literals may say, too: skills.symbolic_state works these out, and no geometry does."""


class SkillFileError(ValueError):
    """A skill file that cannot be used; the message names the file, what is wrong and what would be valid."""


def read_skill_file(path: Path, known: Sequence[Predicate]) -> tuple[tuple[Skill, ...], tuple[Predicate, ...]]:
    """Its skills and its predicates. known: what the literals may use besides. Raises SkillFileError.

    Where a skill's furnish goes wrong later, that is a SkillFileError, too.
    """
    module = _load(path)
    skills = _table(path, module, "SKILLS", Skill) or _only(path, module)
    predicates = _table(path, module, "PREDICATES", Predicate)
    for skill in skills:
        for fault in _faults(skill, (*OF_SYMBOLS, *known, *predicates)):
            raise SkillFileError(f"{path}: {skill.name}: {fault}")
    return tuple(_guarded(path, skill) for skill in skills), predicates


def _load(path: Path) -> ModuleType:
    if not path.is_file():
        raise SkillFileError(f"no skill file at {path}")
    if path.suffix != ".py":
        raise SkillFileError(f"{path}: is no skill file; one is written in Python and its name ends in .py")
    spec = importlib.util.spec_from_file_location(f"forehand_user_skill_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except SystemExit as error:
        raise SkillFileError(f"{path}: cannot be loaded: it calls sys.exit; it must only define things") from error
    except Exception as error:
        raise SkillFileError(f"{path}: cannot be loaded: {type(error).__name__}: {error}") from error
    return module


def _table(path: Path, module: ModuleType, name: str, kind: type[Item]) -> tuple[Item, ...]:
    """SKILLS or PREDICATES of the module; nothing where it has none."""
    given = getattr(module, name, ())
    wrong = [item for item in given if not isinstance(item, kind)] if isinstance(given, tuple | list) else [given]
    if wrong:
        raise SkillFileError(
            f"{path}: {name} must be a tuple or list of {kind.__module__}.{kind.__name__}, as in (one,) or "
            f"(one, other); got {shown(wrong[0])}"
        )
    return tuple(given)


def _only(path: Path, module: ModuleType) -> tuple[Skill]:
    skill = getattr(module, "SKILL", None)
    if not isinstance(skill, Skill):
        got = f"; its SKILL is {shown(skill)}" if hasattr(module, "SKILL") else ""
        raise SkillFileError(f"{path}: defines no SKILL (a skills.skill.Skill) nor SKILLS (a tuple of them){got}")
    return (skill,)


def _faults(skill: Skill, predicates: Sequence[Predicate]) -> Iterator[str]:
    """What is wrong with its fields, their types first: the later checks count on those."""
    limit, rise_m = skill.time_limit_steps, skill.rise_first_m
    is_number = isinstance(rise_m, int | float) and not isinstance(rise_m, bool)
    for name, is_valid, valid in (
        ("name", _is_name(skill.name), "lower-case letters, digits and _, a letter first, as in 'place_in'"),
        ("parameters", _is_tuple(skill.parameters, Parameter), "a tuple of skills.skill.Parameter, as in (LEVER,)"),
        ("template", isinstance(skill.template, str), "a text, as in 'tip the {lever}'"),
        ("wordings", _is_tuple(skill.wordings, str), "a tuple of texts, as in ('tip the {lever}',)"),
        ("preconditions", _is_tuple(skill.preconditions, str), "a tuple of texts, as in ('hand_empty()',)"),
        ("effects", _is_tuple(skill.effects, str), "a tuple of texts, as in ('tipped(?lever)',)"),
        ("success", _is_tuple(skill.success, str), "a tuple of texts, as in ('tipped(?lever)',)"),
        ("time_limit_steps", type(limit) is int and limit >= 1, "a whole number of control steps, 1 or more"),
        ("rise_first_m", is_number and 0 <= rise_m < math.inf, "a number of metres, 0 or more"),
        ("expert", callable(skill.expert), "a function of (state, arguments)"),
        ("furnish", skill.furnish is None or callable(skill.furnish), "a function of (spec, rng), or None"),
    ):
        if not is_valid:
            yield f"{name} must be {valid}; got {shown(getattr(skill, name))}"
    names = [parameter.name for parameter in skill.parameters]
    for field, template in (("template", skill.template), *(("wordings", wording) for wording in skill.wordings)):
        yield from (f"{field} {shown(template)}: {fault}" for fault in _template_faults(template, names))
    bound = [*names, "held", *(["opposite"] if "direction" in names else [])]
    for field in ("preconditions", "effects", "success"):
        for text in getattr(skill, field):
            plain = text if field == "preconditions" else text.removeprefix("flip ")
            yield from (f"{field} {shown(text)}: {fault}" for fault in _literal_faults(plain, bound, predicates))


def _is_name(name: str) -> bool:
    """Whether a call of it can be read back."""
    try:
        return SkillCall.parse(f"{name}()").skill == name
    except SkillCallError:
        return False


def _is_tuple(value: object, kind: type) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, kind) for item in value)


def _template_faults(template: str, names: Collection[str]) -> Iterator[str]:
    valid = f"valid: {', '.join(f'{{{name}}}' for name in names) or 'no placeholder, as it has no parameters'}"
    try:
        slots = [slot for _, slot, _, _ in Formatter().parse(template) if slot is not None]
        yield from (f"no parameter '{slot}'; {valid}" for slot in slots if slot not in names)
        template.format(**dict.fromkeys(names, ""))
    except (ValueError, LookupError, AttributeError) as error:
        yield f"{error}; {valid}"


def _literal_faults(text: str, bound: Collection[str], predicates: Sequence[Predicate]) -> Iterator[str]:
    """What is wrong with a literal over `?name`s that are bound. A thing's name says what category it is of."""
    try:
        literal = Literal.parse(text)
    except LiteralSyntaxError as error:
        yield str(error)
        return
    for argument in literal.arguments:
        if argument.startswith("?") and argument[1:] not in bound:
            yield f"no parameter '{argument}'; valid: {', '.join(f'?{name}' for name in bound)}"
    ground = replace(literal, arguments=tuple("*" if a.startswith("?") else a for a in literal.arguments))
    try:
        check_literal(ground, {name: _category(name) for name in ground.arguments}, predicates)
    except LiteralError as error:
        yield str(error).removeprefix(f"{ground}: ")


def _category(name: str) -> str:
    colour, _, shape = name.rpartition(" ")
    return Thing(name, colour, shape).category


def _guarded(path: Path, skill: Skill) -> Skill:
    """The same, with a furnish that raises SkillFileError; a SceneError still says that this draw has no room."""
    furnish = skill.furnish
    if furnish is None:
        return skill

    def guarded(spec: SceneSpec, rng: np.random.Generator) -> SceneSpec:
        try:
            furnished = furnish(spec, rng)
        except SceneError:
            raise
        except Exception as error:
            raise SkillFileError(f"{path}: {skill.name}: furnish failed: {type(error).__name__}: {error}") from error
        if not isinstance(furnished, SceneSpec):
            raise SkillFileError(
                f"{path}: {skill.name}: furnish must return a SceneSpec, as spec.with_model(…) does; "
                f"got {shown(furnished)}"
            )
        return furnished

    return replace(skill, furnish=guarded)
