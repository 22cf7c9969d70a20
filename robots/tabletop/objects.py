"""Builds the bodies of the tabletop in a PyBullet client: one function a category, sizes from layout.

Not for: where things stand (placement) or what moves them (simulation).
"""

from __future__ import annotations

import math

import numpy as np
import pybullet as p

from robots.robot import Quaternion, Vector3
from robots.tabletop import layout
from robots.tabletop.urdf import Box, Cylinder, Rgba, Shape, Slider, file_with, rigid_urdf, slider_urdf

COLOURS: dict[str, Rgba] = {
    "red": (0.86, 0.13, 0.12, 1.0),
    "green": (0.13, 0.62, 0.22, 1.0),
    "blue": (0.12, 0.30, 0.85, 1.0),
    "yellow": (0.96, 0.83, 0.10, 1.0),
    "purple": (0.52, 0.16, 0.66, 1.0),
    "orange": (0.97, 0.50, 0.06, 1.0),
    "cyan": (0.10, 0.78, 0.82, 1.0),
    "brown": (0.45, 0.27, 0.12, 1.0),
    "pink": (0.98, 0.55, 0.72, 1.0),
    "grey": (0.55, 0.56, 0.58, 1.0),
    "white": (0.95, 0.95, 0.95, 1.0),
    "black": (0.12, 0.12, 0.13, 1.0),
}
TABLE_RGBA: Rgba = (0.78, 0.70, 0.60, 1.0)
CABINET_RGBA: Rgba = (0.42, 0.33, 0.27, 1.0)
DRAWER_RGBA: Rgba = (0.80, 0.74, 0.66, 1.0)
HANDLE_RGBA: Rgba = (0.20, 0.20, 0.22, 1.0)
BUTTON_BASE_RGBA: Rgba = (0.30, 0.30, 0.32, 1.0)
BUTTON_CAP_RGBA: Rgba = (0.85, 0.20, 0.45, 1.0)
LAMP_STAND_RGBA: Rgba = (0.35, 0.35, 0.38, 1.0)
LAMP_OFF_RGBA: Rgba = (0.30, 0.30, 0.28, 1.0)
LAMP_ON_RGBA: Rgba = (1.00, 0.95, 0.35, 1.0)

BOWL_SEGMENTS = 8
BULB_LINK = 0
SLIDING_LINK = 0


def build_table(client: int) -> int:
    area = layout.TABLE
    centre = ((area.x_min + area.x_max) / 2, (area.y_min + area.y_max) / 2, -layout.TABLE_THICKNESS_M / 2)
    extents = (area.x_max - area.x_min, area.y_max - area.y_min, layout.TABLE_THICKNESS_M)
    body = _static(client, _box_collision(client, extents), _boxes(client, extents, TABLE_RGBA), centre)
    p.changeDynamics(body, -1, lateralFriction=0.6, physicsClientId=client)
    return body


def build_floor(client: int) -> int:
    """What falls off the table comes to rest on it. It is felt but not seen: drawing it would cost every view."""
    extents = (4.0, 4.0, 0.1)
    speck = _boxes(
        client, (1e-4, 1e-4, 1e-4), TABLE_RGBA
    )  # without a visual shape Bullet would draw the collision shape
    return _static(client, _box_collision(client, extents), speck, (0.0, 0.0, layout.FLOOR_Z_M - extents[2] / 2))


def build_block(client: int, colour: str) -> int:
    """A dynamic cube; its friction (with the fingers' own) is what a grasp rests on."""
    half = [layout.BLOCK_SIZE_M / 2] * 3
    collision = p.createCollisionShape(p.GEOM_BOX, halfExtents=half, physicsClientId=client)
    visual = p.createVisualShape(p.GEOM_BOX, halfExtents=half, rgbaColor=COLOURS[colour], physicsClientId=client)
    # Bullet's plain rigid body costs a third of its multibody without joints. The anchor lets a touch remember where it
    # began; without it friction is of speed only, and a stack creeps apart by a millimetre in ten seconds.
    body: int = p.createMultiBody(
        layout.BLOCK_MASS_KG, collision, visual, useMaximalCoordinates=True, physicsClientId=client
    )
    p.changeDynamics(
        body, -1, lateralFriction=0.8, rollingFriction=0.0, spinningFriction=0.0, restitution=0.0, frictionAnchor=1,
        physicsClientId=client,
    )  # fmt: skip
    return body


