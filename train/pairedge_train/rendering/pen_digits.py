"""Digits drawn by strokes: the pictures in examples/, and pictures for tests that need no data set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Color = tuple[int, int, int]

# How a hand writes each digit: strokes as points that a smooth line goes through, x to the right and y down
# in a unit square. A corner ends one stroke and begins the next.
STROKES: dict[int, tuple[tuple[tuple[float, float], ...], ...]] = {
    0: (
        (
            (0.5, 0.03), (0.24, 0.2), (0.18, 0.55), (0.32, 0.9),
            (0.55, 0.96), (0.78, 0.75), (0.8, 0.35), (0.5, 0.03),
        ),
    ),
    1: (((0.52, 0.04), (0.51, 0.5), (0.49, 0.97)),),
    2: (
        ((0.2, 0.28), (0.35, 0.07), (0.65, 0.07), (0.77, 0.28), (0.62, 0.55), (0.2, 0.94)),
        ((0.2, 0.94), (0.5, 0.92), (0.85, 0.93)),
    ),
    3: (
        ((0.22, 0.15), (0.5, 0.04), (0.74, 0.2), (0.65, 0.4), (0.42, 0.47)),
        ((0.42, 0.47), (0.7, 0.55), (0.78, 0.75), (0.55, 0.95), (0.2, 0.86)),
    ),
    4: (
        ((0.55, 0.05), (0.38, 0.38), (0.17, 0.63)),
        ((0.17, 0.63), (0.5, 0.62), (0.85, 0.6)),
        ((0.64, 0.35), (0.62, 0.65), (0.6, 0.97)),
    ),
    5: (
        ((0.78, 0.06), (0.3, 0.07)),
        ((0.3, 0.07), (0.25, 0.44)),
        ((0.25, 0.44), (0.52, 0.38), (0.76, 0.55), (0.72, 0.82), (0.45, 0.95), (0.2, 0.86)),
    ),
    6: (
        (
            (0.68, 0.05), (0.38, 0.3), (0.22, 0.65), (0.38, 0.93),
            (0.66, 0.9), (0.74, 0.68), (0.52, 0.54), (0.26, 0.68),
        ),
    ),
    7: (((0.18, 0.1), (0.5, 0.08), (0.8, 0.07)), ((0.8, 0.07), (0.58, 0.45), (0.42, 0.96))),
    8: (
        (
            (0.72, 0.15), (0.48, 0.05), (0.28, 0.2), (0.42, 0.42), (0.66, 0.6), (0.72, 0.82),
            (0.48, 0.96), (0.25, 0.82), (0.35, 0.58), (0.64, 0.38), (0.72, 0.15),
        ),
    ),
    9: (
        (
            (0.74, 0.3), (0.55, 0.48), (0.3, 0.4), (0.27, 0.17),
            (0.5, 0.04), (0.74, 0.16), (0.73, 0.5), (0.6, 0.97),
        ),
    ),
}  # fmt: skip


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
    for stroke in STROKES[digit]:
        points = np.array(smooth(stroke)) - 0.5
        points[:, 0] -= look.slant * points[:, 1]
        places = [tuple(point) for point in points * tall + np.array(look.middle) * (width, height)]
        pen.line(places, fill=look.ink, width=round(2 * radius), joint="curve")
        for x, y in (places[0], places[-1]):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=look.ink)
    return image.resize(look.size, Image.Resampling.BOX)


def smooth(points: tuple[tuple[float, float], ...], steps: int = 12) -> NDArray[np.float64]:
    """Points along a Catmull-Rom spline through the given ones (Catmull and Rom, 1974), float64 (M, 2)."""
    knots = np.array([points[0], *points, points[-1]])
    parts = []
    for a, b, c, d in zip(knots, knots[1:], knots[2:], knots[3:], strict=False):
        t = np.linspace(0, 1, steps)[:, None]
        parts.append(
            0.5
            * (
                2 * b
                + (c - a) * t
                + (2 * a - 5 * b + 4 * c - d) * t * t
                + (3 * b - a - 3 * c + d) * t * t * t
            )
        )
    return np.concatenate(parts)
