"""Figures without a name: reproducible, in their square, and of more lines than a digit has."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import default_rng

from pairedge_train.rendering.line_figures import lattice, polygon, random_figure, rays, zigzag


@pytest.mark.parametrize("maker", [lattice, polygon, rays, zigzag])
@pytest.mark.parametrize("seed", range(5))
def test_a_figure_stays_near_its_square_and_has_lines_enough(maker: type, seed: int) -> None:
    strokes = maker(default_rng(seed))
    points = np.array(strokes)
    assert points.shape[1:] == (2, 2)
    assert points.min() > -0.3
    assert points.max() < 1.3
    assert len(strokes) >= 4
    assert strokes == maker(default_rng(seed))


def test_no_two_figures_are_alike() -> None:
    generator = default_rng(0)
    assert len({random_figure(generator) for _ in range(200)}) == 200
