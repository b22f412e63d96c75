"""Digits drawn by strokes: the pictures in examples/, and pictures for tests that need no data set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from pairedge_train.rendering.allographs import ALLOGRAPHS
from pairedge_train.rendering.pen import smooth

Color = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a digit is put on paper.

    Attributes:
        size: width and height of the picture, pixels.
        ink: color of the stroke.
        paper: color of the ground.
        stroke: width of the stroke, as a share of the digit's height.
        height: of the digit, as a share of the picture's smaller side.
        middle: where the digit's middle lies, as shares of width and height.
        slant: how far the top leans to the right, as a share of the height.
    """

    size: tuple[int, int] = (120, 120)
    ink: Color = (20, 20, 20)
    paper: Color = (255, 255, 255)
    stroke: float = 0.12
    height: float = 0.7
    middle: tuple[float, float] = (0.5, 0.5)
    slant: float = 0.0


def draw_digit(digit: int, look: Look) -> Image.Image:
    """Draw a digit, an RGB picture. Drawn four times too large and shrunk, so that edges are soft."""
    fine = 4
    width, height = (side * fine for side in look.size)
    image = Image.new("RGB", (width, height), look.paper)
    pen = ImageDraw.Draw(image)
    tall = look.height * min(width, height)
    radius = look.stroke * tall / 2
    for stroke in ALLOGRAPHS[digit][0]:
        points = smooth(stroke) - 0.5
        points[:, 0] -= look.slant * points[:, 1]
        places = [tuple(point) for point in points * tall + np.array(look.middle) * (width, height)]
        pen.line(places, fill=look.ink, width=round(2 * radius), joint="curve")
        for x, y in (places[0], places[-1]):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=look.ink)
    return image.resize(look.size, Image.Resampling.BOX)
