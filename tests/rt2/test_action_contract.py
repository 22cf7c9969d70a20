"""The contract: what a robot may differ in, how differences are told, and files that are no contract."""

from __future__ import annotations

import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rt2.action_contract import (
    FILE_NAME,
    ActionContract,
    CameraContract,
    CameraView,
    Dimension,
    RobotContract,
    standard_dimensions,
)
from rt2.camera_contract import roll_pitch_yaw
from rt2.errors import CheckpointError, ContractMismatch, VLAError

WRIST = CameraView(
    width=64,
    height=64,
    view_deg=75,
    eye_m=(-0.055, 0.0, 0.04),
    target_m=(-0.012, 0.0, 0.16),
    up=(1, 0, 0),
    link="panda_hand",
)
FRONT = CameraView(
    width=96, height=96, view_deg=52, eye_m=(1.16, 0.02, 0.86), target_m=(0.42, 0.02, 0.08), up=(0, 0, 1)
)
CALIBRATED = {"shift_m": 0.01, "turn_rad": 0.03, "view_range_deg": 1.5}
CONTRACT = ActionContract(
    dimensions=standard_dimensions(),
    vocabulary="own",
    cameras={
        "front": CameraContract(**FRONT.model_dump(), **CALIBRATED),
        "wrist": CameraContract(**WRIST.model_dump(), **CALIBRATED),
    },
    state=("tool_x", "opening"),
)
ROBOT = RobotContract(
    frame="base", rate_hz=10, gripper="0 open, 1 closed", cameras={"front": FRONT, "wrist": WRIST}, state=CONTRACT.state
)


def changed(**fields: object) -> RobotContract:
    return RobotContract.model_validate({**ROBOT.model_dump(), **fields})


def with_camera(name: str, camera: CameraView, **fields: object) -> RobotContract:
    return changed(cameras={**ROBOT.cameras, name: {**camera.model_dump(), **fields}})


def rotation(roll: float, pitch: float, yaw: float) -> np.ndarray:
    """About x, then y, then z, all fixed axes."""
    turned = np.eye(3)
    for axis, angle in enumerate((roll, pitch, yaw)):
        one = np.eye(3)
        j, k = (axis + 1) % 3, (axis + 2) % 3
        one[j, j] = one[k, k] = math.cos(angle)
        one[j, k], one[k, j] = -math.sin(angle), math.sin(angle)
        turned = one @ turned
    return turned


def moved(camera: CameraView, shift_m: list[float], turn_rad: list[float]) -> dict[str, object]:
    """The camera shifted along and turned about its own axes, as a mount."""
    offset = np.eye(4)
    offset[:3, :3], offset[:3, 3] = rotation(*turn_rad), shift_m
    pose = camera.pose() @ offset
    eye, forward, down = pose[:3, 3], pose[:3, 2], pose[:3, 1]
    return {"eye_m": tuple(eye), "target_m": tuple(eye + 0.3 * forward), "up": tuple(-down)}


class TestDifferences:
    def test_none_where_both_sides_agree(self):
        assert CONTRACT.differences(ROBOT) == []
        CONTRACT.check(ROBOT)

    @pytest.mark.parametrize(
        ("robot", "sentence"),
        [
            (changed(frame="world"), "the checkpoint wants actions in the frame 'base', the robot gives 'world'"),
            (changed(rate_hz=5), "the checkpoint wants a control rate of 10 Hz, the robot gives 5 Hz"),
            (
                changed(gripper="1 open, 0 closed"),
                "the checkpoint wants gripper numbers that mean '0 open, 1 closed', the robot gives '1 open, 0 closed'",
            ),
            (
                changed(state=("opening", "tool_x")),
                "the checkpoint wants the state vector (tool_x, opening), the robot gives (opening, tool_x)",
            ),
            (
                changed(cameras={"front": FRONT, "overhead": FRONT}),
                "camera 'wrist': the checkpoint wants it, the robot does not have it; have: front, overhead",
            ),
            (
                with_camera("wrist", WRIST, width=96, height=48),
                "camera 'wrist': the checkpoint wants 64×64 pixels, the robot gives 96×48",
            ),
            (
                with_camera("front", FRONT, view_deg=60),
                "camera 'front': the checkpoint wants an opening angle of 52° ± 1.5°, the robot has 60°",
            ),
            (
                with_camera("wrist", WRIST, link=None),
                "camera 'wrist': the checkpoint wants it mounted on link 'panda_hand', the robot has it on the base",
            ),
            (
                with_camera("front", FRONT, eye_m=(1.16, 0.12, 0.86), target_m=(0.42, 0.12, 0.08)),
                "camera 'front': the checkpoint wants its eye at (1.16, 0.02, 0.86) m ± 0.01 m, the robot has it at "
                "(1.16, 0.12, 0.86) m: (0.1, 0, 0) m away along right, down, forward",
            ),
            (
                with_camera("wrist", WRIST, target_m=(-0.055, 0.0, 0.16)),
                "camera 'wrist': the checkpoint wants it to look at (-0.012, 0, 0.16) m ± 1.72°, the robot's at "
                "(-0.055, 0, 0.16) m: turned by (-19.71°, 0°, 0°) about right, down, forward",
            ),
        ],
    )
    def test_each_is_one_sentence_with_both_sides(self, robot, sentence):
        assert CONTRACT.differences(robot) == [sentence]

    def test_check_lists_all_of_them(self):
        robot = changed(frame="world", rate_hz=20, cameras={})
        with pytest.raises(ContractMismatch) as caught:
            CONTRACT.check(robot)
        assert caught.value.differences == tuple(CONTRACT.differences(robot))
        assert str(caught.value).count("\n  - ") == len(caught.value.differences) == 4
        assert isinstance(caught.value, VLAError)
        again = pickle.loads(pickle.dumps(caught.value))
        assert (str(again), again.differences) == (str(caught.value), caught.value.differences)

    def test_what_is_more_or_unsaid_does_not_matter(self):
        assert CONTRACT.differences(changed(state=None, cameras={**ROBOT.cameras, "overhead": FRONT})) == []

    @pytest.mark.parametrize("rate_hz", [10.001, 9.999])
    def test_a_drifting_clock_does_not_matter(self, rate_hz):
        assert CONTRACT.differences(changed(rate_hz=rate_hz)) == []


