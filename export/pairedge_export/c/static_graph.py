"""Reads an exported graph into nodes with static shapes, for one pair or tile at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper, shape_inference

from pairedge.graph import METADATA_KEY
from pairedge_export.errors import ExportError

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class Quantization:
    """How a layer of integers takes its input, and rounds its sums to int8.

    Attributes:
        input_zero: the integer that stands for 0 in the input, -128 to 127.
        scales: float32 (C,), above 0: of each channel's sums.
        zero: the integer that stands for 0 in the output, -128 to 127.
    """

    input_zero: int
    scales: Array
    zero: int


@dataclass(frozen=True)
class Node:
    """One operation of a graph; tensors go by name.

    Attributes:
        quantization: of a layer that computes with integers; None for floats.
    """

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    quantization: Quantization | None = None


@dataclass(frozen=True)
class StaticGraph:
    """A graph whose batch is 1, so that every shape is known.

    Attributes:
        kind: "pair", "digit" or "compare".
        nodes: in an order in which each comes after those that it needs.
        inputs: names.
        outputs: names.
        constants: the graph's weights and other constants, float32, integers or bool of any shape, by name.
        shapes: the shape of every other tensor, by name.
        metadata: what the exporter stored.
    """

    kind: str
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    constants: Mapping[str, Array]
    shapes: Mapping[str, tuple[int, ...]]
    metadata: Mapping[str, Any]

    def refusal(self, what: str) -> ExportError:
        """The error for an operator, or a form of one, that is not written in C."""
        return ExportError(f"the {self.kind} graph cannot be written in C, which has no {what}")

    def readers(self, name: str) -> list[Node]:
        """The nodes that read a tensor, once for each time."""
        return [node for node in self.nodes for read in node.inputs if read == name]


def read_graph(kind: str, content: bytes) -> StaticGraph:
    """Read the graph of a kind from its ONNX file."""
    model = onnx.load_from_string(content)
    for value in model.graph.input:
        value.type.tensor_type.shape.dim[0].dim_value = 1
    model = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    graph = model.graph
    typed = [*graph.input, *graph.value_info, *graph.output]
    metadata = {entry.key: entry.value for entry in model.metadata_props}[METADATA_KEY]
    return StaticGraph(
        kind,
        tuple(read_node(node) for node in graph.node),
        tuple(value.name for value in graph.input),
        tuple(value.name for value in graph.output),
        {tensor.name: np.asarray(numpy_helper.to_array(tensor)) for tensor in graph.initializer},
        {value.name: tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim) for value in typed},
        json.loads(metadata),
    )


def read_node(node: onnx.NodeProto) -> Node:
    """The operation, without what the computation does not need."""
    attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    return Node(node.op_type, tuple(node.input), tuple(node.output), attributes)
