"""The README's picture: what happens to a pair on its way, drawn from a real run of the shipped model.

    python -m pairedge_train.picture docs/pair.png

Run it in the project's folder: it reads examples/.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

import pairedge
from pairedge.image import find_ink, open_picture, to_grey, to_tile

_BLUE, _GREY = "#1f5f8b", "#9aa5ad"


def draw_way(first: Path, second: Path) -> Figure:
    """One row for each picture, left to right: picture, ink, tile, digit posterior; the verdict below."""
    prediction = pairedge.load().predict(first, second)
    assert prediction.digit_probabilities is not None  # the shipped model reads digits
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    grid = figure.add_gridspec(3, 4, height_ratios=[1, 1, 0.28])
    titles = ("the picture", "its ink", "the tile: 14 x 14, uint8", "one branch: which digit?")
    for row, path in enumerate((first, second)):
        axes = [figure.add_subplot(grid[row, column]) for column in range(4)]
        ink = find_ink(to_grey(open_picture(path)))
        stages: list[NDArray[Any]] = [np.asarray(Image.open(path)), ink, to_tile(path)]
        for axis, stage in zip(axes, stages, strict=False):
            show(axis, stage)
        bars(axes[3], prediction.digit_probabilities[row])
        if row == 0:
            for axis, title in zip(axes, titles, strict=True):
                axis.set_title(title, fontsize=9)
    verdict = figure.add_subplot(grid[2, :])
    verdict.axis("off")
    digits, sign = prediction.digits, "≤" if prediction.leq else ">"
    assert digits is not None
    sentence = f"{digits[0]} {sign} {digits[1]}     P(first ≤ second) = {prediction.probability:.4f}"
    verdict.text(0.5, 0.5, sentence, ha="center", va="center", fontsize=16, color=_BLUE)
    return figure


def show(axis: Axes, image: NDArray[Any]) -> None:
    """An image without ticks, its own proportions kept."""
    axis.imshow(image, cmap="gray", interpolation="nearest")
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set_color(_GREY)


def bars(axis: Axes, posterior: NDArray[np.float32]) -> None:
    """A bar for each digit's probability."""
    colours = [_BLUE if value == posterior.max() else _GREY for value in posterior]
    axis.bar(range(10), posterior, color=colours)
    axis.set_ylim(0, 1.05)
    axis.set_yticks([0, 1])
    axis.set_xticks(range(10))
    axis.tick_params(labelsize=8)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


if __name__ == "__main__":
    mpl.use("Agg")
    draw_way(Path("examples/three.png"), Path("examples/seven.png")).savefig(sys.argv[1], dpi=130)
