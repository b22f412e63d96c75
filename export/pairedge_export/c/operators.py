"""The operators of our variants in C, each by the function that translates it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import TypeAlias

import numpy as np

from pairedge_export.c.constants import Array, Constants
from pairedge_export.c.function import Function
from pairedge_export.c.quantized_layers import scale_and_zero
from pairedge_export.c.static_graph import Node, StaticGraph
from pairedge_export.c.tensors import (
    INT8,
    Memory,
    Operand,
    compact_strides,
    elementwise,
    scalar,
)
from pairedge_export.c.translation import CHANNELS_LAST, Translation, c_shape, c_window

Operator: TypeAlias = Callable[[Translation, Node], list[Operand]]
_OPERATORS: dict[str, Operator] = {}


def operator(*names: str) -> Callable[[Operator], Operator]:
    """Register how operators are translated: from a node to its outputs."""

    def register(function: Operator) -> Operator:
        _OPERATORS.update(dict.fromkeys(names, function))
        return function

    return register


def translate(graph: StaticGraph, constants: Constants) -> Function:
    """Write a graph as the body of a C function.

    Args:
        graph: what to write.
        constants: its weights are added to these.

    Raises:
        ExportError: when the graph has an operator, or a form of one, that is not written in C.
    """
    unknown = sorted({node.operator for node in graph.nodes} - set(_OPERATORS))
    if unknown:
        raise graph.refusal(", ".join(unknown))
    translation = Translation(graph, constants)
    for node in graph.nodes:
        results = _OPERATORS[node.operator](translation, node)
        for name, tensor in zip(node.outputs, results, strict=True):
            translation.tensors[name] = tensor
            if len(graph.readers(name)) > 1:
                translation.tensors[name] = translation.memory(name)  # computed once, not by each reader
    for name in graph.outputs:
        tensor = translation.tensor(name)
        place = Memory(name, tensor.shape, compact_strides(tensor.shape, range(len(tensor.shape))))
        translation.function.fill(place, tensor)
    return translation.function


_EXPRESSIONS = {
    "Add": "({0} + {1})",
    "Sub": "({0} - {1})",
    "Mul": "({0} * {1})",
    "Div": "({0} / {1})",
    "LessOrEqual": "({0} <= {1} ? 1.0F : 0.0F)",
    "Where": "({0} != 0 ? {1} : {2})",
    "Selu": "selu({0})",
    "Sigmoid": "sigmoid({0})",
    "Tanh": "tanhf({0})",
}


@operator(*_EXPRESSIONS)
def expression(translation: Translation, node: Node) -> list[Operand]:
    """Element by element, computed where it is needed."""
    translation.require(node, alpha=None, gamma=None)
    return [elementwise(_EXPRESSIONS[node.operator], *map(translation.tensor, node.inputs))]


@operator("Relu")
def relu(translation: Translation, node: Node) -> list[Operand]:
    """Nothing where the convolution before has done it."""
    tensor = translation.tensor(node.inputs[0])
    return [tensor if node.inputs[0] in translation.rectified else elementwise("relu({0})", tensor)]


@operator("Identity", "Cast")
def identity(translation: Translation, node: Node) -> list[Operand]:
    """Nothing: C converts bytes when it computes with them, and everything else is a float."""
    translation.require(node, to=1)
    return [translation.tensor(node.inputs[0])]


@operator("QuantizeLinear")
def quantize(translation: Translation, node: Node) -> list[Operand]:
    """The nearest int8 of each value in units of a scale."""
    scale, zero = scale_and_zero(translation.graph, node)
    tensor = translation.tensor(node.inputs[0])
    template = f"quantized({{0}} / {{1}}, {zero.item()})"
    return [elementwise(template, tensor, scalar(scale.item()), type=INT8)]


@operator("DequantizeLinear")
def dequantize(translation: Translation, node: Node) -> list[Operand]:
    """The values that integers stand for."""
    scale, zero = scale_and_zero(translation.graph, node)
    tensor = translation.tensor(node.inputs[0])
    sign = "-" if zero >= 0 else "+"
    return [elementwise(f"(({{0}} {sign} {abs(zero.item())}) * {{1}})", tensor, scalar(scale.item()))]


@operator("BatchNormalization")
def batch_normalization(translation: Translation, node: Node) -> list[Operand]:
    """Scale and shift of each channel."""
    translation.require(node, training_mode=0)
    scale, shift, mean, variance = (translation.graph.constants[name] for name in node.inputs[1:])
    factor = scale / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
    tensor = translation.tensor(node.inputs[0])
    axes = (-1, *[1] * (len(tensor.shape) - 2))
    factors, shifts = (
        translation.constants.tensor(values.reshape(axes)) for values in (factor, shift - mean * factor)
    )
    return [elementwise("({0} * {1} + {2})", tensor, factors, shifts)]


@operator("Reshape")
def reshape(translation: Translation, node: Node) -> list[Operand]:
    """No copy where the elements keep their order, or where a matrix product can take them in theirs."""
    [name, _], [output] = node.inputs, node.outputs
    before, shape = translation.tensor(name).shape, translation.graph.shapes[output]
    pictures_to_rows = len(before) == 4 and len(shape) == 2 and before[0] == shape[0]
    if pictures_to_rows and [reader.operator for reader in translation.graph.readers(output)] == ["Gemm"]:
        memory = translation.memory(name, CHANNELS_LAST)
        columns = np.arange(shape[1]).reshape(before[1:])
        translation.column_orders[output] = columns.transpose(1, 2, 0).ravel()
    else:
        memory = translation.rows(name)
    return [memory.reshaped(shape)]


@operator("Unsqueeze", "Squeeze")
def squeeze(translation: Translation, node: Node) -> list[Operand]:
    """Another view of the same memory."""
    memory = translation.memory(node.inputs[0])
    shape = translation.graph.shapes[node.outputs[0]]
    kept = iter(stride for size, stride in zip(memory.shape, memory.strides, strict=True) if size > 1)
    return [replace(memory, shape=shape, strides=tuple(next(kept) if n > 1 else 0 for n in shape))]


@operator("Gather")
def gather(translation: Translation, node: Node) -> list[Operand]:
    """One entry along an axis."""
    memory, axis = translation.memory(node.inputs[0]), node.attributes.get("axis", 0)
    if translation.graph.constants[node.inputs[1]].ndim:
        raise translation.graph.refusal("Gather of several entries")
    [entry] = translation.integers(node.inputs[1])
    return [memory.part(axis, entry % memory.shape[axis], 1).without(axis)]


@operator("Slice")
def slice_(translation: Translation, node: Node) -> list[Operand]:
    """A part of the same memory."""
    memory = translation.memory(node.inputs[0])
    if len(node.inputs) < 4:
        raise translation.graph.refusal("Slice of all axes")
    starts, ends, axes, *steps = map(translation.integers, node.inputs[1:])
    if any(step != 1 for each in steps for step in each):
        raise translation.graph.refusal("Slice with steps")
    for start, end, axis in zip(starts, ends, axes, strict=True):
        first, stop, _ = slice(start, end).indices(memory.shape[axis])
        memory = memory.part(axis, first, stop - first)
    return [memory]


@operator("Split")
def split(translation: Translation, node: Node) -> list[Operand]:
    """Parts of the same memory."""
    memory, axis = translation.memory(node.inputs[0]), node.attributes.get("axis", 0)
    sizes = [translation.graph.shapes[name][axis] for name in node.outputs]
    starts = np.cumsum([0, *sizes[:-1]]).tolist()
    return [memory.part(axis, start, size) for start, size in zip(starts, sizes, strict=True)]


@operator("Concat")
def concatenate(translation: Translation, node: Node) -> list[Operand]:
    """Copies side by side."""
    axis = node.attributes["axis"]
    place = translation.function.array("joined", translation.graph.shapes[node.outputs[0]])
    start = 0
    for tensor in map(translation.tensor, node.inputs):
        translation.function.fill(place.part(axis, start, tensor.shape[axis]), tensor)
        start += tensor.shape[axis]
    return [place]


def pads_and_strides(node: Node) -> tuple[list[int], list[int]]:
    """The attributes of a window, or what ONNX says where they are left out."""
    return node.attributes.get("pads", [0, 0, 0, 0]), node.attributes.get("strides", [1, 1])


@operator("Conv", "ConvTranspose")
def convolution(translation: Translation, node: Node) -> list[Operand]:
    """A convolution; a transposed one of stride 1 is one with its window turned around."""
    translation.require(node, auto_pad=b"NOTSET", group=1, dilations=[1, 1], output_padding=[0, 0])
    weights = translation.graph.constants[node.inputs[1]]
    pads, (stride, *other) = pads_and_strides(node)
    if node.operator == "ConvTranspose":
        translation.require(node, strides=[1, 1])
        weights = weights[:, :, ::-1, ::-1].swapaxes(0, 1)
        sides = weights.shape[2:] * 2
        pads = [side - 1 - pad for side, pad in zip(sides, pads, strict=True)]
    translation.require(node, strides=[stride, *[stride for _ in other]])
    channels, _, height, width = weights.shape
    bias = bias_of(translation, node, channels)
    rows = weights.transpose(2, 3, 1, 0).reshape(-1, channels)
    zero = node.quantization.input_zero if node.quantization else 0
    source = translation.padded(node.inputs[0], pads, str(zero))
    shape = translation.graph.shapes[node.outputs[0]]
    place = translation.function.array("convolution", shape, CHANNELS_LAST, source.type)
    return translation.convolve(node, source, (height, width, stride), (rows, bias), place)


def bias_of(translation: Translation, node: Node, channels: int) -> Array:
    """The biases of a layer, float32 (C,), of any range, int32 of integers; zeros where it has none."""
    if len(node.inputs) < 3:
        return np.zeros(channels, np.float32)
    return np.broadcast_to(translation.graph.constants[node.inputs[2]], channels)


@operator("Gemm", "MatMul")
def product(translation: Translation, node: Node) -> list[Operand]:
    """Rows times a constant matrix: a convolution of pictures of one pixel."""
    translation.require(node, transA=0, alpha=1.0, beta=1.0)
    if (
        node.inputs[1] not in translation.graph.constants
        or len(translation.tensor(node.inputs[0]).shape) != 2
    ):
        raise translation.graph.refusal(f"{node.operator} of anything but rows and a constant matrix")
    matrix = translation.graph.constants[node.inputs[1]]
    rows = matrix.T if node.attributes.get("transB", 0) else matrix
    if node.inputs[0] in translation.column_orders:
        rows = rows[translation.column_orders[node.inputs[0]]]
    source = translation.rows(node.inputs[0])
    shape = translation.graph.shapes[node.outputs[0]]
    place = translation.function.array("product", shape, type=source.type)
    bias = bias_of(translation, node, rows.shape[1])
    return translation.convolve(node, source, (1, 1, 1), (rows, bias), place)


@operator("MaxPool", "AveragePool")
def pool(translation: Translation, node: Node) -> list[Operand]:
    """The maximum or mean of each window."""
    translation.require(node, auto_pad=b"NOTSET", dilations=[1, 1], ceil_mode=0, storage_order=0)
    pads, (stride, *other) = pads_and_strides(node)
    translation.require(node, strides=[stride, *[stride for _ in other]])
    window = (*node.attributes["kernel_shape"], stride)
    if node.operator == "MaxPool":
        integers = translation.tensor(node.inputs[0]).type == INT8
        least, kernel = ("INT8_MIN", f"max_pool_{INT8}") if integers else ("-INFINITY", "max_pool")
        return pooled(translation, node, kernel, translation.padded(node.inputs[0], pads, least), window)
    translation.require(node, pads=[0, 0, 0, 0])
    return pooled(
        translation, node, "average_pool", translation.memory(node.inputs[0], CHANNELS_LAST), window
    )


def pooled(
    translation: Translation, node: Node, kernel: str, source: Memory, window: tuple[int, int, int]
) -> list[Operand]:
    """Append a pooling of pictures, channels last."""
    shape = translation.graph.shapes[node.outputs[0]]
    place = translation.function.array(kernel, shape, CHANNELS_LAST, source.type)
    translation.function.run(
        f"{kernel}({source.pointer}, {c_shape(source.shape)}, {c_window(window)},",
        f"{' ' * len(kernel)} {place.pointer}, {c_shape(place.shape)});",
        reads=source,
        fills=place,
    )
    return [place]


@operator("ReduceMean")
def mean(translation: Translation, node: Node) -> list[Operand]:
    """The mean of each channel of a picture."""
    tensor = translation.tensor(node.inputs[0])
    axes = {axis % len(tensor.shape) for axis in translation.integers(node.inputs[1])}
    if len(tensor.shape) != 4 or axes != {2, 3} or not node.attributes.get("keepdims", 1):
        raise translation.graph.refusal("ReduceMean but of the pixels of pictures")
    source = translation.memory(node.inputs[0], CHANNELS_LAST)
    height, width = source.shape[2:]
    return pooled(translation, node, "average_pool", source, (height, width, 1))


_BY_ROWS = {
    "Softmax": "softmax",
    "LogSoftmax": "log_softmax",
    "ReduceSum": "sum",
    "ReduceLogSumExp": "log_sum_exp",
    "ArgMax": "argmax",
}


@operator(*_BY_ROWS)
def by_rows(translation: Translation, node: Node) -> list[Operand]:
    """Each row, along the last axis, to a row or to one number."""
    source = translation.rows(node.inputs[0])
    last = len(source.shape) - 1
    axes = [node.attributes["axis"]] if "axis" in node.attributes else translation.integers(node.inputs[1])
    if [axis % len(source.shape) for axis in axes] != [last]:
        raise translation.graph.refusal(f"{node.operator} but along the last axis")
    translation.require(node, select_last_index=0)
    shape, columns = translation.graph.shapes[node.outputs[0]], source.shape[-1]
    kernel = _BY_ROWS[node.operator]
    place = translation.function.array(kernel, shape)
    if shape == source.shape:
        call = f"{kernel}({source.pointer} + i * {columns}, {place.name} + i * {columns}, {columns});"
    else:
        call = f"{place.name}[i] = {kernel}({source.pointer} + i * {columns}, {columns});"
    loop = f"for (int i = 0; i < {prod(source.shape[:-1])}; i++)"
    translation.function.run(loop, f"    {call}", reads=source, fills=place)
    return [place]
