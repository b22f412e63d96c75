"""The model that ships, and pictures that it reads badly: scikit-learn's digits, each lying on its side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from pairedge_train.adaptation.start import SHIPPED, load_start
from pairedge_train.data.datasets import DataSet, Digits
from pairedge_train.experiments.library import load_recipe
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.training.checkpoint import Checkpoint


def lying(digits: Digits, count: int) -> Digits:
    """The first digits, turned by a quarter."""
    tiles = np.ascontiguousarray(np.rot90(digits.tiles[:count], axes=(1, 2)))
    return Digits.of_tiles(tiles, digits.labels[:count])


@pytest.fixture(scope="session")
def shipped() -> Checkpoint:
    return load_start(SHIPPED)


@pytest.fixture(scope="session")
def own(uci: DataSet) -> DataSet:
    """Pictures of one's own in three splits, without a picture in two of them."""
    held_out = lying(uci.test.take(torch.arange(100, 200)), 100)
    return replace(
        uci, training=lying(uci.training, 200), test=lying(uci.test, 100), held_out=held_out, sha256="5e"
    )


@pytest.fixture
def few() -> Recipe:
    """The recipe that ships, on few digits, without synthetic ones."""
    synthetic = dict.fromkeys(("rendered", "printed", "negatives", "hands", "written"), 0)
    return load_recipe("adapt").with_(
        {
            **{f"data.synthetic.{name}": count for name, count in synthetic.items()},
            "data.dataset": "uci",
            "data.hold_out": 0,
            "evaluation.temperature": 1.0,
            "adapt.replay": 600,
            "adapt.share": 0.5,
            "adapt.step": 1.0,
            "optim.epochs": 6,
            "optim.lr": 0.004,
        }
    )
