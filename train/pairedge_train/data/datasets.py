"""Data sets in memory: digits as 14x14 gray-level tiles with labels, in splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pairedge.classes import DIGIT_CLASSES
from pairedge_train.experiments.recipe import Synthetic

NEGATIVE = -1  # label of a picture that shows no digit


@dataclass(frozen=True)
class Digits:
    """Pictures of one split of a data set, and the classes that they show, which are digits as a rule.

    Attributes:
        gray: float32 (N, 14, 14), averaged gray levels 0 to 255 in steps of 1/4, as in the course.
        tiles: uint8 (N, 14, 14), 0 to 255, the same rounded: the runtime's input.
        labels: int64 (N,), 0 to 9, or NEGATIVE.
        fields: uint8 (N, 28, 28), 0 to 255, the pictures before averaging, for augmentation; None where they
            are not kept.
    """

    gray: Tensor
    tiles: NDArray[np.uint8]
    labels: Tensor
    fields: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def of_tiles(cls, tiles: NDArray[np.uint8], labels: Tensor) -> Digits:
        """Digits from tiles alone; each pixel is repeated 2x2 to make fields that average to the tiles.

        Args:
            tiles: uint8 (N, 14, 14), 0 to 255.
            labels: int64 (N,), 0 to 9 or NEGATIVE.
        """
        fields = torch.from_numpy(tiles.repeat(2, axis=1).repeat(2, axis=2))
        return cls(torch.from_numpy(tiles.astype(np.float32)), tiles, labels, fields)

    @classmethod
    def joined(cls, parts: Sequence[Digits]) -> Digits:
        """Concatenate several; all of them must have fields."""
        fields = [part.fields for part in parts if part.fields is not None]
        return cls(
            torch.cat([part.gray for part in parts]),
            np.concatenate([part.tiles for part in parts]),
            torch.cat([part.labels for part in parts]),
            torch.cat(fields),
        )

    def take(self, order: Tensor) -> Digits:
        """The digits at some indices, int64 (M,)."""
        fields = None if self.fields is None else self.fields[order]
        return Digits(self.gray[order], self.tiles[order.numpy()], self.labels[order], fields)


@dataclass(frozen=True)
class Additions:
    """What was added to a data set.

    Attributes:
        synthetic: how many pictures.
        held_out: the number of training digits that were held out before.
        seed: determined everything random.
    """

    synthetic: Synthetic
    held_out: int
    seed: int


@dataclass(frozen=True)
class DataSet:
    """The splits of a data set.

    Attributes:
        training: the training split, without held-out digits.
        test: the test split.
        held_out: the validation split, of the data set's own or held out of the training digits, then with
            additions; None where there is none.
        added: what was added to the first and the last; None for nothing.
        classes: the names of the ten classes, in ascending order.
        sha256: digest of the pictures, labels, splits and classes of a data set of one's own; empty for a
            published one.
    """

    training: Digits
    test: Digits
    held_out: Digits | None = None
    added: Additions | None = None
    classes: tuple[str, ...] = DIGIT_CLASSES
    sha256: str = ""


def fields_of(digits: Digits) -> NDArray[np.uint8]:
    """The pictures before averaging, uint8 (N, 28, 28), 0 to 255, which MNIST has."""
    assert digits.fields is not None
    fields: NDArray[np.uint8] = digits.fields.numpy()
    return fields
