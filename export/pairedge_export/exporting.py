"""Exports one checkpoint to one folder: graphs, the proof and the card; all of them, or nothing."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

import pairedge
from pairedge.confidence import DEFAULT_THRESHOLD
from pairedge.graph import CONTRACTS, SCHEMA
from pairedge.signature import SIGNATURE
from pairedge_export.c.adding import c_files_with_proof
from pairedge_export.c.writing import HEADER, SOURCE
from pairedge_export.card import NO_LICENSE, card
from pairedge_export.graphs import TorchGraph, graphs_of
from pairedge_export.mobile import mobile_checks, mobile_files
from pairedge_export.parity import Check, Parity, check_parity, require_passed
from pairedge_export.precision import (
    AGREEMENT,
    LOSS,
    changes,
    contract_checks,
    metrics_of,
    reduce_precision,
    with_metrics,
)
from pairedge_export.to_onnx import to_onnx
from pairedge_train.data.datasets import Digits
from pairedge_train.errors import CheckpointError
from pairedge_train.files import write_all
from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.training.all_pairs import evaluate_all_pairs
from pairedge_train.training.checkpoint import Checkpoint

Metric: TypeAlias = dict[str, Any]  # {"accuracy": float 0 to 1, "n": int}


def export_checkpoint(
    checkpoint: Checkpoint,
    test: Digits,
    folder: Path,
    *,
    precision: str = "fp32",
    calibration: NDArray[np.uint8] | None = None,
    mobile: bool = False,
    c: bool = False,
    license_name: str | None = None,
) -> Parity:
    """Write a checkpoint's graphs, `parity.json` and `card.md` to a folder, once parity holds.

    Args:
        checkpoint: what to export.
        test: the test digits, for the metrics and for parity on real tiles.
        folder: where the files go; files of an earlier export there are replaced.
        precision: "fp32", "fp16" or "int8". Graphs of reduced precision must meet the acceptance criterion of
            pairedge_export.precision, against fp32 graphs that are at parity.
        calibration: training tiles, uint8 (M, 14, 14), 0 to 255, for the ranges of int8; never test tiles.
        mobile: whether to write `.ort` files too, and the list of operators that they need.
        c: whether to write the graphs in C too.
        license_name: of the model, best an SPDX identifier; None when its owner states none.

    Raises:
        CheckpointError: when the checkpoint's metrics are no probabilities; nothing is written then.
        ExportError: when parity or the acceptance criterion fails, or the graphs cannot be written in C;
            nothing is written then either.
        OutputError: when the files cannot be written; none of them is then.
    """
    metadata = describe(checkpoint, test, license_name)
    graphs = [(graph, export_graph(graph, metadata, checkpoint)) for graph in graphs_of(checkpoint.network)]
    parity = check_parity(graphs, test.tiles)
    require_passed(parity, "the exported graphs are not what was trained")
    contents = {graph.kind: content for graph, content in graphs}
    if precision != "fp32":
        tiles = test.tiles[:0] if calibration is None else calibration
        contents, metrics, checks = reduce_and_measure(contents, precision, tiles, test)
        parity = Parity([*parity.checks, *checks])
        require_passed(
            parity,
            f"the {precision} graphs do not meet the acceptance criterion (at least {AGREEMENT:.1%} of the "
            f"decisions as in fp32, at most {LOSS:.1%} less accuracy)",
        )
        metadata |= {"precision": precision, "metrics": metrics}
    files = {f"{kind}.onnx": content for kind, content in contents.items()}
    if mobile:
        converted = mobile_files(contents)
        parity = Parity([*parity.checks, *mobile_checks(contents, converted, test.tiles)])
        require_passed(parity, "the .ort files do not compute what the graphs do")
        files |= converted
    if c:
        in_c, checks = c_files_with_proof(contents, test.tiles)
        parity = Parity([*parity.checks, *checks])
        files |= in_c
    sizes = {name: len(content) for name, content in files.items()}
    files["parity.json"] = (json.dumps(parity.to_dict(), indent=1) + "\n").encode()
    files["card.md"] = card(metadata, sizes, parity).encode()
    graph_files = [f"{kind}.{ending}" for kind in CONTRACTS for ending in ("onnx", "ort")]
    write_all(folder, files, obsolete=[*graph_files, HEADER, SOURCE, SIGNATURE])
    return parity


def export_graph(graph: TorchGraph, metadata: dict[str, Any], checkpoint: Checkpoint) -> bytes:
    """Convert one graph to its file, with the metadata that all graphs share and those of its kind."""
    facts = {**metadata, "graph": graph.kind, "contract": contract_of(graph)}
    return to_onnx(graph, facts, example_inputs(graph, checkpoint))


def reduce_and_measure(
    fp32: dict[str, bytes], precision: str, calibration: NDArray[np.uint8], test: Digits
) -> tuple[dict[str, bytes], dict[str, Any], list[Check]]:
    """Convert graphs to reduced precision and measure them.

    Args:
        fp32: the graphs by kind.
        precision: "fp16" or "int8".
        calibration: training tiles, uint8 (M, 14, 14), 0 to 255, for the ranges of int8.
        test: the test digits.

    Returns:
        The graphs, with their own metrics in their metadata; these metrics; and the checks.
    """
    reduced = reduce_precision(fp32, precision, calibration)
    checks = contract_checks(reduced)
    if not all(check.passed for check in checks):
        return reduced, {}, checks
    measured = changes(fp32, reduced, test.tiles, test.labels.numpy())
    metrics = metrics_of(measured)
    graphs = {kind: with_metrics(content, metrics) for kind, content in reduced.items()}
    return graphs, metrics, [*checks, *(change.check() for change in measured)]


def describe(checkpoint: Checkpoint, test: Digits, license_name: str | None = None) -> dict[str, Any]:
    """The metadata that all graphs of a model share.

    Args:
        checkpoint: the model.
        test: the test digits, for the metrics.
        license_name: as `export_checkpoint` takes it.

    Raises:
        CheckpointError: when the checkpoint's metrics are no probabilities.
    """
    metrics = round_metrics(checkpoint)
    exact = evaluate_all_pairs(checkpoint.network, torch.from_numpy(test.tiles).float(), test.labels)
    if exact is not None:
        metrics["all_pairs"] = {"accuracy": exact.accuracy, "n": len(test) ** 2}
        if exact.digit_accuracy is not None:
            metrics["digits"] = {"accuracy": exact.digit_accuracy, "n": len(test)}
        if exact.by_digit is not None:
            metrics["digits"]["by_digit"] = {
                str(digit): {"accuracy": accuracy, "n": n} for digit, (accuracy, n) in exact.by_digit.items()
            }
    return {
        **confidence_thresholds(checkpoint),
        **held_out(checkpoint),
        **({"adapted": checkpoint.metrics["adapted"]} if checkpoint.metrics.get("adapted") else {}),
        **({"machine": checkpoint.machine} if checkpoint.machine else {}),
        "schema": SCHEMA,
        "pairedge": pairedge.__version__,
        "variant": checkpoint.recipe.variant,
        "recipe": checkpoint.recipe.to_dict(),
        "seed": checkpoint.seed,
        "parameters": checkpoint.network.parameter_count(),
        "labels": list(checkpoint.classes),
        "metrics": metrics,
        "training_sha256": checkpoint.training_sha256,
        "weights_sha256": checkpoint.network.sha256(),
        "license": license_name or NO_LICENSE,
    }


def round_metrics(checkpoint: Checkpoint) -> dict[str, Metric]:
    """The accuracy that the round itself measured: on test pairs, else on validation pairs, else nothing.

    A recipe that evaluates on validation pairs only leaves the test pairs alone.
    """
    test = probability(checkpoint, "test_accuracy")
    if test is not None:
        n = checkpoint.metrics.get("test_pairs")
        return {"round": {"accuracy": test, **({"n": n} if n else {})}}
    validation = probability(checkpoint, "validation_accuracy")
    if validation is None:
        return {}
    data = checkpoint.recipe.data
    # Folds differ in size, and synthetic pictures add pairs: n is known of plain held-out pairs.
    known = data.hold_out and not (data.folds or data.synthetic or data.is_own)
    return {"validation": {"accuracy": validation, **({"n": data.hold_out} if known else {})}}


def confidence_thresholds(checkpoint: Checkpoint) -> dict[str, dict[str, float]]:
    """The entry `confidence` of the metadata; none where no threshold was fitted."""
    fitted = {name: probability(checkpoint, f"{name}_threshold") for name in ("pair", "digit")}
    if set(fitted.values()) == {None}:
        return {}
    return {"confidence": {name: DEFAULT_THRESHOLD if p is None else p for name, p in fitted.items()}}


def held_out(checkpoint: Checkpoint) -> dict[str, dict[str, Any]]:
    """The entry `held_out` of the metadata: what was held out before synthetic pictures were rendered."""
    digits, rejected = (
        checkpoint.metrics.get("held_out_digits"),
        probability(checkpoint, "negatives_rejected"),
    )
    if not digits:
        return {}
    if rejected is None:
        return {"held_out": {"digits": digits}}
    negatives = checkpoint.metrics["negatives"]
    return {"held_out": {"digits": digits, "negatives": negatives, "negatives_rejected": rejected}}


def probability(checkpoint: Checkpoint, name: str) -> float | None:
    """One of the checkpoint's metrics, 0 to 1; None where it was not measured.

    Raises:
        CheckpointError: when it is no number from 0 to 1.
    """
    value = checkpoint.metrics.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise CheckpointError(f"the checkpoint's {name} is no number from 0 to 1: {value!r}")
    return float(value)


def contract_of(graph: TorchGraph) -> dict[str, Any]:
    """The contract of a graph, without the outputs that it does not have, as plain values."""
    contract = CONTRACTS[graph.kind]
    return {
        "inputs": {name: asdict(spec) for name, spec in contract.inputs.items()},
        "outputs": {name: asdict(contract.outputs[name]) for name in graph.outputs},
    }


def example_inputs(graph: TorchGraph, checkpoint: Checkpoint) -> tuple[torch.Tensor, ...]:
    """Inputs of batch 2 for the converter to trace.

    Returns:
        In the order of the contract: uint8 (2, 2, 14, 14) for "pair", uint8 (2, 14, 14) for "digit", all 0;
        twice float32 (2, E), of any range, for "compare".
    """
    images = torch.zeros(2, 2, 14, 14, dtype=torch.uint8)
    if graph.kind == "pair":
        return (images,)
    if graph.kind == "digit":
        return (images[:, 0],)
    body = checkpoint.network.body
    assert isinstance(body, TwoBranches)  # only those have a `compare` graph
    with torch.no_grad():
        return body.embed(checkpoint.network.normalize(images.float()))
