"""Draws a recorded trace as pictures for people, with captions, and writes them as an MP4.

Each picture is put together from layers, because a software renderer's time goes into pixels and faces: the table and
what rarely moves are drawn once and kept, the arm with its full meshes and what moves is drawn anew, and soft shadows
on the table come from a small depth picture of the collision hulls, taken from the light (shadow maps, Williams 1978).
Not for: what the robot's own cameras see (cameras).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import cast

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from robots.robot import CONTROL_RATE_HZ, Vector3
from robots.tabletop.cameras import FAR_M, NEAR_M, Matrix, intrinsics, look_at
from robots.tabletop.captions import Caption, Picture, with_caption
from robots.tabletop.mirror import Mirror
from robots.tabletop.trace import TraceFrame
from robots.tabletop.variations import Lighting, TableLook

EYE_M, TARGET_M, VIEW_DEG = (1.46, -0.52, 0.98), (0.36, 0.05, 0.06), 51.8
LIGHT = Lighting(direction=(0.35, -0.75, 1.5), ambient=0.56, diffuse=0.50, specular=0.10)
WOOD = TableLook(pattern="stripes", colour=(0.82, 0.69, 0.54), second_colour=(0.68, 0.53, 0.38), period_m=0.22, seed=3)
SKY_TOP, SKY_BOTTOM = (236, 240, 245), (198, 206, 217)
LIGHT_DISTANCE_M, LIGHT_VIEW_DEG, LIGHT_PIXELS = 3.0, 34.0, 200
SHADOW_SHARE, SHADOW_BLUR_SHARE, SHADOW_BIAS_M = 0.36, 1 / 300, 0.012
LIGHT_SHARES = (1.0 - SHADOW_SHARE * np.arange(256) / 255.0).astype(np.float32)  # by grey level of the shadow mask
RARELY_MOVES = ("table", "bowl", "pad", "distractor")


class VideoError(RuntimeError):
    """A video that cannot be made; the message says why."""


class Filmer:
    """Draws frames of a trace at one size. Use as a context manager, or `close()`."""

    def __init__(
        self,
        size: tuple[int, int] = (640, 480),
        *,
        eye_m: Vector3 = EYE_M,
        target_m: Vector3 = TARGET_M,
        view_deg: float = VIEW_DEG,
        table: TableLook = WOOD,
        light: Lighting = LIGHT,
    ) -> None:
        self.size, self._light = size, light
        self._pose = look_at(eye_m, target_m, (0.0, 0.0, 1.0))
        self._intrinsics = intrinsics(*size, view_deg)
        self._backdrop = _Backdrop(table)
        self._actors = Mirror(lambda category: category not in RARELY_MOVES, robot="full")
        self._shadows = _Shadows(light)

    def draw(self, frame: TraceFrame) -> Picture:
        """(height, width, 3) picture of a moment."""
        self._actors.show(frame)
        rgb, depth = self._actors.draw(self._pose, self._intrinsics, self.size, self._light)
        picture, back_depth, points = self._backdrop.draw(frame, self._pose, self._intrinsics, self.size, self._light)
        light_share = self._shadows.on(points, frame, self.size)
        shaded = light_share < 1.0
        picture = picture.copy()
        picture[shaded] = (picture[shaded] * light_share[shaded][:, None]).astype(np.uint8)
        nearer = depth < back_depth
        picture[nearer] = rgb[nearer]
        return picture

    def close(self) -> None:
        for part in (self._backdrop, self._actors, self._shadows):
            part.close()

    def __enter__(self) -> Filmer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Backdrop:
    """What rarely moves before a plain wall, drawn again only when something of it moved."""

    def __init__(self, table: TableLook) -> None:
        self._mirror = Mirror(lambda category: category in RARELY_MOVES, table=table)
        self._drawn: tuple[object, Picture, NDArray[np.float32], Matrix] | None = None

    def draw(
        self, frame: TraceFrame, pose: Matrix, intrinsics_px: Matrix, size: tuple[int, int], light: Lighting
    ) -> tuple[Picture, NDArray[np.float32], Matrix]:
        """Picture, depth buffer and world point (height, width, 3) of each pixel; NaN where nothing is."""
        poses = {name: o for name, o in frame.objects.items() if o.category in RARELY_MOVES}
        if self._drawn is None or self._drawn[0] != poses:
            self._mirror.show(frame)
            rgb, depth = self._mirror.draw(pose, intrinsics_px, size, light)
            empty = depth >= 1.0
            rgb = np.where(empty[..., None], _sky(size), rgb)
            self._drawn = (poses, rgb, depth, _points(depth, pose, intrinsics_px))
        return self._drawn[1:]

    def close(self) -> None:
        self._mirror.close()


class _Shadows:
    """Where on the backdrop the light does not come, from a picture taken by the light."""

    def __init__(self, light: Lighting) -> None:
        self._mirror = Mirror(lambda category: category != "table", robot="hulls")
        away = np.asarray(light.direction) / np.linalg.norm(light.direction)
        target = np.array([0.40, 0.05, 0.10])
        eye = target + LIGHT_DISTANCE_M * away
        self._pose = look_at((float(eye[0]), float(eye[1]), float(eye[2])), (0.40, 0.05, 0.10), (1.0, 0.0, 0.0))
        self._intrinsics = intrinsics(LIGHT_PIXELS, LIGHT_PIXELS, LIGHT_VIEW_DEG)
        self._seen: tuple[Matrix, NDArray[np.intp], NDArray[np.float64]] | None = None

    def on(self, points: Matrix, frame: TraceFrame, size: tuple[int, int]) -> NDArray[np.float32]:
        """(height, width) share of the colour that stays, 1 in full light."""
        if self._seen is None or self._seen[0] is not points:
            self._seen = (points, *self._pixels_of(points))
        _, pixels, distance_m = self._seen
        self._mirror.show(frame)
        _, depth = self._mirror.draw(self._pose, self._intrinsics, (LIGHT_PIXELS, LIGHT_PIXELS), LIGHT)
        first_m = np.append(_metres(depth).ravel(), np.inf)  # pixels the light does not see are lit
        dark = first_m[pixels] < distance_m - SHADOW_BIAS_M
        mask = Image.fromarray((dark * np.uint8(255)).reshape(size[1], size[0]))
        soft = np.asarray(mask.filter(ImageFilter.GaussianBlur(size[0] * SHADOW_BLUR_SHARE)))
        shares: NDArray[np.float32] = LIGHT_SHARES[soft]
        return shares

    def close(self) -> None:
        self._mirror.close()

    def _pixels_of(self, points: Matrix) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """For each world point: its pixel in the light's picture (flat index), and how far from the light it is."""
        from_light = np.linalg.inv(self._pose)
        seen = points.reshape(-1, 3) @ from_light[:3, :3].T + from_light[:3, 3]
        away_m = np.where(np.isfinite(seen[:, 2]), seen[:, 2], 1.0)
        plane = np.nan_to_num(seen, nan=-1e3) @ self._intrinsics.T
        columns, rows = np.floor(plane[:, 0] / away_m).astype(int), np.floor(plane[:, 1] / away_m).astype(int)
        inside = (columns >= 0) & (columns < LIGHT_PIXELS) & (rows >= 0) & (rows < LIGHT_PIXELS)
        return np.where(inside, rows * LIGHT_PIXELS + columns, LIGHT_PIXELS**2), away_m


