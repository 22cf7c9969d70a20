"""Pictures as video and back, bit for bit: H.264 on RGB planes without loss, a key frame at every second picture.

Coloured blocks are a few pixels wide in pictures of 64 to 96 pixels. Measured on 95 rendered frames of both cameras,
the usual 4:2:0 halves of colour put saturated pixels off by 82 of 255 at the 99th percentile even at quality 0; this
is exact, at 3.0 kB a front and 1.3 kB a wrist picture (against 1.4 and 0.8 kB). See docs/demonstrations.md.
Not for: videos that people watch in a browser (robots.tabletop.video).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from numpy.typing import NDArray

from skills.dataset_format import DatasetError

CODEC = "libx264rgb"
OPTIONS: dict[str, object] = {
    "qp": "0",
    "preset": "veryfast",
    "bf": "0",
}  # qp 0: lossless; no frames that depend on later ones
KEY_FRAME_EVERY = 2
VIDEO_INFO: Mapping[str, Any] = {
    "video.codec": "h264", "video.pix_fmt": "gbrp", "video.channels": 3, "video.g": KEY_FRAME_EVERY,
    "is_depth_map": False, "has_audio": False,
}  # fmt: skip
OPEN_FILES = 8

Pictures = NDArray[np.uint8]  # (n, height, width, 3)


def write_pictures(path: Path, clips: Iterable[Pictures], fps: int) -> None:
    """One video of all clips, one after the other. Raises DatasetError where PyAV was built without the codec."""
    if CODEC not in av.codecs_available:
        raise DatasetError(f"this PyAV has no encoder {CODEC}; the wheels of PyPI have it: pip install --force av")
    with av.open(str(path), "w", format="mp4") as container:
        stream: av.VideoStream | None = None
        for clip in clips:
            if stream is None:
                stream = cast("av.VideoStream", container.add_stream(CODEC, rate=Fraction(fps)))
                stream.height, stream.width = clip.shape[1:3]
                stream.pix_fmt, stream.gop_size, stream.options = "rgb24", KEY_FRAME_EVERY, OPTIONS
                stream.codec_context.thread_count = 1
            for picture in clip:
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
                container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode())


class VideoReader:
    """Random access to the pictures of many video files; a few stay open."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, Any] = OrderedDict()

    def pictures(self, path: Path, start_s: float, count: int, fps: float) -> Pictures:
        """(count, height, width, 3) from start_s on. Raises DatasetError for a file that is missing or cut short."""
        try:
            found = self._decode(self._container(path), start_s, count, fps)
        except (av.FFmpegError, OSError, IndexError) as error:
            self._drop(path)
            raise DatasetError(f"{path}: no whole video: {error}") from error
        if len(found) < count:
            self._drop(path)
            raise DatasetError(
                f"{path}: {count} pictures wanted from {start_s:.2f} s on, {len(found)} there: the file is cut short"
            )
        return np.stack(found)

    def close(self) -> None:
        for path in list(self._open):
            self._drop(path)

    def _decode(self, container: Any, start_s: float, count: int, fps: float) -> list[Pictures]:
        stream = container.streams.video[0]
        container.seek(round(start_s / stream.time_base), stream=stream, backward=True)
        found: list[Pictures] = []
        for frame in container.decode(stream):
            late_s = float(frame.pts * stream.time_base) - (start_s + len(found) / fps)
            if late_s > 0.5 / fps:
                break  # there is a hole
            if late_s > -0.5 / fps:
                found.append(frame.to_ndarray() if frame.format.name == "gbrp" else frame.to_ndarray(format="rgb24"))
            if len(found) == count:
                break
        return found

    def _container(self, path: Path) -> Any:
        if path not in self._open:
            if len(self._open) >= OPEN_FILES:
                self._drop(next(iter(self._open)))
            self._open[path] = container = av.open(str(path))
            container.streams.video[0].thread_type = "NONE"  # threads hold pictures back, and these are small
        self._open.move_to_end(path)
        return self._open[path]

    def _drop(self, path: Path) -> None:
        container = self._open.pop(path, None)
        if container is not None:
            container.close()
