"""Reads IDX files, the format of MNIST's: pictures and, in a file beside them, their labels."""

from __future__ import annotations

import gzip
import math
import re
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pairedge.classes import DIGIT_CLASSES
from pairedge_train.data.own.labeled import SPLITS, Labeled, read_classes_file
from pairedge_train.errors import DataError
from pairedge_train.rendering.split import Split

# train-images-idx3-ubyte, train-images.idx3-ubyte.gz, images-idx3-ubyte, ...
_IMAGES = re.compile(r"(?:(?P<split>.*)[-_.])?images[-_.]idx3-ubyte(?:\.gz)?")
_UNSIGNED_BYTE = 8


def images_in(folder: Path) -> list[Path]:
    """The files of pictures in a folder, by their names, sorted."""
    return sorted(path for path in folder.iterdir() if _IMAGES.fullmatch(path.name))


def read_idx(path: Path) -> Labeled:
    """Read an IDX file of pictures and its labels, or all such files in a folder.

    Raises:
        DataError: when a file is damaged, lacks its labels, or holds other sizes or labels.
    """
    files = images_in(path) if path.is_dir() else [path]
    folder = path if path.is_dir() else path.parent
    pictures: list[NDArray[np.uint8]] = []
    labels: list[NDArray[np.uint8]] = []
    names: list[str] = []
    given: list[Split | None] = []
    for file in files:
        match = _IMAGES.fullmatch(file.name)
        if match is None:
            raise DataError(f"{file}: an IDX file of pictures is called train-images-idx3-ubyte, or so")
        beside = labels_beside(file)
        pictures.append(read_array(file, 3))
        labels.append(read_array(beside, 1))
        count = len(pictures[-1])
        if len(labels[-1]) != count:
            raise DataError(f"{beside}: has {len(labels[-1]):,} labels for {count:,} pictures in {file.name}")
        if labels[-1].size and labels[-1].max() >= len(DIGIT_CLASSES):
            raise DataError(f"{beside}: has the label {labels[-1].max()}, but labels are 0 to 9")
        if pictures[-1].shape[1:] != pictures[0].shape[1:]:
            raise DataError(f"{path}: {files[0].name} and {file.name} have pictures of different sizes")
        names += [f"{file.name}[{row}]" for row in range(count)]
        given += [SPLITS.get((match["split"] or "").lower())] * count
    return Labeled.of_arrays(
        path,
        np.concatenate(pictures),
        np.concatenate(labels).astype(np.int64),
        names,
        read_classes_file(folder) or DIGIT_CLASSES,
        given,
    )


def labels_beside(images: Path) -> Path:
    """The file of labels of a file of pictures.

    Raises:
        DataError: when there is none.
    """
    name = images.name.replace("images", "labels").replace("idx3", "idx1").removesuffix(".gz")
    for candidate in (images.with_name(name), images.with_name(f"{name}.gz")):
        if candidate.exists():
            return candidate
    raise DataError(f"{images}: its labels, {name}, are not beside it")


def read_array(path: Path, axes: int) -> NDArray[np.uint8]:
    """The content of an IDX file of unsigned bytes.

    Args:
        path: of the file; one that ends in .gz is unpacked.
        axes: 3 for pictures, 1 for labels.

    Returns:
        uint8 (N, H, W) or (N,), 0 to 255.

    Raises:
        DataError: when it cannot be read, holds something else, or more or less than it says.
    """
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    if content[:4] != bytes([0, 0, _UNSIGNED_BYTE, axes]):
        what = "pictures" if axes == 3 else "labels"
        raise DataError(f"{path}: is no IDX file of {what} (unsigned bytes with {axes} axes)")
    shape = [int.from_bytes(content[4 + 4 * axis : 8 + 4 * axis]) for axis in range(axes)]
    values = np.frombuffer(content[4 + 4 * axes :], np.uint8)
    if values.size != math.prod(shape):
        raise DataError(f"{path}: says that it holds {math.prod(shape):,} bytes, and holds {values.size:,}")
    return values.reshape(shape)
