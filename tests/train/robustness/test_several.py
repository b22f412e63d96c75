"""Pictures of several digits: what is drawn, and what counts."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from pairedge.image.morphology import connected_components
from pairedge.image.tile import pool
from pairedge_train.data.datasets import Digits
from pairedge_train.rendering.pen_digits import Look, draw_digit
from pairedge_train.rendering.stroke_field import stroke_field
from pairedge_train.robustness.rows import SeveralRow
from pairedge_train.robustness.several import (
    SIZES,
    count_several,
    is_several,
    row_picture,
    several_table,
    side_by_side,
)

INK_ON_BLACK = Look(size=(28, 28), ink=(255, 255, 255), paper=(0, 0, 0), height=0.72, stroke=0.12)


@pytest.fixture(scope="module")
def fields() -> NDArray[np.uint8]:
    return np.stack([np.asarray(draw_digit(digit, INK_ON_BLACK).convert("L")) for digit in range(10)])


@pytest.mark.parametrize("shown", [1, 2, 4])
def test_digits_stand_apart_in_a_row(fields: NDArray[np.uint8], shown: int) -> None:
    strokes = side_by_side([stroke_field(fields[3])] * shown, np.random.default_rng(0))
    parts = connected_components(strokes >= 0.5)
    assert len(parts.area) == shown
    left, right = np.sort(parts.box[:, 1]), np.sort(parts.box[:, 3])
    gaps = left[1:] - right[:-1]
    assert ((gaps >= 6) & (gaps <= 36)).all()  # of a height of 60, the margins of 3 on either side included


@pytest.mark.parametrize("size", SIZES)
def test_pictures_have_the_size_asked_for(fields: NDArray[np.uint8], size: tuple[int, int]) -> None:
    generator = np.random.default_rng(1)
    for _ in range(5):
        picture = row_picture(fields, 2, size, generator)
        image = Image.open(BytesIO(picture)) if isinstance(picture, bytes) else picture
        assert size[0] <= max(image.size) <= size[1]


def test_a_picture_that_cannot_be_read_for_another_reason_is_not_several() -> None:
    assert not is_several(Image.new("L", (40, 40), 255))
    assert not is_several(draw_digit(3, Look()))


def test_rows_are_shares_of_each_size_and_number(fields: NDArray[np.uint8]) -> None:
    tiles = pool(fields)
    digits = Digits(torch.from_numpy(tiles).float(), tiles, torch.arange(10), torch.from_numpy(fields))
    rows = count_several(digits, 4)
    assert [(row.digits, row.largest) for row in rows] == [
        (n, high) for _, high in SIZES for n in (1, 2, 3, 4)
    ]
    assert all(row.several == 0 for row in rows if row.digits == 1)
    assert all(row.several >= 0.75 for row in rows if row.digits > 1)


def test_the_table_has_a_line_for_each_number_of_digits() -> None:
    rows = [
        SeveralRow(digits=digits, smallest=low, largest=high, n=10, several=share, seed=0)
        for digits, low, high, share in (
            (1, 20, 32, 0.0),
            (2, 20, 32, 0.9),
            (1, 33, 64, 0.1),
            (2, 33, 64, 1.0),
        )
    ]
    assert several_table(rows).splitlines()[2:] == [
        "| 1 | 0.0 % | 10.0 % | 20 |",
        "| 2 | 90.0 % | 100.0 % | 20 |",
    ]
