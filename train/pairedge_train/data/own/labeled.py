"""Pictures with labels as a reader gives them, and what is wrong with a collection of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairedge.classes import DIGIT_CLASSES, wrong_classes
from pairedge.image.tile import MNIST_SIDE, TILE_SIDE, pool
from pairedge_train.errors import DataError
from pairedge_train.rendering.split import Split

CLASSES_FILE = "classes.txt"
_BRIGHT = 127  # a border above this gray level is paper, not ground

# What files and folders of a split are called.
SPLITS: dict[str, Split] = {
    **dict.fromkeys(("train", "training"), "training"),
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
    **dict.fromkeys(("test", "t10k"), "test"),
}


class Refused(NamedTuple):
    """A picture that is not trained on: its name in the source, and why."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class Labeled:
    """N pictures of a source, in its order.

    Attributes:
        path: of the source.
        fields: uint8 (N, 28, 28), 0 to 255.
        tiles: uint8 (N, 14, 14), 0 to 255.
        labels: int64 (N,), 0 to 9, indices of `classes`.
        names: what to call each picture: its path below a folder, or its row in a file.
        classes: the names of the ten classes, in ascending order.
        given: the split that the source puts each picture into; None where it says nothing.
        groups: the writer of each picture; None where pictures are split one by one.
        refused: what was read and cannot be used.
        are_files: whether each picture is a file below `path`.
    """

    path: Path
    fields: NDArray[np.uint8]
    tiles: NDArray[np.uint8]
    labels: NDArray[np.int64]
    names: Sequence[str]
    classes: tuple[str, ...]
    given: Sequence[Split | None]
    groups: Sequence[str] | None = None
    refused: tuple[Refused, ...] = ()
    are_files: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def contents(self) -> list[str]:
        """The SHA-256 of each picture's field, in hexadecimal: equal for equal pictures."""
        return [hashlib.sha256(field.tobytes()).hexdigest() for field in self.fields]

    @classmethod
    def of_arrays(
        cls,
        path: Path,
        pictures: NDArray[np.uint8],
        labels: NDArray[np.int64],
        names: Sequence[str],
        classes: tuple[str, ...],
        given: Sequence[Split | None],
        groups: Sequence[str] | None = None,
    ) -> Labeled:
        """Pictures that are fields or tiles already, as MNIST's are; blank ones are refused.

        Args:
            path: of the source.
            pictures: uint8 (N, 28, 28) or (N, 14, 14), 0 to 255.
            labels: int64 (N,), 0 to 9.
            names: of the pictures.
            classes: the names of the ten classes.
            given: the split of each picture, as far as the source says it.
            groups: the writer of each picture.

        Raises:
            DataError: when they have another size, or show dark ink on a bright ground.
        """
        if pictures.shape[1:] not in ((MNIST_SIDE, MNIST_SIDE), (TILE_SIDE, TILE_SIDE)):
            size = " x ".join(map(str, pictures.shape[1:]))
            raise DataError(f"{path}: its pictures are {size}, but 28 x 28 or 14 x 14 are read")
        if len(pictures) and border(pictures).mean() > _BRIGHT:
            raise DataError(
                f"{path}: its pictures are dark on a bright ground; arrays hold white ink on black, as "
                "MNIST's do: store 255 minus each gray level"
            )
        inked = pictures.any(axis=(1, 2))
        kept = np.flatnonzero(inked).tolist()
        pictures = pictures[inked]
        if pictures.shape[1] == TILE_SIDE:
            tiles, fields = pictures, pictures.repeat(2, axis=1).repeat(2, axis=2)
        else:
            tiles, fields = pool(pictures), pictures
        return cls(
            path,
            fields,
            tiles,
            labels[inked],
            [names[i] for i in kept],
            classes,
            [given[i] for i in kept],
            None if groups is None else [groups[i] for i in kept],
            tuple(Refused(names[i], "is blank") for i in np.flatnonzero(~inked).tolist()),
        )


def border(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The pixels at the edges of pictures, uint8 (N, H, W), 0 to 255, as uint8 (N, 2 H + 2 W)."""
    edges = pictures[:, 0], pictures[:, -1], pictures[:, :, 0], pictures[:, :, -1]
    pixels: NDArray[np.uint8] = np.concatenate(edges, axis=1)
    return pixels


def read_classes_file(folder: Path) -> tuple[str, ...] | None:
    """The names of the classes in `folder`/classes.txt, one a line in ascending order; None without the file.

    Raises:
        DataError: when they are not ten different names.
    """
    path = folder / CLASSES_FILE
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as text") from error
    return check_classes([line.strip() for line in lines if line.strip()], path)


def check_classes(names: Sequence[str], path: Path) -> tuple[str, ...]:
    """The names as classes.

    Raises:
        DataError: when they are not ten different names.
    """
    problem = wrong_classes(names)
    if problem is not None:
        raise DataError(f"{path}: {problem}")
    return tuple(names)


def label_from(text: str, classes: tuple[str, ...]) -> int | None:
    """The label, 0 to 9, that a class's name or its index stands for; None for neither."""
    if text in classes:
        return classes.index(text)
    return int(text) if text in DIGIT_CLASSES else None


def check_pictures(data: Labeled) -> None:
    """Check that each class has pictures, and that no picture has two labels.

    Raises:
        DataError: when they have not; the message names the class or the pictures.
    """
    counts = Counter(data.labels.tolist())
    empty = [name for label, name in enumerate(data.classes) if not counts[label]]
    if empty:
        refused = f" ({len(data.refused):,} were refused; --check-data draws them)" if data.refused else ""
        what = "class" if len(empty) == 1 else "classes"
        raise DataError(f"{data.path}: has no picture of the {what} {', '.join(empty)}{refused}")
    labels: dict[str, int] = {}
    for place, content in enumerate(data.contents):
        label = int(data.labels[place])
        if labels.setdefault(content, label) != label:
            twin = data.names[data.contents.index(content)]
            raise DataError(
                f"{data.path}: {twin} and {data.names[place]} are the same picture, labeled "
                f"{data.classes[labels[content]]} and {data.classes[label]}"
            )
