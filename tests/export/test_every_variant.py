"""Every variant of the registry is exported with proof: the graphs decide as the torch network does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pairedge.image.tile import to_tile
from pairedge_export.exporting import export_checkpoint
from pairedge_export.parity import TOLERANCE
from pairedge_train.data.datasets import DataSet, Digits
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.networks.variants import variants
from pairedge_train.rendering.pen_digits import Look, draw_digit
from pairedge_train.training.rounds import train_round


@pytest.fixture(scope="module")
def drawn() -> Digits:
    """Three hundred drawn digits, each with a pen and a hand of its own."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, 300)
    looks = [
        Look(
            size=(56, 56),
            stroke=random.uniform(0.08, 0.2),
            height=random.uniform(0.5, 0.8),
            slant=random.uniform(-0.3, 0.3),
        )
        for _ in labels
    ]
    tiles = np.stack([to_tile(draw_digit(digit, look)) for digit, look in zip(labels, looks, strict=True)])
    return Digits(torch.from_numpy(tiles).float(), tiles, torch.from_numpy(labels))


@pytest.mark.slow
@pytest.mark.parametrize("name", variants())
def test_its_graphs_are_at_parity(name: str, drawn: Digits, tmp_path: Path) -> None:
    # A few steps of training move the statistics of batch normalization from their start, where it would
    # change nothing, and let readings differ between tiles, without which every decision is the same.
    recipe = Recipe().with_(
        {
            "network.variant": name,
            "data.pairs": "all",
            "data.test_pairs": "all",
            "data.validation_pairs": 0,
            "data.normalize": "standardize",
            "optim.batch_size": 25,
            "optim.epochs": 4,
            "optim.lr": 1e-3,
        }
    )
    checkpoint, _ = train_round(recipe, DataSet(drawn, drawn))
    parity = export_checkpoint(checkpoint, drawn, tmp_path)
    assert parity.passed
    assert parity.difference() <= TOLERANCE
    body = checkpoint.network.body
    three = isinstance(body, TwoBranches) and body.shares_weights and body.digit is not None
    kinds = {"pair", "digit", "compare"} if three else {"pair"}
    assert {path.stem for path in tmp_path.glob("*.onnx")} == kinds
    assert {check.graph for check in parity.checks} == kinds
    assert {check.graph for check in parity.checks if "300 tiles" in check.name} == kinds
