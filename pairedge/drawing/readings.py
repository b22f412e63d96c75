"""Draws how a picture is preprocessed, step by step, and the answer for a pair."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pairedge.drawing.canvas import (
    ALARM,
    BLUE,
    GAP,
    INK,
    LINE,
    MARGIN,
    PALE,
    QUIET,
    SIDE,
    Place,
    arrow,
    blank,
    fitting,
    show,
    write,
)
from pairedge.errors import Drawable
from pairedge.results import Comparison

# The captions of the steps.
_TITLES = {
    "picture": "the picture",
    "ink": "its ink",
    "strokes": "the digit's strokes",
    "field": "scaled and centered",
    "tile": "the tile",
}


def draw_steps(reading: Drawable, name: str) -> Image.Image:
    """Draw the steps of reading one picture, side by side under its name."""
    steps = reading.drawings()
    width = 2 * MARGIN + len(steps) * (SIDE + GAP) - GAP
    sheet, pen = blank(max(width, 560), 400)
    write(pen, (MARGIN, 30), fitting(name, 22, sheet.width - 2 * MARGIN), 22)
    for place, (step, image) in enumerate(steps.items()):
        x = MARGIN + place * (SIDE + GAP)
        if place:
            arrow(pen, (x - GAP // 2, 78 + SIDE // 2))
        show(sheet, image, (x, 78))
        write(pen, (x + SIDE // 2, 342), _TITLES.get(step, step), 20, anchor="ma")
        size = f"{image.shape[1]} x {image.shape[0]}"
        write(pen, (x + SIDE // 2, 368), size, 15, QUIET, anchor="ma")
    return sheet


def draw_pair(readings: Sequence[Drawable], names: Sequence[str], prediction: Comparison) -> Image.Image:
    """Draw a pair and its answer: each picture, its strokes, its tile and its digit, and the decision below.

    Args:
        readings: of both pictures.
        names: of the pictures.
        prediction: the model's answer for the two tiles.
    """
    drawings = [reading.drawings() for reading in readings]
    columns = [step for step in ("picture", "strokes", "tile") if all(step in steps for steps in drawings)]
    bars_at = MARGIN + len(columns) * (SIDE + GAP)
    bars_wide = 380 if prediction.digit_probabilities is not None else -GAP
    sheet, pen = blank(bars_at + bars_wide + MARGIN, 796)
    for row, steps in enumerate(drawings):
        y = 70 + row * (SIDE + 56)
        for place, step in enumerate(columns):
            x = MARGIN + place * (SIDE + GAP)
            show(sheet, steps[step], (x, y))
            if place:
                arrow(pen, (x - GAP // 2, y + SIDE // 2))
            if row == 0:
                write(pen, (x + SIDE // 2, 36), _TITLES[step], 20, anchor="ma")
        below = MARGIN + SIDE // 2, y + SIDE + 10
        caption = f"{('first', 'second')[row]}: {fitting(names[row], 16, SIDE - 60, keep_end=True)}"
        write(pen, below, caption, 16, QUIET, anchor="ma")
        if prediction.digit_probabilities is not None:
            arrow(pen, (bars_at - GAP // 2, y + SIDE // 2))
            _bars(pen, prediction.digit_probabilities[row], (bars_at + 10, y), (bars_wide - 10, SIDE))
    if prediction.digit_probabilities is not None:
        write(pen, (bars_at + 10 + (bars_wide - 10) // 2, 36), "which digit?", 20, anchor="ma")
    _verdict(sheet, pen, prediction, 690)
    return sheet


def _bars(pen: ImageDraw.ImageDraw, posterior: NDArray[np.float32], place: Place, size: Place) -> None:
    """Draw a bar for each digit's probability, float32 (10,), 0 to 1; the tallest gets a label."""
    (left, top), (width, height) = place, size
    floor, tall = top + height - 30, height - 60
    best = int(posterior.argmax())
    for share in (0.5, 1.0):
        y = floor - round(share * tall)
        pen.line((left, y, left + width, y), LINE)
    for digit, probability in enumerate(posterior.tolist()):
        color = BLUE if digit == best else PALE
        start, end = (left + round((digit + share) * width / len(posterior)) for share in (0.15, 0.85))
        up = floor - round(probability * tall)
        if up < floor:
            pen.rectangle((start, up, end, floor), color)
        middle = (start + end) // 2
        write(pen, (middle, floor + 8), str(digit), 19, INK if digit == best else QUIET, anchor="ma")
        if digit == best:
            write(pen, (middle, up - 6), f"{probability:.3f}", 17, BLUE, anchor="ms")
    pen.line((left, floor, left + width, floor), INK, 2)


def _verdict(sheet: Image.Image, pen: ImageDraw.ImageDraw, prediction: Comparison, top: int) -> None:
    """Draw the decision in large letters, and its probability and confidence."""
    color = BLUE if prediction.status == "ok" else ALARM
    first, second = prediction.names or ("first", "second")
    first, second = (fitting(name, 54, 360) for name in (first, second))
    decision = f"{first} {'<=' if prediction.leq else '>'} {second}"
    pen.line((MARGIN, top, sheet.width - MARGIN, top), LINE)
    middle, end = (top + sheet.height) // 2, sheet.width - MARGIN
    write(pen, (MARGIN, middle), decision, 54, color, anchor="lm")
    chance = f"P(first <= second) = {prediction.probability:.4f}"
    write(pen, (end, middle - 18), chance, 26, anchor="rm")
    sure = f"confidence {prediction.confidence:.4f}"
    if prediction.status == "ok":
        write(pen, (end, middle + 18), sure, 19, QUIET, anchor="rm")
    else:
        write(pen, (end, middle + 18), f"{prediction.status}: {sure}", 19, ALARM, anchor="rm")
