"""Data sets: MNIST or scikit-learn's digits as 14x14 gray-level tiles."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pairedge.image.tile import average, pool, to_tile
from pairedge_train.errors import DataError
from pairedge_train.experiments.recipe import Synthetic
from pairedge_train.files import cache_folder
from pairedge_train.torchvision_import import import_torchvision

NEGATIVE = -1  # label of a picture that shows no digit

# SHA-256 of MNIST's four files, unpacked.
MNIST_FILES = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
_UCI_TRAINING = 1_297  # of scikit-learn's 1,797 digits; the other 500 are for testing


@dataclass(frozen=True)
class Digits:
    """One split, training or test, of a data set.

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
    """Training and test digits of a data set.

    Attributes:
        training: the training split, without held-out digits.
        test: the test split.
        held_out: training digits held out for validation, with their additions; None where there are none.
        added: what was added to the first and the last; None for nothing.
    """

    training: Digits
    test: Digits
    held_out: Digits | None = None
    added: Additions | None = None


def load_data(dataset: str, data_dir: Path | None = None) -> DataSet:
    """Load "mnist" or "uci".

    Args:
        dataset: name of the data set.
        data_dir: folder that holds MNIST/raw; None means PAIREDGE_DATA if set, else the cache folder.

    Raises:
        DataError: when MNIST is missing and cannot be downloaded, or one of its files is damaged.
    """
    return load_uci() if dataset == "uci" else load_mnist(data_dir or default_data_dir())


def default_data_dir() -> Path:
    """The folder that PAIREDGE_DATA names, else the cache folder."""
    return Path(os.environ.get("PAIREDGE_DATA") or cache_folder())


def load_mnist(root: Path) -> DataSet:
    """Load MNIST from `root`/MNIST/raw by torchvision, download it if missing, and verify its checksums.

    Raises:
        DataError: when it cannot be downloaded, or a checksum is wrong.
    """
    raw = root / "MNIST" / "raw"
    datasets = import_torchvision("datasets")
    if not all((raw / name).exists() for name in MNIST_FILES):  # also where a link leads nowhere
        _download_mnist(root, raw, datasets)
    for name, expected in MNIST_FILES.items():
        if _sha256(raw / name) != expected:
            raise DataError(f"{raw / name}: wrong checksum; delete the file to have it downloaded again")
    try:
        training, test = (_mnist_digits(datasets.MNIST(root, train=train)) for train in (True, False))
    except (OSError, RuntimeError, ValueError) as error:  # torchvision's, for a file that is gone by now
        raise DataError(f"{raw}: a file of MNIST went away while it was read") from error
    return DataSet(training, test)


@cache
def load_uci() -> DataSet:
    """The 1,797 real handwritten digits, 8x8 in 17 levels, that come with scikit-learn (UCI optdigits).

    Each is read by the runtime's `to_tile`. The first 1,297 are the training split; the last 500, by other
    writers, are the test split. They are read once: every call returns the same object.
    """
    pictures, digits = uci_pictures()
    labels = torch.from_numpy(digits)
    tiles = Digits.of_tiles(np.stack([to_tile(picture) for picture in pictures]), labels)
    indices = torch.arange(len(labels))
    return DataSet(tiles.take(indices[:_UCI_TRAINING]), tiles.take(indices[_UCI_TRAINING:]))


def uci_pictures() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """scikit-learn's digits: uint8 (1797, 8, 8), 0 to 255, white on black, and labels, int64 (1797,)."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return (bunch.images * (255 / 16)).astype(np.uint8), bunch.target.astype(np.int64)


def _mnist_digits(mnist: Any) -> Digits:
    """A split from torchvision's untyped MNIST object."""
    images = cast(Tensor, mnist.data).numpy()
    labels = cast(Tensor, mnist.targets)
    return Digits(torch.from_numpy(average(images)), pool(images), labels, torch.from_numpy(images))


def _download_mnist(root: Path, raw: Path, datasets: ModuleType) -> None:
    """Download to a temporary folder beside the final one, and move the files when all are complete."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".download-") as temporary:
            datasets.MNIST(temporary, download=True)
            raw.mkdir(parents=True, exist_ok=True)
            for name in MNIST_FILES:
                shutil.move(Path(temporary) / "MNIST" / "raw" / name, raw / name)
    except Exception as error:  # torchvision raises RuntimeError, URLError, OSError: all mean "no data"
        raise DataError(
            f"MNIST is not in {raw} and could not be downloaded; give --data-dir or PAIREDGE_DATA a folder "
            "that holds MNIST/raw, or train without network on --dataset uci"
        ) from error


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot read: {(error.strerror or str(error)).lower()}") from error


def fields_of(digits: Digits) -> NDArray[np.uint8]:
    """The pictures before averaging, uint8 (N, 28, 28), 0 to 255, which MNIST has."""
    assert digits.fields is not None
    fields: NDArray[np.uint8] = digits.fields.numpy()
    return fields
