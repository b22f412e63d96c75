"""The contact sheet holds a cell for each condition."""

from __future__ import annotations

import numpy as np

from pairedge_train.rendering.conditions import CONDITIONS
from pairedge_train.rendering.pen_digits import Look, draw_digit
from tools.contact_sheet import contact_sheet


def test_the_contact_sheet_shows_every_condition() -> None:
    look = Look(size=(28, 28), ink=(255, 255, 255), paper=(0, 0, 0))
    fields = np.stack([np.asarray(draw_digit(digit, look).convert("L")) for digit in range(10)])
    sheet = contact_sheet(fields, columns=7, cell=60)
    assert sheet.size == (420, (60 + 56 + 30) * -(-len(CONDITIONS) // 7))
