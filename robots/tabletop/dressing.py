"""Puts a variation's look on the table of a PyBullet client.

Not for: drawing looks from a seed (variations) or lighting and cameras (cameras).
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pybullet as p
from PIL import Image

from robots.tabletop import layout
from robots.tabletop.variations import TableLook, table_texture


def dress_table(client: int, table_body: int, look: TableLook) -> None:
    """Give the table body its colour or pattern; its shape and physics stay as they are."""
    if look.pattern == "plain":
        p.changeVisualShape(table_body, -1, rgbaColor=(*look.colour, 1.0), physicsClientId=client)
        return
    texture = p.loadTexture(str(_texture_file(look)), physicsClientId=client)
    p.changeVisualShape(table_body, -1, rgbaColor=(1.0, 1.0, 1.0, 1.0), textureUniqueId=texture, physicsClientId=client)


@cache
def _texture_file(look: TableLook) -> Path:
    """The look as a picture file, written once a process: Bullet reads textures from files only."""
    area = layout.TABLE
    top = table_texture(look, (area.x_max - area.x_min, area.y_max - area.y_min))
    rows, columns, _ = top.shape
    # Bullet shows the last quarter of rows and columns on a box's top (rows along y, columns along x).
    picture = np.empty((4 * rows, 4 * columns, 3), dtype=np.uint8)
    picture[:] = np.rint(255 * np.asarray(look.colour)).astype(np.uint8)
    picture[3 * rows :, 3 * columns :] = top
    path = _folder() / f"table-{len(list(_folder().iterdir()))}.png"
    Image.fromarray(picture).save(path, compress_level=1)
    return path


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="forehand-tables-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
