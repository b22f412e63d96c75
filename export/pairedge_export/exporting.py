"""One checkpoint to one folder: graphs, the proof, and the card; all of them, or nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import pairedge
from pairedge.graph import CONTRACTS, DIGITS, SCHEMA
from pairedge_export.card import card
from pairedge_export.errors import ExportError
from pairedge_export.graphs import TorchGraph, graphs_of
from pairedge_export.mobile import mobile_checks, mobile_files
from pairedge_export.parity import Check, Parity, check_parity
from pairedge_export.precision import changes, contract_checks, lower, metrics_of, with_metrics
from pairedge_export.to_onnx import to_onnx
from pairedge_train.data.datasets import Digits
from pairedge_train.files import write_all
from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.training.checkpoint import Checkpoint
from pairedge_train.training.evaluate import exact_accuracy


def export_checkpoint(
    checkpoint: Checkpoint,
    test: Digits,
    folder: Path,
    *,
    precision: str = "fp32",
    calibration: NDArray[np.uint8] | None = None,
    mobile: bool = False,
) -> Parity:
    """Write a checkpoint's graphs, `parity.json` and `card.md` to a folder, once parity holds.

    Args:
        checkpoint: what to export.
        test: the test digits, for the metrics and for parity on real tiles.
        folder: where the files go; files of an earlier export there are replaced.
        precision: "fp32", "fp16" or "int8". Fewer bits are judged by pairedge_export.precision's promise,
            against fp32 graphs that are at parity.
        calibration: training tiles, uint8 (M, 14, 14), for the ranges of int8; the test tiles never.
        mobile: whether to write `.ort` files too, and the operators that they need.

    Raises:
        ExportError: when parity or the promise fails; nothing is written then.
        OutputError: when the files cannot be written; nothing is written then either.
    """
    metadata = describe(checkpoint, test)
    graphs = [(graph, export_graph(graph, metadata, checkpoint)) for graph in graphs_of(checkpoint.network)]
    parity = check_parity(graphs, test.tiles)
    refuse_failed(parity, "the exported graphs are not what was trained")
    contents = {graph.kind: content for graph, content in graphs}
    if precision != "fp32":
        tiles = test.tiles[:0] if calibration is None else calibration
        contents, metrics, checks = lower_with_proof(contents, precision, tiles, test)
        parity = Parity([*parity.checks, *checks])
        refuse_failed(parity, f"in {precision} the graphs decide otherwise than is promised")
        metadata |= {"precision": precision, "metrics": metrics}
    files = {f"{kind}.onnx": content for kind, content in contents.items()}
    if mobile:
        added = mobile_files(contents)
        parity = Parity([*parity.checks, *mobile_checks(contents, added, test.tiles)])
        refuse_failed(parity, "the .ort files are not what the graphs are")
        files |= added
    sizes = {name: len(content) for name, content in files.items()}
    files["parity.json"] = (json.dumps(parity.to_dict(), indent=1) + "\n").encode()
    files["card.md"] = card(metadata, sizes, parity).encode()
    write_all(folder, files)
    return parity


def export_graph(graph: TorchGraph, metadata: dict[str, Any], checkpoint: Checkpoint) -> bytes:
    """One graph's file, with the metadata that all share and those of its kind."""
    facts = {**metadata, "graph": graph.kind, "contract": contract_of(graph)}
    return to_onnx(graph, facts, example_inputs(graph, checkpoint))


def refuse_failed(parity: Parity, sentence: str) -> None:
    """Stop before anything is written when a check failed.

    Raises:
        ExportError: naming every failed check.
    """
    failed = "; ".join(
        f"{check.graph}: {check.name}: {check.detail}" for check in parity.checks if not check.passed
    )
    if failed:
        raise ExportError(f"{sentence}, nothing was written: {failed}")


def lower_with_proof(
    fp32: dict[str, bytes], precision: str, calibration: NDArray[np.uint8], test: Digits
) -> tuple[dict[str, bytes], dict[str, Any], list[Check]]:
    """The graphs in fewer bits, the metrics that they themselves reach and claim, and the lines of proof."""
    lowered = lower(fp32, precision, calibration)
    checks = contract_checks(lowered)
    if not all(check.passed for check in checks):
        return lowered, {}, checks
    found = changes(fp32, lowered, test.tiles, test.labels.numpy())
    metrics = metrics_of(found)
    claiming = {kind: with_metrics(content, metrics) for kind, content in lowered.items()}
    return claiming, metrics, [*checks, *(change.check() for change in found)]


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
    threshold = checkpoint.metrics.get("doubt_threshold")
    doubt = {} if threshold is None else {"confidence": {"pair": threshold, "digit": threshold}}
    return {
        **doubt,
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
        "license": "MIT",
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
