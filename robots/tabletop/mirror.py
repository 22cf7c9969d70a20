"""Mirror: a PyBullet client that only shows, posed frame by frame from a trace; and the layers a picture is made of.

A mirror never simulates, and knows nothing of the world whose trace it shows.
Not for: what the robot's own cameras see (cameras) or encoding (video).
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path

import numpy as np
import pybullet as p
from numpy.typing import NDArray

from robots.tabletop import layout, objects, panda
from robots.tabletop.cameras import Matrix, light_arguments, projection_matrix, view_matrix
from robots.tabletop.lighter_mesh import lightened_obj
from robots.tabletop.simulation import BUILDERS
from robots.tabletop.table_look import dress_table
from robots.tabletop.trace import TracedObject, TraceFrame
from robots.tabletop.variations import Lighting, TableLook

DETAIL_M = 0.003
FIXTURES: dict[str, Callable[[int], int]] = {
    "table": objects.build_table,
    "drawer": objects.build_cabinet,
    "button": objects.build_button,
    "lamp": objects.build_lamp,
}


class Mirror:
    """Shows the objects of some categories and, if wanted, the robot. Use as a context manager, or `close()`.

    shows: whether a category belongs into this mirror. robot: "full" meshes (finer detail than DETAIL_M left out),
    collision "hulls", or none.
    """

    def __init__(self, shows: Callable[[str], bool], robot: str | None = None, table: TableLook | None = None) -> None:
        self.client: int = p.connect(p.DIRECT)
        self._shows, self._table = shows, table
        self._robot = None if robot is None else _load_robot(self.client, robot)
        self._bodies: dict[str, int] = {}
        self._lit: bool | None = None

    def show(self, frame: TraceFrame) -> None:
        """Take the poses of a frame; what it does not name disappears."""
        wanted = {n: o for n, o in frame.objects.items() if self._shows(o.category)}
        for name in self._bodies.keys() - wanted.keys():
            p.removeBody(self._bodies.pop(name), physicsClientId=self.client)
        for name, thing in wanted.items():
            if name not in self._bodies:
                self._bodies[name] = self._build(name, thing)
            if thing.category not in FIXTURES:
                self._pose(name, thing)
        for name, slide_m in frame.slides.items():
            if name in self._bodies:
                p.resetJointState(self._bodies[name], objects.SLIDING_LINK, slide_m, physicsClientId=self.client)
        if "lamp" in self._bodies and frame.lamp is not None and frame.lamp != self._lit:
            self._lit = frame.lamp
            objects.show_lamp(self.client, self._bodies["lamp"], frame.lamp)
        if self._robot is not None:
            fingers = (frame.gripper_opening_m / 2,) * 2
            joints = (*panda.ARM_JOINTS, *panda.FINGER_JOINTS)
            for joint, position in zip(joints, (*frame.joints_rad, *fingers), strict=True):
                p.resetJointState(self._robot, joint, position, physicsClientId=self.client)

    def draw(
        self, camera_to_world: Matrix, intrinsics: Matrix, size: tuple[int, int], light: Lighting
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Picture (height, width, 3) and depth buffer (height, width), 1 where nothing is."""
        width, height = size
        _, _, rgba, depth, _ = p.getCameraImage(
            width,
            height,
            view_matrix(camera_to_world),
            projection_matrix(intrinsics, width, height),
            renderer=p.ER_TINY_RENDERER,
            shadow=0,
            flags=p.ER_NO_SEGMENTATION_MASK,
            physicsClientId=self.client,
            **light_arguments(light),
        )
        rgb = np.reshape(rgba, (height, width, 4))[..., :3].astype(np.uint8, copy=False)
        return rgb, np.reshape(np.asarray(depth, dtype=np.float32), (height, width))

    def close(self) -> None:
        p.disconnect(self.client)

    def __enter__(self) -> Mirror:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _build(self, name: str, thing: TracedObject) -> int:
        if thing.category in FIXTURES:
            body = FIXTURES[thing.category](self.client)
            if name == "table" and self._table is not None:
                dress_table(self.client, body, self._table)
            self._lit = None if name == "lamp" else self._lit
            return body
        kind = name if thing.category == "distractor" else name.removesuffix(f" {thing.category}")
        return BUILDERS[thing.category](self.client, kind)

    def _pose(self, name: str, thing: TracedObject) -> None:
        x, y, z = thing.position_m
        base = (x, y, z - _height_m(name, thing.category) / 2)
        p.resetBasePositionAndOrientation(self._bodies[name], base, thing.orientation, physicsClientId=self.client)


def _height_m(name: str, category: str) -> float:
    """Of what has its base frame on its underside; zero where that is the centre."""
    if category == "bowl":
        return layout.BOWL_HEIGHT_M
    return layout.DISTRACTOR_SIZES_M[name.rpartition(" ")[2]][2] if category == "distractor" else 0.0


def _load_robot(client: int, kind: str) -> int:
    path = _light_urdf() if kind == "full" else panda.urdf(False)
    body: int = p.loadURDF(str(path), useFixedBase=True, physicsClientId=client)
    return body


@cache
def _light_urdf() -> Path:
    """The Panda with lightened visual meshes, written once a process: Bullet reads meshes from files only."""
    folder = Path(tempfile.mkdtemp(prefix="forehand-meshes-"))
    Finalize(None, shutil.rmtree, args=(folder,), kwargs={"ignore_errors": True}, exitpriority=0)
    text = panda.urdf(True).read_text()
    for mesh in sorted(set(re.findall(r'"([^"]*/meshes/visual/[^"]*\.obj)"', text))):
        source = Path(mesh)
        for beside in (*source.parent.glob("*.mtl"), *source.parent.glob("*.png")):
            if not (folder / beside.name).exists():
                shutil.copy(beside, folder)
        (folder / source.name).write_text(lightened_obj(source.read_text(), DETAIL_M))
        text = text.replace(mesh, str(folder / source.name))
    path = folder / "panda.urdf"
    path.write_text(text)
    return path
