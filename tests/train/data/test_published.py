"""Published data sets are read from tiny files in torchvision's own formats, with splits and classes."""

from __future__ import annotations

import bz2
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pairedge.classes import DIGIT_CLASSES
from pairedge.image.tile import pool
from pairedge_train.data.datasets import DataSet, fields_of
from pairedge_train.data.loading import load_data
from pairedge_train.errors import DataError
from pairedge_train.experiments.recipe import PUBLISHED, Data
from pairedge_train.torchvision_import import import_torchvision

from .own_files import some_fields, write_idx

TRAINING, LABELS = some_fields(2)
TEST, TEST_LABELS = some_fields(1, seed=1)
SPLITS = ((TRAINING, LABELS), (TEST, TEST_LABELS))
FASHION = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)


def load(name: str, root: Path) -> DataSet:
    return load_data(Data(dataset=name), root)


def write_mnist_files(folder: Path, names: tuple[str, str] = ("train", "t10k")) -> None:
    for split, (fields, labels) in zip(names, SPLITS, strict=True):
        write_idx(folder / f"{split}-images-idx3-ubyte", fields)
        write_idx(folder / f"{split}-labels-idx1-ubyte", labels.astype(np.uint8))


def check(data: DataSet) -> None:
    for split, (fields, labels) in zip((data.training, data.test), SPLITS, strict=True):
        assert np.array_equal(fields_of(split), fields)
        assert np.array_equal(split.tiles, pool(fields))
        assert split.labels.tolist() == labels.tolist()
    assert data.held_out is None


@pytest.mark.parametrize(
    ("name", "folder", "classes"),
    [
        ("fashion-mnist", "FashionMNIST", FASHION),
        ("kmnist", "KMNIST", ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")),
    ],
)
def test_files_in_the_format_of_mnist_have_their_own_classes(
    name: str, folder: str, classes: tuple[str, ...], tmp_path: Path
) -> None:
    write_mnist_files(tmp_path / folder / "raw")
    data = load(name, tmp_path)
    check(data)
    assert data.classes == classes


def test_emnist_is_turned_upright(tmp_path: Path) -> None:
    raw = tmp_path / "EMNIST" / "raw"
    for split, (fields, labels) in zip(("train", "test"), SPLITS, strict=True):
        write_idx(raw / f"emnist-digits-{split}-images-idx3-ubyte", fields.transpose(0, 2, 1))
        write_idx(raw / f"emnist-digits-{split}-labels-idx1-ubyte", labels.astype(np.uint8))
    data = load("emnist-digits", tmp_path)
    check(data)
    assert data.classes == DIGIT_CLASSES


def test_of_qmnist_s_eight_columns_the_first_is_the_label(tmp_path: Path) -> None:
    raw = tmp_path / "QMNIST" / "raw"
    for split, (fields, labels) in zip(("train", "test"), SPLITS, strict=True):
        write_idx(raw / f"qmnist-{split}-images-idx3-ubyte", fields)
        columns = np.stack([labels, *[labels + 100] * 7], axis=1).astype(">i4")
        header = bytes([0, 0, 12, 2]) + b"".join(size.to_bytes(4) for size in columns.shape)
        (raw / f"qmnist-{split}-labels-idx2-int").write_bytes(header + columns.tobytes())
    check(load("qmnist", tmp_path))


def usps_lines(pictures: NDArray[np.uint8], labels: NDArray[np.int64]) -> bytes:
    """The format of LIBSVM: label 1 to 10, then index:value with values -1 to 1."""
    lines = []
    for picture, label in zip(pictures, labels, strict=True):
        values = picture.ravel() / 127.5 - 1
        lines.append(f"{label + 1} " + " ".join(f"{i}:{value:.6f}" for i, value in enumerate(values, 1)))
    return bz2.compress("\n".join(lines).encode())


def test_usps_is_fitted_and_centered_as_mnist(tmp_path: Path) -> None:
    bar = np.zeros((16, 16), np.uint8)
    bar[:, 6:10] = 255  # 16 tall and 4 wide: 20 tall and 5 wide in MNIST's box, in the middle
    (tmp_path / "USPS").mkdir()
    for name in ("usps.bz2", "usps.t.bz2"):
        (tmp_path / "USPS" / name).write_bytes(usps_lines(np.stack([bar] * 10), np.arange(10)))
    data = load("usps", tmp_path)
    assert data.training.labels.tolist() == list(range(10))
    field = fields_of(data.training)[0]
    assert field[4:24].min(axis=0).max() == 255  # a column of full ink from top to bottom of the box
    assert not field[:4].any()
    assert not field[24:].any()
    columns = np.flatnonzero(field.any(axis=0))
    assert len(columns) == 5
    assert columns.mean() in (13.0, 14.0)


@pytest.mark.parametrize("name", [name for name in PUBLISHED if name != "uci"])
def test_a_missing_data_set_is_one_sentence_and_leaves_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: Any, **__: Any) -> None:
        raise RuntimeError("no network")

    datasets = import_torchvision("datasets")
    for each in ("MNIST", "EMNIST", "QMNIST"):
        monkeypatch.setattr(getattr(datasets, each), "download", no_network)
    monkeypatch.setattr("torchvision.datasets.usps.download_url", no_network)
    with pytest.raises(DataError, match=r"is not in .* and could not be downloaded; give --data-dir or"):
        load(name, tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []


def test_a_download_replaces_no_file_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "KMNIST" / "raw" / "train-images-idx3-ubyte"
    write_idx(own, TRAINING)
    before = own.read_bytes()

    def download(data_set: Any) -> None:
        write_mnist_files(Path(data_set.raw_folder))
        write_idx(Path(data_set.raw_folder) / own.name, TRAINING // 2)

    monkeypatch.setattr(import_torchvision("datasets").MNIST, "download", download)
    check(load("kmnist", tmp_path))
    assert own.read_bytes() == before


@pytest.mark.parametrize("harm", ["cut", "eleven", "another size"])
def test_damaged_files_are_one_sentence(harm: str, tmp_path: Path) -> None:
    raw = tmp_path / "KMNIST" / "raw"
    write_mnist_files(raw)
    if harm == "cut":
        (raw / "t10k-images-idx3-ubyte").write_bytes(b"\0\0")
    elif harm == "eleven":
        write_idx(raw / "t10k-labels-idx1-ubyte", (TEST_LABELS + 1).astype(np.uint8))
    else:
        write_idx(raw / "t10k-labels-idx1-ubyte", TEST_LABELS[:3].astype(np.uint8))
    with pytest.raises(
        DataError, match=r"KMNIST.raw: Kuzushiji-MNIST cannot be read: its files are damaged$"
    ):
        load("kmnist", tmp_path)


def test_writers_and_digests_are_for_data_of_ones_own() -> None:
    with pytest.raises(
        ValueError, match=r"group_by and sha256 are for a data set of one's own, not for usps"
    ):
        Data(dataset="usps", group_by="folder")
