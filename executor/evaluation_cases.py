"""Cases that a skill is evaluated on: a scene, a call that can be done in it, and the sentence that asks for it.

Splits follow RT-2's (arXiv 2307.15818, section 4): what was seen in training, and unseen objects, backgrounds and
environments; with unseen wordings, and sentences that ask for something else, or for nothing.
Not for: running a case (executor.skill_evaluation), or worlds to train in (executor.learning.worlds).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Literal, TypeAlias, get_args

import numpy as np

from robots.tabletop.names import BLOCK_COLOURS, COLOURS_OF, SEEN_COLOURS, UNSEEN_COLOURS
from robots.tabletop.variations import Strengths, Variation, is_beyond_full
from robots.tabletop.world import TabletopWorld
from skills.calls import needs_held
from skills.library import SkillLibrary
from skills.skill import SkillCall
from skills.symbolic_state import SymbolicState
from skills.trial_scenes import draw_balanced, draw_call, leaves_something_to_do, random_world, symbolic, valid_calls
from skills.trials import run_call
from skills.wordings import TIERS, held_out_sentences, noise_sentences, words_of

Split: TypeAlias = Literal[
    "seen", "colours", "wordings", "backgrounds", "environments", "distractors", "steering"
]  # fmt: skip
SPLITS: tuple[Split, ...] = get_args(Split)
STRENGTHS: Mapping[Split, Strengths] = {
    "backgrounds": Strengths(table=1.0, light=0.0, cameras=0.0, distractors=0),
    "environments": Strengths(table=0.0, light=1.6, cameras=1.0, distractors=3),
    "distractors": Strengths(table=0.0, light=0.0, cameras=0.0, distractors=3),
}
SCENES_A_CASE = 100  # scenes that are tried until one suits the skill
MOST_SEED = 10**8 // SCENES_A_CASE  # worlds from seed 10**8 on are kept for training


@dataclass(frozen=True)
class Case:
    """One episode of an evaluation; the same case is the same episode, whatever policy drives it."""

    split: Split
    skill: str
    seed: int

    def __post_init__(self) -> None:
        if not 0 <= self.seed < MOST_SEED:
            raise ValueError(
                f"a seed of an evaluation lies in 0..{MOST_SEED - 1}, not {self.seed}: the rest is training's"
            )


@dataclass(frozen=True)
class Posed:
    """A case set up. before: what holds at its start.

    call: what the sentence asks for; None where it asks for nothing that a skill does, and nothing should be done.
    variant: which kind of its split it is: a tier of wordings, swapped, blank, nonsense.
    """

    world: TabletopWorld
    world_seed: int
    scene_call: SkillCall
    call: SkillCall | None
    sentence: str
    variant: str
    before: SymbolicState


def pose(case: Case, library: SkillLibrary) -> Posed:
    """The case's world with the hand anywhere, what has to be held already held; the caller closes the world.

    Without distractors, splits of one seed share scene and call. Raises RuntimeError where no scene suits the skill.
    """
    for world_seed in range(case.seed * SCENES_A_CASE, (case.seed + 1) * SCENES_A_CASE):
        colours = BLOCK_COLOURS if case.split == "colours" else SEEN_COLOURS
        world, rng = random_world(
            world_seed, colours=colours, variation=variation_of(case.split, world_seed), library=library
        )
        try:
            posed = _posed(case, world_seed, world, rng, library)
        except BaseException:
            world.close()
            raise
        if posed is not None:
            return posed
        world.close()
    raise RuntimeError(f"no scene in which {case.skill} is possible ({case.split}, seed {case.seed})")


def variation_of(split: Split, seed: int) -> Variation | None:
    """How a world of this split looks; a background is never plain, the light of an environment is none of training's,
    and among distractors something always stands there to distract."""
    if split not in STRENGTHS:
        return None
    for attempt in count():
        drawn = Variation.draw(seed + attempt * 10**8, STRENGTHS[split])
        is_new = {
            "backgrounds": drawn.table.pattern != "plain",
            "environments": is_beyond_full(drawn.light),
            "distractors": drawn.distractors > 0,
        }
        if is_new[split]:
            return drawn
    raise AssertionError("never reached")


def splits_of(skill: str, library: SkillLibrary) -> tuple[Split, ...]:
    """The splits that say something of a skill: what only works on fixed things has no unseen colours."""
    schema = library.skill(skill)
    on_blocks = needs_held(SkillCall(skill), library) or any("block" in p.types for p in schema.parameters)
    return tuple(split for split in SPLITS if split != "colours" or on_blocks)


def _posed(
    case: Case, world_seed: int, world: TabletopWorld, rng: np.random.Generator, library: SkillLibrary
) -> Posed | None:
    """None where the scene does not suit the case."""
    skill = library.skill(case.skill)
    if needs_held(SkillCall(case.skill), library):
        run_call(world, draw_call(symbolic(world, library), ("pick",), library, rng), library)
    state = symbolic(world, library)
    options = _options(state, case.skill, library)
    if case.split == "colours":
        options = [call for call in options if _is_unseen(call, state)]
    if not options:
        return None
    call = draw_balanced(options, state, rng)
    wanted: SkillCall | None = call
    sentence, variant = skill.sentence(call.arguments), ""
    if case.split == "wordings":
        by_tier = {tier: held_out_sentences(skill, call.arguments, tier) for tier in TIERS}
        tiers = [tier for tier in TIERS if by_tier[tier]]  # a skill of one's own has no verbs in the tables
        tier = tiers[case.seed % len(tiers)]
        sentence, variant = by_tier[tier][int(rng.integers(len(by_tier[tier])))], tier
    elif case.split == "steering" and case.seed % 2:
        noise = noise_sentences()
        wanted, sentence = None, noise[(case.seed // 2) % len(noise)]
        variant = "nonsense" if words_of(sentence) else "blank"
    elif case.split == "steering":
        others = _others(call, options, state, library)
        if not others:
            return None
        wanted = others[int(rng.integers(len(others)))]
        sentence, variant = library.skill(wanted.skill).sentence(wanted.arguments), "swapped"
    return Posed(world, world_seed, call, wanted, sentence, variant, state)


def _options(state: SymbolicState, skill: str, library: SkillLibrary) -> list[SkillCall]:
    calls = valid_calls(state, library.skill(skill), library)
    return [call for call in calls if leaves_something_to_do(call, state, library)]


def _is_unseen(call: SkillCall, state: SymbolicState) -> bool:
    """What the call names, or what is held for it, has a colour that robot data never shows."""
    return any(name.split(" ")[0] in UNSEEN_COLOURS for name in (*call.arguments, state.held or ""))


def _others(call: SkillCall, options: list[SkillCall], state: SymbolicState, library: SkillLibrary) -> list[SkillCall]:
    """Calls of the same skill on another object; of other skills where there is but one such object."""
    same = [other for other in options if other.arguments[:1] != call.arguments[:1]]
    kinds = {state.objects.get(name) for name in call.arguments[:1]}
    if same or kinds & COLOURS_OF.keys():
        return same
    return [other for name in library.by_name if name != call.skill for other in _options(state, name, library)]
