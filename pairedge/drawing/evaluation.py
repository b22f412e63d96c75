"""Draws an evaluation: the confusion matrix, and how confident right and wrong answers are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw

from pairedge.drawing.canvas import ALARM, BLUE, INK, LINE, MARGIN, PAPER, QUIET, blank, write

_CELL = 44  # pixels, of a square of the matrix
_TALL, _WIDE = 10 * _CELL, 520  # of the histogram


def draw_evaluation(confusion: NDArray[np.int64], confidences: NDArray[np.int64], title: str) -> Image.Image:
    """Draw the confusion matrix beside the histogram of confidence.

    Args:
        confusion: int64 (10, 10), 0 or more: [a, b] counts pictures of digit a read as b.
        confidences: int64 (2, N), 0 or more: wrong and right answers by confidence, N equal bins from 0 to 1.
        title: one line above both.
    """
    left, top = MARGIN + 60, 130
    sheet, pen = blank(left + _TALL + 130 + _WIDE + MARGIN, top + _TALL + 90)
    write(pen, (MARGIN, 34), title, 26)
    _matrix(pen, confusion, (left, top))
    _histogram(pen, confidences, (left + _TALL + 130, top))
    return sheet


def _matrix(pen: ImageDraw.ImageDraw, confusion: NDArray[np.int64], corner: tuple[int, int]) -> None:
    """Each row is a digit, shaded by its share of the row: right answers blue, mistakes orange."""
    left, top = corner
    write(pen, (left + _TALL // 2, top - 44), "read as", 18, QUIET, anchor="ms")
    write(pen, (left - 36, top - 16), "digit", 18, QUIET, anchor="ms")
    for digit, row in enumerate(confusion):
        middle = digit * _CELL + _CELL // 2
        write(pen, (left - 36, top + middle), str(digit), 20, anchor="mm")
        write(pen, (left + middle, top - 16), str(digit), 20, anchor="ms")
        for answer, count in enumerate(row.tolist()):
            x, y = left + answer * _CELL, top + digit * _CELL
            share = count / max(int(row.sum()), 1)
            # A single mistake among thousands is to be seen, too.
            shade = 0.25 + 0.75 * share if count else 0.0
            color = _mixed(BLUE if answer == digit else ALARM, shade)
            pen.rectangle((x, y, x + _CELL, y + _CELL), color, LINE)
            if count:
                ink = PAPER if shade > 0.5 else INK
                size = 17 if count < 10_000 else 13
                write(pen, (x + _CELL // 2, y + _CELL // 2), str(count), size, ink, anchor="mm")


def _histogram(pen: ImageDraw.ImageDraw, confidences: NDArray[np.int64], corner: tuple[int, int]) -> None:
    """Bars of right answers, and of wrong ones below the axis, each side scaled to its own tallest bar."""
    left, top = corner
    axis = top + _TALL * 2 // 3
    bins = confidences.shape[1]
    sides: tuple[tuple[str, NDArray[Any], str, int], ...] = (
        ("right", confidences[1], BLUE, axis - top),
        ("wrong", confidences[0], ALARM, axis - (top + _TALL)),
    )
    for name, counts, color, tall in sides:
        most = int(counts.max())
        for place, count in enumerate(counts.tolist()):
            if count:
                x0, x1 = (left + round((place + edge) * _WIDE / bins) for edge in (0.08, 0.92))
                height = round(tall * (0.02 + 0.98 * count / most))
                pen.rectangle((x0, min(axis, axis - height), x1, max(axis, axis - height)), color)
        y = top if tall > 0 else top + _TALL
        label = f"{int(counts.sum()):,} {name}, at most {most:,} a bar"
        write(pen, (left, y), label, 16, color, anchor="ls" if tall > 0 else "la")
    pen.line((left, axis, left + _WIDE, axis), INK, 2)
    for tenth in range(0, 11, 2):
        write(pen, (left + tenth * _WIDE // 10, top + _TALL + 34), f"{tenth / 10:g}", 15, QUIET, anchor="ma")
    write(pen, (left + _WIDE // 2, top + _TALL + 56), "confidence", 18, QUIET, anchor="ma")


def _mixed(color: str, share: float) -> tuple[int, int, int]:
    """A color laid on paper with an opacity, 0 to 1."""
    ink, paper = (np.array(ImageColor.getrgb(name)[:3], float) for name in (color, PAPER))
    red, green, blue = np.rint(paper + (ink - paper) * share).astype(int).tolist()
    return red, green, blue
