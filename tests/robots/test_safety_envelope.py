"""The envelope's promise, for any float garbage: what is sent is finite and within every limit."""

from __future__ import annotations

import json
import math
import threading
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robots.robot import Action, Observation, Proprioception
from robots.safety import Envelope, Prediction, SafetyStop, StopCause
from robots.safety_limits import EnvelopeError, EnvelopeLimits

LIMITS = EnvelopeLimits()
REST = Proprioception(
    tool_position_m=(0.5, 0.0, 0.3),
    tool_orientation=(1.0, 0.0, 0.0, 0.0),
    joint_positions_rad=(0.0, 0.2, 0.0, -2.0, 0.0, 2.2, 0.8),
    joint_velocities_rad_s=(0.0,) * 7,
    gripper_opening_m=0.08,
    gripper_closedness=0.25,
    contact_force_n=0.0,
)
garbage = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([1e300, -1e300, 1e-320, 1.7e308])
vectors = st.tuples(garbage, garbage, garbage)
inside = st.tuples(st.floats(0.16, 0.84), st.floats(-0.59, 0.59), st.floats(0.01, 0.69))


def turns_base(now: Proprioception, action: Action) -> Prediction:
    """An arm whose first joint alone moves it sideways."""
    return Prediction(
        [now.joint_positions_rad[0] + 2 * action.world_vector[1], *now.joint_positions_rad[1:]], now.tool_position_m
    )


def checked(envelope: Envelope, action: Action, proprioception: Proprioception = REST, step: int = 0):
    return envelope.check(action, proprioception, step=step, time_s=step * 0.1)


@settings(deadline=None, max_examples=150)
@given(
    actions=st.lists(st.builds(Action, vectors, vectors, garbage, st.booleans()), min_size=1, max_size=6), tool=inside
)
def test_any_garbage_comes_out_finite_and_within_limits(actions, tool):
    envelope = Envelope()
    here = replace(REST, tool_position_m=tool)
    last = Action()
    for action in actions:
        sent = checked(envelope, action, here)
        vector, rotation = sent.sent.world_vector, sent.sent.rotation_delta
        assert all(math.isfinite(v) for v in (*vector, *rotation, sent.sent.gripper))
        assert math.hypot(*vector) <= LIMITS.max_step_m
        assert math.hypot(*rotation) <= LIMITS.max_step_rad
        assert 0.0 <= sent.sent.gripper <= 1.0
        for at, by, low, high in zip(tool, vector, LIMITS.workspace_low_m, LIMITS.workspace_high_m, strict=True):
            assert low <= at + by <= high
        change = math.dist(vector, last.world_vector)
        braking = math.hypot(*vector) <= math.hypot(*last.world_vector)
        assert change <= LIMITS.max_change_m + 1e-12 or braking or "kept inside the workspace box" in sent.reasons
        if sent.sent != action and not (action.terminate and not sent.reasons):
            assert sent.reasons, "a changed action must say why"
        last = sent.sent


@settings(deadline=None, max_examples=60)
@given(
    tool=st.tuples(st.floats(-1, 2), st.floats(-2, 2), st.floats(-1, 2)),
    wanted=st.tuples(*[st.floats(-0.2, 0.2)] * 3),
)
def test_a_tool_outside_the_box_is_only_brought_nearer(tool, wanted):
    sent = checked(Envelope(), Action(wanted), replace(REST, tool_position_m=tool)).sent
    for at, by, low, high in zip(tool, sent.world_vector, LIMITS.workspace_low_m, LIMITS.workspace_high_m, strict=True):
        outside_before = max(low - at, at - high, 0.0)
        outside_after = max(low - (at + by), (at + by) - high, 0.0)
        assert outside_after <= outside_before + 1e-12


