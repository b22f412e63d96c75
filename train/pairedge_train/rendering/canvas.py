"""A rendered picture in the making, the colors that it is made of, and what chance decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.random import Generator
from PIL import Image

from pairedge_train.rendering.stroke_field import Field

Range: TypeAlias = tuple[float, float]
Color: TypeAlias = tuple[int, int, int]

BALLPOINT: tuple[Color, ...] = ((24, 38, 122), (38, 62, 158), (22, 22, 28), (46, 44, 50), (150, 26, 34))
PENS: tuple[Color, ...] = (*BALLPOINT, (18, 98, 54), (96, 32, 110), (205, 40, 40), (20, 90, 190))
GRAPHITE: tuple[Color, ...] = ((92, 92, 96), (112, 110, 110), (130, 128, 128))
CHALK: tuple[Color, ...] = ((236, 236, 228), (245, 245, 245), (238, 226, 150), (240, 190, 190))
WHITE_PAPER: tuple[Color, ...] = ((250, 250, 248), (240, 238, 230), (226, 222, 212), (235, 238, 242))
BOARD: tuple[Color, ...] = ((34, 58, 48), (28, 30, 32), (44, 62, 76), (58, 72, 60))
NOTES: tuple[Color, ...] = (
    (238, 150, 180),
    (246, 178, 196),
    (240, 220, 120),
    (150, 210, 160),
    (240, 170, 110),
)


@dataclass
class Canvas:
    """A picture in the making.

    Attributes:
        paper: float32 (3, H, W), the ground's colors 0..255 in even light. Planes, not pixels, since numpy
            works along the last axis.
        cover: float32 (H, W), how much of a pixel ink covers, 0 to 1.
        ink: float32 (3, 1, 1) or (3, H, W), the ink's colors 0..255.
        light: float32 (H, W), what share of its color a place shows.
        field: float32 (H, W), 1 along the middle of strokes, for effects that widen them.
        level: of the field, where the ink ends.
        tall: the digit's longer side, pixels.
        tilt: the two perspective terms of the camera, for a pixel.
    """

    paper: Field
    cover: Field
    ink: Field
    light: Field
    field: Field
    level: float
    tall: float
    tilt: tuple[float, float]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width, pixels."""
        height, width = self.cover.shape
        return height, width


def within(generator: Generator, bounds: Range) -> float:
    """A number drawn evenly between two."""
    return float(generator.uniform(*bounds))


def chance(generator: Generator, probability: float) -> bool:
    """True with a probability."""
    return bool(generator.random() < probability)


def pick(generator: Generator, colors: tuple[Color, ...]) -> Field:
    """One of several colors, float32 (3, 1, 1), 0 to 255."""
    return np.array(colors[int(generator.integers(len(colors)))], np.float32).reshape(3, 1, 1)


def varied(color: Field, generator: Generator) -> Field:
    """A color a little off; both float32 (3, 1, 1), 0 to 255."""
    shifted: Field = (color + generator.normal(0, 8, (3, 1, 1))).clip(0, 255).astype(np.float32)
    return shifted


def far_from(ground: Field, generator: Generator) -> Field:
    """Any color that stands out from the ground; both float32 (3, 1, 1), 0 to 255."""
    while True:
        color = generator.uniform(0, 255, (3, 1, 1)).astype(np.float32)
        if np.abs(color - ground).max() > 90:
            return color


def ramp(shape: tuple[int, int], direction: float) -> Field:
    """0 to 1 across a picture, float32 (H, W), rising in a direction (radians)."""
    height, width = shape
    x, y = np.cos(direction) * width, np.sin(direction) * height
    low = min(x, 0) + min(y, 0)
    rows = np.linspace(0, y, height, dtype=np.float32)[:, None]
    across: Field = (rows + np.linspace(-low, x - low, width, dtype=np.float32)) / np.float32(abs(x) + abs(y))
    return across


def cloud(shape: tuple[int, int], waves: float, generator: Generator) -> Field:
    """Smooth noise of standard deviation 1, more or less: float32 (H, W), about `waves` bumps across."""
    height, width = shape
    scale = waves / max(shape)
    size = (max(2, round(height * scale)), max(2, round(width * scale)))
    coarse = Image.fromarray(generator.standard_normal(size, dtype=np.float32))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.float32)
