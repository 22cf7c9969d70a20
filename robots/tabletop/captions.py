"""Captions: words on the lower edge of a picture.

Not for: which words (whoever makes the video knows the run).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Caption:
    """Words under a picture: what was asked, what is done now, and what came of it. tone colours the last."""

    title: str
    line: str = ""
    verdict: str = ""
    tone: str = "neutral"  # neutral | good | bad


TONES = {"neutral": (226, 232, 240), "good": (134, 239, 172), "bad": (252, 165, 165)}


def with_caption(picture: Picture, caption: Caption) -> Picture:
    """The picture with a translucent band at its lower edge; long lines are cut with an ellipsis."""
    height, width = picture.shape[:2]
    big, small = max(11, height // 28), max(10, height // 32)
    band = round(big * 1.5 + small * 1.6 + height / 60)
    image = Image.fromarray(picture).convert("RGBA")
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    draw.rectangle((0, height - band, width, height), fill=(17, 24, 39, 205))
    top, left = height - band + height // 120, width // 50
    fonts = ImageFont.load_default(big), ImageFont.load_default(small)
    draw.text((left, top), _fitted(draw, caption.title, fonts[0], width - 2 * left), (255, 255, 255), fonts[0])
    verdict = _fitted(draw, caption.verdict, fonts[1], 0.62 * width)
    verdict_width = draw.textlength(verdict, fonts[1])
    room = width - 3 * left - verdict_width
    second = top + round(big * 1.5)
    draw.text((left, second), _fitted(draw, caption.line, fonts[1], room), (203, 213, 225), fonts[1])
    draw.text((width - left - verdict_width, second), verdict, TONES[caption.tone], fonts[1])
    return np.asarray(Image.alpha_composite(image, layer).convert("RGB"))


def _fitted(
    draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: float
) -> str:
    """The text, or as much of its beginning as has room, with an ellipsis."""
    text = " ".join(text.split())
    if draw.textlength(text, font) <= room:
        return text
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if draw.textlength(text[:middle] + "…", font) <= room:
            fits = middle
        else:
            too_long = middle
    return text[:fits].rstrip() + "…" if fits else ""