def build_bowl(client: int, colour: str) -> int:
    """A static bowl, concave for the physics: a floor and eight leaning walls; drawn as a turned mesh.

    Its base position is the centre of its underside.
    """
    floor = layout.BOWL_FLOOR_THICKNESS_M
    rise = layout.BOWL_HEIGHT_M - floor
    lean = math.atan2(layout.BOWL_INNER_RADIUS_M - layout.BOWL_FLOOR_RADIUS_M, rise)
    thickness = layout.BOWL_OUTER_RADIUS_M - layout.BOWL_INNER_RADIUS_M
    middle = (layout.BOWL_INNER_RADIUS_M + layout.BOWL_FLOOR_RADIUS_M + thickness) / 2
    half_width = (middle + thickness / 2) * math.tan(math.pi / BOWL_SEGMENTS)
    types, halves, centres, turns = [p.GEOM_BOX], [[0.045, 0.045, floor / 2]], [[0.0, 0.0, floor / 2]], [[0, 0, 0, 1.0]]
    for k in range(BOWL_SEGMENTS):
        angle = 2 * math.pi * k / BOWL_SEGMENTS
        types.append(p.GEOM_BOX)
        halves.append([thickness / 2, half_width, rise / (2 * math.cos(lean))])
        centres.append([middle * math.cos(angle), middle * math.sin(angle), floor + rise / 2])
        turns.append(list(_turned_and_leaning(angle, lean)))
    collision = p.createCollisionShapeArray(
        shapeTypes=types, halfExtents=halves, collisionFramePositions=centres, collisionFrameOrientations=turns,
        physicsClientId=client,
    )  # fmt: skip
    vertices, indices, normals = _bowl_mesh()
    visual = p.createVisualShape(
        p.GEOM_MESH, vertices=vertices, indices=indices, normals=normals, rgbaColor=COLOURS[colour],
        physicsClientId=client,
    )  # fmt: skip
    body = _static(client, collision, visual, (0, 0, 0))
    p.changeDynamics(body, -1, lateralFriction=0.5, physicsClientId=client)
    return body


def build_pad(client: int, colour: str) -> int:
    """A static coloured square, thin enough to push a block onto. Base position: its centre."""
    extents = (layout.PAD_SIZE_M, layout.PAD_SIZE_M, layout.PAD_THICKNESS_M)
    collision = _box_collision(client, extents)
    body = _static(client, collision, _boxes(client, extents, COLOURS[colour]), (0, 0, 0))
    p.changeDynamics(body, -1, lateralFriction=0.6, physicsClientId=client)
    return body


def build_distractor(client: int, name: str) -> int:
    """A thing no task is about, heavy enough not to be knocked over: static. Base position: its underside's centre."""
    colour, _, shape = name.rpartition(" ")
    width, _, height = layout.DISTRACTOR_SIZES_M[shape]
    rgba, middle = COLOURS[colour], (0.0, 0.0, height / 2)
    part = Box(middle, (width, width, height), rgba) if shape == "box" else Cylinder(middle, width / 2, height, rgba)
    parts: list[Shape] = [part]
    if shape == "mug":
        parts.append(Box((width / 2 + 0.006, 0.0, height / 2), (0.012, 0.010, height / 2), rgba))
    if shape == "bottle":
        parts = [
            Cylinder((0.0, 0.0, 0.3 * height), width / 2, 0.6 * height, rgba),
            Cylinder((0.0, 0.0, 0.8 * height), width / 4, 0.4 * height, rgba),
        ]
    return _load(client, rigid_urdf(name, parts), (0.0, 0.0, 0.0))


def build_cabinet(client: int) -> int:
    """The cabinet (base, static) with its drawer on a prismatic joint (link 0, positive is out, towards -y).

    Frame: the middle of the closed drawer's interior, on the table.
    """
    slider = Slider((0, 0, 0), (0, -1, 0), layout.DRAWER_TRAVEL_M, 0.8, _drawer_boxes())
    position = (layout.CABINET_X_M, layout.drawer_centre_y(0.0), 0.0)
    body = _load(client, slider_urdf("cabinet", _cabinet_boxes(), slider), position)
    # lined with rubber: what stands in it stays where it is when the drawer is pulled
    p.changeDynamics(body, SLIDING_LINK, lateralFriction=1.5, physicsClientId=client)
    return body