def test_an_ordinary_action_passes_unchanged():
    action = Action((0.02, -0.01, 0.03), (0.0, 0.0, 0.1), 0.5)
    assert checked(Envelope(), action) == checked(Envelope(), action)
    assert checked(Envelope(), action).sent == action
    assert checked(Envelope(), action).reasons == ()


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (Action((math.nan, 0.0, 0.0)), "non-finite"),
        (Action((0.0, 0.0, 0.0), (math.inf, 0.0, 0.0)), "non-finite"),
        (Action(gripper=math.nan), "non-finite"),
        (Action((0.0, 0.0)), "malformed"),  # type: ignore[arg-type]
        (Action(("a", "b", "c")), "malformed"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_action_is_refused_and_the_gripper_keeps_what_it_has(action, reason):
    sent = checked(Envelope(), action)
    assert sent.sent == Action(gripper=REST.gripper_closedness)
    assert reason in sent.reasons[0]


class TwoFaced:
    """Passes for an action, and says something else when asked a second time."""

    rotation_delta, gripper, terminate = (0.0, 0.0, 0.0), 0.0, False

    def __init__(self) -> None:
        self.answers = iter([(0.01, 0.0, 0.0), (math.nan, 9.0, 9.0)])

    @property
    def world_vector(self):
        return next(self.answers)


def test_what_is_checked_is_what_is_sent():
    assert checked(Envelope(), TwoFaced()).sent == Action((0.01, 0.0, 0.0))  # type: ignore[arg-type]


def test_terminate_moves_nothing():
    sent = checked(Envelope(), Action((0.05, 0.0, 0.0), gripper=1.0, terminate=True)).sent
    assert sent == Action(gripper=REST.gripper_closedness, terminate=True)


def test_reversal_at_full_speed_takes_more_than_one_step():
    envelope = Envelope()
    checked(envelope, Action((0.08, 0.0, 0.0)))
    turned = checked(envelope, Action((-0.08, 0.0, 0.0)))
    assert turned.sent.world_vector[0] == pytest.approx(-0.04)
    assert "speed change limited" in turned.reasons[0]
    assert checked(envelope, Action((-0.08, 0.0, 0.0))).reasons == ()


def test_actions_without_a_fresh_observation_are_refused():
    envelope, action = Envelope(EnvelopeLimits(max_unobserved_steps=4)), Action((0.01, 0.0, 0.0))
    envelope.observed(Observation(10, 1.0, REST))
    assert all(checked(envelope, action, step=10 + k).reasons == () for k in range(4))
    refused = checked(envelope, action, step=14)
    assert refused.sent.world_vector == (0.0, 0.0, 0.0)
    assert "stale observation, 4 control steps" in refused.reasons[0]
    envelope.observed(Observation(9, 0.9, REST))  # an older one again is not fresh
    assert checked(envelope, action, step=14).reasons != ()
    envelope.observed(Observation(14, 1.4, REST))
    assert checked(envelope, action, step=14).reasons == ()


def test_an_observation_too_many_seconds_old_is_stale_however_few_steps_passed():
    envelope = Envelope()
    envelope.observed(Observation(0, 0.0, REST))
    assert "2.1 s" in envelope.check(Action((0.01, 0, 0)), REST, step=1, time_s=2.1).reasons[0]


def test_pressing_too_hard_backs_out_and_what_backs_out_faster_is_left_alone():
    envelope = Envelope()
    checked(envelope, Action((0.0, 0.0, -0.02)))
    pressed = replace(REST, contact_force_n=LIMITS.contact_limit_n + 20)
    onward = checked(envelope, Action((0.01, 0.0, -0.02)), pressed)
    assert onward.sent.world_vector == pytest.approx((0.01, 0.0, LIMITS.contact_retreat_m))
    assert onward.reasons == ("contact force 100 N over 80 N: backing out",)
    assert checked(envelope, Action((0.0, 0.0, 0.02)), pressed).sent.world_vector == (0.0, 0.0, 0.02)
    again = checked(envelope, Action((0.0, 0.0, -0.02)), pressed)
    assert again.sent.world_vector[2] > 0, "backing out must not turn the contact around"
    assert checked(envelope, Action((0.0, 0.0, -0.02)), REST).reasons == ()


def test_a_force_that_came_without_moving_says_nothing_of_where_to_go():
    pressed = replace(REST, contact_force_n=LIMITS.contact_limit_n + 20)
    envelope = Envelope()
    for vector in ((0.0, 0.0, 0.02), (0.0, 0.0, -0.02)):
        assert checked(envelope, Action(vector), pressed).sent.world_vector == vector


@pytest.mark.parametrize("force_n", [LIMITS.contact_stop_n + 1, math.inf, math.nan])
def test_a_force_past_the_stop_limit_stops_until_resumed(force_n):
    envelope = Envelope()
    with pytest.raises(SafetyStop, match="contact force") as stop:
        checked(envelope, Action(), replace(REST, contact_force_n=force_n))
    assert stop.value.cause is StopCause.CONTACT
    with pytest.raises(SafetyStop):
        checked(envelope, Action())
    envelope.resume()
    assert checked(envelope, Action()).reasons == ()


def test_after_resuming_from_a_contact_the_robot_may_back_out_but_not_press_on():
    envelope = Envelope()
    hard = replace(REST, contact_force_n=LIMITS.contact_stop_n + 50)
    checked(envelope, Action((0.0, 0.0, -0.02)))
    with pytest.raises(SafetyStop):
        checked(envelope, Action((0.0, 0.0, -0.02)), hard)
    envelope.resume()
    assert checked(envelope, Action((0.0, 0.0, -0.02)), hard).sent.world_vector[2] > 0
    assert checked(envelope, Action((0.0, 0.0, 0.02)), hard).reasons == ()
    with pytest.raises(SafetyStop):
        checked(envelope, Action((0.0, 0.0, 0.02)), replace(REST, contact_force_n=2 * LIMITS.contact_stop_n))
    envelope.resume()
    assert checked(envelope, Action((0.0, 0.0, -0.02)), REST).reasons == ()
    with pytest.raises(SafetyStop):
        checked(envelope, Action(), hard)


def test_a_joint_predicted_past_its_limit_shortens_the_step():
    near = replace(REST, joint_positions_rad=(2.7923, *REST.joint_positions_rad[1:]))  # 0.075 rad to the margin
    sent = checked(Envelope(predict=turns_base), Action((0.0, 0.05, 0.0)), near)
    assert sent.sent.world_vector[1] == pytest.approx(0.035)
    assert sent.reasons == ("joint 1 near its limit: 70% of the step",)
    assert checked(Envelope(predict=turns_base), Action((0.0, -0.05, 0.0)), near).reasons == ()


def test_a_joint_past_its_limit_may_come_back_and_only_that():
    past = replace(REST, joint_positions_rad=(2.95, *REST.joint_positions_rad[1:]))
    out = checked(Envelope(predict=turns_base), Action((0.0, 0.05, 0.0)), past)
    back = checked(Envelope(predict=turns_base), Action((0.0, -0.05, 0.0)), past)
    assert out.sent.world_vector == (0.0, 0.0, 0.0)
    assert back.sent.world_vector == (0.0, -0.05, 0.0)


@pytest.mark.parametrize(
    ("prediction", "reason"),
    [
        (Prediction((0.25, *REST.joint_positions_rad[1:]), REST.tool_position_m), "joint 1 too fast"),
        (Prediction((math.nan, *REST.joint_positions_rad[1:]), REST.tool_position_m), "joint 1 near its limit"),
        (Prediction(REST.joint_positions_rad, (0.9, 0.0, 0.3)), "the tool would leave the workspace box"),
        (Prediction(REST.joint_positions_rad, REST.tool_position_m, miss_m=0.03), "out of the arm's reach"),
        (Prediction(REST.joint_positions_rad, REST.tool_position_m, miss_rad=0.3), "out of the arm's reach"),
    ],
)
def test_an_action_with_a_bad_prediction_is_held_back_whole(prediction, reason):
    sent = checked(Envelope(predict=lambda _now, _action: prediction), Action((0.02, 0.0, 0.0), gripper=1.0))
    assert sent.sent == Action(gripper=1.0), "the fingers may still close"
    assert sent.reasons == (f"{reason}: 0% of the step",)


def test_without_a_prediction_a_joint_running_into_its_limit_is_held():
    running = replace(
        REST,
        joint_positions_rad=(*REST.joint_positions_rad[:6], 2.85),
        joint_velocities_rad_s=(*REST.joint_velocities_rad_s[:6], 1.0),
    )
    sent = checked(Envelope(), Action(rotation_delta=(0.0, 0.0, 0.1)), running)
    assert "joint 7" in sent.reasons[0]
    assert math.hypot(*sent.sent.rotation_delta) < 0.1


def test_stop_from_another_thread_holds_from_the_next_step_on():
    envelope = Envelope()
    thread = threading.Thread(target=envelope.stop, args=("emergency button",))
    thread.start()
    thread.join()
    for _ in range(3):
        with pytest.raises(SafetyStop, match="emergency button"):
            checked(envelope, Action((0.01, 0.0, 0.0)))
    envelope.stop("a later reason")
    assert envelope.stopped == "emergency button", "the first reason is the one to tell"


def test_memory_survives_json():
    envelope = Envelope()
    envelope.observed(Observation(3, 0.3, REST))
    checked(envelope, Action((0.08, 0.0, 0.0)), step=3)
    twin = Envelope()
    twin.load_state(json.loads(json.dumps(envelope.state())))
    back = Action((-0.08, 0.0, 0.0))
    assert checked(twin, back, step=4) == checked(envelope, back, step=4)
    envelope.stop("pause")
    twin.load_state(json.loads(json.dumps(envelope.state())))
    assert twin.stopped == "pause"


@pytest.mark.parametrize(
    "change",
    [
        {"max_step_m": math.inf},
        {"max_step_rad": 0.0},
        {"contact_limit_n": math.nan},
        {"workspace_low_m": (1.0, 0.0, 0.0)},
        {"workspace_high_m": (math.inf, 1.0, 1.0)},
        {"joint_low_rad": (0.0,)},
        {"joint_high_rad": (math.nan,) * 7},
        {"joint_speed_rad_s": (math.nan,) * 7},
        {"joint_margin_rad": math.nan},
        {"joint_margin_rad": -1.0},
        {"workspace_margin_m": -1.0},
    ],
)
def test_limits_that_would_not_limit_are_refused(change):
    with pytest.raises(EnvelopeError):
        EnvelopeLimits(**change)
