"""Shrinks a large picture by averaging, strip by strip, so that only a strip of it is ever converted."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor
from typing import TypeAlias

import numpy as np
from PIL import Image

from pairedge.image.limits import LONGEST_SIDE

Box: TypeAlias = tuple[int, int, int, int]  # left, top, right and bottom edge, pixels

_STRIP = 4_000_000  # pixels: a picture of fewer is one strip


def shrink(image: Image.Image, mode: str) -> Image.Image:
    """The picture in another color mode, at most LONGEST_SIDE long, so that every later step is cheap."""
    if max(image.size) <= LONGEST_SIDE:
        return _converted(image, mode)
    scale = LONGEST_SIDE / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    if image.mode == mode or image.width * image.height <= _STRIP:
        return _converted(image, mode).resize((width, height), Image.Resampling.BOX)
    shrunk = Image.new(mode, (width, height))
    step = max(1, height * _STRIP // (image.width * image.height))
    for first in range(0, height, step):
        last = min(first + step, height)
        top, bottom = (row * image.height / height for row in (first, last))
        # The filter takes in a row whose middle it reaches, and so one beyond the strip.
        above, below = max(0, floor(top) - 1), min(image.height, ceil(bottom) + 1)
        part = _converted(image.crop((0, above, image.width, below)), mode)
        box = (0, top - above, image.width, bottom - above)
        shrunk.paste(part.resize((width, last - first), Image.Resampling.BOX, box), (0, first))
    return shrunk


def strips(image: Image.Image) -> Iterator[Box]:
    """Boxes that cover a picture, each of about _STRIP pixels or fewer, or of one row."""
    step = max(1, _STRIP // image.width)
    for top in range(0, image.height, step):
        yield 0, top, image.width, min(top + step, image.height)


def _converted(image: Image.Image, mode: str) -> Image.Image:
    if image.mode == mode:
        return image  # `convert` would copy it
    return Image.fromarray(np.asarray(image, np.float32)) if mode == "F" else image.convert(mode)
