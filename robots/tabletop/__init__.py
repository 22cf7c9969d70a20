"""The tabletop: a Panda, blocks, bowls, pads, a drawer, a button and a lamp, in PyBullet."""

from robots.tabletop import quiet_import

quiet_import.pybullet_without_banner()
