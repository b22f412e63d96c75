"""Writes small data sets of one's own, in every format that is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pairedge_train.rendering.pen_digits import Look, draw_digit

Fields = NDArray[np.uint8]


def write_pictures(
    folder: Path, count: int, *, classes: Sequence[str] = "0123456789", start: int = 0
) -> None:
    """So many pictures of each class, all different: FOLDER/7/0.png."""
    for label, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(start, start + count):
            look = Look(size=(40, 40), slant=0.02 * number - 0.2)
            draw_digit(label, look).save(folder / name / f"{number}.png")


def some_fields(count: int, side: int = 28, seed: int = 0) -> tuple[Fields, NDArray[np.int64]]:
    """Different pictures, uint8 (10 * count, side, side), 0 to 255, with a dark border, and their labels."""
    fields = np.zeros((10 * count, side, side), np.uint8)
    fields[:, 4:-4, 4:-4] = np.random.default_rng(seed).integers(1, 256, (10 * count, side - 8, side - 8))
    return fields, np.arange(10 * count) % 10


def write_idx(path: Path, array: NDArray[np.uint8]) -> None:
    """An IDX file of unsigned bytes."""
    sizes = b"".join(size.to_bytes(4) for size in array.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())


def write_csv(path: Path, fields: Fields, labels: Sequence[object], header: str = "") -> None:
    """A CSV file, the label first."""
    rows = [
        ",".join(map(str, [label, *field.ravel().tolist()]))
        for field, label in zip(fields, labels, strict=True)
    ]
    path.write_text("\n".join([header, *rows] if header else rows) + "\n")
