"""Training, validation and test splits of one's own data: by a fixed hash, of pictures or of writers.

A picture's place depends on what it shows, not on its name nor on a seed: further pictures leave those in
their splits that were there, but for a class or a number of writers so small that a split would be empty.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from pairedge.image.tile import average
from pairedge_train.data.datasets import DataSet, Digits
from pairedge_train.data.own.labeled import Labeled, check_pictures
from pairedge_train.errors import DataError
from pairedge_train.rendering.split import Split

SPLITS: tuple[Split, ...] = ("training", "validation", "test")
SHARE = 0.15  # of the pictures, or of the writers, that each of validation and test takes; the rest trains


@dataclass(frozen=True, eq=False)
class OwnData:
    """A data set of one's own, split.

    Attributes:
        pictures: as they were read.
        splits: the split of each picture.
    """

    pictures: Labeled
    splits: tuple[Split, ...]

    @cached_property
    def sha256(self) -> str:
        """Digest of pictures, labels, classes and splits, in hexadecimal, whatever their order."""
        rows = zip(self.pictures.contents, self.pictures.labels.tolist(), self.splits, strict=True)
        facts = (self.pictures.classes, sorted(rows))
        return hashlib.sha256(repr(facts).encode()).hexdigest()

    def data_set(self) -> DataSet:
        """The splits as digits to draw pairs from."""
        return DataSet(
            self.digits("training"),
            self.digits("test"),
            self.digits("validation"),
            classes=self.pictures.classes,
            sha256=self.sha256,
        )

    def digits(self, split: Split) -> Digits:
        """The digits of one split, in the order of what they show: names decide nothing of a training."""
        chosen = np.array(
            sorted(self.places(split).tolist(), key=lambda place: self.pictures.contents[place])
        )
        fields = self.pictures.fields[chosen]
        return Digits(
            torch.from_numpy(average(fields)),
            self.pictures.tiles[chosen],
            torch.from_numpy(self.pictures.labels[chosen]),
            torch.from_numpy(fields),
        )

    def places(self, split: Split) -> NDArray[np.int64]:
        """The indices of a split's pictures, int64 (M,), 0 to N - 1, ascending."""
        return np.flatnonzero(np.array(self.splits) == split)

    def count(self, split: Split) -> Counter[int]:
        """The number of a split's pictures by label."""
        return Counter(self.pictures.labels[self.places(split)].tolist())


def split_data(data: Labeled) -> OwnData:
    """Split pictures; what the source puts into a split itself stays there.

    Raises:
        DataError: when a class has no picture, or too few for the splits; when there are too few writers; or
            when two splits share a picture or a writer.
    """
    check_pictures(data)
    given = {split for split in data.given if split is not None}
    taken: tuple[Split, ...] = ("test", "validation")
    wanted: list[Split] = [split for split in taken if split not in given]
    wanted.append("training")
    open_ = [place for place, split in enumerate(data.given) if split in (None, "training")]
    splits = list(data.given)
    assign = by_picture if data.groups is None else by_group
    for place, split in assign(data, open_, wanted).items():
        splits[place] = split
    done = OwnData(data, tuple(split or "training" for split in splits))
    check_splits(done)
    return done


def by_picture(data: Labeled, places: Sequence[int], wanted: Sequence[Split]) -> dict[int, Split]:
    """The split of each picture at some places, class by class."""
    assigned: dict[int, Split] = {}
    for label, name in enumerate(data.classes):
        own = [place for place in places if data.labels[place] == label]
        parts = hashed([data.contents[place] for place in own], wanted)
        if parts is None:
            different = len({data.contents[place] for place in own})
            pictures = "different picture" if different == 1 else "different pictures"
            raise DataError(
                f"{data.path}: the class {name} has {different} {pictures} for "
                f"{_listed(wanted)}, each of which needs one"
            )
        assigned |= {place: parts[data.contents[place]] for place in own}
    return assigned


def by_group(data: Labeled, places: Sequence[int], wanted: Sequence[Split]) -> dict[int, Split]:
    """The split of each picture at some places, writer by writer."""
    assert data.groups is not None
    groups = {data.groups[place] for place in places}
    parts = hashed(groups, wanted)
    if parts is None:
        raise DataError(
            f"{data.path}: has {len(groups)} {'writer' if len(groups) == 1 else 'writers'} for "
            f"{_listed(wanted)}, each of which needs one"
        )
    return {place: parts[data.groups[place]] for place in places}


def hashed(keys: Collection[str], wanted: Sequence[Split]) -> dict[str, Split] | None:
    """Assign a split to each key by its hash: each of `wanted` but the last takes its share, at least one.

    Args:
        keys: names of pictures or writers; equal ones come into the same split.
        wanted: splits, the one that takes the rest last.

    Returns:
        The split of each key; None when there are fewer keys than splits.
    """
    ordered = sorted(set(keys), key=position)
    if len(ordered) < len(wanted):
        return None
    parts: dict[str, Split] = {}
    start = 0
    for number, split in enumerate(wanted[:-1], 1):
        below = sum(position(key) < number * SHARE for key in ordered)
        end = min(max(below, start + 1), len(ordered) - (len(wanted) - number))
        parts |= dict.fromkeys(ordered[start:end], split)
        start = end
    return parts | dict.fromkeys(ordered[start:], wanted[-1])


def position(key: str) -> float:
    """A fixed hash of a key, 0 to 1."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) / 2**64


def check_splits(data: OwnData) -> None:
    """Check that every class is trained, that there are pairs to test, and that splits share nothing.

    Raises:
        DataError: when one of this is not so; the message names the class, the pictures or the writer.
    """
    pictures = data.pictures
    training = data.count("training")
    untrained = [name for label, name in enumerate(pictures.classes) if not training[label]]
    if untrained:
        raise DataError(f"{pictures.path}: the training split has no picture of {', '.join(untrained)}")
    for split in ("validation", "test"):
        if data.count(split).total() < 2:
            raise DataError(f"{pictures.path}: the {split} split has fewer than the two pictures of a pair")
    _check_apart(data, pictures.contents, "the same picture")
    if pictures.groups is not None:
        _check_apart(data, pictures.groups, "of the same writer")


def _check_apart(data: OwnData, keys: Sequence[str], relation: str) -> None:
    """Refuse two pictures with one key in different splits."""
    first: dict[str, int] = {}
    for place, key in enumerate(keys):
        twin = first.setdefault(key, place)
        if data.splits[twin] != data.splits[place]:
            names, splits = data.pictures.names, data.splits
            raise DataError(
                f"{data.pictures.path}: {names[twin]} ({splits[twin]}) and {names[place]} "
                f"({splits[place]}) are {relation}; splits must share none"
            )


def _listed(splits: Sequence[Split]) -> str:
    *others, last = splits
    return f"{', '.join(others)} and {last}" if others else last
