"""One checkpoint to one folder: graphs, the proof, and the card; all of them, or nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

import pairedge
from pairedge.graph import CONTRACTS, DIGITS, SCHEMA
from pairedge_export.card import card
from pairedge_export.errors import ExportError
from pairedge_export.graphs import TorchGraph, graphs_of
from pairedge_export.parity import Parity, check_parity
from pairedge_export.to_onnx import to_onnx
from pairedge_train.checkpoint import Checkpoint
from pairedge_train.data import Digits
from pairedge_train.evaluate import exact_accuracy
from pairedge_train.files import write_all
from pairedge_train.two_branches import TwoBranches


def export_checkpoint(checkpoint: Checkpoint, test: Digits, folder: Path) -> Parity:
    """Write a checkpoint's graphs, `parity.json` and `card.md` to a folder, once parity holds.

    Args:
        checkpoint: what to export.
        test: the test digits, for the metrics and for parity on real tiles.
        folder: where the files go; files of an earlier export there are replaced.

    Raises:
        ExportError: when parity fails; nothing is written then.
        OutputError: when the files cannot be written; nothing is written then either.
    """
    metadata = describe(checkpoint, test)
    files: dict[str, bytes] = {}
    pairs: list[tuple[TorchGraph, bytes]] = []
    for graph in graphs_of(checkpoint.network):
        facts = {**metadata, "graph": graph.kind, "contract": contract_of(graph)}
        content = to_onnx(graph, facts, example_inputs(graph, checkpoint))
        files[f"{graph.kind}.onnx"] = content
        pairs.append((graph, content))
    parity = check_parity(pairs, test.tiles)
    if not parity.passed:
        failed = "; ".join(
            f"{check.graph}: {check.name}: {check.detail}" for check in parity.checks if not check.passed
        )
        raise ExportError(f"the exported graphs are not what was trained, nothing was written: {failed}")
    sizes = {name: len(content) for name, content in files.items()}
    files["parity.json"] = (json.dumps(parity.to_dict(), indent=1) + "\n").encode()
    files["card.md"] = card(metadata, sizes, parity).encode()
    write_all(folder, files)
    return parity


def describe(checkpoint: Checkpoint, test: Digits) -> dict[str, Any]:
    """The metadata that all graphs of a model share."""
    weights = hashlib.sha256()
    for name, tensor in sorted(checkpoint.network.state_dict().items()):
        weights.update(name.encode() + tensor.numpy().tobytes())
    metrics = {
        "round": {"accuracy": checkpoint.metrics["test_accuracy"], "n": checkpoint.metrics["test_pairs"]},
    }
    exact = exact_accuracy(checkpoint.network, test)
    if exact is not None:
        metrics["all_pairs"] = {"accuracy": exact.pairs, "n": len(test) ** 2}
        if exact.digits is not None:
            metrics["digits"] = {"accuracy": exact.digits, "n": len(test)}
    return {
        "schema": SCHEMA,
        "pairedge": pairedge.__version__,
        "variant": checkpoint.recipe.variant,
        "recipe": checkpoint.recipe.to_dict(),
        "seed": checkpoint.seed,
        "parameters": checkpoint.network.parameter_count(),
        "labels": [str(digit) for digit in range(DIGITS)],
        "metrics": metrics,
        "training_sha256": checkpoint.training_sha256,
        "weights_sha256": weights.hexdigest(),
        "licence": "MIT",
    }


def contract_of(graph: TorchGraph) -> dict[str, Any]:
    """The part of the contract that a graph keeps, as plain values."""
    contract = CONTRACTS[graph.kind]
    return {
        "inputs": {name: asdict(spec) for name, spec in contract.inputs.items()},
        "outputs": {name: asdict(contract.outputs[name]) for name in graph.outputs},
    }


def example_inputs(graph: TorchGraph, checkpoint: Checkpoint) -> tuple[torch.Tensor, ...]:
    """Inputs of batch 2 for the converter to trace with."""
    images = torch.zeros(2, 2, 14, 14, dtype=torch.uint8)
    if graph.kind == "pair":
        return (images,)
    if graph.kind == "digit":
        return (images[:, 0],)
    body = checkpoint.network.body
    assert isinstance(body, TwoBranches)  # only those have a `compare` graph
    with torch.no_grad():
        return body.embed(checkpoint.network.normalise(images.float()))
