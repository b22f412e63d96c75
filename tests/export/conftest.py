"""A trained checkpoint of each TwinNet variant, without MNIST, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pairedge_train.data.datasets import DataSet, load_uci
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.experiments.study import FIRST_SEED
from pairedge_train.training.checkpoint import Checkpoint, load_checkpoint
from pairedge_train.training.rounds import checkpoint_path, run_rounds

torch.set_num_threads(1)
VARIANTS = ("base", "ws", "aux", "aux_ws")
SHARED = "aux_ws"  # the one with three graphs


@pytest.fixture(scope="session")
def uci() -> DataSet:
    return load_uci()


@pytest.fixture(scope="session")
def checkpoint_files(uci: DataSet, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Checkpoints by variant, three epochs on 200 pairs each."""
    files = {}
    for variant in VARIANTS:
        folder = tmp_path_factory.mktemp(variant)
        recipe = Recipe().with_(
            {
                "network.variant": variant,
                "data.dataset": "uci",
                "data.pairs": 200,
                "data.test_pairs": 200,
                "data.validation_pairs": 0,
                "optim.epochs": 3,
            }
        )
        run_rounds(recipe, uci, folder)
        files[variant] = checkpoint_path(folder, FIRST_SEED)
    return files


@pytest.fixture(scope="session")
def checkpoints(checkpoint_files: dict[str, Path]) -> dict[str, Checkpoint]:
    return {variant: load_checkpoint(path) for variant, path in checkpoint_files.items()}
