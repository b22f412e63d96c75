"""Fields of strokes: from the ink of a digit to what any pen may have written along the same lines."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Field: TypeAlias = NDArray[np.float32]

FINE = 3  # field points to a pixel of MNIST
SPREAD = 1.25  # standard deviation of a stroke's profile in the field, MNIST pixels


def level_of(pen: float) -> float:
    """The field's level at half a pen's width from the middle of the stroke; `pen` in MNIST pixels."""
    return math.exp(-((pen / 2) ** 2) / (2 * SPREAD**2))


def stroke_field(ink: NDArray[np.uint8]) -> Field:
    """A field of strokes, float32 (84, 84): 1 along their middle, a Gaussian's flank to the sides.

    Thresholding it gives strokes of any width that follow the same lines.

    Args:
        ink: uint8 (28, 28), white on black.
    """
    side = FINE * ink.shape[0]
    large = Image.fromarray(ink).resize((side, side), Image.Resampling.BICUBIC)
    sharp = ((np.asarray(large, np.float32) - 70) * np.float32(255 / 70)).clip(0, 255).astype(np.uint8)
    return ridges(Image.fromarray(sharp))


def ridges(ink: Image.Image) -> Field:
    """`stroke_field` of an image ("L") that is already FINE times MNIST's size: float32 (84, 84), 0 to 1.

    Two fields, of which each place takes the higher: the blurred ink divided by its highest value nearby,
    which keeps a stroke's own shape, and a Gaussian of the distance to its middle line, which does not break
    where the stroke is thin.
    """
    soft = np.asarray(ink.filter(ImageFilter.GaussianBlur(FINE * 0.8)), np.float32)
    # The floor keeps what is hardly ink from being lifted to a stroke.
    own_shape = soft / np.maximum(weighted_dilation(soft, np.ones(2 * FINE + 1, np.float32)), 60)
    reach = np.arange(4 * FINE + 1, dtype=np.float32) / FINE
    # In float64, here and wherever pictures need exp or sin: NumPy's float32 ones depend on the CPU.
    flank = np.exp(-(reach**2) / (2 * SPREAD**2), dtype=np.float64).astype(np.float32)
    # At the rim of a stroke's end there are crests, too, where its own shape is low.
    lines = middle_lines(soft) * (own_shape > 0.7)
    return np.maximum(own_shape, _evened(weighted_dilation(lines, flank)))


def _evened(field: Field) -> Field:
    """The field without the steps that a slanting line of points leaves in it; 1 stays 1."""
    for _ in range(2):
        wide = np.pad(field, ((1, 1), (0, 0)))
        field = ((wide[:-2] + wide[2:]) * np.float32(0.25) + field * np.float32(0.5)).T
    even: Field = np.minimum(field * np.float32(1.05), 1)
    return even


def middle_lines(soft: Field) -> Field:
    """1 on the crests of blurred strokes, float32 (H, W), 0 elsewhere: float32 (H, W).

    A crest is highest along that one of four directions in which the ground falls off most steeply.
    """
    wide = np.pad(soft, FINE)
    height, width = soft.shape

    def moved(down: int, right: int) -> Field:
        return wide[FINE + down : FINE + down + height, FINE + right : FINE + right + width]

    steepest = 0.2 * soft
    crest = np.zeros(soft.shape, np.bool_)
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        far = FINE if 0 in (down, right) else FINE - 1  # about as far along a diagonal
        drop = 2 * soft - moved(far * down, far * right) - moved(-far * down, -far * right)
        peak = (soft >= moved(down, right)) & (soft >= moved(-down, -right))
        crest = np.where(drop > steepest, peak, crest)
        steepest = np.maximum(steepest, drop)
    return crest.astype(np.float32)


def weighted_dilation(values: Field, weights: Field) -> Field:
    """The highest of the values nearby, each times the weights of its distance in rows and in columns.

    Args:
        values: float32 (H, W), 0 or more.
        weights: float32 (R + 1,), 0 to 1, for distances 0 to R.

    Returns:
        float32 (H, W).
    """
    for _ in range(2):
        dilated = values * weights[0]
        for distance in range(1, len(weights)):
            weighted = values * weights[distance]
            np.maximum(dilated[distance:], weighted[:-distance], out=dilated[distance:])
            np.maximum(dilated[:-distance], weighted[distance:], out=dilated[:-distance])
        values = dilated.T
    return values


def soft_step(field: Field, level: float, softness: float) -> Field:
    """1 where a field is above a level, 0 below, a ramp `softness` wide between; both float32 (H, W)."""
    steps: Field = ((field - np.float32(level)) / np.float32(max(softness, 1e-3)) + np.float32(0.5)).clip(
        0, 1
    )
    return steps