class TestCalibrationRange:
    inside = st.lists(st.floats(-1, 1), min_size=3, max_size=3)

    @given(inside, inside, st.floats(-1, 1), st.sampled_from(["front", "wrist"]))
    @settings(max_examples=30)
    def test_every_camera_within_it_is_accepted(self, shift, turn, view, name):
        camera = ROBOT.cameras[name]
        mount = moved(camera, [0.01 * s for s in shift], [0.03 * t for t in turn])
        assert CONTRACT.differences(with_camera(name, camera, view_deg=camera.view_deg + 1.5 * view, **mount)) == []

    @given(st.integers(0, 5), st.sampled_from([-1.02, 1.02, -3.0, 3.0]), st.sampled_from(["front", "wrist"]))
    @settings(max_examples=30)
    def test_each_axis_beyond_it_is_told(self, axis, beyond, name):
        offset = [0.0] * 6
        offset[axis] = beyond * (0.01 if axis < 3 else 0.03)
        mount = moved(ROBOT.cameras[name], offset[:3], offset[3:])
        (sentence,) = CONTRACT.differences(with_camera(name, ROBOT.cameras[name], **mount))
        assert ("its eye at" if axis < 3 else "it to look at") in sentence

    def test_where_on_its_line_of_sight_a_target_stands_does_not_matter(self):
        target = tuple(np.add(WRIST.eye_m, 7 * np.subtract(WRIST.target_m, WRIST.eye_m)))
        assert CONTRACT.differences(with_camera("wrist", WRIST, target_m=target)) == []

    @settings(max_examples=30)
    @given(st.floats(-3, 3), st.floats(-1.5, 1.5), st.floats(-3, 3))
    def test_angles_are_read_back(self, roll, pitch, yaw):
        assert roll_pitch_yaw(rotation(roll, pitch, yaw)) == pytest.approx([roll, pitch, yaw], abs=1e-6)

    def test_a_mount_in_line_with_up_is_refused(self):
        with pytest.raises(ValueError, match="are no mount: they lie in line"):
            CameraView(width=8, height=8, view_deg=50, eye_m=(0, 0, 1), target_m=(0, 0, 0), up=(0, 0, 1))


class TestAgainstAnotherCheckpoint:
    def test_none_with_itself(self):
        assert CONTRACT.differences(CONTRACT) == []

    def test_tokens_and_dimensions_count_too(self):
        narrow = (*CONTRACT.dimensions[:7], Dimension(name="gripper", low=-1, high=1, unit="closedness"))
        other = CONTRACT.model_copy(update={"dimensions": narrow, "bins": 128, "vocabulary": "openvla"})
        dimensions, scheme = CONTRACT.differences(other)
        assert "terminate 0..1 flag; x -0.05..0.05 m" in dimensions
        assert "the other checkpoint gives" in dimensions
        assert dimensions.endswith("gripper -1..1 closedness")
        assert scheme == (
            "the checkpoint wants actions in 256 bins as 'own' tokens, the other checkpoint gives 128 bins as "
            "'openvla' tokens"
        )

    def test_the_same_scheme_on_other_tokens_is_told(self):
        two = [CONTRACT.model_copy(update={"bins": 2, "token_ids": ids}) for ids in ((7, 8), (8, 7))]
        (sentence,) = two[0].differences(two[1])
        assert "tokens 7..8, the other checkpoint gives 2 bins as 'own' tokens [8, 7]" in sentence


