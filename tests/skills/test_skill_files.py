"""What a user's skill file may get wrong, and that its message names the file, what is wrong and what is valid."""

from pathlib import Path

import numpy as np
import pytest

from robots.tabletop.scene_spec import SceneError, SceneSpec
from skills.library import BUILT_IN, SkillFileError, SkillLibrary

FILES = sorted((Path(__file__).parents[2] / "examples" / "skills").glob("*.py"))
HEAD = """
import sys
from dataclasses import replace
from skills.predicates import Predicate
from skills.push import SKILL as PUSH
from skills.skill import Parameter, Skill

THING = Parameter("block", types=("block",))
NEAR = Predicate("near", (THING, Parameter("other", types=("block",))), lambda _state, _arguments: None)
"""
SCENE = SceneSpec(objects=("red block",))
SKILLS = "SKILLS must be a tuple or list of skills.skill.Skill, as in (one,) or (one, other); got "
PREDICATES = "PREDICATES must be a tuple or list of skills.predicates.Predicate, as in (one,) or (one, other); got "


@pytest.fixture
def refused(tmp_path):
    """What is said of a file with that text; its path must come first."""

    def said(text, name="mine.py"):
        path = tmp_path / name
        path.write_text(HEAD + text)
        with pytest.raises(SkillFileError) as caught:
            SkillLibrary().with_file(path)
        assert str(caught.value).startswith(f"{path}: ")
        return str(caught.value).removeprefix(f"{path}: ")

    return said


def test_the_built_in_skills_pass(tmp_path):
    path = tmp_path / "all.py"
    path.write_text("from skills.library import BUILT_IN\nSKILLS = BUILT_IN\n")
    assert SkillLibrary(()).with_file(path).skills == BUILT_IN


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_examples_pass(path):
    assert path.stem in SkillLibrary().with_file(path).by_name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sys.exit()", "cannot be loaded: it calls sys.exit; it must only define things"),
        ("sys.exit(3)", "cannot be loaded: it calls sys.exit; it must only define things"),
        ("SKILL = Skil()", "cannot be loaded: NameError: name 'Skil' is not defined"),
        ("SKILL = PUSH,", "defines no SKILL (a skills.skill.Skill) nor SKILLS (a tuple of them); its SKILL is (Skill("),
        ("SKILLS = PUSH", f"{SKILLS}Skill("),
        ("SKILLS = PUSH, 'tip'", f"{SKILLS}'tip'"),
        ("SKILLS = 7", f"{SKILLS}7"),
        ("SKILL = PUSH; PREDICATES = NEAR", f"{PREDICATES}Predicate("),
        ("SKILL = PUSH; PREDICATES = [NEAR, THING]", f"{PREDICATES}Parameter("),
    ],
)
def test_what_is_in_the_file(refused, text, said):
    assert refused(text).startswith(said)


def test_only_python_is_a_skill_file(refused):
    assert refused("", "mine.txt") == "is no skill file; one is written in Python and its name ends in .py"


NAME = "name must be lower-case letters, digits and _, a letter first, as in 'place_in'; got "
PARAMETERS = "parameters must be a tuple of skills.skill.Parameter, as in (LEVER,); got "
STEPS = "time_limit_steps must be a whole number of control steps, 1 or more; got "
RISE = "rise_first_m must be a number of metres, 0 or more; got "


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("name='Shove it'", f"{NAME}'Shove it'"),
        ("name='9th'", f"{NAME}'9th'"),
        ("name=' shove'", f"{NAME}' shove'"),
        ("name='shove()'", f"{NAME}'shove()'"),
        ("parameters=THING", f"{PARAMETERS}Parameter("),
        ("parameters=[THING]", f"{PARAMETERS}[Parameter("),
        ("parameters=('block',)", f"{PARAMETERS}('block',)"),
        ("template=None", "template must be a text, as in 'tip the {lever}'; got None"),
        ("wordings='shove the {block}'", "wordings must be a tuple of texts, as in ('tip the {lever}',); got 'shove"),
        ("preconditions='hand_empty()'", "preconditions must be a tuple of texts, as in ('hand_empty()',); got 'hand"),
        ("effects=(7,)", "effects must be a tuple of texts, as in ('tipped(?lever)',); got (7,)"),
        ("success='near(?block, *)'", "success must be a tuple of texts, as in ('tipped(?lever)',); got 'near"),
        ("time_limit_steps=0", f"{STEPS}0"),
        ("time_limit_steps=60.0", f"{STEPS}60.0"),
        ("time_limit_steps=True", f"{STEPS}True"),
        ("time_limit_steps='60'", f"{STEPS}'60'"),
        ("rise_first_m=-0.01", f"{RISE}-0.01"),
        ("rise_first_m=float('nan')", f"{RISE}nan"),
        ("rise_first_m=float('inf')", f"{RISE}inf"),
        ("rise_first_m=True", f"{RISE}True"),
        ("rise_first_m='3 cm'", f"{RISE}'3 cm'"),
        ("expert=None", "expert must be a function of (state, arguments); got None"),
        ("furnish=3", "furnish must be a function of (spec, rng), or None; got 3"),
    ],
)
def test_types_and_ranges(refused, change, said):
    message = refused(f"SKILL = replace(PUSH, {change})\n")
    name = "push" if not change.startswith("name=") else change.split("'")[1]
    assert message.startswith(f"{name}: {said}")


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("shove the {blok}", "no parameter 'blok'; valid: {block}, {direction}"),
        ("shove the {}", "no parameter ''; valid: {block}, {direction}"),
        ("shove {block.name}", "no parameter 'block.name'; valid: {block}, {direction}"),
        ("shove {block:d}", "Unknown format code 'd'"),
        ("shove {block:{direction.x}}", "'str' object has no attribute 'x'; valid: {block}, {direction}"),
        ("shove the {block", "expected '}' before end of string; valid: {block}, {direction}"),
        ("shove the block}", "Single '}' encountered in format string; valid: {block}, {direction}"),
    ],
)
def test_placeholders_are_parameters(refused, template, said):
    assert refused(f"SKILL = replace(PUSH, template={template!r})\n").startswith(f"push: template {template!r}: {said}")
    message = refused(f"SKILL = replace(PUSH, wordings=('shove', {template!r}))\n")
    assert message.startswith(f"push: wordings {template!r}: {said}")


