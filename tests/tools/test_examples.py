"""The example pictures are those that the drawing code draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pairedge_train.rendering.pen_digits import draw_digit
from tools.examples import EXAMPLES

EXAMPLE_FOLDER = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_drawn_by_the_project(name: str) -> None:
    digit, look = EXAMPLES[name]
    drawn, committed = np.asarray(draw_digit(digit, look)), np.asarray(Image.open(EXAMPLE_FOLDER / name))
    # Pillow may move an edge pixel by a few levels from one version to the next.
    assert drawn.shape == committed.shape
    assert np.abs(drawn.astype(int) - committed).mean() < 1
