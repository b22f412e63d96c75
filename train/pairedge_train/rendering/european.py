"""Digits as other hands write them: MNIST's writers were American, and a one or a seven in Europe differs.

A one gets a flag, at times a long one, and at times a foot; a seven gets a bar.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

_FINE = 8  # strokes are drawn so many times too large, for soft edges
_WIDE = 7  # pixels: a row of ink longer than this in a seven's stem is a bar that is there already


def in_another_hand(
    digit: NDArray[np.uint8], label: int, generator: Generator, *, share: float = 0.35
) -> NDArray[np.uint8]:
    """The digit, or with probability `share`, for a one or a seven, its European form: uint8 (28, 28).

    Args:
        digit: uint8 (28, 28), white on black.
        label: which digit it is.
        generator: decides whether and how.
        share: how often.
    """
    if label not in (1, 7) or generator.random() >= share:
        return digit
    return with_flag(digit, generator) if label == 1 else with_bar(digit, generator)


def with_flag(one: NDArray[np.uint8], generator: Generator) -> NDArray[np.uint8]:
    """A one with an upstroke to its top from the left, and at times a foot; both uint8 (28, 28)."""
    rows = np.flatnonzero((one >= 128).any(axis=1))
    if rows.size < 8 or _widest(one, rows) > _WIDE:  # a one that lies, or has its flag already
        return one
    top, bottom = int(rows[0]), int(rows[-1])
    tall = bottom - top
    if _middle(one, top + 1) - _middle(one, bottom - 1) > 0.4 * tall:  # its flag would lie on its stem
        return one
    start = (_middle(one, top + 1), top + 1.0)
    length, steep = generator.uniform(0.25, 0.6) * tall, generator.uniform(0.6, 1.2)
    end = (start[0] - length * np.cos(steep), start[1] + length * np.sin(steep))
    strokes = [(start, end)]
    if generator.random() < 0.3:
        half = generator.uniform(0.12, 0.3) * tall
        foot = _middle(one, bottom - 1)
        strokes.append(((foot - half, bottom - 0.5), (foot + half, bottom - 0.5)))
    return _with_strokes(one, strokes, generator)


def with_bar(seven: NDArray[np.uint8], generator: Generator) -> NDArray[np.uint8]:
    """A seven with a bar through the middle of its stem; both uint8 (28, 28)."""
    rows = np.flatnonzero((seven >= 128).any(axis=1))
    if rows.size < 8:
        return seven
    tall = int(rows[-1] - rows[0])
    row = int(rows[0] + generator.uniform(0.45, 0.62) * tall)
    if _widest(seven, np.arange(row - 2, row + 3)) > _WIDE:
        return seven
    middle, half = _middle(seven, row), generator.uniform(0.14, 0.28) * tall
    rise = generator.uniform(-0.3, 0.15) * half
    return _with_strokes(seven, [((middle - half, row - rise), (middle + half, row + rise))], generator)


def _with_strokes(
    digit: NDArray[np.uint8],
    strokes: list[tuple[tuple[float, float], tuple[float, float]]],
    generator: Generator,
) -> NDArray[np.uint8]:
    """The digit with straight strokes added, of about its own pen's width."""
    side = _FINE * len(digit)
    sheet = Image.new("L", (side, side))
    pen = ImageDraw.Draw(sheet)
    radius = _FINE * generator.uniform(0.9, 1.4)
    for start, end in strokes:
        ends = [((x + 0.5) * _FINE, (y + 0.5) * _FINE) for x, y in (start, end)]
        pen.line(ends, fill=255, width=round(2 * radius))
        for x, y in ends:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    added = np.asarray(sheet.resize((len(digit), len(digit)), Image.Resampling.BOX), np.uint8)
    joined: NDArray[np.uint8] = np.maximum(digit, added)
    return joined


def _middle(digit: NDArray[np.uint8], row: int) -> float:
    """The column around which a row's ink lies."""
    ink = digit[row].astype(np.float64)
    return float((ink * np.arange(len(ink))).sum() / ink.sum()) if ink.any() else len(ink) / 2


def _widest(digit: NDArray[np.uint8], rows: NDArray[np.int64]) -> int:
    """How far the ink of a row reaches from its first column to its last, at most."""
    spans = [np.flatnonzero(digit[row] >= 128) for row in rows]
    return max((int(span[-1] - span[0]) + 1 for span in spans if span.size), default=0)
