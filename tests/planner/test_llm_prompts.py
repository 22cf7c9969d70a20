"""Prompt files: complete, replaceable, checked, compact; and they say what the scene believes and nothing else."""

from __future__ import annotations

import shutil

import pytest
from llm_cases import answer, planner_at, request
from llm_loopback import LoopbackEndpoint, completion

from planner.llm.prompting import BUILT_IN, PLACEHOLDERS, PromptError, Prompts, describe_scene
from planner.planner import Plan
from skills.goal import Goal
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill import SkillCall
from skills.symbolic_state import SymbolicState
from world_model.results import EndedBy, SkillRun, StepResult, Verdict, VerdictStatus
from world_model.scene import BelievedLiteral, Scene, SceneObject


def test_the_rules_name_every_skill_and_every_literal():
    library = SkillLibrary()
    said = Prompts.load().system(library)
    for skill in library.skills:
        assert f"- {skill.name}(" in said
        assert skill.summary in said
    for predicate in library.predicates:
        assert f"- {predicate.name}(" in said
    assert "makes: lit(lamp) becomes the opposite" in said
    for raw in ("?h", "?b", "?o", "*", "flip", "${"):
        assert raw not in said


def test_the_request_says_scene_history_answers_and_what_it_may_mean():
    failed = Verdict(VerdictStatus.FAILED, 0.9, "the red block slipped", "symbolic")
    run = SkillRun(SkillCall.parse("pick(red block)"), EndedBy.TERMINATED, 20, 2.0)
    said = Prompts.load().user(
        request(
            history=(StepResult("a", 2, run, failed),),
            answers=(("Which bowl?", "the red one"),),
            focus=("red block", "red bowl"),
            goal=Goal.parse("lit(lamp)"),
        )
    )
    for part in (
        "block: blue block, green block, red block",
        "on(blue block, red block)",
        "hand: empty",
        '{"literals":["lit(lamp)"]}',
        "- pick(red block), attempt 2: failed: the red block slipped",
        "- Which bowl? -> the red one",
        "red block, red bowl",
    ):
        assert part in said


def test_doubt_and_ignorance_are_said():
    objects = {
        "red block": SceneObject("red block", "block"),
        "blue block": SceneObject("blue block", "block", hidden=True),
        "pink block": SceneObject("pink block", "block", hidden=True, gone=True),
        "table": SceneObject("table", "table"),
        "drawer": SceneObject("drawer", "drawer"),
    }
    believed = (BelievedLiteral(Literal.parse("on(red block, table)"), 0.7, "memory"),)
    said = describe_scene(Scene(objects, believed, frozenset({"drawer"})))
    assert "on(red block, table) (70% sure)" in said
    assert "closed(drawer)" in said
    assert "out of sight: blue block (block)" in said
    assert "nowhere to be found: pink block (block)" in said
    assert "nobody has looked into the drawer yet" in said
    assert "block: red block\n" in said


def test_the_prompt_is_compact():
    """Under 2,000 tokens for ten objects, at the usual four characters a token: a 4k-context model still fits."""
    prompts = Prompts.load()
    assert len(prompts.system(SkillLibrary())) + len(prompts.user(request())) < 8000


def test_a_scene_of_forty_objects_stays_compact_too():
    objects = {f"colour{i} block": "block" for i in range(40)} | {"table": "table"}
    facts = frozenset(Literal("on", (name, "table")) for name in objects if name != "table")
    assert len(describe_scene(Scene.from_symbolic(SymbolicState(objects, facts)))) < 3000


def test_a_folder_may_replace_one_prompt_and_leave_the_rest(tmp_path):
    (tmp_path / "repair.md").write_text("Nope: ${problems} Costs $$5.")
    prompts = Prompts.load(tmp_path)
    assert prompts.repair(["a", "b"]) == "Nope: - a\n- b Costs $5."
    assert prompts.system(SkillLibrary()) == Prompts.load().system(SkillLibrary())


def test_replaced_prompts_are_what_the_model_gets(tmp_path):
    shutil.copytree(BUILT_IN, tmp_path / "mine")
    user = tmp_path / "mine" / "user.md"
    user.write_text("MY WORDS\n" + user.read_text())
    with LoopbackEndpoint(completion(answer())) as endpoint:
        assert isinstance(planner_at(endpoint.url, prompts=tmp_path / "mine").plan(request()), Plan)
    assert endpoint.requests[0]["messages"][1]["content"].startswith("MY WORDS")


@pytest.mark.parametrize("name", list(PLACEHOLDERS))
def test_a_prompt_that_lacks_a_placeholder_is_refused_by_name(tmp_path, name):
    wanted = PLACEHOLDERS[name][0]
    (tmp_path / name).write_text((BUILT_IN / name).read_text().replace(f"${{{wanted}}}", "gone"))
    with pytest.raises(PromptError, match=rf"{name}: lacks the placeholder \$\{{{wanted}\}}"):
        Prompts.load(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"${problems} ${problem}", r"no placeholder '\$\{problem\}'; did you mean 'problems'"),
        (b"${problems} costs $ 5", r"write \$\$ for a dollar sign"),
        (b"\xff\xfe${problems}", "cannot be read as UTF-8"),
        (b"${problems}" + b"x" * 300_000, "larger than 200000 bytes"),
    ],
)
def test_a_prompt_that_cannot_be_used_says_why(tmp_path, content, words):
    (tmp_path / "repair.md").write_bytes(content)
    with pytest.raises(PromptError, match=words):
        Prompts.load(tmp_path)


def test_a_folder_without_prompts_is_refused(tmp_path):
    with pytest.raises(PromptError, match=r"expected one or more of system\.md, user\.md, repair\.md"):
        Prompts.load(tmp_path)
    with pytest.raises(PromptError, match="no prompt folder at"):
        Prompts.load(tmp_path / "none")


def test_the_folders_readme_names_every_file_and_placeholder():
    said = (BUILT_IN / "README.md").read_text()
    for name, placeholders in PLACEHOLDERS.items():
        assert f"`{name}`" in said
        for placeholder in placeholders:
            assert f"`${{{placeholder}}}`" in said