class TestFiles:
    def test_a_saved_contract_is_loaded_unchanged(self, tmp_path):
        contract = CONTRACT.model_copy(update={"token_ids": tuple(range(50, 306))})
        assert contract.save(tmp_path / "new") == tmp_path / "new" / FILE_NAME
        assert ActionContract.load(tmp_path / "new") == contract
        assert [p.name for p in (tmp_path / "new").iterdir()] == [FILE_NAME]

    def test_it_is_written_over_the_old_one(self, tmp_path):
        CONTRACT.save(tmp_path)
        CONTRACT.model_copy(update={"rate_hz": 5.0}).save(tmp_path)
        assert ActionContract.load(tmp_path).rate_hz == 5.0

    @pytest.mark.parametrize("kept", [0, 1, 100, -3])
    def test_a_truncated_file_is_refused_by_its_path(self, tmp_path, kept):
        path = CONTRACT.save(tmp_path)
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(CheckpointError, match="not an action contract: the file: Invalid JSON") as caught:
            ActionContract.load(tmp_path)
        assert str(caught.value).startswith(f"{path}: ")

    def test_no_file_or_no_folder_is_refused_by_its_path(self, tmp_path):
        with pytest.raises(CheckpointError, match="no such file; a checkpoint folder holds") as caught:
            ActionContract.load(tmp_path / "gone")
        assert str(caught.value).startswith(str(tmp_path / "gone" / FILE_NAME))
        (tmp_path / FILE_NAME).mkdir()
        with pytest.raises(CheckpointError, match="cannot be read: Is a directory"):
            ActionContract.load(tmp_path)

    @pytest.mark.parametrize(
        ("edit", "told"),
        [
            ({"model_type": "llama"}, "model_type: Extra inputs are not permitted"),
            ({"vocabulary": "words"}, "vocabulary: Input should be 'integers', 'overwrite', 'openvla' or 'own'"),
            ({"bins": 1}, "bins: Input should be greater than or equal to 2"),
            ({"rate_hz": 0}, "rate_hz"),
            ({"dimensions": []}, "dimensions"),
            (
                {"dimensions": [{"name": "yaw", "low": 0.2, "high": 0.2, "unit": "rad"}]},
                r"dimensions.0: Value error, action dimension 'yaw': its range 0.2..0.2 is degenerate",
            ),
            (
                {"dimensions": [{"name": "yaw", "low": None, "high": 0.2, "unit": "rad"}]},
                r"dimensions.0.low: Input should be a valid number",
            ),
            ({"dimensions": [{"name": "x", "low": 0, "high": 1, "unit": "m"}] * 2}, "name occurs twice: x, x"),
            (
                {"dimensions": [{"name": "x", "low": 0, "high": 1, "unit": "m", "as_is": True}]},
                "only vocabulary openvla takes numbers as they are; own has x",
            ),
            (
                {"dimensions": [{"name": "x", "low": 0, "high": 2, "unit": "m", "as_is": True}]},
                r"'x': taken as it is, but 0..2 leaves -1..1",
            ),
            ({"token_ids": [1, 2]}, "token_ids: expected 256 different ids, one a bin; have 2"),
            ({"bins": 2, "token_ids": [3, 3]}, "expected 2 different ids"),
        ],
    )
    def test_a_foreign_file_is_refused_with_the_entry(self, tmp_path, edit, told):
        path = CONTRACT.save(tmp_path)
        path.write_text(json.dumps(json.loads(path.read_text()) | edit))
        with pytest.raises(CheckpointError, match=told) as caught:
            ActionContract.load(tmp_path)
        assert str(path) in str(caught.value)

    def test_many_faults_are_counted(self, tmp_path):
        (tmp_path / FILE_NAME).write_text(json.dumps({"architectures": [], "model_type": "llava", "hidden_size": 8}))
        with pytest.raises(CheckpointError, match=r"dimensions: Field required.*; and 4 more$"):
            ActionContract.load(tmp_path)

    def test_a_binary_file_is_refused(self, tmp_path):
        (tmp_path / FILE_NAME).write_bytes(b"\xff\xfe\x00\x00\x80")
        with pytest.raises(CheckpointError, match="not an action contract"):
            ActionContract.load(tmp_path)


def test_the_standard_dimensions_are_rt2s():
    ranges = {d.name: (d.low, d.high, d.unit) for d in standard_dimensions()}
    assert list(ranges) == ["terminate", "x", "y", "z", "roll", "pitch", "yaw", "gripper"]
    assert ranges["terminate"] == (0, 1, "flag")
    assert ranges["z"] == (-0.05, 0.05, "m")
    assert ranges["yaw"] == (-0.25, 0.25, "rad")
    assert ranges["gripper"] == (0, 1, "closedness")
