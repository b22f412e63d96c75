"""The torch network that `pairedge bench` shows is the one that the graph was exported from."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch

import pairedge
from pairedge.bench import BASELINES, benchmark
from pairedge_export.eager import torch_eager
from pairedge_export.parity import TOLERANCE
from pairedge_train.data.datasets import DataSet
from pairedge_train.errors import CheckpointError
from pairedge_train.training.checkpoint import Checkpoint
from pairedge_train.training.exported import checkpoint_of

from .conftest import SHARED, VARIANTS, Exports

GRAPHS = Path(__file__).parents[1] / "pairedge" / "graphs"


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_weights_of_a_graph_return_to_the_network(
    variant: str, checkpoints: dict[str, Checkpoint], exports: Exports, uci: DataSet
) -> None:
    path = exports[variant][0] / "pair.onnx"
    pairs = np.stack([uci.test.tiles[:50], uci.test.tiles[50:100]], axis=1)
    expected = pairedge.load(path, digits=False).predict_batch(pairs).probability
    threads = torch.get_num_threads()
    with torch_eager(str(path)) as answer:
        assert answer is not None
        leq = cast(tuple[torch.Tensor, ...], answer(pairs))[0]
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == threads
    assert np.abs(leq.numpy() - expected).max() <= TOLERANCE
    network = checkpoint_of(path.read_bytes()).network
    assert network.parameter_count() == checkpoints[variant].network.parameter_count()


def test_a_graph_of_another_tool_has_no_network() -> None:
    with torch_eager(str(GRAPHS / "base.onnx")) as answer:
        assert answer is None
    with pytest.raises(CheckpointError, match="names no recipe"):
        checkpoint_of((GRAPHS / "base.onnx").read_bytes())


def test_bench_measures_it_as_a_baseline(exports: Exports) -> None:
    assert "torch_eager" in {entry.name for entry in entry_points(group=BASELINES)}
    result = benchmark(str(exports[SHARED][0] / "pair.onnx"), 0.01)
    assert result["one_pair_microseconds"]["torch eager"]["n"] >= 1
    assert set(result["speedups"]["torch eager"]) == {"one pair", "batch 1024"}
