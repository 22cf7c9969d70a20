"""Puts a TableLook onto the table of a PyBullet client.

Not for: drawing looks from a seed (variations) or lighting and cameras (cameras).
"""

from __future__ import annotations

import io
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import pybullet as p
from PIL import Image

from robots.tabletop import layout
from robots.tabletop.variations import TableLook, table_texture

TEXTURES_KEPT = 64


def dress_table(client: int, table_body: int, look: TableLook) -> None:
    """Give the table body its colour or pattern; its shape and physics stay as they are."""
    if look.pattern == "plain":
        p.changeVisualShape(table_body, -1, rgbaColor=(*look.colour, 1.0), physicsClientId=client)
        return
    with tempfile.TemporaryDirectory(prefix="forehand-texture-") as folder:  # Bullet reads textures from files only
        path = Path(folder) / "table.png"
        path.write_bytes(_png(look))
        texture = p.loadTexture(str(path), physicsClientId=client)
    p.changeVisualShape(table_body, -1, rgbaColor=(1, 1, 1, 1), textureUniqueId=texture, physicsClientId=client)


@lru_cache(maxsize=TEXTURES_KEPT)
def _png(look: TableLook) -> bytes:
    area = layout.TABLE
    top = table_texture(look, (area.x_max - area.x_min, area.y_max - area.y_min))
    rows, columns, _ = top.shape
    # Bullet shows the last quarter of rows (along y) and of columns (along x) on the top of a box.
    picture = np.empty((4 * rows, 4 * columns, 3), dtype=np.uint8)
    picture[:] = np.rint(255 * np.asarray(look.colour)).astype(np.uint8)
    picture[3 * rows :, 3 * columns :] = top
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()
