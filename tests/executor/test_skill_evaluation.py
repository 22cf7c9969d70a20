"""Skill evaluation: cases are what their split says, episodes are judged by the truth, worlds share one model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from fake_vla import DONE, STILL, UP, FakeVLA

from executor.evaluation_cases import MOST_SEED, Case, Posed, pose, splits_of, variation_of
from executor.learning.worlds import LOOKS
from executor.lock_step import Asking, together
from executor.policies.rt2 import Decision, Rt2Policy, VLAPolicy
from executor.robot_contract import tabletop_contract
from executor.skill_evaluation import Episode, SkillEvaluation, wrong_object
from executor.vla_inputs import IMAGE_SIZES
from robots.robot import Observation
from robots.tabletop.names import UNSEEN_COLOURS
from robots.tabletop.variations import Lighting, Variation, is_beyond_full
from rt2.vla import VLA, ActInput
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill import SkillCall
from skills.symbolic_state import SymbolicState
from skills.wordings import held_out_sentences, words_of

LIBRARY = SkillLibrary()
TURN = Path(__file__).parents[2] / "examples" / "skills" / "turn.py"
CONTRACT = tabletop_contract(IMAGE_SIZES)
CLUTTER = dict.fromkeys(("red block", "blue block"), "block") | {"red bowl": "bowl", "blue bowl": "bowl"} | {
    "drawer": "drawer", "button": "button", "lamp": "lamp", "table": "table",
}  # fmt: skip


class TrulyKnowing(Rt2Policy):
    """Asks the model like any other, and then does what the scene's expert does for the sentence's call."""

    def __init__(self, vla: VLA, posed: Posed, call: SkillCall) -> None:
        super().__init__(vla, CONTRACT)
        self._world, self._call = posed.world, call

    def decide(self, observation: Observation) -> Decision:
        yield self.inputs(observation)
        expert = LIBRARY.skill(self._call.skill).expert
        return (expert(self._world.physical_state(), self._call.arguments),)


def one(evaluation: SkillEvaluation, case: Case, vla: VLA) -> Episode:
    (episode,) = together([lambda: evaluation.episode(case)], vla, at_once=1)
    return episode


def test_a_policy_that_does_what_is_said_succeeds_and_every_split_of_a_seed_is_the_same_scene() -> None:
    vla = FakeVLA()
    evaluation = SkillEvaluation(lambda posed: TrulyKnowing(vla, posed, posed.call or posed.scene_call))
    seen, worded = (one(evaluation, Case(split, "pick", 4), vla) for split in ("seen", "wordings"))
    assert seen.succeeded
    assert worded.succeeded
    assert (seen.ended_by, seen.unmet, seen.wrong_object) == ("terminated", (), None)
    assert (seen.call, seen.world_seed, seen.steps) == (worded.call, worded.world_seed, worded.steps)
    assert seen.sentence != worded.sentence
    assert Episode.model_validate_json(seen.model_dump_json()) == seen


def test_a_policy_that_lifts_another_block_is_told_apart_from_one_that_lifts_none() -> None:
    vla = FakeVLA()

    def astray(posed: Posed) -> VLAPolicy:
        return TrulyKnowing(vla, posed, posed.scene_call)

    swapped = one(SkillEvaluation(astray), Case("steering", "pick", 2), vla)
    assert (swapped.variant, swapped.succeeded, swapped.reason) == ("swapped", False, "wrong object")
    assert swapped.wrong_object is not None
    assert swapped.wrong_object.startswith("holding(")
    idle = one(SkillEvaluation(lambda _posed: Rt2Policy(vla, CONTRACT)), Case("seen", "pick", 2), vla)
    assert (idle.succeeded, idle.ended_by, idle.reason) == (False, "terminated", "ended without holding")


@pytest.mark.parametrize(("seed", "variant", "ended_by"), [(1, "blank", "error"), (15, "nonsense", "terminated")])
def test_of_a_sentence_that_asks_for_nothing_nothing_is_expected(seed: int, variant: str, ended_by: str) -> None:
    vla = FakeVLA()
    evaluation = SkillEvaluation(lambda _posed: Rt2Policy(vla, CONTRACT))
    episode = one(evaluation, Case("steering", "press", seed), vla)
    assert (episode.variant, episode.succeeded, episode.ended_by) == (variant, True, ended_by)


def test_a_run_that_does_not_end_itself_has_failed_whatever_it_did() -> None:
    vla = FakeVLA(lambda _given: [STILL])
    episode = one(SkillEvaluation(lambda _posed: Rt2Policy(vla, CONTRACT)), Case("seen", "open", 0), vla)
    assert (episode.succeeded, episode.reason) == (False, "no progress")


def posed(case: Case) -> Posed:
    found = pose(case, LIBRARY)
    found.world.close()
    return found


def test_unseen_colours_are_named_or_held_and_devices_have_none() -> None:
    for skill, seed in (("pick", 0), ("push", 1), ("place_in", 2)):
        found = posed(Case("colours", skill, seed))
        assert found.call is not None
        assert any(n.split()[0] in UNSEEN_COLOURS for n in (*found.call.arguments, found.before.held or ""))
    assert "colours" not in splits_of("open", LIBRARY)
    assert "colours" in splits_of("place_in", LIBRARY)


def test_wordings_are_held_out_ones_of_each_tier_in_turn() -> None:
    for seed, tier in enumerate(("structure", "verb", "noun")):
        found = posed(Case("wordings", "open", seed))
        assert found.call is not None
        assert found.variant == tier
        assert found.sentence in held_out_sentences(LIBRARY.skill("open"), found.call.arguments, tier)


def training_world_light(seed: int) -> Lighting:
    return Variation.draw(seed, LOOKS).light


@pytest.mark.parametrize("seed", range(6))
def test_looks_are_what_the_split_says(seed: int) -> None:
    assert variation_of("seen", seed) is None
    background, surroundings, distracted = (
        variation_of(s, seed) for s in ("backgrounds", "environments", "distractors")
    )
    assert background is not None
    assert surroundings is not None
    assert distracted is not None
    assert background.table.pattern != "plain"
    assert (dict(background.cameras), background.distractors) == ({}, 0)
    assert surroundings.table.pattern == "plain"
    assert set(surroundings.cameras) >= {"front", "wrist"}
    assert is_beyond_full(surroundings.light)
    assert not is_beyond_full(training_world_light(seed))
    assert distracted.distractors > 0
    assert dict(distracted.cameras) == {}


def test_a_skill_of_ones_own_has_wordings_and_swaps_of_its_own() -> None:
    """It has no verbs in the tables, and in its scenes there is one thing that it works on."""
    library = SkillLibrary().with_file(TURN)
    for seed in range(3):
        found = pose(Case("wordings", "turn", seed), library)
        found.world.close()
        assert found.variant in ("structure", "noun")
    swapped = pose(Case("steering", "turn", 0), library)
    swapped.world.close()
    assert swapped.call is not None
    assert swapped.call.skill != "turn"


def test_what_breaks_at_every_step_does_not_count_as_doing_nothing() -> None:
    def broken(_given: object) -> list[tuple[float, ...]]:
        return [(float("nan"),) * 8]

    vla = FakeVLA(broken)
    evaluation = SkillEvaluation(lambda _posed: Rt2Policy(vla, CONTRACT))
    episode = one(evaluation, Case("steering", "press", 15), vla)
    assert (episode.variant, episode.ended_by, episode.succeeded) == ("nonsense", "error", False)


def test_swapped_sentences_of_fixed_things_ask_for_another_skill() -> None:
    found = posed(Case("steering", "press", 0))
    assert found.call is not None
    assert found.call.skill != "press"
    assert words_of(found.sentence)


def test_seeds_of_training_are_refused() -> None:
    with pytest.raises(ValueError, match="training"):
        Case("seen", "pick", MOST_SEED)


def state(*facts: str) -> SymbolicState:
    return SymbolicState(CLUTTER, frozenset(map(Literal.parse, facts)))


ASTRAY = [
    ("pick(red block)", ("on(red block, table)",), ("holding(blue block)",), {}, "holding(blue block)"),
    ("pick(red block)", ("on(red block, table)",), ("on(red block, table)",), {"red block": 0.02}, None),
    ("pick(red block)", ("on(red block, table)",), ("on(red block, table)",), {"blue block": 0.05}, "moved blue block"),
    ("push(red block, left)", (), ("in_zone(blue block, left)",), {"blue block": 0.1}, "in_zone(blue block, left)"),
    ("push(red block, left)", (), ("in_zone(red block, right)",), {"red block": 0.1}, None),
    ("place_in(red bowl)", ("holding(red block)",), ("in(red block, blue bowl)",), {}, "in(red block, blue bowl)"),
    ("place_on(blue block)", ("holding(red block)",), ("on(red block, table)",), {}, None),
    ("press(button)", (), ("open(drawer)",), {}, "changed open(drawer)"),
    ("open(drawer)", (), (), {}, None),
]


@pytest.mark.parametrize(("text", "before", "after", "moved", "told"), ASTRAY)
def test_wrong_objects(text: str, before: Sequence[str], after: Sequence[str], moved: dict, told: str | None) -> None:  # type: ignore[type-arg]
    call, start = SkillCall.parse(text), state(*before)
    wanted = LIBRARY.skill(call.skill).success_of(call.arguments, start)
    assert wrong_object(call, wanted, start, state(*after), moved) == told


GIVEN = ActInput({}, np.zeros(0, np.float32), "")


def counting(name: str, questions: int) -> Callable[[], Asking[str]]:
    def piece() -> Asking[str]:
        for _ in range(questions):
            yield ActInput({}, np.zeros(0, np.float32), name)
        return name

    return piece


def test_lock_step_asks_together_refills_and_loses_nobody() -> None:
    vla = FakeVLA()
    work = [counting("a", 1), counting("b", 3), counting("none", 0), counting("c", 2)]
    assert sorted(together(work, vla, at_once=2)) == ["a", "b", "c", "none"]
    assert vla.batches == [["a", "b"], ["b", "c"], ["b", "c"]]
    with pytest.raises(ValueError, match="at least one"):
        next(together(work, vla, at_once=0))


def test_lock_step_never_opens_more_worlds_than_it_may() -> None:
    vla = FakeVLA()
    work = [counting(str(k), 4) for k in range(9)]
    assert sorted(together(work, vla, at_once=2)) == [str(k) for k in range(9)]
    assert max(map(len, vla.batches)) == 2


def test_of_a_batch_only_the_guilty_are_told() -> None:
    def answer(given: ActInput) -> list[tuple[float, ...]]:
        if given.prompt == "bad":
            raise ValueError("no such picture")
        return [UP]

    def piece(prompt: str) -> Iterator[ActInput]:
        try:
            got = yield ActInput({}, np.zeros(0, np.float32), prompt)
        except ValueError as error:
            return f"{prompt}: {error}"
        return f"{prompt}: {got[0][3]:.2f}"

    work = [lambda name=name: piece(name) for name in ("x", "bad", "y")]
    assert sorted(together(work, FakeVLA(answer), at_once=3)) == ["bad: no such picture", "x: 0.02", "y: 0.02"]


def test_batched_and_alone_give_the_same_episodes() -> None:
    def ends_in_its_third_step(given: ActInput) -> list[tuple[float, ...]]:
        return [DONE if given.state[2] > 0.42 else UP]

    cases = [Case("seen", "open", 0), Case("seen", "press", 1)]
    vla = FakeVLA(ends_in_its_third_step)
    evaluation = SkillEvaluation(lambda _posed: Rt2Policy(vla, CONTRACT))
    alone = [one(evaluation, case, vla) for case in cases]
    batched = list(together([lambda case=case: evaluation.episode(case) for case in cases], vla, at_once=2))
    outcome = {(e.skill, e.steps, e.ended_by, e.detail) for e in alone}
    assert {(e.skill, e.steps, e.ended_by, e.detail) for e in batched} == outcome
    assert max(len(batch) for batch in vla.batches) == 2
