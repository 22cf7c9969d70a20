"""Connects to PyBullet, with its window where one is wanted and can open.

Not for: pictures and videos, which need no window (cameras, video).
"""

from __future__ import annotations

import os
import socket
import sys

import pybullet as p

ANSWER_S = 2.0
X11_TCP_PORT = 6000


class DisplayError(RuntimeError):
    """A window was asked for where none can open."""


def connect(gui: bool) -> int:
    """A PyBullet client. Raises DisplayError where gui is asked for and no display answers."""
    if not gui:
        return int(p.connect(p.DIRECT))
    if sys.platform == "linux":
        _check_display(os.environ.get("DISPLAY", ""))
    client = int(p.connect(p.GUI))
    if client < 0:
        raise DisplayError("PyBullet could not open its window")
    p.configureDebugVisualizer(p.COV_ENABLE_GUI, 0, physicsClientId=client)
    p.resetDebugVisualizerCamera(1.1, 90, -40, (0.42, 0.02, 0.05), physicsClientId=client)
    return client


def _check_display(display: str) -> None:
    """PyBullet ends the whole process when the X server does not answer, so it is asked here first."""
    advice = "leave gui out and render pictures instead"
    if not display:
        raise DisplayError(f"no window can open: DISPLAY is not set; {advice}")
    host, _, number = display.rpartition(":")
    screen = number.partition(".")[0]
    if not screen.isdigit() or not any(_answers(address) for address in _addresses(host, int(screen))):
        raise DisplayError(f"no window can open: no X server answers at DISPLAY={display}; {advice}")


def _addresses(host: str, screen: int) -> list[str | tuple[str, int]]:
    """Where the X server of a display listens: a socket in the file system, an abstract one, or TCP."""
    if host in ("", "unix"):
        path = f"/tmp/.X11-unix/X{screen}"
        return [path, f"\0{path}"]
    return [(host, X11_TCP_PORT + screen)]


def _answers(address: str | tuple[str, int]) -> bool:
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(ANSWER_S)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True
