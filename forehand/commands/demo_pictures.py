"""How a demonstration is shown to people: its cameras side by side with words below, as pictures or in the terminal.

Not for: films of a whole run from outside (robots.tabletop.video).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.color import Color
from rich.style import Style
from rich.text import Text

from robots.tabletop.captions import Caption, Picture, with_caption
from skills.dataset import Episode
from skills.dataset_format import ACTION_KEY, EXECUTED_KEY

VIEW_HEIGHT, BAND_HEIGHT, GAP = 384, 60, 8
TERMINAL_ROWS = 28
NOISE = 1e-6  # two numbers farther apart than this are two actions
GREY = (17, 24, 39)


def side_by_side(images: list[Picture], height: int, gap: int) -> Picture:
    """The pictures scaled to one height, every pixel kept a square of one colour."""
    parts: list[Picture] = []
    for picture in images:
        rows, columns = picture.shape[:2]
        scaled = Image.fromarray(picture).resize((round(columns * height / rows), height), Image.Resampling.NEAREST)
        parts += [np.full((height, gap, 3), GREY, np.uint8), np.asarray(scaled)]
    return np.concatenate(parts[1:], axis=1)


def film(episode: Episode) -> Iterator[Picture]:
    """A picture for each frame: all cameras, the sentence, what was done, and at the end what came of it."""
    for step in range(len(episode)):
        views = side_by_side([images[step] for images in episode.images.values()], VIEW_HEIGHT, GAP)
        band = np.full((BAND_HEIGHT, views.shape[1], 3), GREY, np.uint8)
        yield with_caption(np.concatenate([views, band]), caption(episode, step))


def caption(episode: Episode, step: int) -> Caption:
    ended, tone = outcome(episode) if step == len(episode) - 1 else ("", "neutral")
    count = f"{step + 1}/{len(episode)}"
    return Caption(episode.sentences[step], f"{count}  {done_at(episode, step)}", ended, tone)


def outcome(episode: Episode) -> tuple[str, str]:
    """What came of an episode in words, and the tone to say it in."""
    record = episode.record
    if record.success is None:
        return record.ended_by or "", "neutral"
    return ("succeeded", "good") if record.success else (f"failed: {record.ended_by or 'no reason recorded'}", "bad")


def done_at(episode: Episode, step: int) -> str:
    """The action really done in words, and whether noise made it another than the expert's."""
    label = episode.vectors.get(ACTION_KEY)
    executed = episode.vectors.get(EXECUTED_KEY, label)
    if label is None or executed is None:
        return ""
    noisy = bool(np.abs(executed[step] - label[step]).max() > NOISE)
    return described(executed[step]) + (" (noise)" if noisy else "")


def described(action: NDArray[np.float32]) -> str:
    """An RT-2 action in words; of any other length, its numbers."""
    if len(action) != 8:
        return " ".join(f"{value:+.2f}" for value in action)
    if action[0] > 0.5:
        return "done"
    x, y, z = (f"{1000 * value:+.0f}" for value in action[1:4])
    return f"x {x} y {y} z {z} mm  yaw {math.degrees(action[6]):+.0f}°  gripper {action[7]:.2f}"


def half_blocks(picture: Picture, rows: int = TERMINAL_ROWS) -> Text:
    """The picture in terminal colours, two pixels a character, one above the other."""
    height, width = picture.shape[:2]
    size = (round(width * 2 * rows / height), 2 * rows)
    small = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
    text = Text(no_wrap=True)
    for upper, lower in zip(small[::2], small[1::2], strict=True):
        for above, below in zip(upper.tolist(), lower.tolist(), strict=True):
            text.append("▀", Style(color=Color.from_rgb(*above), bgcolor=Color.from_rgb(*below)))
        text.append("\n")
    return text
