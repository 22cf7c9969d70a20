"""The safety envelope: every action passes it between policy and robot, and nothing in an action can switch it off.

The robot owns its envelope and asks it before every control step. An action is never refused without a word:
`check` returns what may be sent and why it differs. Order of the checks: stop → well-formed and finite → watchdog →
step length → change from the last step → contact → workspace box → predicted joints and tool. Later checks win over
earlier ones, so braking for the box, a contact or a joint is never softened by the change limit.

Not for: planning around obstacles, or deciding what follows a stop (the agent does).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np

from robots.robot import CONTROL_RATE_HZ, Action, Observation, Proprioception, SentAction, Vector3
from robots.safety_limits import EnvelopeLimits


@dataclass(frozen=True)
class Prediction:
    """Where the arm is expected after one control step of an action, and by how much that misses what was asked."""

    joints_rad: Sequence[float]
    tool_position_m: Vector3
    miss_m: float = 0.0
    miss_rad: float = 0.0


Predict: TypeAlias = Callable[[Proprioception, Action], Prediction]
"""A robot's own kinematics: out of reach or near a joint's end the tool does not go where the action points."""

CONTROL_STEP_S = 1.0 / CONTROL_RATE_HZ
SHARES = (1.0, 0.7, 0.5, 0.3, 0.15)  # of an action, tried in turn until the prediction is within limits
KNOWN_FORCE_ROOM = 1.2  # a contact that is being backed out of may press so much harder for a moment
ZERO: Vector3 = (0.0, 0.0, 0.0)
MALFORMED = "refused: malformed action; expected 3 metres, 3 radians and a closedness"


class StopCause(StrEnum):
    """Who stopped the robot: a person or program, or the contact-force limit."""

    REQUESTED = "requested"
    CONTACT = "contact"


class SafetyStop(RuntimeError):  # noqa: N818 - it is a state of the robot, not a mistake of the caller
    """The robot is stopped and stays so until `resume()`."""

    def __init__(self, reason: str, cause: StopCause) -> None:
        super().__init__(reason)
        self.reason = reason
        self.cause = cause


class Envelope:
    """Checks each action against EnvelopeLimits. Knows the last action sent and the last observation made.

    predict: how the robot expects to stand after an action; without it the tool is taken to go where the action points,
    and the joints to go on at their speeds.
    """

    def __init__(self, limits: EnvelopeLimits | None = None, predict: Predict | None = None) -> None:
        self.limits = limits or EnvelopeLimits()
        self.predict = predict or carried_on
        self._stop: tuple[str, StopCause] | None = None  # one reference: written whole by any thread or signal handler
        self._last_vector = ZERO
        self._last_rotation = ZERO
        self._blocked: Vector3 | None = None  # unit direction that led into the contact still felt; zero: none did
        self._known_n = 0.0  # contact force that a resume accepted; it may be backed out of, but not grow
        self._observed: tuple[int, float] | None = None  # control step and seconds of the newest observation

    @property
    def stopped(self) -> str | None:
        """Why the robot is stopped; None while it may move."""
        stop = self._stop
        return None if stop is None else stop[0]

    def stop(self, reason: str, cause: StopCause = StopCause.REQUESTED) -> None:
        """Refuse everything from the next control step on. Safe in signal handlers and other threads."""
        if self._stop is None:
            self._stop = (reason, cause)

    def resume(self) -> None:
        """End a stop. The robot counts as standing still; a contact that stopped it may only be backed out of."""
        self._stop = None
        self._last_vector = self._last_rotation = ZERO

    def raise_if_stopped(self) -> None:
        """Raises SafetyStop while stopped."""
        stop = self._stop
        if stop is not None:
            raise SafetyStop(*stop)

    def observed(self, observation: Observation) -> None:
        """The policy was given this observation; an old one given again does not count as fresh."""
        if self._observed is None or observation.step >= self._observed[0]:
            self._observed = (observation.step, observation.time_s)

    def check(self, action: Action, proprioception: Proprioception, *, step: int, time_s: float) -> SentAction:
        """What may be sent of `action` now, with the reasons in words.

        step, time_s: the robot's own count and clock, the same that its observations carry.
        Raises SafetyStop when stopped, or when the contact force passes contact_stop_n.
        """
        self.raise_if_stopped()
        if self._observed is None:
            self._observed = (step, time_s)  # the watchdog starts with the first action
        self._feel_contact(proprioception)
        self.raise_if_stopped()
        asked, terminates = _plain(action), _terminates(action)  # read once: what is checked is what is sent
        refusal = MALFORMED if asked is None else self._refusal(asked, proprioception, step, time_s)
        if asked is None or refusal:
            return self._sent(action, hold(proprioception, terminate=terminates), (refusal,))
        if terminates:
            return self._sent(action, hold(proprioception, terminate=True), ())
        reasons: list[str] = []
        sent = self._limit_length(asked, reasons)
        sent = self._limit_change(sent, reasons)
        sent = self._yield_to_contact(sent, proprioception, reasons)
        sent = self._keep_in_box(sent, proprioception, reasons)
        sent = self._keep_prediction(sent, proprioception, reasons)
        return self._sent(action, sent, tuple(reasons))

    def state(self) -> dict[str, Any]:
        """JSON-ready memory of the envelope, for snapshots."""
        return {
            "stop": None if self._stop is None else [self._stop[0], self._stop[1].value],
            "last_vector": list(self._last_vector),
            "last_rotation": list(self._last_rotation),
            "known_n": self._known_n,
            "blocked": None if self._blocked is None else list(self._blocked),
            "observed": None if self._observed is None else list(self._observed),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        stop, blocked, observed = state["stop"], state["blocked"], state["observed"]
        self._stop = None if stop is None else (stop[0], StopCause(stop[1]))
        self._last_vector = _triple(state["last_vector"])
        self._last_rotation = _triple(state["last_rotation"])
        self._blocked = None if blocked is None else _triple(blocked)
        self._known_n = float(state["known_n"])
        self._observed = None if observed is None else (int(observed[0]), float(observed[1]))

    def _sent(self, requested: Action, sent: Action, reasons: tuple[str, ...]) -> SentAction:
        self._last_vector, self._last_rotation = sent.world_vector, sent.rotation_delta
        return SentAction(requested, sent, reasons)

    def _refusal(self, action: Action, proprioception: Proprioception, step: int, time_s: float) -> str:
        """Why nothing of the action may be sent; empty: it may."""
        if not all(math.isfinite(n) for n in (*action.world_vector, *action.rotation_delta, action.gripper)):
            return "refused: non-finite value in the action"
        if not all(math.isfinite(n) for n in (*proprioception.tool_position_m, *proprioception.joint_positions_rad)):
            return "refused: non-finite value in the robot's own position"
        assert self._observed is not None
        steps, age_s = step - self._observed[0], time_s - self._observed[1]
        if steps >= self.limits.max_unobserved_steps or age_s > self.limits.max_observation_age_s:
            return f"refused: stale observation, {steps} control steps ({age_s:.1f} s) old"
        return ""

    def _feel_contact(self, proprioception: Proprioception) -> None:
        force_n = proprioception.contact_force_n
        if force_n <= self.limits.contact_limit_n:
            self._blocked, self._known_n = None, 0.0
        elif self._blocked is None:  # the motion that raised the force, not one that came later, led into the contact
            speed = math.hypot(*self._last_vector)
            self._blocked = _scaled(self._last_vector, 1.0 / speed) if speed > 0.0 else ZERO
        if not force_n <= max(self.limits.contact_stop_n, self._known_n):  # a force that is not a number stops, too
            self._known_n = force_n * KNOWN_FORCE_ROOM if math.isfinite(force_n) else 0.0
            self.stop(f"contact force {force_n:.0f} N over {self.limits.contact_stop_n:.0f} N", StopCause.CONTACT)

    def _limit_length(self, action: Action, reasons: list[str]) -> Action:
        limits = self.limits
        vector, shortened = _shorten(action.world_vector, limits.max_step_m)
        rotation, turned_less = _shorten(action.rotation_delta, limits.max_step_rad)
        if shortened:
            reasons.append(f"step shortened to {limits.max_step_m:g} m")
        if turned_less:
            reasons.append(f"rotation shortened to {limits.max_step_rad:g} rad")
        gripper = min(max(action.gripper, 0.0), 1.0)
        if gripper != action.gripper:
            reasons.append(f"gripper clipped to {gripper:g}")
        return Action(vector, rotation, gripper)

    def _limit_change(self, action: Action, reasons: list[str]) -> Action:
        limits = self.limits
        vector, slower = _approach(self._last_vector, action.world_vector, limits.max_change_m)
        rotation, turns_slower = _approach(self._last_rotation, action.rotation_delta, limits.max_change_rad)
        if slower:
            reasons.append(f"speed change limited to {limits.max_change_m:g} m per step")
        if turns_slower:
            reasons.append(f"rotation speed change limited to {limits.max_change_rad:g} rad per step")
        return replace(action, world_vector=vector, rotation_delta=rotation)

    def _yield_to_contact(self, action: Action, proprioception: Proprioception, reasons: list[str]) -> Action:
        """Back out of a contact that presses too hard; what an action does across it, or to leave it faster, stays.

        Not to go on would not do: a position controller that has run ahead of the arm presses on by itself.
        """
        if self._blocked is None or self._blocked == ZERO:
            return action
        into = sum(a * b for a, b in zip(action.world_vector, self._blocked, strict=True))
        if into <= -self.limits.contact_retreat_m:
            return action
        force_n, limit_n = proprioception.contact_force_n, self.limits.contact_limit_n
        reasons.append(f"contact force {force_n:.0f} N over {limit_n:.0f} N: backing out")
        change = into + self.limits.contact_retreat_m
        x, y, z = (a - change * b for a, b in zip(action.world_vector, self._blocked, strict=True))
        return replace(action, world_vector=_shorten((x, y, z), self.limits.max_step_m)[0])

    def _keep_in_box(self, action: Action, proprioception: Proprioception, reasons: list[str]) -> Action:
        limits, margin = self.limits, self.limits.workspace_margin_m
        inside = []
        for at, by, low, high in zip(
            proprioception.tool_position_m,
            action.world_vector,
            limits.workspace_low_m,
            limits.workspace_high_m,
            strict=True,
        ):
            nearest = min(max(at + by, low + margin), high - margin)
            inside.append(by if nearest == at + by else nearest - at)
        if tuple(inside) == action.world_vector:
            return action
        reasons.append("kept inside the workspace box")
        vector, _ = _shorten(_triple(inside), limits.max_step_m)  # a tool that is outside comes back at step speed
        return replace(action, world_vector=vector)

    def _keep_prediction(self, action: Action, proprioception: Proprioception, reasons: list[str]) -> Action:
        """The largest share of the action whose prediction keeps joints and tool within limits; none: hold."""
        if action.world_vector == ZERO == action.rotation_delta:
            return action
        first_fault = ""
        for share in SHARES:
            part = action if share == 1.0 else _part(action, share)
            fault = self._fault(proprioception, self.predict(proprioception, part))
            if fault is None:
                break
            first_fault = first_fault or fault
        else:
            share, part = 0.0, _part(action, 0.0)
        if first_fault:
            reasons.append(f"{first_fault}: {share:.0%} of the step")
        return part

    def _fault(self, now: Proprioception, then: Prediction) -> str | None:
        """What is wrong with where an action would lead; None: nothing. What is outside already may come back."""
        limits, margin = self.limits, self.limits.joint_margin_rad
        if len(then.joints_rad) == len(limits.joint_low_rad):
            for k, (q, q_then) in enumerate(zip(now.joint_positions_rad, then.joints_rad, strict=True)):
                low, high = limits.joint_low_rad[k] + margin, limits.joint_high_rad[k] - margin
                if _leaves(q, q_then, low, high):
                    return f"joint {k + 1} near its limit"
                if abs(q_then - q) > limits.joint_speed_rad_s[k] * CONTROL_STEP_S:
                    return f"joint {k + 1} too fast"
        if then.miss_m > limits.max_miss_m or then.miss_rad > limits.max_miss_rad:
            return "out of the arm's reach"
        tool = zip(now.tool_position_m, then.tool_position_m, strict=True)
        box = zip(limits.workspace_low_m, limits.workspace_high_m, strict=True)
        if any(_leaves(at, at_then, low, high) for (at, at_then), (low, high) in zip(tool, box, strict=True)):
            return "the tool would leave the workspace box"
        return None


def hold(proprioception: Proprioception, *, terminate: bool = False) -> Action:
    """The action that moves nothing: the gripper stays as commanded last."""
    closedness = proprioception.gripper_closedness
    return Action(gripper=min(max(closedness, 0.0), 1.0) if math.isfinite(closedness) else 0.0, terminate=terminate)


def carried_on(proprioception: Proprioception, action: Action) -> Prediction:
    """The prediction that needs no kinematics: the tool goes where it is sent, each joint on at its speed."""
    speeds = zip(proprioception.joint_positions_rad, proprioception.joint_velocities_rad_s, strict=True)
    x, y, z = (a + b for a, b in zip(proprioception.tool_position_m, action.world_vector, strict=True))
    return Prediction([q + CONTROL_STEP_S * speed for q, speed in speeds], (x, y, z))


def _leaves(now: float, then: float, low: float, high: float) -> bool:
    """Whether `then` lies outside [low, high] and further out than `now`; what is not a number does."""
    return not (low <= then <= high or low > then >= now or high < then <= now)


def _part(action: Action, share: float) -> Action:
    return replace(
        action,
        world_vector=_scaled(action.world_vector, share),
        rotation_delta=_scaled(action.rotation_delta, share),
    )


def _terminates(action: Action) -> bool:
    return isinstance(action.terminate, bool | np.bool_) and bool(action.terminate)


def _triple(values: Sequence[float]) -> Vector3:
    x, y, z = (float(v) for v in values)
    return (x, y, z)


def _plain(action: Action) -> Action | None:
    """The action's numbers, copied; None where it is malformed."""
    try:
        return Action(_triple(action.world_vector), _triple(action.rotation_delta), float(action.gripper))
    except (TypeError, ValueError, OverflowError):
        return None


def _scaled(vector: Vector3, factor: float) -> Vector3:
    return (vector[0] * factor, vector[1] * factor, vector[2] * factor)


def _shorten(vector: Vector3, longest: float) -> tuple[Vector3, bool]:
    """The vector at most `longest` long, same direction, and whether it had to be shortened."""
    largest = max(abs(v) for v in vector)
    if largest <= longest and math.hypot(*vector) <= longest:
        return vector, False
    unit = _scaled(vector, 1.0 / largest) if largest >= 1.0 else vector  # 1e300 squared would be infinite
    # a hair under the limit, so that rounding never ends above it
    return _scaled(unit, longest * (1.0 - 1e-12) / math.hypot(*unit)), True


def _approach(last: Vector3, wanted: Vector3, longest: float) -> tuple[Vector3, bool]:
    """The point nearest to `wanted` at most `longest` from `last`, and whether that is not `wanted` itself."""
    x, y, z = (w - v for w, v in zip(wanted, last, strict=True))
    change, limited = _shorten((x, y, z), longest)
    if not limited:
        return wanted, False
    return (last[0] + change[0], last[1] + change[1], last[2] + change[2]), True
