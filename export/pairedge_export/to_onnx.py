"""Converts a torch graph to the bytes of an ONNX file that meets the contract and names no machine."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import onnx
import torch
from torch import Tensor

from pairedge.digest import append_digest
from pairedge.graph import CONTRACTS, METADATA_KEY
from pairedge_export.doc_strings import GRAPHS, TENSORS
from pairedge_export.errors import ExportError
from pairedge_export.graphs import TorchGraph

OPSET = 18
# IR 8 loads in every onnxruntime from 1.15 on; the exporter's own IR 10 only from 1.18.
IR_VERSION = 8


def to_onnx(graph: TorchGraph, metadata: dict[str, Any], examples: tuple[Tensor, ...]) -> bytes:
    """Convert a graph; the same weights and metadata give the same bytes.

    Args:
        graph: what to convert.
        metadata: JSON values to store in the file.
        examples: inputs in the order of the contract: uint8 (2, 2, 14, 14) for "pair", uint8 (2, 14, 14) for
            "digit", twice float32 (2, E) for "compare".

    Raises:
        ExportError: when the converter writes another opset than OPSET.
    """
    names = list(CONTRACTS[graph.kind].inputs)
    batch = torch.export.Dim("N")
    with _quietly():
        program = torch.onnx.export(
            graph.module,
            examples,
            dynamo=True,
            input_names=names,
            output_names=list(graph.outputs),
            opset_version=OPSET,
            external_data=False,
            dynamic_shapes={name: {0: batch} for name in names},
            optimize=True,
            verbose=False,
        )
    assert program is not None  # dynamo=True always gives one
    model: onnx.ModelProto = program.model_proto
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    if opsets.get("") != OPSET:  # the converter falls back to another where it cannot convert
        raise ExportError(f"the converter wrote opset {opsets.get('')} instead of {OPSET}")
    return serialize(model, metadata)


def serialize(model: onnx.ModelProto, metadata: dict[str, Any]) -> bytes:
    """The file of a graph: the computation, what Netron shows of it, the metadata and the digest, no more.

    Args:
        model: of the inputs and outputs of a contract; changed in place.
        metadata: JSON values to store in the file; `metadata["graph"]` names the contract.
    """
    strip(model)
    describe(model.graph, metadata["graph"])
    model.ir_version = IR_VERSION
    onnx.helper.set_model_props(model, {METADATA_KEY: json.dumps(metadata, sort_keys=True)})
    onnx.checker.check_model(model, full_check=True)
    return append_digest(model.SerializeToString(deterministic=True))


def describe(graph: onnx.GraphProto, kind: str) -> None:
    """Put the doc strings on a graph of `kind`, its inputs and its outputs, which Netron shows."""
    graph.doc_string = GRAPHS[kind]
    for tensor in (*graph.input, *graph.output):
        tensor.doc_string = TENSORS[tensor.name]


def strip(model: onnx.ModelProto) -> None:
    """Remove what is not the computation: the converter puts stack traces, with paths, on every node."""
    graph = model.graph
    for owner in (
        model,
        graph,
        *graph.node,
        *graph.input,
        *graph.output,
        *graph.value_info,
        *graph.initializer,
    ):
        owner.doc_string = ""
        del owner.metadata_props[:]
    del graph.value_info[:]
    del model.functions[:]
    for unused in [
        entry for entry in model.opset_import if entry.domain not in {node.domain for node in graph.node}
    ]:
        model.opset_import.remove(unused)
    graph.name = "pairedge"


@contextmanager
def _quietly() -> Iterator[None]:
    """Silence the converter's warnings about its internals; the parity check that follows is what counts."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
