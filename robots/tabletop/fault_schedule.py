"""FaultSchedule: which fault strikes in which attempt, drawn from a seed before anything runs.

A draw depends on the seed, the key (what is attempted, any words) and the number of the attempt, and on nothing that
happens in between: every arm of a study meets the same faults, whatever it does. What a fault then does depends on
the world at that moment, by a random stream of its own.
Not for: what faults do (faults, disturbances).
"""

from __future__ import annotations

import difflib
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from robots.robot import Action
from robots.tabletop.disturbances import DISTURBANCES
from robots.tabletop.faults import (
    ActuatorDelay,
    ActuatorNoise,
    CameraNoise,
    Fault,
    LostFrames,
    Report,
    Trigger,
)
from robots.tabletop.interventions import SetGripForce
from robots.tabletop.panda import DEFAULT_GRIP_FORCE_N
from robots.tabletop.plant import Plant, PlantWrapper

FIRST_STEP, LAST_STEP = 1, 10  # of an attempt; the median skill takes at most 20
LASTING: Mapping[str, str] = {
    "actuator-noise": "the arm began to tremble",
    "actuator-delay": "the arm began to answer late",
    "camera-noise": "the cameras became noisy",
    "dropped-frames": "the cameras began to lose frames",
    "frozen-frames": "the cameras froze",
}
"""Faults that last from their step to the end of the attempt, and how they are told."""

KINDS = (*DISTURBANCES, *LASTING)


