"""docs/adding-a-skill.md, step by step: its files are the example's, its Python and its command line run."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from robots.tabletop.scene_spec import load_scene
from robots.tabletop.world import TabletopWorld
from skills.grounding import symbolic_of
from skills.library import SkillFileError, SkillLibrary
from skills.literals import Literal
from skills.skill import SkillCall, SkillCallError
from skills.skill_graph import CallStep, GraphError, SkillGraph
from skills.trials import run_call
from skills.validation import validate

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "adding-a-skill.md"
EXAMPLE = ROOT / "examples" / "skills"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def test_the_page_shows_the_files_of_the_example():
    assert blocks("yaml") == [(EXAMPLE / "workbench.yaml").read_text()]
    assert blocks("python")[0] == (EXAMPLE / "tip.py").read_text()


def test_the_pages_python_runs(monkeypatch):
    monkeypatch.chdir(ROOT)
    exec(compile(blocks("python")[1], str(PAGE), "exec"), {})


def test_the_pages_command_reaches_its_goal(tmp_path):
    (command,) = blocks("console")
    words = shlex.split(command)
    assert words[0] == "forehand"
    finished = subprocess.run(
        [sys.executable, "-c", "from forehand.cli import main; main()", *words[1:], "--out", str(tmp_path / "run")],
        cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "tip(steel lever)" in finished.stdout
    assert (tmp_path / "run" / "report.html").is_file()


def test_the_new_skill_plans_fails_and_succeeds_like_any_other():
    library = SkillLibrary().with_file(EXAMPLE / "tip.py")
    call = SkillCall.parse("tip(steel lever)")
    graph = SkillGraph(steps=(CallStep(id="tip", do=call),))
    with TabletopWorld(load_scene(EXAMPLE / "workbench.yaml"), 1) as world:
        state = symbolic_of(world.physical_state(), library.predicates)
        assert state.holds(Literal.parse("tipped(steel lever)")) is False
        validate(graph, state, library)
        with pytest.raises(GraphError):
            validate(graph, state, SkillLibrary())
        with pytest.raises(SkillCallError, match="takes a lever"):
            library.check_call(SkillCall.parse("tip(red block)"), state.objects)
        assert run_call(world, call, library).succeeded
        assert symbolic_of(world.physical_state(), library.predicates).holds(Literal.parse("tipped(steel lever)"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\n", "defines no SKILL"),
        ("import no_such_module\n", "cannot be loaded"),
        ("SKILL = 'tip'\n", "defines no SKILL"),
        (None, "no skill file at"),
    ],
)
def test_a_file_that_is_no_skill_is_refused_in_words(tmp_path, text, words):
    path = tmp_path / "mine.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SkillFileError, match=words):
        SkillLibrary().with_file(path)
