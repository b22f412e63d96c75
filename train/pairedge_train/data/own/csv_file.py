"""Reads CSV files: a row a picture, its label and 784 or 196 gray levels, row by row from the top left.

Without a header the label comes first. A header names the column `label`, and where there are any `split`
and that of the writers; all others are gray levels.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pairedge.classes import DIGIT_CLASSES
from pairedge.image.tile import MNIST_SIDE, TILE_SIDE
from pairedge_train.data.own.labeled import SPLITS, Labeled, label_from, read_classes_file
from pairedge_train.errors import DataError
from pairedge_train.rendering.split import Split

_LABEL, _SPLIT = "label", "split"
_SIZES = {side * side for side in (MNIST_SIDE, TILE_SIDE)}


def read_csv(path: Path, group_by: str) -> Labeled:
    """Read a CSV file.

    Args:
        path: of the file.
        group_by: the name of the column with the writer of each picture; empty for none.

    Raises:
        DataError: when it is no such file; the message names the line.
    """
    classes = read_classes_file(path.parent) or DIGIT_CLASSES
    rows = _rows(path)
    first = next(rows, None)
    if first is None:
        raise DataError(f"{path}: is empty")
    _, header = first
    columns = [name.strip().lower() for name in header]
    if _LABEL not in columns:
        if group_by:
            raise DataError(f"{path}: has no header with the columns label and {group_by}")
        columns = [_LABEL, *([""] * (len(header) - 1))]
        rows = _rows(path)
    if group_by and group_by.lower() not in columns:
        raise DataError(f"{path}: has no column {group_by}")
    known = {
        name: columns.index(name) for name in (_LABEL, _SPLIT, group_by.lower()) if name in columns if name
    }
    levels = [place for place in range(len(columns)) if place not in known.values()]
    if len(levels) not in _SIZES:
        raise DataError(f"{path}: its rows have {len(levels)} gray levels, but pictures have 784 or 196")
    pictures: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    names: list[str] = []
    given: list[Split | None] = []
    groups: list[str] = []
    for line, cells in rows:
        where = f"{path}: line {line}"
        if len(cells) != len(columns):
            raise DataError(f"{where} has {len(cells)} values, but {len(columns)} are expected")
        label = label_from(cells[known[_LABEL]].strip(), classes)
        if label is None:
            raise DataError(
                f"{where}: the label {cells[known[_LABEL]]!r} is none of {', '.join(classes)}, nor 0 to 9"
            )
        labels.append(label)
        pictures.append(_levels([cells[place] for place in levels], where))
        names.append(f"line {line}")
        given.append(_split(cells[known[_SPLIT]], where) if _SPLIT in known else None)
        if group_by:
            groups.append(cells[known[group_by.lower()]])
    side = math.isqrt(len(levels))
    return Labeled.of_arrays(
        path,
        np.array(pictures, np.uint8).reshape(-1, side, side),
        np.array(labels, np.int64),
        names,
        classes,
        given,
        groups if group_by else None,
    )


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with its line."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            for cells in reader:
                if cells:
                    yield reader.line_num, cells
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as CSV: {error}") from error


def _levels(cells: list[str], where: str) -> NDArray[np.uint8]:
    try:
        levels = np.array(cells, np.float64)
    except ValueError as error:
        raise DataError(f"{where} has a gray level that is no number") from error
    if not bool(((levels >= 0) & (levels <= 255) & (levels == np.rint(levels))).all()):  # NaN is in no range
        raise DataError(f"{where} has a gray level that is no integer from 0 to 255")
    return levels.astype(np.uint8)


def _split(cell: str, where: str) -> Split | None:
    name = cell.strip().lower()
    if name and name not in SPLITS:
        raise DataError(f"{where}: the split {cell!r} is none of training, validation and test")
    return SPLITS.get(name)
