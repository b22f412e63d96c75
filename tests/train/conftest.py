"""Data and recipes for the training tests: small, fast, and without MNIST unless a test says so."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pairedge_train.data.datasets import DataSet, Digits
from pairedge_train.experiments.recipe import Recipe


@pytest.fixture
def tiny() -> DataSet:
    """Sixty random tiles per split, with nothing to learn."""
    random = np.random.default_rng(0)

    def split() -> Digits:
        tiles = random.integers(0, 256, (60, 14, 14), dtype=np.uint8)
        labels = torch.from_numpy(random.integers(0, 10, 60))
        return Digits(torch.from_numpy(tiles).float(), tiles, labels)

    return DataSet(split(), split())


@pytest.fixture
def quick() -> Recipe:
    """A round of two epochs on twelve pairs."""
    return Recipe().with_(
        {
            "data.pairs": 12,
            "data.test_pairs": 10,
            "data.validation_pairs": 5,
            "optim.batch_size": 5,
            "optim.epochs": 2,
        }
    )
