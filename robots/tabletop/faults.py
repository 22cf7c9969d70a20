"""Faults as wrappers around a plant: bad actuators, bad cameras, and disturbances that strike once.

Each takes a trigger, a predicate of the control steps done so far and the plant, so that "from step 20 on" and "while
something is held" are equally said from outside; robots know no skills. Wrappers compose: each is a Plant itself.
Not for: drawing which fault strikes when (fault_schedule), or detectors that lie (world_model).
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from robots.robot import Action, CameraImage, Vector3
from robots.tabletop.disturbances import Disturbance
from robots.tabletop.plant import Plant, Wrapper

Trigger: TypeAlias = Callable[[int, Plant], bool]
Report: TypeAlias = Callable[[str], None]
"""Takes what happened, in words: "someone moved the red block 12 cm"."""


def always(_step: int, _plant: Plant) -> bool:
    return True


def between(first: int, last: int) -> Trigger:
    """From control step `first` to `last`, both included, counted from 0."""
    return lambda step, _plant: first <= step <= last


def while_holding(step: int, plant: Plant) -> bool:  # noqa: ARG001 - a Trigger
    return plant.physical_state().hand.held is not None


class Fault(Wrapper):
    """A wrapper that counts control steps, has its own random stream, and disturbs while its trigger says so.

    The stream starts anew with each attempt, from seed, key and attempt, so that what happened before changes nothing.
    """

    def __init__(self, plant: Plant, *, seed: int, when: Trigger = always) -> None:
        super().__init__(plant)
        self._seed = seed
        self.rng = np.random.default_rng(seed)
        self.when = when
        self.steps = 0

    def step(self, action: Action) -> None:
        self.plant.step(action)
        self.steps += 1

    def begin_attempt(self, key: str, attempt: int) -> None:
        self.rng = np.random.default_rng([self._seed, 1, zlib.crc32(key.encode()), attempt])
        super().begin_attempt(key, attempt)

    @property
    def active(self) -> bool:
        return self.when(self.steps, self.plant)

    def own_state(self) -> dict[str, Any]:
        return {"steps": self.steps, "rng": self.rng.bit_generator.state}

    def load_own_state(self, state: dict[str, Any]) -> None:
        self.steps = int(state["steps"])
        self.rng.bit_generator.state = state["rng"]


class Disturbed(Fault):
    """One disturbance, once: at the first control step at which the trigger says so and the world allows it."""

    def __init__(
        self,
        plant: Plant,
        disturbance: Disturbance,
        *,
        seed: int,
        when: Trigger = always,
        report: Report = lambda _words: None,
    ) -> None:
        super().__init__(plant, seed=seed, when=when)
        self._disturbance, self._report = disturbance, report
        self.struck = False

    def step(self, action: Action) -> None:
        if not self.struck and self.active:
            event = self._disturbance(self.plant.physical_state(), self.rng)
            if event is not None:
                self.struck = True
                for intervention in event.interventions:
                    self.plant.intervene(intervention)
                self._report(event.words)
        super().step(action)

    def own_state(self) -> dict[str, Any]:
        return {**super().own_state(), "struck": self.struck}

    def load_own_state(self, state: dict[str, Any]) -> None:
        super().load_own_state(state)
        self.struck = bool(state["struck"])


class ActuatorNoise(Fault):
    """Gaussian noise on what the arm does, standard deviations per control step."""

    def __init__(
        self, plant: Plant, *, seed: int, when: Trigger = always, sigma_m: float = 0.003, sigma_rad: float = 0.02
    ) -> None:
        super().__init__(plant, seed=seed, when=when)
        self._sigma_m, self._sigma_rad = sigma_m, sigma_rad

    def step(self, action: Action) -> None:
        if self.active and not action.terminate:
            noise = self.rng.normal(size=6)
            action = replace(
                action,
                world_vector=_shaken(action.world_vector, noise[:3] * self._sigma_m),
                rotation_delta=_shaken(action.rotation_delta, noise[3:] * self._sigma_rad),
            )
        super().step(action)


class ActuatorDelay(Fault):
    """Actions arrive `steps_late` control steps after they were sent; until the first arrives the arm holds still.

    When the fault ends, actions still on their way are lost.
    """

    def __init__(self, plant: Plant, *, when: Trigger = always, steps_late: int = 1) -> None:
        super().__init__(plant, seed=0, when=when)
        self._steps_late = steps_late
        self._queue: deque[Action] = deque()

    def step(self, action: Action) -> None:
        if self.active:
            self._queue.append(action)
            late = len(self._queue) > self._steps_late
            action = self._queue.popleft() if late else Action(gripper=self.proprioception().gripper_closedness)
        else:
            self._queue.clear()
        super().step(action)

    def own_state(self) -> dict[str, Any]:
        waiting = [[*a.world_vector, *a.rotation_delta, a.gripper, a.terminate] for a in self._queue]
        return {**super().own_state(), "waiting": waiting}

    def load_own_state(self, state: dict[str, Any]) -> None:
        super().load_own_state(state)
        self._queue = deque(Action((w[0], w[1], w[2]), (w[3], w[4], w[5]), w[6], bool(w[7])) for w in state["waiting"])


class CameraNoise(Fault):
    """Gaussian noise on every pixel, and a brightness that wanders; sigmas in grey levels of 255."""

    def __init__(
        self, plant: Plant, *, seed: int, when: Trigger = always, sigma: float = 12.0, sigma_brightness: float = 10.0
    ) -> None:
        super().__init__(plant, seed=seed, when=when)
        self._sigma, self._sigma_brightness = sigma, sigma_brightness

    def images(self, cameras: Iterable[str]) -> Mapping[str, CameraImage]:
        images = self.plant.images(cameras)
        return {name: self._noisy(image) for name, image in images.items()} if self.active else images

    def _noisy(self, image: CameraImage) -> CameraImage:
        noise = self.rng.normal(self.rng.normal() * self._sigma_brightness, self._sigma, size=image.rgb.shape)
        return replace(image, rgb=np.clip(image.rgb + noise, 0, 255).astype(np.uint8))


class LostFrames(Fault):
    """Each frame is lost with a probability, and the last one that came is given again; at 1.0 the camera is frozen.

    The first frame of an attempt always gets through, so that a snapshot between attempts need not hold pictures.
    """

    def __init__(self, plant: Plant, *, seed: int, when: Trigger = always, probability: float = 0.3) -> None:
        super().__init__(plant, seed=seed, when=when)
        self._probability = probability
        self._last: dict[str, CameraImage] = {}

    def begin_attempt(self, key: str, attempt: int) -> None:
        self._last.clear()
        super().begin_attempt(key, attempt)

    def images(self, cameras: Iterable[str]) -> Mapping[str, CameraImage]:
        names = tuple(cameras)
        active = self.active
        lost = [name for name in names if active and name in self._last and self.rng.uniform() < self._probability]
        self._last.update(self.plant.images([name for name in names if name not in lost]))
        return {name: self._last[name] for name in names}


def _shaken(vector: Vector3, noise: np.ndarray[Any, np.dtype[np.float64]]) -> Vector3:
    x, y, z = (v + float(n) for v, n in zip(vector, noise, strict=True))
    return (x, y, z)