class FaultError(ValueError):
    """No such fault or mix; the message names the valid choices."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FaultMix(_Record):
    """How often faults strike and which. rate: chance per attempt; weights: kinds by relative frequency."""

    rate: float = Field(ge=0.0, le=1.0)
    weights: Mapping[str, float]

    @field_validator("weights")
    @classmethod
    def _known(cls, weights: Mapping[str, float]) -> Mapping[str, float]:
        for kind, weight in weights.items():
            if kind not in KINDS:
                raise FaultError(_no_such("fault", kind, KINDS))
            if weight <= 0.0:
                raise FaultError(f"weight of {kind!r} must be positive, not {weight}")
        return weights


class PlannedFault(_Record):
    """A fault waiting in one attempt: the first of `kinds` that the world allows, from control step at_step on."""

    kinds: tuple[str, ...]
    at_step: int = Field(ge=0)


class Appointment(_Record):
    """A fault put into a schedule by hand, in place of what would have been drawn; None: nothing happens then."""

    key: str
    attempt: int = Field(ge=1)
    fault: PlannedFault | None


class FaultSchedule(_Record):
    """The faults of a whole study under one seed. JSON round trip by pydantic."""

    seed: int = Field(ge=0)
    mix: FaultMix
    appointments: tuple[Appointment, ...] = ()

    def planned(self, key: str, attempt: int) -> PlannedFault | None:
        """What waits in the attempt-th try (from 1) of `key`."""
        for appointment in self.appointments:
            if (appointment.key, appointment.attempt) == (key, attempt):
                return appointment.fault
        rng = np.random.default_rng([self.seed, zlib.crc32(key.encode()), attempt])
        strikes = rng.uniform() < self.mix.rate
        # Kinds in a weighted random order (Efraimidis and Spirakis 2006): where the first is impossible, the next is
        # tried, so that the rate of faults does not depend on what a task offers.
        order = sorted(self.mix.weights, key=lambda kind: -(rng.uniform() ** (1.0 / self.mix.weights[kind])))
        if not strikes or not order:
            return None
        return PlannedFault(kinds=tuple(order), at_step=int(rng.integers(FIRST_STEP, LAST_STEP + 1)))


STANDARD_RATE = 0.25
STANDARD_WEIGHTS: Mapping[str, float] = {
    "slipped": 3.0,
    "moved": 3.0,
    "weak-grip": 1.0,
    "drawer-shut": 1.0,
    "lamp-toggled": 0.5,
    "distractor": 0.5,
    "actuator-noise": 1.0,
}
MIXES: Mapping[str, FaultMix] = {
    "none": FaultMix(rate=0.0, weights={}),
    "standard": FaultMix(rate=STANDARD_RATE, weights=STANDARD_WEIGHTS),
    **{kind: FaultMix(rate=STANDARD_RATE, weights={kind: 1.0}) for kind in KINDS},
}
"""Mixes by name: `standard`, about one fault in four attempts and every goal still reachable; `none`; one per kind."""


def fault_mix(name: str) -> FaultMix:
    """The mix of this name. Raises FaultError naming the choices."""
    if name not in MIXES:
        raise FaultError(_no_such("fault mix", name, tuple(MIXES)))
    return MIXES[name]


class ScheduledFaults(Fault):
    """The fault layer of a run: lets happen in each attempt what the schedule holds for it.

    report: takes each fault in words as it strikes. Physical faults strike before the control step in which they are
    due, through the world's own interventions; lasting ones stay until the next attempt begins.
    """

    def __init__(self, plant: Plant, schedule: FaultSchedule, *, report: Report = lambda _words: None) -> None:
        super().__init__(_noise_around(plant, schedule.seed, self._lasts), seed=schedule.seed)
        self._schedule, self._report = schedule, report
        self._waiting: PlannedFault | None = None
        self._lasting: str | None = None
        self._weakened = False
        self._attempt_steps = 0
        self.struck: list[str] = []  # every fault so far, in words

    def begin_attempt(self, key: str, attempt: int) -> None:
        self._waiting = self._schedule.planned(key, attempt)
        self._attempt_steps = 0
        self._lasting = None
        if self._weakened:
            self._weakened = False
            self.intervene(SetGripForce(DEFAULT_GRIP_FORCE_N))
        super().begin_attempt(key, attempt)

    def end_attempt(self) -> None:
        """What did not strike in time never does: other arms of a study move differently between attempts."""
        self._waiting = None
        super().end_attempt()

    def step(self, action: Action) -> None:
        if self._waiting is not None and self._attempt_steps >= self._waiting.at_step:
            self._try_to_strike(self._waiting)
        self._attempt_steps += 1
        super().step(action)

    def own_state(self) -> dict[str, Any]:
        return {
            **super().own_state(),
            "waiting": None if self._waiting is None else self._waiting.model_dump(mode="json"),
            "lasting": self._lasting,
            "weakened": self._weakened,
            "attempt_steps": self._attempt_steps,
            "struck": list(self.struck),
        }

    def load_own_state(self, state: dict[str, Any]) -> None:
        super().load_own_state(state)
        self._waiting = None if state["waiting"] is None else PlannedFault.model_validate(state["waiting"])
        self._lasting = state["lasting"]
        self._weakened = bool(state["weakened"])
        self._attempt_steps = int(state["attempt_steps"])
        self.struck = list(state["struck"])

    def _try_to_strike(self, fault: PlannedFault) -> None:
        for kind in fault.kinds:
            if kind in LASTING:
                self._lasting = kind
                self._tell(LASTING[kind])
                return
            event = DISTURBANCES[kind](self.plant.physical_state(), self.rng)
            if event is not None:
                for intervention in event.interventions:
                    self.intervene(intervention)
                    self._weakened |= isinstance(intervention, SetGripForce)
                self._tell(event.words)
                return

    def _tell(self, words: str) -> None:
        self._waiting = None
        self.struck.append(words)
        self._report(words)

    def _lasts(self, kind: str) -> Trigger:
        return lambda _step, _plant: self._lasting == kind


def scheduled(schedule: FaultSchedule, report: Report = lambda _words: None) -> PlantWrapper:
    """The schedule as a wrapper for `TabletopRobot(faults=…)`."""
    return lambda plant: ScheduledFaults(plant, schedule, report=report)


def _noise_around(plant: Plant, seed: int, lasts: Callable[[str], Trigger]) -> Plant:
    """The lasting faults around a plant, each asleep until it lasts."""
    plant = ActuatorNoise(plant, seed=seed, when=lasts("actuator-noise"))
    plant = ActuatorDelay(plant, when=lasts("actuator-delay"))
    plant = CameraNoise(plant, seed=seed, when=lasts("camera-noise"))
    plant = LostFrames(plant, seed=seed, when=lasts("dropped-frames"), probability=0.5)
    return LostFrames(plant, seed=seed, when=lasts("frozen-frames"), probability=1.0)


def _no_such(what: str, name: str, choices: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, choices, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"no {what} {name!r}{hint}; have: {', '.join(choices)}"
