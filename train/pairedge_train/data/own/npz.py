"""Reads NPZ files: `images` and `labels`, or those of a split, as `x_train`, `y_train` or `train_images`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairedge.classes import DIGIT_CLASSES
from pairedge_train.data.own.labeled import (
    SPLITS,
    Labeled,
    check_classes,
    label_from,
    read_classes_file,
)
from pairedge_train.errors import DataError
from pairedge_train.rendering.split import Split

_PICTURES = ("images", "x")
_LABELS = {"images": "labels", "x": "y"}
_CLASSES = "classes"


def read_npz(path: Path, group_by: str) -> Labeled:
    """Read an NPZ file.

    Args:
        path: of the file.
        group_by: the name of an array with the writer of each picture, prefixed or suffixed by the split as
            the pictures are; empty for none.

    Raises:
        DataError: when it is damaged, lacks an array, or its arrays do not fit each other.
    """
    arrays = _arrays(path)
    classes = read_classes_file(path.parent) or DIGIT_CLASSES
    if _CLASSES in arrays:
        classes = check_classes([str(name) for name in arrays[_CLASSES].ravel()], path)
    pictures: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    names: list[str] = []
    given: list[Split | None] = []
    groups: list[str] = []
    for name in arrays:
        parts = _parts(name)
        if parts is None:
            continue
        kind, split, pattern = parts
        count = len(pictures_of(arrays[name], path, name))
        pictures.append(pictures_of(arrays[name], path, name))
        labels += _labels(_column(arrays, path, pattern.format(_LABELS[kind]), count), path, classes)
        if group_by:
            groups += map(str, _column(arrays, path, pattern.format(group_by), count).tolist())
        names += [f"{name}[{row}]" for row in range(count)]
        given += [split] * count
    if not pictures:
        raise DataError(
            f"{path}: has no array of pictures called images, x, x_train or train_images; it has "
            f"{', '.join(arrays) or 'none'}"
        )
    if len({part.shape[1:] for part in pictures}) > 1:
        raise DataError(f"{path}: its arrays have pictures of different sizes")
    return Labeled.of_arrays(
        path,
        np.concatenate(pictures),
        np.array(labels, np.int64),
        names,
        classes,
        given,
        groups if group_by else None,
    )


def pictures_of(array: NDArray[Any], path: Path, name: str) -> NDArray[np.uint8]:
    """An array as pictures, uint8 (N, H, W), 0 to 255; a last axis of one channel is dropped.

    Args:
        array: integers (N, H, W) or (N, H, W, 1), 0 to 255, or floats, 0 to 1.
        path: of its file, for messages.
        name: of the array, for messages.

    Raises:
        DataError: when it is anything else.
    """
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    if array.ndim != 3:
        raise DataError(f"{path}: {name} has the shape {array.shape}, but pictures have (N, 28, 28)")
    if array.dtype == np.uint8 or not array.size:
        whole: NDArray[np.uint8] = array.astype(np.uint8)
        return whole
    is_float = np.issubdtype(array.dtype, np.floating)
    top = 1 if is_float else 255
    if not (is_float or np.issubdtype(array.dtype, np.integer)) or not bool(
        np.isfinite(array).all() and array.min() >= 0 and array.max() <= top
    ):
        raise DataError(f"{path}: {name} must hold integers 0 to 255, or floats 0 to 1")
    levels: NDArray[np.uint8] = np.rint(array * (255 // top)).astype(np.uint8)
    return levels


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            members = {name: file[name] for name in file.files}
    except Exception as error:  # whatever NumPy and zipfile raise on a damaged file, the reason is the file
        raise DataError(
            f"{path}: is no NPZ file of plain arrays; pictures of mixed sizes belong in a folder"
        ) from error
    return {
        name: array for name, array in members.items() if isinstance(array, np.ndarray)
    }  # others are bytes


def _parts(name: str) -> tuple[str, Split | None, str] | None:
    """Of an array of pictures: its kind, its split, and a format for the names of those that belong to it."""
    for kind in _PICTURES:
        if name == kind:
            return kind, None, "{}"
        for split in SPLITS:
            for pattern in (f"{{}}_{split}", f"{split}_{{}}"):
                if re.fullmatch(pattern.format(kind), name, re.IGNORECASE):
                    return kind, SPLITS[split], pattern
    return None


def _column(arrays: dict[str, NDArray[Any]], path: Path, name: str, count: int) -> NDArray[Any]:
    """The array with one value a picture.

    Raises:
        DataError: when it is missing, or has another length.
    """
    if name not in arrays:
        raise DataError(f"{path}: has no array {name}; it has {', '.join(arrays)}")
    column = arrays[name]
    if column.size != count or column.shape[:1] != (count,):
        raise DataError(f"{path}: {name} has the shape {column.shape} for {count:,} pictures")
    return column.reshape(count)


def _labels(column: NDArray[Any], path: Path, classes: tuple[str, ...]) -> list[int]:
    labels = {text: label_from(text, classes) for text in set(map(str, column.tolist()))}
    for text, label in labels.items():
        if label is None:
            raise DataError(f"{path}: the label {text!r} is none of {', '.join(classes)}, nor 0 to 9")
    return [label for text in map(str, column.tolist()) if (label := labels[text]) is not None]
