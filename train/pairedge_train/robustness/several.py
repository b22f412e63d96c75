"""Pictures of up to four digits in a row, large and small: which of them are answered `several`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from pairedge.errors import ImageError, SeveralDigitsError
from pairedge.image.morphology import bounding_slices
from pairedge.image.tile import to_tile
from pairedge_train.data.datasets import Digits, fields_of
from pairedge_train.randomness import SEED, seeded
from pairedge_train.rendering.canvas import within
from pairedge_train.rendering.conditions import CONDITIONS, Rendered
from pairedge_train.rendering.render import photograph
from pairedge_train.rendering.stroke_field import Field, stroke_field
from pairedge_train.robustness.rows import SeveralRow

SIZES = ((20, 32), (33, 64), (65, 220))  # pixels of the longer side, from and to
_SCENES = ("scan", "photo", "tablet", "white-on-black", "ruled", "marker")
_SMALL_SCENES = ("scan", "tablet", "white-on-black")
_MOST = 4  # digits


def count_several(test: Digits, count: int, seed: int = SEED) -> list[SeveralRow]:
    """What share of pictures is answered `several`, for each size and number of digits, one to four.

    Args:
        test: digits with their 28x28 fields.
        count: pictures of each.
        seed: of the pictures.
    """
    digits = fields_of(test)
    rows = []
    for smallest, largest in SIZES:
        for shown in range(1, _MOST + 1):
            generator = seeded(f"{shown} digits up to {largest}", seed)
            pictures = (row_picture(digits, shown, (smallest, largest), generator) for _ in range(count))
            several = sum(map(is_several, pictures))
            rows.append(
                SeveralRow(
                    digits=shown,
                    smallest=smallest,
                    largest=largest,
                    n=count,
                    several=several / count,
                    seed=seed,
                )
            )
    return rows


def row_picture(
    digits: NDArray[np.uint8], shown: int, size: tuple[int, int], generator: Generator
) -> Rendered:
    """A picture of some digits side by side.

    Args:
        digits: uint8 (N, 28, 28), to choose from.
        shown: how many.
        size: the least and the greatest length of its longer side, pixels.
        generator: decides everything that varies.
    """
    chosen = digits[generator.integers(0, len(digits), shown)]
    strokes = side_by_side([stroke_field(digit) for digit in chosen], generator)
    small = size[1] <= 64
    scenes = _SMALL_SCENES if small else _SCENES
    scene = replace(CONDITIONS[scenes[int(generator.integers(len(scenes)))]], height=(0.75, 0.95))
    if small:
        scene = replace(scene, side=(160, 160), quality=None)
        picture = photograph(strokes, scene, generator)
        assert isinstance(picture, Image.Image)  # a scene without a file's quality
        side = int(generator.integers(size[0], size[1] + 1))
        return picture.resize((side, side), Image.Resampling.BOX)
    return photograph(strokes, replace(scene, side=(max(size[0], 90), size[1])), generator)


def side_by_side(fields: list[Field], generator: Generator) -> Field:
    """Fields of strokes, float32 (84, 84), in a row, a tenth to half of a digit's height apart."""
    parts: list[Field] = []
    for field in fields:
        if parts:
            parts.append(np.zeros((len(field), round(within(generator, (6, 30)))), np.float32))
        _, columns = bounding_slices(field >= 0.5, 3)
        placed = np.roll(field, int(generator.integers(-6, 7)), axis=0)
        parts.append(placed[:, columns])
    return np.concatenate(parts, axis=1)


def is_several(picture: Rendered) -> bool:
    """Whether a picture is refused since it shows several digits."""
    try:
        to_tile(picture)
    except SeveralDigitsError:
        return True
    except ImageError:
        return False
    return False


def several_table(rows: list[SeveralRow]) -> str:
    """The share that is answered `several`: a line for each number of digits, a column for each size."""
    sizes = list(dict.fromkeys((row.smallest, row.largest) for row in rows))
    cells = {(row.digits, row.smallest): row for row in rows}
    lines = [
        f"| digits in the picture | {' | '.join(f'{low} to {high} pixels' for low, high in sizes)} | n |",
        f"|---|{'---|' * (len(sizes) + 1)}",
    ]
    for digits in dict.fromkeys(row.digits for row in rows):
        of_digits = [cells[digits, smallest] for smallest, _ in sizes]
        shares = " | ".join(f"{100 * row.several:.1f} %" for row in of_digits)
        lines.append(f"| {digits} | {shares} | {sum(row.n for row in of_digits):,} |")
    return "\n".join(lines) + "\n"
