"""A workplace stays while commands come and go: what it believes, what "it" means, and what a killed command needs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from forehand.assembly import assemble, detector_for, resume_run, start_run
from forehand.config import ConfigError, RunConfig
from forehand.events import Event
from forehand.watching import Watcher
from planner.planner import Impossible, Plan, Question
from skills.library import SkillLibrary

SCENE = {
    "objects": ["red block", "green block", "red bowl", "button", "lamp"],
    "positions": {"red block": [0.45, 0.1], "green block": [0.45, -0.12], "red bowl": [0.6, 0.0]},
}


def said(instruction: str, **changes: Any) -> RunConfig:
    return RunConfig.model_validate({"instruction": instruction, "scene": SCENE, "policy": "expert", **changes})


class Photographer(Watcher):
    """Copies the run folder as it is on disk right after the first event of a kind."""

    def __init__(self, kind: str, folder: Path, copy: Path) -> None:
        self.kind, self.folder, self.copy = kind, folder, copy

    def on_event(self, event: Event) -> None:
        if event.kind == self.kind and not self.copy.exists():
            shutil.copytree(self.folder, self.copy)


def test_it_and_back_are_understood_from_one_command_to_the_next_also_after_a_kill(tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    with assemble(said("")) as workplace:
        first = workplace.run(said("put the red block in the red bowl"))
        assert (first.outcome, first.goal_reached) == ("succeeded", True)
        photographer = Photographer("perceived", tmp_path / "second", killed)
        second = workplace.run(said("now put it back"), folder=tmp_path / "second", watchers=[photographer])
        assert (second.outcome, second.goal_reached) == ("succeeded", True)
        assert [str(s.call) for s in second.steps] == ["pick(red block)", "place_on(table)"]
        assert "on(red block, table)" in map(str, workplace.truth().facts)
    resumed = resume_run(killed)
    assert [str(s.call) for s in resumed.steps] == [str(s.call) for s in second.steps]
    assert (resumed.outcome, resumed.goal_reached) == ("succeeded", True)


def test_planning_moves_nothing_and_answers_in_three_ways() -> None:
    with assemble(said("")) as workplace:
        assert isinstance(workplace.plan(said("put the red block in the red bowl")), Plan)
        assert isinstance(workplace.plan(said("put the fribble in the red bowl")), Question | Impossible)
        assert workplace.world.time_s == 0.0
        assert "red block" in workplace.describe()
        with pytest.raises(ConfigError, match="nothing to do"):
            workplace.plan(said(" "))
        with pytest.raises(ConfigError, match="nothing to do"):
            workplace.run(said(""))


def test_a_question_is_answered_in_place() -> None:
    asked: list[Question] = []

    def answer(question: Question) -> str:
        asked.append(question)
        return question.choices[0] if question.choices else "the red block"

    unanswered = start_run(said("put the block in the red bowl"))
    answered = start_run(said("put the block in the red bowl"), ask=answer)
    assert (unanswered.outcome, unanswered.question) == ("clarify", asked[0].text)
    assert answered.outcome == "succeeded"


def test_a_graph_given_by_a_person_is_run_and_held_against_what_it_was_for() -> None:
    steps = [{"id": "a", "do": "pick(green block)"}, {"id": "b", "do": "place_on(red block)", "after": ["a"]}]
    result = start_run(RunConfig.model_validate({"graph": {"steps": steps}, "scene": SCENE, "policy": "expert"}))
    assert (result.outcome, result.goal_reached, result.planner) == ("succeeded", True, "given graph")
    assert [s.step for s in result.steps] == ["a", "b"]


def test_a_suite_holds_the_true_end_against_its_own_goal() -> None:
    from skills.goal import Goal

    config = said("", goal=Goal.parse("lit(lamp)"), planner="search")
    assert start_run(config).goal_reached is True
    assert start_run(config.model_copy(update={"truth_goal": Goal.parse("not lit(lamp)")})).goal_reached is False


def test_unknown_detectors_are_told_with_the_choices() -> None:
    with pytest.raises(ConfigError, match="have: scene"):
        detector_for("sceen", SkillLibrary(), 0, (0.0, 0.0))


def test_a_lying_detector_is_named_in_the_result() -> None:
    result = start_run(said("", goal={"literals": ["lit(lamp)"]}, planner="search", false_negative_rate=1.0))
    assert result.detector.startswith("lying(scene")