class Mp4Writer:
    """Writes pictures into an H.264 MP4 that browsers play (yuv420p); MPEG-4 where PyAV has no H.264 encoder.

    The file appears under its name when it is complete. Use as a context manager.
    """

    def __init__(self, path: Path, *, fps: float = CONTROL_RATE_HZ) -> None:
        self._path, self._partial = path, path.with_name(f".{path.name}.partial")
        self._fps = Fraction(fps).limit_denominator(1000)
        self._container = av.open(str(self._partial), "w", format="mp4", options={"movflags": "+faststart"})
        self._stream: av.VideoStream | None = None

    def add(self, picture: Picture) -> None:
        """(height, width, 3) uint8; all of one size. An odd last row or column is cut off, H.264 wants even sizes."""
        height, width = (n - n % 2 for n in picture.shape[:2])
        if self._stream is None:
            self._stream = self._open_stream(width, height)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="rgb24")
        self._container.mux(self._stream.encode(frame))

    def __enter__(self) -> Mp4Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        complete = kind is None and self._stream is not None
        if self._stream is not None and complete:
            self._container.mux(self._stream.encode())
        self._container.close()
        if complete:
            self._partial.replace(self._path)
        else:
            self._partial.unlink(missing_ok=True)

    def _open_stream(self, width: int, height: int) -> av.VideoStream:
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        stream = cast("av.VideoStream", self._container.add_stream(codec, rate=self._fps))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "23", "preset": "veryfast"} if codec == "libx264" else {"qscale": "3"}
        return stream


def write_video(
    frames: Sequence[TraceFrame],
    path: Path,
    *,
    size: tuple[int, int] = (640, 480),
    fps: float = CONTROL_RATE_HZ,
    caption: Callable[[TraceFrame], Caption] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> None:
    """Draw every frame and write the MP4; at 10 pictures a second it plays in simulated time.

    progress: takes how many pictures are done, of how many. Raises VideoError when there is nothing to show.
    """
    if not frames:
        raise VideoError("the trace holds no frame, so there is nothing to show")
    with Filmer(size) as filmer, Mp4Writer(path, fps=fps) as writer:
        for done, frame in enumerate(frames, start=1):
            picture = filmer.draw(frame)
            writer.add(picture if caption is None else with_caption(picture, caption(frame)))
            progress(done, len(frames))


def _sky(size: tuple[int, int]) -> Picture:
    share = np.linspace(0.0, 1.0, size[1])[:, None, None]
    wall = np.asarray(SKY_TOP) * (1 - share) + np.asarray(SKY_BOTTOM) * share
    return np.broadcast_to(wall, (size[1], size[0], 3)).astype(np.uint8)


def _metres(depth: NDArray[np.float32]) -> NDArray[np.float64]:
    """Distance along the camera's axis; infinite where nothing is."""
    away = FAR_M * NEAR_M / (FAR_M - (FAR_M - NEAR_M) * depth.astype(np.float64))
    return np.where(depth >= 1.0, np.inf, away)


def _points(depth: NDArray[np.float32], pose: Matrix, intrinsics_px: Matrix) -> Matrix:
    height, width = depth.shape
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    away = np.where(depth >= 1.0, np.nan, _metres(depth))
    rays = np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ np.linalg.inv(intrinsics_px).T
    points: Matrix = (rays * away[..., None]) @ pose[:3, :3].T + pose[:3, 3]
    return points
