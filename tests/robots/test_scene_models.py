"""Things of a user's own: a URDF beside the scene file becomes an object with a joint, snapshots included."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from robots.robot import Action
from robots.tabletop.interventions import AddDistractor, InterventionError, MoveObject
from robots.tabletop.scene_spec import SceneError, SceneSpec, load_scene
from robots.tabletop.snapshots import SnapshotError, WorldSnapshot
from robots.tabletop.world import TabletopWorld

LEVER = """
<robot name="lever">
  <link name="base"><inertial><mass value="1"/><inertia ixx="0.01" ixy="0" ixz="0" iyy="0.01" iyz="0" izz="0.01"/>
    </inertial>
    <visual><origin xyz="0 0 0.02"/><geometry><box size="0.06 0.06 0.04"/></geometry></visual>
    <collision><origin xyz="0 0 0.02"/><geometry><box size="0.06 0.06 0.04"/></geometry></collision></link>
  <link name="arm"><inertial><mass value="0.1"/><inertia ixx="0.001" ixy="0" ixz="0" iyy="0.001" iyz="0" izz="0.001"/>
    </inertial>
    <visual><origin xyz="0 0 0.05"/><geometry><box size="0.02 0.02 0.10"/></geometry></visual>
    <collision><origin xyz="0 0 0.05"/><geometry><box size="0.02 0.02 0.10"/></geometry></collision></link>
  <joint name="hinge" type="revolute"><parent link="base"/><child link="arm"/><origin xyz="0 0 0.04"/>
    <axis xyz="0 1 0"/><limit lower="-1" upper="1" effort="10" velocity="5"/><dynamics friction="0.2"/></joint>
</robot>
"""
SCENE = """
objects: [red block, blue block, red bowl]
models: {steel lever: {urdf: lever.urdf, position: [0.50, 0.05], yaw_deg: 0}}
"""


@pytest.fixture
def scene(tmp_path: Path) -> SceneSpec:
    (tmp_path / "lever.urdf").write_text(LEVER)
    (tmp_path / "scene.yaml").write_text(SCENE)
    return load_scene(tmp_path / "scene.yaml")


def push_lever(world: TabletopWorld) -> None:
    """Sweep the closed hand against the lever's arm."""
    for goal in ((0.42, 0.05, 0.20), (0.42, 0.05, 0.11), (0.53, 0.05, 0.11)):
        for _ in range(8):
            way = np.subtract(goal, world.physical_state().hand.tool_position_m)
            dx, dy, dz = (way * min(1.0, 0.04 / max(float(np.linalg.norm(way)), 1e-6))).tolist()
            world.step(Action((dx, dy, dz), gripper=1.0))


def test_a_model_stands_there_moves_and_stays(scene: SceneSpec) -> None:
    with TabletopWorld(scene, 0) as world:
        lever = world.physical_state().objects["steel lever"]
        assert lever.category == "lever"
        assert np.allclose(lever.position_m, (0.50, 0.05, 0.07), atol=0.002)
        assert np.allclose(lever.size_m, (0.06, 0.06, 0.14), atol=0.005)
        assert world.physical_state().joints["steel lever"] == pytest.approx(0.0, abs=1e-6)
        others = [o for o in world.physical_state().objects.values() if o.name not in ("steel lever", "table")]
        assert all(np.hypot(o.position_m[0] - 0.50, o.position_m[1] - 0.05) > 0.1 for o in others)
        push_lever(world)
        pushed = world.physical_state().joints["steel lever"]
        assert pushed > 0.2
        for _ in range(5):
            world.step(Action((-0.03, 0.0, 0.0), gripper=1.0))
        assert world.physical_state().joints["steel lever"] == pytest.approx(pushed, abs=0.1)


def test_snapshots_keep_a_models_joint_exactly(scene: SceneSpec) -> None:
    with TabletopWorld(scene, 0) as world:
        push_lever(world)
        world.checkpoint()
        world.step(Action((0.0, 0.0, 0.02)))
        with TabletopWorld.restore(WorldSnapshot.from_json(world.snapshot().to_json())) as restored:
            for _ in range(4):
                world.step(Action((-0.02, 0.0, 0.0)))
                restored.step(Action((-0.02, 0.0, 0.0)))
            assert restored.physical_state() == world.physical_state()


def test_a_snapshot_whose_model_is_gone_is_refused(scene: SceneSpec) -> None:
    with TabletopWorld(scene, 0) as world:
        text = world.snapshot().to_json()
    scene.models["steel lever"].urdf.unlink()
    with pytest.raises(SnapshotError, match="no URDF file at"):
        WorldSnapshot.from_json(text)


def test_models_are_nobodys_to_move(scene: SceneSpec) -> None:
    with TabletopWorld(scene, 0) as world:
        with pytest.raises(InterventionError, match="no 'steel lever' here to be moved"):
            world.intervene(MoveObject("steel lever", (0.4, 0.1)))
        world.intervene(AddDistractor())


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ("{grey block: {urdf: lever.urdf, position: [0.5, 0.1]}}", "a model cannot be called 'grey block'"),
        ("{drawer: {urdf: lever.urdf, position: [0.5, 0.1]}}", "a model cannot be called 'drawer'"),
        ("{steel lever: {urdf: liver.urdf, position: [0.5, 0.1]}}", "no URDF file at .*liver.urdf"),
        ("{steel lever: {urdf: lever.urdf, position: [1.5, 0.1]}}", "out of reach"),
        ("{steel lever: {urdf: lever.urdf}}", "position"),
    ],
)
def test_models_that_cannot_be(tmp_path: Path, models: str, words: str) -> None:
    (tmp_path / "lever.urdf").write_text(LEVER)
    (tmp_path / "scene.yaml").write_text(f"objects: [red block]\nmodels: {models}")
    with pytest.raises(SceneError, match=words):
        load_scene(tmp_path / "scene.yaml")


def test_a_file_that_is_no_urdf_is_refused_when_the_world_is_built(tmp_path: Path) -> None:
    (tmp_path / "lever.urdf").write_text("no robot")
    (tmp_path / "scene.yaml").write_text(SCENE)
    with pytest.raises(SceneError, match="no URDF that Bullet can load"):
        TabletopWorld(load_scene(tmp_path / "scene.yaml"), 0)