def build_button(client: int) -> int:
    """A base (static) with a cap on a prismatic joint (link 0, positive is down)."""
    base_height, cap_height = layout.BUTTON_BASE_HEIGHT_M, layout.BUTTON_CAP_HEIGHT_M
    shaft = cap_height + layout.BUTTON_TRAVEL_M  # so that the pressed cap still stands out of its base
    base = Cylinder((0, 0, base_height / 2), layout.BUTTON_BASE_RADIUS_M, base_height, BUTTON_BASE_RGBA)
    cap = Cylinder((0, 0, 0), layout.BUTTON_CAP_RADIUS_M, shaft, BUTTON_CAP_RGBA)
    slider = Slider((0, 0, base_height + cap_height - shaft / 2), (0, 0, -1), layout.BUTTON_TRAVEL_M, 0.05, (cap,))
    return _load(client, slider_urdf("button", [base], slider), (*layout.BUTTON_POSITION, 0.0))


def build_lamp(client: int) -> int:
    """A stand with a bulb (link 0) that changes colour."""
    height, radius = layout.LAMP_HEIGHT_M, layout.LAMP_BULB_RADIUS_M
    stand = _cylinder(client, layout.LAMP_BASE_RADIUS_M, height - 2 * radius, LAMP_STAND_RGBA)
    bulb = (
        p.createCollisionShape(p.GEOM_SPHERE, radius=radius, physicsClientId=client),
        p.createVisualShape(p.GEOM_SPHERE, radius=radius, rgbaColor=LAMP_OFF_RGBA, physicsClientId=client),
    )
    body: int = p.createMultiBody(
        0.0, *stand, (*layout.LAMP_POSITION, height / 2 - radius),
        linkMasses=[0.0],
        linkCollisionShapeIndices=[bulb[0]],
        linkVisualShapeIndices=[bulb[1]],
        linkPositions=[(0, 0, height / 2)],
        linkOrientations=[(0, 0, 0, 1)],
        linkInertialFramePositions=[(0, 0, 0)],
        linkInertialFrameOrientations=[(0, 0, 0, 1)],
        linkParentIndices=[0],
        linkJointTypes=[p.JOINT_FIXED],
        linkJointAxis=[(0, 0, 1)],
        physicsClientId=client,
    )  # fmt: skip
    return body


def show_lamp(client: int, body: int, lit: bool) -> None:
    p.changeVisualShape(body, BULB_LINK, rgbaColor=LAMP_ON_RGBA if lit else LAMP_OFF_RGBA, physicsClientId=client)


def _cabinet_boxes() -> tuple[Box, ...]:
    """Two sides, back and top around the drawer."""
    wall, gap, height = layout.CABINET_WALL_THICKNESS_M, layout.CABINET_CLEARANCE_M, layout.CABINET_HEIGHT_M
    inner_x = layout.DRAWER_INTERIOR_X_M + 2 * layout.DRAWER_WALL_THICKNESS_M + 2 * gap
    half_y = layout.DRAWER_INTERIOR_Y_M / 2 + layout.DRAWER_WALL_THICKNESS_M
    back = half_y + gap
    depth = half_y + back + wall
    middle_y = (back + wall - half_y) / 2
    side_x = inner_x / 2 + wall / 2
    boxes: tuple[tuple[Vector3, Vector3], ...] = (
        ((-side_x, middle_y, height / 2), (wall, depth, height)),
        ((side_x, middle_y, height / 2), (wall, depth, height)),
        ((0, back + wall / 2, height / 2), (inner_x, wall, height)),
        ((0, middle_y, height - wall / 2), (inner_x, depth, wall)),
    )
    return tuple(Box(centre, extents, CABINET_RGBA) for centre, extents in boxes)


