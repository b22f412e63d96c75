"""Draws the mistakes of an evaluation as a contact sheet."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pairedge.drawing.canvas import MARGIN, QUIET, blank, fitting, show, write

_CELL_SIDE = 126  # of an image in a contact sheet
_COLUMNS = 4  # of a contact sheet
_CELLS = 200  # of a contact sheet: nobody looks at more


class Cell(NamedTuple):
    """One picture of a contact sheet.

    Attributes:
        picture: gray levels (H, W) or (H, W, 1), or colors (H, W, 3), uint8 or float32, 0 to 255.
        tile: uint8 (14, 14), 0 to 255; None when the picture was refused.
        summary: the outcome in a few words.
        name: of the picture.
    """

    picture: NDArray[Any]
    tile: NDArray[np.uint8] | None
    summary: str
    name: str


def draw_sheet(cells: Iterable[Cell], total: int) -> Image.Image:
    """Draw a contact sheet: each picture next to its tile, with its outcome and its name.

    Args:
        cells: the pictures; the first 200 are drawn.
        total: the number of pictures.
    """
    drawn = list(islice(cells, _CELLS))
    step_x, step_y = 2 * _CELL_SIDE + 4 + 36, _CELL_SIDE + 78
    rows, columns = max(1, -(-len(drawn) // _COLUMNS)), max(1, min(len(drawn), _COLUMNS))
    sheet, pen = blank(2 * MARGIN + columns * step_x - 36, 2 * MARGIN + rows * step_y - 32)
    if not drawn:
        write(pen, (sheet.width // 2, sheet.height // 2), "no mistakes", 24, QUIET, anchor="mm")
    if total > len(drawn):
        there = sheet.width // 2, sheet.height - MARGIN // 2
        write(pen, there, f"the first {len(drawn)} of {total:,}", 15, QUIET, anchor="mm")
    for place, cell in enumerate(drawn):
        x = MARGIN + place % _COLUMNS * step_x
        y = MARGIN + place // _COLUMNS * step_y
        show(sheet, cell.picture, (x, y), _CELL_SIDE)
        beside = (x + _CELL_SIDE + 4, y)
        if cell.tile is not None:
            show(sheet, cell.tile, beside, _CELL_SIDE)
        else:
            middle = beside[0] + _CELL_SIDE // 2, y + _CELL_SIDE // 2
            write(pen, middle, "no tile", 16, QUIET, anchor="mm")
        wide = 2 * _CELL_SIDE + 4
        write(pen, (x, y + _CELL_SIDE + 8), fitting(cell.summary, 15, wide), 15)
        write(pen, (x, y + _CELL_SIDE + 30), fitting(cell.name, 13, wide, keep_end=True), 13, QUIET)
    return sheet
