"""Geometry of the tabletop in metres, robot base frame: x forward, y left (the robot's), z up, table top at z = 0.

Numbers only. Not for: which objects a scene holds (scene_spec) or how bodies are built from these sizes (objects).
"""

from __future__ import annotations

from dataclasses import dataclass

Point2 = tuple[float, float]


@dataclass(frozen=True)
class Rectangle:
    """An axis-aligned part of the table, bounds included, metres."""

    x_min: float
    x_max: float
    y_min: float
    y_max: float

    def contains(self, point: Point2) -> bool:
        return self.x_min <= point[0] <= self.x_max and self.y_min <= point[1] <= self.y_max


TABLE = Rectangle(-0.20, 0.90, -0.60, 0.72)
TABLE_THICKNESS_M = 0.04
FLOOR_Z_M = -0.70

# Where centres of objects may stand. A top-down hand reaches every point of it up to SAFE_HEIGHT_M above the table
# (tests/robots/test_world_panda.py); its left edge leaves room for the drawer pulled fully out.
PLACING_AREA = Rectangle(0.30, 0.64, -0.38, 0.18)
SAFE_HEIGHT_M = 0.30  # tool height over a stack of five with a block in the hand

# in_zone: a block's centre is past the line. front is away from the robot, left is the robot's left.
ZONE_LEFT_Y_M = 0.12
ZONE_RIGHT_Y_M = -0.32
ZONE_FRONT_X_M = 0.57
ZONE_BACK_X_M = 0.37

BLOCK_SIZE_M = 0.04
BLOCK_MASS_KG = 0.06

BOWL_OUTER_RADIUS_M = 0.065  # at the rim
BOWL_INNER_RADIUS_M = 0.058  # at the rim
BOWL_FLOOR_RADIUS_M = 0.046  # inside, at the floor: three blocks lie on it or half on each other
BOWL_HEIGHT_M = 0.045
BOWL_FLOOR_THICKNESS_M = 0.005

PAD_SIZE_M = 0.12
PAD_THICKNESS_M = 0.002

# full extents of distractors; each stays under the hand when the fingers work beside it
DISTRACTOR_SIZES_M = {
    "can": (0.050, 0.050, 0.080),
    "mug": (0.056, 0.056, 0.070),
    "box": (0.045, 0.045, 0.070),
    "bottle": (0.050, 0.050, 0.100),
}

# The cabinet stands at the left edge; its drawer slides out to the right (towards -y). Four blocks stand in a row
# along x, and there is room in front of and behind the row for open fingers.
DRAWER_INTERIOR_X_M = 0.22
DRAWER_INTERIOR_Y_M = 0.12
DRAWER_WALL_THICKNESS_M = 0.008
DRAWER_WALL_HEIGHT_M = 0.05
DRAWER_FLOOR_Z_M = 0.010  # top of the drawer's floor above the table, when it hangs in the cabinet
DRAWER_TRAVEL_M = 0.14
DRAWER_OPEN_M = 0.11  # at least this far out counts as open: the whole row can be reached
DRAWER_CLOSED_M = 0.015  # at most this far out hides what is in it
DRAWER_SLOT_PITCH_M = 0.053
DRAWER_CAPACITY = 4
HANDLE_LENGTH_M = 0.10
HANDLE_THICKNESS_M = 0.012
HANDLE_HEIGHT_Z_M = 0.055  # centre of the bar above the table
HANDLE_GAP_M = 0.045  # between the drawer's front and the bar: a finger of a half-closed hand (5 cm) goes in
CABINET_X_M = 0.47
CABINET_FACE_Y_M = 0.44
CABINET_WALL_THICKNESS_M = 0.010
CABINET_CLEARANCE_M = 0.003
CABINET_HEIGHT_M = 0.085

BUTTON_POSITION: Point2 = (0.27, 0.29)
BUTTON_BASE_RADIUS_M = 0.035
BUTTON_BASE_HEIGHT_M = 0.025
BUTTON_CAP_RADIUS_M = 0.022
BUTTON_CAP_HEIGHT_M = 0.015  # above the base when released
BUTTON_TRAVEL_M = 0.010
BUTTON_DOWN_M = 0.006  # at least this deep toggles the lamp, once
BUTTON_RELEASED_M = 0.002  # at most this deep arms it again

LAMP_POSITION: Point2 = (0.22, 0.44)
LAMP_BASE_RADIUS_M = 0.03
LAMP_HEIGHT_M = 0.09
LAMP_BULB_RADIUS_M = 0.025

BOWL_CAPACITY = 3
STACK_LIMIT = 5
MINIMAL_SPACING_M = 0.10  # between the centres of two things on the table


def drawer_slot(index: int, opening_m: float = 0.0) -> tuple[float, float, float]:
    """Centre of a block that stands in slot 0..3 of the drawer (0 nearest to the robot), metres."""
    x = CABINET_X_M + (index - (DRAWER_CAPACITY - 1) / 2) * DRAWER_SLOT_PITCH_M
    return x, drawer_centre_y(opening_m), DRAWER_FLOOR_Z_M + BLOCK_SIZE_M / 2


def drawer_centre_y(opening_m: float) -> float:
    """y of the middle of the drawer's interior."""
    return CABINET_FACE_Y_M + DRAWER_WALL_THICKNESS_M + DRAWER_INTERIOR_Y_M / 2 - opening_m


def handle_centre(opening_m: float) -> tuple[float, float, float]:
    """Centre of the drawer's handle bar."""
    face = CABINET_FACE_Y_M - opening_m
    return CABINET_X_M, face - HANDLE_GAP_M - HANDLE_THICKNESS_M / 2, HANDLE_HEIGHT_Z_M