def _drawer_boxes() -> tuple[Box, ...]:
    """Floor, two sides, back, front, then the handle's bar and its two posts."""
    wall, height = layout.DRAWER_WALL_THICKNESS_M, layout.DRAWER_WALL_HEIGHT_M
    inner_x, inner_y, floor = layout.DRAWER_INTERIOR_X_M, layout.DRAWER_INTERIOR_Y_M, layout.DRAWER_FLOOR_Z_M
    outer_x, wall_z = inner_x + 2 * wall, floor + height / 2
    bar, gap, bar_z = layout.HANDLE_THICKNESS_M, layout.HANDLE_GAP_M, layout.HANDLE_HEIGHT_Z_M
    front = -(inner_y / 2 + wall)
    post_x = layout.HANDLE_LENGTH_M / 2 - bar / 2
    boxes: tuple[tuple[Vector3, Vector3], ...] = (
        ((0, 0, floor - 0.004), (outer_x, inner_y + 2 * wall, 0.008)),
        ((-(inner_x + wall) / 2, 0, wall_z), (wall, inner_y + 2 * wall, height)),
        (((inner_x + wall) / 2, 0, wall_z), (wall, inner_y + 2 * wall, height)),
        ((0, (inner_y + wall) / 2, wall_z), (inner_x, wall, height)),
        ((0, -(inner_y + wall) / 2, wall_z), (inner_x, wall, height)),
    )
    handle: tuple[tuple[Vector3, Vector3], ...] = (
        ((0, front - gap - bar / 2, bar_z), (layout.HANDLE_LENGTH_M, bar, bar)),
        ((-post_x, front - gap / 2, bar_z), (bar, gap, bar)),
        ((post_x, front - gap / 2, bar_z), (bar, gap, bar)),
    )
    return (
        *(Box(centre, extents, DRAWER_RGBA) for centre, extents in boxes),
        *(Box(centre, extents, HANDLE_RGBA) for centre, extents in handle),
    )


def _turned_and_leaning(angle: float, lean: float) -> Quaternion:
    """Turned about z by `angle`, then leaning outwards by `lean`, radians."""
    x, y, z, w = p.multiplyTransforms(
        (0, 0, 0), p.getQuaternionFromEuler((0, 0, angle)), (0, 0, 0), p.getQuaternionFromEuler((0, lean, 0))
    )[1]
    return x, y, z, w


def _bowl_mesh(sides: int = 20) -> tuple[list[list[float]], list[int], list[list[float]]]:
    """Vertices, triangle indices and normals of the bowl: outside, rim, inside and floor turned about z."""
    outer, inner, height = layout.BOWL_OUTER_RADIUS_M, layout.BOWL_INNER_RADIUS_M, layout.BOWL_HEIGHT_M
    floor_radius, floor = layout.BOWL_FLOOR_RADIUS_M, layout.BOWL_FLOOR_THICKNESS_M
    foot = floor_radius + (outer - inner)
    strips = [((foot, 0.0), (outer, height)), ((outer, height), (inner, height)),
              ((inner, height), (floor_radius, floor)), ((floor_radius, floor), (0.0, floor))]  # fmt: skip
    vertices: list[list[float]] = []
    normals: list[list[float]] = []
    indices: list[int] = []
    for (r0, z0), (r1, z1) in strips:
        normal = np.array([z1 - z0, -(r1 - r0)]) / math.hypot(r1 - r0, z1 - z0)  # radial and upward part
        start = len(vertices)
        for k in range(sides + 1):
            c, s = math.cos(2 * math.pi * k / sides), math.sin(2 * math.pi * k / sides)
            for r, z in ((r0, z0), (r1, z1)):
                vertices.append([r * c, r * s, z])
                normals.append([float(normal[0]) * c, float(normal[0]) * s, float(normal[1])])
        for k in range(sides):
            a = start + 2 * k
            indices += [a, a + 2, a + 3, a, a + 3, a + 1]
    return vertices, indices, normals


def _static(client: int, collision: int, visual: int, position: Vector3) -> int:
    body: int = p.createMultiBody(0.0, collision, visual, position, physicsClientId=client)
    return body


def _boxes(client: int, extents: Vector3, rgba: Rgba) -> int:
    visual: int = p.createVisualShape(
        p.GEOM_BOX, halfExtents=[e / 2 for e in extents], rgbaColor=rgba, physicsClientId=client
    )
    return visual


def _box_collision(client: int, extents: Vector3) -> int:
    shape: int = p.createCollisionShape(p.GEOM_BOX, halfExtents=[e / 2 for e in extents], physicsClientId=client)
    return shape


def _load(client: int, text: str, position: Vector3) -> int:
    body: int = p.loadURDF(str(file_with(text)), position, useFixedBase=True, physicsClientId=client)
    return body


def _cylinder(client: int, radius: float, height: float, rgba: Rgba) -> tuple[int, int]:
    collision: int = p.createCollisionShape(p.GEOM_CYLINDER, radius=radius, height=height, physicsClientId=client)
    visual: int = p.createVisualShape(
        p.GEOM_CYLINDER, radius=radius, length=height, rgbaColor=rgba, physicsClientId=client
    )
    return collision, visual
