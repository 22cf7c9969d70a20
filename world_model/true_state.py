"""True state: the settled symbolic truth of a simulated world. Privileged: for scoring, labels and studies only.

Nothing that a run decides on may read it; what a run may know comes from perception.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pybullet as p

from robots.robot import Action
from robots.tabletop.world import TabletopWorld
from skills.grounding import symbolic_of
from skills.predicates import PREDICATES, Predicate
from skills.symbolic_state import SymbolicState

SETTLE_STEPS = 30  # 3 s: a block that tips off a stack has come to rest
AT_REST_M_S = 0.005
AT_REST_RAD_S = 0.1
SLIDING_LINK = 0
SLIDING = ("drawer", "button")


def true_state(world: TabletopWorld, predicates: Iterable[Predicate] = PREDICATES) -> SymbolicState:
    """What holds once everything has come to rest with the hand held still. The world itself is not touched."""
    if is_at_rest(world):
        return symbolic_of(world.physical_state(), predicates)
    with TabletopWorld.restore(world.snapshot()) as clone:
        settle(clone)
        return symbolic_of(clone.physical_state(), predicates)


def settle(world: TabletopWorld) -> None:
    """Hold still until nothing moves any more, or SETTLE_STEPS control steps have passed."""
    for _ in range(SETTLE_STEPS):
        if is_at_rest(world):
            return
        world.step(Action(terminate=True))


def is_at_rest(world: TabletopWorld) -> bool:
    """No loose body, drawer or button moves."""
    for name, body in world.bodies.items():
        linear, angular = p.getBaseVelocity(body, physicsClientId=world.client)
        if np.linalg.norm(linear) > AT_REST_M_S or np.linalg.norm(angular) > AT_REST_RAD_S:
            return False
        if name in SLIDING:
            _, speed, *_ = p.getJointState(body, SLIDING_LINK, physicsClientId=world.client)
            if abs(speed) > AT_REST_M_S:
                return False
    return True
