"""What can be adapted: the model that ships, a checkpoint or a graph, with a digit head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import pairedge
from pairedge.errors import PairedgeError
from pairedge.shipped import shipped_graph
from pairedge_train.adaptation.start import load_start
from pairedge_train.data.datasets import DataSet
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.networks.output import Output
from pairedge_train.training.checkpoint import Checkpoint, save_checkpoint
from pairedge_train.training.rounds import train_round

GRAPHS = Path(__file__).parents[2] / "pairedge" / "graphs"


def test_the_start_answers_as_the_model_that_ships(shipped: Checkpoint, uci: DataSet) -> None:
    tiles = uci.test.tiles[:100]
    with torch.inference_mode():
        images = torch.from_numpy(np.stack([tiles, tiles], axis=1)).float()
        output: Output = shipped.network(images)
    assert output.digits is not None
    posteriors = output.digits[:, 0].softmax(1).numpy()
    expected = pairedge.load().classify_batch(tiles).probabilities
    assert np.abs(posteriors - expected).max() < 1e-5
    assert shipped.seed == 2021
    assert shipped.metrics["digit_threshold"] == pairedge.load().thresholds.digit


def test_a_checkpoint_can_be_adapted(tiny: DataSet, quick: Recipe, tmp_path: Path) -> None:
    checkpoint, _ = train_round(quick, tiny)
    save_checkpoint(tmp_path / "a.safetensors", checkpoint)
    assert load_start(str(tmp_path / "a.safetensors")).network.sha256() == checkpoint.network.sha256()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (shipped_graph("digit"), "is a 'digit' graph, not a 'pair' graph"),
        (str(GRAPHS / "base.onnx"), "names no recipe, and so no network"),
        ("nothing.onnx", "nothing.onnx: no such file"),
        ("nothing.safetensors", "nothing.safetensors: no such checkpoint"),
    ],
)
def test_what_is_no_network_to_start_from_is_one_sentence(name: str, sentence: str) -> None:
    with pytest.raises(PairedgeError, match=sentence):
        load_start(name)


def test_a_network_that_only_compares_cannot_be_adapted(tiny: DataSet, quick: Recipe, tmp_path: Path) -> None:
    checkpoint, _ = train_round(quick.with_({"network.variant": "ws"}), tiny)
    save_checkpoint(tmp_path / "a.safetensors", checkpoint)
    with pytest.raises(PairedgeError, match="has no digit head, which adapting needs"):
        load_start(str(tmp_path / "a.safetensors"))
