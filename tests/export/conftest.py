"""A trained checkpoint of each TwinNet variant, without MNIST, and its graphs; both made once."""

from __future__ import annotations

import functools
import json
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from os import environ
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock

from pairedge.graph import open_graph
from pairedge_export import exporting
from pairedge_export.exporting import export_checkpoint
from pairedge_export.graphs import TorchGraph
from pairedge_export.parity import Parity
from pairedge_export.to_onnx import to_onnx as convert
from pairedge_train.data.datasets import DataSet, Digits
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.experiments.study import FIRST_SEED
from pairedge_train.training.checkpoint import Checkpoint, load_checkpoint
from pairedge_train.training.rounds import checkpoint_path, run_rounds

VARIANTS = ("base", "ws", "aux", "aux_ws")
SHARED = "aux_ws"  # the one with three graphs


@pytest.fixture(scope="session", autouse=True)
def operators_listed_once() -> Iterator[None]:
    """Let torch's converter list its operators once, and not anew for each graph: a third of its time."""
    import torch._export.utils
    from torch.onnx._internal.exporter._registration import ONNXRegistry

    with pytest.MonkeyPatch.context() as patch:
        convertible = functools.cache(ONNXRegistry.from_torchlib)
        patch.setattr(ONNXRegistry, "from_torchlib", staticmethod(convertible))
        composite = functools.cache(torch._export.utils._materialize_cpp_cia_ops)
        patch.setattr(torch._export.utils, "_materialize_cpp_cia_ops", composite)
        yield


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


@dataclass(frozen=True)
class Exports:
    """The checkpoints' folders of graphs; each is written when first asked for, by one worker for all."""

    root: Path
    checkpoints: Mapping[str, Checkpoint]
    test: Digits

    def __getitem__(self, variant: str) -> tuple[Path, Parity]:
        """The folder of a variant, not to be changed, and its proof."""
        folder, proof = self.root / variant, self.root / f"{variant}.pickle"
        with FileLock(self.root / f"{variant}.lock"):
            if not proof.exists():
                proof.write_bytes(
                    pickle.dumps(export_checkpoint(self.checkpoints[variant], self.test, folder))
                )
        parity = pickle.loads(proof.read_bytes())
        assert isinstance(parity, Parity)
        return folder, parity


@pytest.fixture(scope="session")
def exports_of(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str, Mapping[str, Checkpoint], Digits], Exports]:
    """From a name, checkpoints and test digits to the folders and proofs, which all workers share."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in environ:  # then it is this worker's own, in one of the whole run
        root = root.parent

    def make(name: str, checkpoints: Mapping[str, Checkpoint], test: Digits) -> Exports:
        (root / name).mkdir(exist_ok=True)
        return Exports(root / name, checkpoints, test)

    return make


@pytest.fixture(scope="session")
def exports(
    checkpoints: dict[str, Checkpoint],
    uci: DataSet,
    exports_of: Callable[[str, Mapping[str, Checkpoint], Digits], Exports],
) -> Exports:
    """Every variant's folder and proof."""
    return exports_of("exports", checkpoints, uci.test)


@pytest.fixture
def converted_before(exports: Exports, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bytes]:
    """Let `export_checkpoint` take the graphs of `exports`, of the same weights, in place of converting anew.

    That the same weights and metadata convert to the same bytes is a test of its own.
    """

    def to_onnx(graph: TorchGraph, metadata: dict[str, Any], _: tuple[torch.Tensor, ...]) -> bytes:
        with monkeypatch.context() as patch:
            patch.setattr(exporting, "to_onnx", convert)  # the first to ask has to convert
            folder, _parity = exports[metadata["variant"]]
        content = (folder / f"{graph.kind}.onnx").read_bytes()
        # The metadata hold a digest of the weights.
        assert open_graph(content, graph.kind).metadata == json.loads(json.dumps(metadata))
        return content

    monkeypatch.setattr(exporting, "to_onnx", to_onnx)
    return to_onnx
