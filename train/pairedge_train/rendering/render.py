"""Rendering: a digit's strokes written, lit and photographed under a condition."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from pairedge.image.linear import inverse, multiply
from pairedge_train.rendering.canvas import Canvas, pick, varied, within
from pairedge_train.rendering.conditions import CONDITIONS, VISIBLE, Condition, Rendered
from pairedge_train.rendering.stroke_field import SPREAD, Field, level_of, soft_step, stroke_field


def render(digit: NDArray[np.uint8], condition: str, generator: Generator) -> Rendered:
    """A picture of a digit under a condition.

    Args:
        digit: uint8 (28, 28), white ink on black, as MNIST has it.
        condition: a name in CONDITIONS.
        generator: decides everything that varies.

    Returns:
        A PIL image, or the bytes of a JPEG file.

    Raises:
        KeyError: when there is no such condition.
    """
    return photograph(stroke_field(digit), CONDITIONS[condition], generator)


def photograph(strokes: Field, condition: Condition, generator: Generator) -> Rendered:
    """A picture of any strokes under a condition.

    Args:
        strokes: float32 (S, S), 1 along the middle of strokes and falling off to the sides, as
            `stroke_field` makes them.
        condition: the scene.
        generator: decides everything that varies.

    Returns:
        A PIL image, or the bytes of a JPEG file.
    """
    canvas = _write(strokes, condition, generator)
    for effect in condition.effects:
        effect(canvas, generator)
    return condition.finish(canvas, condition, generator)


def _write(strokes: Field, condition: Condition, generator: Generator) -> Canvas:
    """Ink on paper in even light: the strokes, float32 (S, S), as the camera sees them."""
    width, height = (round(within(generator, condition.side)) for _ in range(2))
    tall = within(generator, condition.height) * min(width, height)
    forward, tilt = _camera(strokes, (width, height), tall, condition, generator)
    backward = inverse(forward)
    backward /= backward[2, 2]
    seen = Image.fromarray(strokes).transform(
        (width, height),
        Image.Transform.PERSPECTIVE,
        tuple(backward.ravel()[:8]),
        Image.Resampling.BILINEAR,
    )
    field = np.asarray(seen, np.float32)
    pen = within(generator, condition.pen)
    level = level_of(pen)
    scale = tall / 20  # pixels to one of MNIST's
    cover = soft_step(field, level, level * (pen / 2) / SPREAD**2 / scale)
    ground = varied(pick(generator, condition.papers), generator)
    ink = varied(pick(generator, condition.inks), generator)
    while np.abs(ink - ground).max() < VISIBLE:  # black ink on a black ground is no picture of a digit
        ink = varied(pick(generator, condition.inks), generator)
    ink = ground + (ink - ground) * np.float32(within(generator, condition.contrast))
    paper = np.empty((3, height, width), np.float32)
    paper[:] = ground
    light = np.ones((height, width), np.float32)
    return Canvas(paper, cover, ink, light, field, level, tall, tilt)


def _camera(
    strokes: Field, size: tuple[int, int], tall: float, condition: Condition, generator: Generator
) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """The homography from field to picture, float64 (3, 3), and its two perspective terms."""
    strong = strokes >= 0.5
    rows, columns = np.flatnonzero(strong.any(axis=1)), np.flatnonzero(strong.any(axis=0))
    if not rows.size:
        rows = columns = np.arange(len(strokes))
    center = ((columns[0] + columns[-1] + 1) / 2, (rows[0] + rows[-1] + 1) / 2)
    box = (float(columns[-1] + 1 - columns[0]), float(rows[-1] + 1 - rows[0]))
    turn = within(generator, (-condition.turn, condition.turn))
    lean = within(generator, (-condition.slant, condition.slant))
    stretch = within(generator, condition.stretch)
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    shape = multiply(turned, np.array([[stretch, -lean], [0.0, 1.0]]))
    corners = multiply(np.array(box), np.abs(shape).T)  # at most so wide and high
    shape *= tall / corners.max()
    span = corners * (tall / corners.max())
    middle = condition.place((span[0] / size[0], span[1] / size[1]), generator)
    target = (middle[0] * size[0], middle[1] * size[1])
    tilt = tuple(
        within(generator, (-condition.tilt, condition.tilt)) / length for length in (max(size), max(size))
    )
    to_place = np.eye(3)
    to_place[:2, :2] = shape
    to_place[:2, 2] = multiply(np.array(center), -shape.T)
    tilted = np.eye(3)
    tilted[2, :2] = tilt
    moved = np.eye(3)
    moved[:2, 2] = target
    return multiply(multiply(moved, tilted), to_place), (tilt[0], tilt[1])
