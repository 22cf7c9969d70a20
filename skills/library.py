"""SkillLibrary: the explicit table of skills and predicates a run may use.

A user's file adds to it with `with_file`. Not for: reading and checking such a file (skills.skill_files).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from skills import close, open, pick, place_in, place_on, press, push
from skills.predicates import PREDICATES, Predicate
from skills.skill import Skill, SkillCall, SkillCallError, did_you_mean
from skills.skill_files import SkillFileError, read_skill_file

if TYPE_CHECKING:
    import numpy as np

    from robots.tabletop.scene_spec import SceneSpec

__all__ = ["BUILT_IN", "SkillFileError", "SkillLibrary"]

BUILT_IN = (pick.SKILL, place_in.SKILL, place_on.SKILL, push.SKILL, open.SKILL, close.SKILL, press.SKILL)


@dataclass(frozen=True)
class SkillLibrary:
    """Skills and predicates by name."""

    skills: tuple[Skill, ...] = BUILT_IN
    predicates: tuple[Predicate, ...] = PREDICATES

    @cached_property
    def by_name(self) -> Mapping[str, Skill]:
        return {skill.name: skill for skill in self.skills}

    @cached_property
    def predicate_by_name(self) -> Mapping[str, Predicate]:
        return {predicate.name: predicate for predicate in self.predicates}

    def skill(self, name: str) -> Skill:
        """The skill of that name. Raises SkillCallError that names the valid ones."""
        if name not in self.by_name:
            raise SkillCallError(f"no skill '{name}'{did_you_mean(name, list(self.by_name))}")
        return self.by_name[name]

    def check_call(self, call: SkillCall, objects: Mapping[str, str]) -> None:
        """Raises SkillCallError where the call names no skill, no object, or an object of the wrong type."""
        skill = self.skill(call.skill)
        if len(call.arguments) != len(skill.parameters):
            wanted = ", ".join(p.name for p in skill.parameters)
            raise SkillCallError(f"{call}: {skill.name} takes ({wanted}), got {len(call.arguments)} argument(s)")
        for parameter, argument in zip(skill.parameters, call.arguments, strict=True):
            if parameter.choices:
                if argument not in parameter.choices:
                    raise SkillCallError(
                        f"{call}: no {parameter.name} '{argument}'{did_you_mean(argument, list(parameter.choices))}"
                    )
            elif argument not in objects:
                raise SkillCallError(f"{call}: no object '{argument}' here{did_you_mean(argument, list(objects))}")
            elif objects[argument] not in parameter.types:
                raise SkillCallError(
                    f"{call}: '{argument}' is a {objects[argument]}; "
                    f"{skill.name} takes a {' or '.join(parameter.types)}"
                )

    def furnished(self, spec: SceneSpec, rng: np.random.Generator) -> SceneSpec:
        """A drawn scene and what the library's own skills work on in it; without such skills the same scene."""
        for skill in self.skills:
            if skill.furnish is not None:
                spec = skill.furnish(spec, rng)
        return spec

    def with_file(self, path: Path) -> SkillLibrary:
        """This library and what a user's skill file adds. Raises SkillFileError."""
        skills, predicates = read_skill_file(path, self.predicates)
        new = {s.name for s in skills}
        return SkillLibrary((*(s for s in self.skills if s.name not in new), *skills), (*self.predicates, *predicates))
