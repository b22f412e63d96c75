"""Reads a folder of pictures by class: `7/abc.png`, or `7_abc.png`, by the runtime's own reader.

Above the folder of a class there may be one of a split (`train/7/abc.png`) and one of a writer
(`anna/7/abc.png`, `anna/7_abc.png`). Classes that are not the digits are named in `classes.txt`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePath
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pairedge.classes import DIGIT_CLASSES
from pairedge.cli.stream.inputs import Inputs
from pairedge.errors import ImageError
from pairedge.image.tile import MNIST_SIDE, TILE_SIDE, read_picture
from pairedge.scoring import LabelError, digit_of
from pairedge_train.data.own.labeled import CLASSES_FILE, SPLITS, Labeled, Refused, read_classes_file
from pairedge_train.errors import DataError
from pairedge_train.rendering.split import Split

BY_FOLDER = "folder"  # the setting data.group_by of pictures by writers' folders
_NO_CLASS = "lies in no folder of a class"
_FEW = 100  # pictures: starting other processes takes as long as reading them

OnPicture: TypeAlias = Callable[[int], None]
# A picture's field and tile, or the reason why it has none.
Read: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.uint8]] | str


def read_pictures(folder: Path, group_by: str, on_picture: OnPicture) -> Labeled:
    """Read all pictures in a folder and its subfolders.

    Args:
        folder: whose pictures are read.
        group_by: how writers are told apart, as `Data.group_by` says.
        on_picture: called after each picture with the number of all.

    Raises:
        DataError: when there is no picture, a folder stands for no class, or a writer is not told.
    """
    classes = read_classes_file(folder) or DIGIT_CLASSES
    inputs = Inputs(("picture",), (str(folder),), recursive=True)
    items = [item for item in inputs.items() if item.error is None]
    if not items:
        raise DataError(f"{folder}: contains no pictures")
    names = [PurePath(item.names[0]).relative_to(folder) for item in items]
    labels, unlabeled = labels_of(folder, names, classes, by_writer=bool(group_by))
    labeled = [name for name in names if name in labels]
    groups = {name: group_of(folder, name, group_by, classes) for name in labeled} if group_by else None
    refused = [*unlabeled, *not_pictures(folder, inputs.left_out)]
    kept, fields, tiles = [], [], []
    for name, read in zip(labeled, read_all([folder / name for name in labeled]), strict=True):
        on_picture(len(labeled))
        if isinstance(read, str):
            refused.append(Refused(name.as_posix(), read))
        else:
            kept.append(name)
            fields.append(read[0])
            tiles.append(read[1])
    return Labeled(
        folder,
        np.array(fields, np.uint8).reshape(-1, MNIST_SIDE, MNIST_SIDE),
        np.array(tiles, np.uint8).reshape(-1, TILE_SIDE, TILE_SIDE),
        np.array([labels[name] for name in kept], np.int64),
        [name.as_posix() for name in kept],
        classes,
        [given_split(name) for name in kept],
        None if groups is None else [groups[name] for name in kept],
        tuple(refused),
        are_files=True,
    )


def not_pictures(folder: Path, left_out: Iterable[tuple[str, str]]) -> Iterator[Refused]:
    """The files in a folder that are no pictures, but for hidden ones and that of the classes."""
    for path, reason in left_out:
        name = PurePath(path).relative_to(folder)
        if reason != "hidden" and name != PurePath(CLASSES_FILE):
            yield Refused(name.as_posix(), reason)


def labels_of(
    folder: Path, names: Iterable[PurePath], classes: tuple[str, ...], *, by_writer: bool
) -> tuple[dict[PurePath, int], list[Refused]]:
    """The label of each picture, and the pictures that have none.

    Raises:
        DataError: when a folder has pictures and is called after none of the ten classes.
    """
    labels: dict[PurePath, int] = {}
    refused: list[Refused] = []
    for name in names:
        label, reason = label_of(name, classes, by_writer=by_writer)
        if label is None:
            refused.append(Refused(name.as_posix(), reason))
        else:
            labels[name] = label
    strangers = {
        Path(name).parent
        for name, reason in refused
        if reason == _NO_CLASS and not _lies_open(PurePath(name))
    }
    if strangers:
        there = sorted({classes[label] for label in labels.values()}, key=classes.index)
        there += sorted({stranger.name for stranger in strangers})
        raise DataError(
            f"{folder}: its {len(there)} folders {', '.join(there)} are not the ten classes "
            f"{', '.join(classes)}; ten classes of other names stand in {folder / CLASSES_FILE}, one a line "
            "in ascending order, and folders of writers need --group-by"
        )
    return labels, refused


def label_of(name: PurePath, classes: tuple[str, ...], *, by_writer: bool) -> tuple[int | None, str]:
    """A picture's label, 0 to 9, or None with the reason.

    A picture shows the class that the nearest folder above it is called after. Where no folder of a class can
    be meant, a digit may stand at the start or the end of the picture's own name, as for `pairedge evaluate`.
    """
    for parent in reversed(name.parts[:-1]):
        if parent in classes:
            return classes.index(parent), ""
    if classes != DIGIT_CLASSES or not (by_writer or _lies_open(name)):
        return None, _NO_CLASS
    try:
        return digit_of(Path("/pictures", name.name)), ""  # whatever the folders above are called
    except LabelError as error:
        return None, str(error).partition(": ")[2]


def _lies_open(name: PurePath) -> bool:
    """Whether a picture lies in the data's folder itself, or in that of a split."""
    return len(name.parts) == 1 + (given_split(name) is not None)