def test_a_skill_without_parameters_has_no_placeholders(refused):
    message = refused("SKILL = replace(PUSH, parameters=())\n")
    assert message.endswith("no parameter 'block'; valid: no placeholder, as it has no parameters")


@pytest.mark.parametrize(
    ("field", "literal", "said"),
    [
        ("preconditions", "hand_empty", "not a literal: 'hand_empty'; expected a form like"),
        ("preconditions", "flip lit(lamp)", "not a literal: 'flip lit(lamp)'; expected a form like"),
        ("preconditions", "hand_empty(?block)", "hand_empty takes 0 argument(s) (), got 1"),
        ("preconditions", "has_room()", "has_room takes 1 argument(s) (thing), got 0"),
        (
            "preconditions",
            "not on(?block, *bowl)",
            "no kind 'bowl' here; did you mean 'table'? have: block, pad, table",
        ),
        (
            "effects",
            "naer(?block, red block)",
            "no literal 'naer'; did you mean 'near'? have: accessible, clear, closed,",
        ),
        ("effects", "near(?block)", "near takes 2 argument(s) (block, other), got 1"),
        ("effects", "flip near(?block)", "near takes 2 argument(s) (block, other), got 1"),
        ("effects", "flip lit(lamp", "not a literal: 'lit(lamp'"),
        ("effects", "lit(drawer)", "'drawer' is a drawer; lit takes a lamp as lamp"),
        ("success", "in_zone(?block, lefft)", "no zone 'lefft'; did you mean 'left'? have: back, front, left, right"),
        ("success", "near(?block, ?othr)", "no parameter '?othr'; valid: ?block, ?direction, ?held, ?opposite"),
        ("success", "flip lit(?lamp)", "no parameter '?lamp'; valid: ?block, ?direction, ?held, ?opposite"),
    ],
)
def test_literals_are_of_known_predicates_and_bound_names(refused, field, literal, said):
    message = refused(f"PREDICATES = (NEAR,)\nSKILL = replace(PUSH, {field}=({literal!r},))\n")
    assert message.startswith(f"push: {field} {literal!r}: {said}")


def test_only_a_direction_has_an_opposite(refused):
    message = refused(
        "SKILL = replace(PUSH, parameters=(THING,), template='', effects=('in_zone(?block, ?opposite)',))\n"
    )
    assert message.endswith("effects 'in_zone(?block, ?opposite)': no parameter '?opposite'; valid: ?block, ?held")


def test_the_files_own_literals_and_those_known_before_may_be_used(tmp_path):
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text(
        HEAD + "PREDICATES = [NEAR]\nSKILLS = [replace(PUSH, name='shove', success=('not near(?block, *)',))]\n"
    )
    second.write_text(
        HEAD + "SKILL = replace(PUSH, name='join', effects=('near(?block, red block)', 'flip lit(lamp)'))\n"
    )
    library = SkillLibrary().with_file(first).with_file(second)
    assert {"push", "shove", "join"} <= set(library.by_name)
    with pytest.raises(SkillFileError, match=r"second\.py: join: effects .*no literal 'near'"):
        SkillLibrary().with_file(second)


@pytest.mark.parametrize(
    ("furnish", "said"),
    [
        ("lambda spec, rng: 1 / 0", "furnish failed: ZeroDivisionError: division by zero"),
        ("lambda spec: spec", "furnish failed: TypeError: "),
        ("lambda spec, rng: None", "furnish must return a SceneSpec, as spec.with_model(…) does; got None"),
    ],
)
def test_a_furnish_that_cannot_be_used(tmp_path, furnish, said):
    path = tmp_path / "mine.py"
    path.write_text(HEAD + f"SKILL = replace(PUSH, name='shove', furnish={furnish})\n")
    library = SkillLibrary().with_file(path)
    with pytest.raises(SkillFileError) as caught:
        library.furnished(SCENE, np.random.default_rng(0))
    assert str(caught.value).startswith(f"{path}: shove: {said}")


def test_a_furnish_may_say_that_there_is_no_room(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        HEAD + "from robots.tabletop.scene_spec import SceneError\n"
        "def furnish(spec, rng):\n    raise SceneError('no room')\n"
        "SKILL = replace(PUSH, name='shove', furnish=furnish)\n"
    )
    with pytest.raises(SceneError, match="no room"):
        SkillLibrary().with_file(path).furnished(SCENE, np.random.default_rng(0))
