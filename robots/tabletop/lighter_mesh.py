"""Lightens meshes for drawing: vertices that share a small cell become one, and faces that vanish in it are dropped.

A software renderer's time goes with faces; detail finer than a pixel costs as much as any other. Normals and materials
stay, so that shading does not show it. Vertex clustering after Rossignac and Borrel (1993).
Not for: collision shapes.
"""

from __future__ import annotations

import numpy as np


def lightened_obj(text: str, cell_m: float) -> str:
    """The same Wavefront OBJ with its vertices clustered in cells of `cell_m` metres; other lines stay."""
    lines = text.split("\n")
    points = np.array([line.split()[1:4] for line in lines if line.startswith("v ")], dtype=float)
    if not len(points):
        return text
    _, cluster = np.unique(np.floor(points / cell_m).astype(np.int64), axis=0, return_inverse=True)
    cluster = cluster.ravel()
    sizes = np.bincount(cluster)
    means = np.stack([np.bincount(cluster, points[:, k]) / sizes for k in range(3)], axis=1)[cluster]
    vertices = iter(f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in means)
    clusters = cluster.tolist()
    light = []
    for line in lines:
        if line.startswith("v "):
            light.append(next(vertices))
        elif not line.startswith("f ") or _keeps_area(line, clusters):
            light.append(line)
    return "\n".join(light)


def _keeps_area(face: str, clusters: list[int]) -> bool:
    corners = [clusters[int(corner.split("/", 1)[0]) - 1] for corner in face.split()[1:]]
    return len(set(corners)) >= 3
