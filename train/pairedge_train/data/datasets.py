"""Data sets: MNIST or scikit-learn's digits as 14x14 gray levels."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
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
from pairedge_train.torchvision_import import import_torchvision

NEGATIVE = -1  # the label of a picture that shows no digit

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
    """One side, training or test, of a data set.

    Attributes:
        gray: float32 (N, 14, 14), averaged gray levels 0..255 in quarter steps, as the course makes them.
        tiles: uint8 (N, 14, 14), the same rounded: what the runtime sees.
        labels: int64 (N,), 0 to 9, or NEGATIVE.
        fields: uint8 (N, 28, 28), what was averaged, for augmentation; None where it is not kept.
    """

    gray: Tensor
    tiles: NDArray[np.uint8]
    labels: Tensor
    fields: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def of_tiles(cls, tiles: NDArray[np.uint8], labels: Tensor) -> Digits:
        """Digits of which no more is known than tiles, (N, 14, 14): fields that average to the same again."""
        fields = torch.from_numpy(tiles.repeat(2, axis=1).repeat(2, axis=2))
        return cls(torch.from_numpy(tiles.astype(np.float32)), tiles, labels, fields)

    @classmethod
    def joined(cls, parts: Sequence[Digits]) -> Digits:
        """Several one after the other, all of them with fields."""
        fields = [part.fields for part in parts if part.fields is not None]
        return cls(
            torch.cat([part.gray for part in parts]),
            np.concatenate([part.tiles for part in parts]),
            torch.cat([part.labels for part in parts]),
            torch.cat(fields),
        )

    def take(self, order: Tensor) -> Digits:
        """Some of the digits, by index."""
        fields = None if self.fields is None else self.fields[order]
        return Digits(self.gray[order], self.tiles[order.numpy()], self.labels[order], fields)


@dataclass(frozen=True)
class DataSet:
    """Training and test digits of a data set."""

    training: Digits
    test: Digits
    added: tuple[Synthetic, int] | None = None  # what was added to the training digits, by which seed


def load_data(dataset: str, data_dir: Path | None = None) -> DataSet:
    """Load "mnist" or "uci".

    Args:
        dataset: which.
        data_dir: folder that holds MNIST/raw; None means PAIREDGE_DATA, or else the user's cache folder.

    Raises:
        DataError: when MNIST is neither there nor to be downloaded, or a file of it is damaged.
    """
    return load_uci() if dataset == "uci" else load_mnist(data_dir or default_data_dir())


def default_data_dir() -> Path:
    """PAIREDGE_DATA where it is set, else a folder of the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("PAIREDGE_DATA") or Path(cache) / "pairedge")


def load_mnist(root: Path) -> DataSet:
    """MNIST by torchvision from `root`/MNIST/raw, downloaded when it is not there, its checksums verified.

    Raises:
        DataError: when it cannot be had, or a file is not the one that its makers published.
    """
    raw = root / "MNIST" / "raw"
    datasets = import_torchvision("datasets")
    if not all((raw / name).exists() for name in MNIST_FILES):
        _download_mnist(root, raw, datasets)
    for name, expected in MNIST_FILES.items():
        if _sha256(raw / name) != expected:
            raise DataError(f"{raw / name}: wrong checksum; delete the file to have it downloaded again")
    training, test = (_mnist_digits(datasets.MNIST(root, train=train)) for train in (True, False))
    return DataSet(training, test)


def load_uci() -> DataSet:
    """The 1,797 real handwritten digits, 8x8 in 17 levels, that come with scikit-learn (UCI optdigits).

    Each is read as a picture by the runtime's own `to_tile`. The first 1,297 are for training, the last 500,
    by other writers, for testing.
    """
    pictures, digits = uci_pictures()
    labels = torch.from_numpy(digits)
    every = Digits.of_tiles(np.stack([to_tile(picture) for picture in pictures]), labels)
    order = torch.arange(len(labels))
    return DataSet(every.take(order[:_UCI_TRAINING]), every.take(order[_UCI_TRAINING:]))


def uci_pictures() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """scikit-learn's digits as gray pictures, uint8 (1797, 8, 8), white on black, and which they are."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return (bunch.images * (255 / 16)).astype(np.uint8), bunch.target.astype(np.int64)


def _mnist_digits(mnist: Any) -> Digits:
    """What torchvision read, which has no types."""
    images = cast(Tensor, mnist.data).numpy()
    labels = cast(Tensor, mnist.targets)
    return Digits(torch.from_numpy(average(images)), pool(images), labels, torch.from_numpy(images))


def _download_mnist(root: Path, raw: Path, datasets: ModuleType) -> None:
    """Download to a temporary neighbour, which takes the final name only when it is complete."""
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
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fields_of(side: Digits) -> NDArray[np.uint8]:
    """The 28x28 gray levels, uint8 (N, 28, 28), which MNIST keeps beside its tiles."""
    assert side.fields is not None
    fields: NDArray[np.uint8] = side.fields.numpy()
    return fields
