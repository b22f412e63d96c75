"""Published data sets by name: MNIST and its kin by torchvision, and the digits of scikit-learn.

Each keeps its own training and test split, and the names of its ten classes.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pairedge.classes import DIGIT_CLASSES
from pairedge.image.tile import average, center, crop, fit_box, pool, to_tile
from pairedge_train.data.datasets import DataSet, Digits
from pairedge_train.errors import DataError
from pairedge_train.torchvision_import import import_torchvision

# SHA-256 of MNIST's four files, unpacked.
MNIST_FILES = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
_UCI_TRAINING = 1_297  # of scikit-learn's 1,797 digits; the other 500 are for testing

Fields = NDArray[np.uint8]


@dataclass(frozen=True)
class Published:
    """A data set that torchvision reads.

    Attributes:
        title: its name as people write it.
        class_name: of torchvision.datasets.
        folder: where its files lie, below the data folder.
        files: the names of its files, training first.
        options: for torchvision's class, beside the folder and the split.
        own_names: whether its classes have names of their own, and are not the digits.
        to_fields: turns its pictures, uint8 (N, H, W), 0 to 255, into fields, uint8 (N, 28, 28), 0 to 255.
    """

    title: str
    class_name: str
    folder: str
    files: tuple[str, ...]
    options: tuple[tuple[str, str], ...] = ()
    own_names: bool = False
    to_fields: Callable[[Fields], Fields] = lambda pictures: pictures


def transposed(pictures: Fields) -> Fields:
    """EMNIST's pictures, uint8 (N, 28, 28), 0 to 255, upright: its files hold them column by column."""
    return np.ascontiguousarray(pictures.transpose(0, 2, 1))


def as_in_mnist(pictures: Fields) -> Fields:
    """Pictures of another size, uint8 (N, H, W), 0 to 255, as MNIST's makers did: fitted and centered.

    Returns:
        uint8 (N, 28, 28), 0 to 255.
    """
    inks = pictures.astype(np.float32) / 255
    return np.stack([np.rint(center(fit_box(crop(ink)))) for ink in inks]).astype(np.uint8)


_BY_TORCHVISION = {
    "mnist": Published("MNIST", "MNIST", "MNIST/raw", tuple(MNIST_FILES)),
    "kmnist": Published("Kuzushiji-MNIST", "KMNIST", "KMNIST/raw", tuple(MNIST_FILES), own_names=True),
    "fashion-mnist": Published(
        "Fashion-MNIST", "FashionMNIST", "FashionMNIST/raw", tuple(MNIST_FILES), own_names=True
    ),
    "emnist-digits": Published(
        "EMNIST",
        "EMNIST",
        "EMNIST/raw",
        tuple(
            f"emnist-digits-{split}-{content}"
            for split in ("train", "test")
            for content in ("images-idx3-ubyte", "labels-idx1-ubyte")
        ),
        options=(("split", "digits"),),
        to_fields=transposed,
    ),
    "qmnist": Published(
        "QMNIST",
        "QMNIST",
        "QMNIST/raw",
        tuple(
            f"qmnist-{split}-{content}"
            for split in ("train", "test")
            for content in ("images-idx3-ubyte", "labels-idx2-int")
        ),
    ),
    "usps": Published("USPS", "USPS", "USPS", ("usps.bz2", "usps.t.bz2"), to_fields=as_in_mnist),
}


def load_published(name: str, root: Path) -> DataSet:
    """Load a published data set by its name in a recipe.

    Raises:
        DataError: when its files are missing and cannot be downloaded, or are not what they should be.
    """
    if name == "uci":
        return load_uci()
    return load_mnist(root) if name == "mnist" else _load(_BY_TORCHVISION[name], root)


def load_mnist(root: Path) -> DataSet:
    """Load MNIST from `root`/MNIST/raw by torchvision, download it if missing, and verify its checksums.

    Raises:
        DataError: when it cannot be downloaded, or its files are others than MNIST's.
    """

    def verify(folder: Path) -> None:
        for name, expected in MNIST_FILES.items():
            if _sha256(folder / name) != expected:
                raise DataError(
                    f"{folder / name}: is not the file of MNIST, by its checksum; to train on files of your "
                    f"own, write --dataset {folder}; MNIST itself belongs in another --data-dir"
                )

    return _load(_BY_TORCHVISION["mnist"], root, verify)


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


def _load(published: Published, root: Path, verify: Callable[[Path], None] = lambda _: None) -> DataSet:
    """Load a data set by torchvision; download what is missing of it."""
    folder = root / published.folder
    datasets = import_torchvision("datasets")
    if not all((folder / name).exists() for name in published.files):  # also where a link leads nowhere
        _download(published, root, datasets)
    verify(folder)
    try:
        training, test = (_opened(published, root, datasets, train) for train in (True, False))
        classes = tuple(training.classes) if published.own_names else DIGIT_CLASSES
        return DataSet(_digits(published, training), _digits(published, test), classes=classes)
    except (OSError, EOFError, AssertionError, LookupError, RuntimeError, TypeError, ValueError) as error:
        # torchvision's and NumPy's, for a file that is gone by now or holds something else
        missing = [name for name in published.files if not (folder / name).exists()]
        reason = f"{missing[0]} went away while it was read" if missing else "its files are damaged"
        raise DataError(f"{folder}: {published.title} cannot be read: {reason}") from error


def _opened(
    published: Published, root: Path, datasets: ModuleType, train: bool, download: bool = False
) -> Any:
    """A split as torchvision's untyped object. USPS has no folder of its own there."""
    place = root / published.folder if published.folder == published.class_name else root
    make = getattr(datasets, published.class_name)
    return make(place, train=train, download=download, **dict(published.options))


def _digits(published: Published, split: Any) -> Digits:
    """A split from torchvision's object."""
    pictures = np.asarray(split.data)
    labels = np.asarray(split.targets, np.int64).reshape(len(pictures), -1)[:, 0]  # QMNIST has more columns
    if pictures.dtype != np.uint8 or labels.min() < 0 or labels.max() >= len(DIGIT_CLASSES):
        raise ValueError("not gray levels, or not ten classes")
    fields = published.to_fields(pictures)
    return Digits(
        torch.from_numpy(average(fields)), pool(fields), torch.from_numpy(labels), torch.from_numpy(fields)
    )


def _download(published: Published, root: Path, datasets: ModuleType) -> None:
    """Download to a temporary folder beside the final one, and move the missing files when all are complete.

    A file that is there already stays: it may be the user's.
    """
    folder = root / published.folder
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".download-") as temporary:
            for train in (True, False):
                _opened(published, Path(temporary), datasets, train, download=True)
            folder.mkdir(parents=True, exist_ok=True)
            for name in published.files:
                if not (folder / name).exists():
                    shutil.move(Path(temporary) / published.folder / name, folder / name)
    except Exception as error:  # torchvision raises RuntimeError, URLError, OSError: all mean "no data"
        raise DataError(
            f"{published.title} is not in {folder} and could not be downloaded; give --data-dir or "
            f"PAIREDGE_DATA a folder that holds {published.folder}, or train without network on --dataset uci"
        ) from error


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot read: {(error.strerror or str(error)).lower()}") from error
