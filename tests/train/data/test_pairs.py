"""Pairs are made as in the course of the reports."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Generator

from pairedge.image.tile import average
from pairedge_train.data.datasets import DataSet
from pairedge_train.data.loading import default_data_dir, load_data
from pairedge_train.data.pairs import draw_pairs, make_pairs
from pairedge_train.data.published import MNIST_FILES, load_mnist
from pairedge_train.errors import DataError
from pairedge_train.experiments.recipe import Data, Recipe
from pairedge_train.torchvision_import import import_torchvision


def seeded(seed: int) -> Generator:
    return Generator().manual_seed(seed)


def test_averaging_is_the_avg_pool2d_of_the_course() -> None:
    images = torch.randint(0, 256, (5, 28, 28), generator=seeded(0), dtype=torch.uint8)
    expected = F.avg_pool2d(images.float()[:, None], kernel_size=2)[:, 0]
    assert np.array_equal(average(images.numpy()), expected.numpy())


def test_pairs_are_consecutive_indices_of_the_permutation(tiny: DataSet) -> None:
    order = torch.randperm(60, generator=seeded(3))
    pairs = make_pairs(tiny.training, order)
    for i in range(30):
        first, second = int(order[2 * i]), int(order[2 * i + 1])
        assert torch.equal(pairs.images[i, 0], tiny.training.gray[first])
        assert torch.equal(pairs.images[i, 1], tiny.training.gray[second])
        assert int(pairs.target[i]) == int(tiny.training.labels[first] <= tiny.training.labels[second])


def test_training_permutation_is_drawn_before_the_test_permutation(tiny: DataSet, quick: Recipe) -> None:
    draw = draw_pairs(tiny, quick.data, seeded(7))
    generator = seeded(7)
    training, test = (torch.randperm(60, generator=generator) for _ in range(2))
    assert torch.equal(draw.training.images, make_pairs(tiny.training, training[:24]).images)
    assert torch.equal(draw.test.images, make_pairs(tiny.test, test[:20]).images)


def test_the_standard_deviation_is_that_of_the_reports_unbiased(tiny: DataSet, quick: Recipe) -> None:
    draw = draw_pairs(tiny, quick.with_({"data.pairs": 1}).data, seeded(7))
    levels = draw.training.images.numpy().astype(np.float64)
    assert levels.size == 2 * 14 * 14
    assert draw.mean == pytest.approx(levels.mean(), rel=1e-6)
    assert draw.std == pytest.approx(levels.std(ddof=1), rel=1e-5)  # the biased one is 1.3e-3 less


def test_no_tile_is_used_twice_in_a_round(tiny: DataSet, quick: Recipe) -> None:
    draw = draw_pairs(tiny, quick.data, seeded(1))
    assert draw.validation is not None
    used = torch.cat([draw.training.images, draw.validation.images]).flatten(0, 1).flatten(1)
    assert len(torch.unique(used, dim=0)) == 2 * (12 + 5)


def test_all_pairs_use_every_tile_that_validation_leaves(tiny: DataSet, quick: Recipe) -> None:
    draw = draw_pairs(tiny, quick.with_({"data.pairs": "all", "data.test_pairs": "all"}).data, seeded(1))
    assert len(draw.training) == 30 - 5
    assert len(draw.test) == 30


def test_asking_for_more_pairs_than_there_are_is_one_sentence(tiny: DataSet, quick: Recipe) -> None:
    with pytest.raises(DataError, match=r"^26 training pairs beside 5 for validation asked for.* has 25$"):
        draw_pairs(tiny, quick.with_({"data.pairs": 26}).data, seeded(1))
    with pytest.raises(DataError, match="31 test pairs asked for"):
        draw_pairs(tiny, quick.with_({"data.test_pairs": 31}).data, seeded(1))
    with pytest.raises(DataError, match=r"^all training pairs beside 40 for validation asked for.* has 0$"):
        draw_pairs(tiny, quick.with_({"data.pairs": "all", "data.validation_pairs": 40}).data, seeded(1))


def test_uci_is_real_digits_as_tiles_without_network(uci: DataSet) -> None:
    assert (len(uci.training), len(uci.test)) == (1297, 500)
    assert uci.training.tiles.shape == (1297, 14, 14)
    assert uci.training.tiles.dtype == np.uint8
    assert np.bincount(uci.training.labels.numpy(), minlength=10).min() > 100
    assert uci.training.tiles[:, 5:9, 5:9].mean() > 4 * uci.training.tiles[:, :2].mean()  # ink in the center


def test_missing_mnist_without_network_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_network(*_: Any, **__: Any) -> None:
        raise RuntimeError("Error downloading train-images-idx3-ubyte.gz")

    datasets = import_torchvision("datasets")
    monkeypatch.setattr(datasets.MNIST, "download", no_network)
    with pytest.raises(DataError, match=r"--data-dir or PAIREDGE_DATA .* --dataset uci$"):
        load_data(Data(dataset="mnist"), tmp_path / "nowhere")
    assert list((tmp_path / "nowhere").iterdir()) == []


def test_a_download_is_moved_into_place_complete(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def download(mnist: Any) -> None:
        Path(mnist.raw_folder).mkdir(parents=True, exist_ok=True)
        for name in MNIST_FILES:
            (Path(mnist.raw_folder) / name).write_bytes(b"not MNIST")

    datasets = import_torchvision("datasets")
    monkeypatch.setattr(datasets.MNIST, "download", download)
    monkeypatch.setattr(datasets.MNIST, "_load_data", lambda _: (None, None))
    with pytest.raises(DataError, match="is not the file of MNIST"):
        load_mnist(tmp_path)
    assert {path.name for path in (tmp_path / "MNIST" / "raw").iterdir()} == set(MNIST_FILES)


@pytest.mark.mnist
def test_a_damaged_mnist_file_is_named(tmp_path: Path) -> None:
    raw = default_data_dir() / "MNIST" / "raw"
    shutil.copytree(raw, tmp_path / "MNIST" / "raw", copy_function=shutil.copyfile)
    labels = tmp_path / "MNIST" / "raw" / "t10k-labels-idx1-ubyte"
    labels.write_bytes(labels.read_bytes()[:-1] + b"\x01")
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte: is not the file of MNIST, by its checksum"):
        load_mnist(tmp_path)


@pytest.mark.mnist
def test_mnist_is_the_data_that_the_reports_describe(mnist: DataSet) -> None:
    # Facts of the averaged data that the reports state.
    assert float(mnist.training.gray.mean()) == pytest.approx(33.318, abs=1e-3)
    assert float(mnist.training.gray.std()) == pytest.approx(71.427, abs=1e-3)
    counts = np.bincount(mnist.training.labels.numpy())
    assert counts.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(mnist.test.labels.numpy()).tolist() == [
        980,
        1135,
        1032,
        1010,
        982,
        892,
        958,
        1028,
        974,
        1009,
    ]
    shares = counts / counts.sum()
    assert np.triu(np.outer(shares, shares)).sum() == pytest.approx(0.5501, abs=1e-4)


@pytest.mark.mnist
def test_a_tile_is_the_averaged_picture_rounded(mnist: DataSet) -> None:
    difference = mnist.test.gray.numpy() - mnist.test.tiles
    assert np.abs(difference).max() <= 0.5
    assert np.array_equal(mnist.test.gray * 4, (mnist.test.gray * 4).round())
