"""Wrappers around a VLA's policy: shorter chunks, a push where it does not move, no dithering. Each is a policy itself.

Whether one of them helps is measured: `forehand.studies.skills_from_images --chunk N`, `--anti-freeze`,
`--no-resolute`.
Not for: limits of safety (robots.safety), or ending a run in which nothing moves (executor.progress).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from executor.policies.rt2 import Decision, VLAPolicy, answered
from executor.progress import ProgressWatch
from executor.resolution import Resolution
from robots.robot import Action, Observation
from robots.safety import hold
from skills.skill import SkillCall

GOLDEN_ANGLE_RAD = math.pi * (3 - math.sqrt(5))  # successive nudges point in ever new directions


class _Wrapper:
    """Passes everything on."""

    def __init__(self, policy: VLAPolicy) -> None:
        self.policy, self.vla = policy, policy.vla
        self.name, self.cameras, self.image_sizes = policy.name, policy.cameras, policy.image_sizes

    def begin(self, call: SkillCall, sentence: str) -> None:
        self.policy.begin(call, sentence)

    def act(self, observation: Observation) -> Sequence[Action]:
        return answered(self.decide(observation), self.vla)

    def decide(self, observation: Observation) -> Decision:
        return self.policy.decide(observation)


def _waits(chunk: Sequence[Action], observation: Observation) -> bool:
    """Whether the policy holds still, as where its pictures are too old: then nobody moves the robot blindly."""
    return chunk[0] == hold(observation.proprioception)


class Chunked(_Wrapper):
    """Executes only the first `most` actions of each chunk, then looks again."""

    def __init__(self, policy: VLAPolicy, most: int) -> None:
        if most < 1:
            raise ValueError(f"of each chunk at least one action is executed, not {most}")
        super().__init__(policy)
        self._most = most

    def decide(self, observation: Observation) -> Decision:
        return (yield from super().decide(observation))[: self._most]


class AntiFreeze(_Wrapper):
    """Where the body has not moved for `patience_steps` decisions, the hand is nudged up and aside instead.

    A greedy policy that sees the same picture decides the same for ever; from a little elsewhere it may go on. Each
    nudge of a run is `nudge_m` up and as far aside, in a new direction. The grip is the policy's own; an action that
    terminates or waits for a picture is let through. patience_steps: more than any useful rest takes (a grasp 5 steps,
    a press 6).
    """

    def __init__(self, policy: VLAPolicy, *, patience_steps: int = 8, nudge_m: float = 0.015) -> None:
        super().__init__(policy)
        self._watch, self._nudge_m = ProgressWatch(patience_steps), nudge_m
        self._window, self._nudges = self._watch.start(), 0

    def begin(self, call: SkillCall, sentence: str) -> None:
        super().begin(call, sentence)
        self._window, self._nudges = self._watch.start(), 0

    def decide(self, observation: Observation) -> Decision:
        chunk = yield from super().decide(observation)
        is_stuck = self._window.stuck(observation.proprioception)
        if not is_stuck or chunk[0].terminate or _waits(chunk, observation):
            return chunk
        self._window = self._watch.start()
        angle = self._nudges * GOLDEN_ANGLE_RAD
        self._nudges += 1
        vector = (self._nudge_m * math.cos(angle), self._nudge_m * math.sin(angle), self._nudge_m)
        return (replace(chunk[0], world_vector=vector, rotation_delta=(0.0, 0.0, 0.0)),)


class Resolute(_Wrapper):
    """Does not go to and fro (executor.resolution); where it settles that, of each chunk one action is done."""

    def __init__(self, policy: VLAPolicy) -> None:
        super().__init__(policy)
        self._resolution = Resolution()

    def begin(self, call: SkillCall, sentence: str) -> None:
        super().begin(call, sentence)
        self._resolution = Resolution()

    def decide(self, observation: Observation) -> Decision:
        chunk = yield from super().decide(observation)
        if _waits(chunk, observation):
            return chunk
        action = self._resolution.settle(chunk[0])
        return chunk if action is chunk[0] else (action,)