def given_split(name: PurePath) -> Split | None:
    """The split that the topmost folder is called after; None for another one."""
    return SPLITS.get(name.parts[0].lower()) if len(name.parts) > 1 else None


def group_of(folder: Path, name: PurePath, group_by: str, classes: tuple[str, ...]) -> str:
    """The writer of a picture.

    Raises:
        DataError: when its path does not tell.
    """
    if group_by == BY_FOLDER:
        parts = name.parts[1:-1] if given_split(name) else name.parts[:-1]
        writers = [part for part in parts if part not in classes]
        if not writers:
            raise DataError(
                f"{folder}: {name.as_posix()} lies in no folder of a writer, beside that of its class"
            )
        return writers[0]
    match = compiled(group_by).search(name.as_posix())
    if match is None:
        raise DataError(f"{folder}: {name.as_posix()} does not match the pattern of writers, {group_by!r}")
    return str(match[1] if match.re.groups else match[0])


def compiled(pattern: str) -> re.Pattern[str]:
    """The regular expression of `data.group_by`.

    Raises:
        DataError: when it is none.
    """
    try:
        return re.compile(pattern)
    except re.error as error:
        raise DataError(f"group_by: {pattern!r} is no regular expression: {error}") from error


def read_all(paths: list[Path]) -> Iterator[Read]:
    """The fields and tiles of pictures, in order, by all cores where there are many."""
    if len(paths) < _FEW:
        yield from map(read_one, paths)
        return
    import joblib

    workers = joblib.Parallel(n_jobs=joblib.cpu_count(), batch_size=16, return_as="generator")
    yield from workers(joblib.delayed(read_one)(path) for path in paths)


def read_one(path: Path) -> Read:
    """A picture's field and tile, uint8 (28, 28) and (14, 14), 0 to 255, or why the runtime refuses it."""
    try:
        reading = read_picture(path)
    except ImageError as error:
        return str(error).removeprefix(f"{path}: ")
    assert reading.tile is not None  # a reading that ends without one has raised
    if reading.field is None:
        return reading.tile.repeat(2, axis=0).repeat(2, axis=1), reading.tile
    return np.rint(reading.field).astype(np.uint8), reading.tile
