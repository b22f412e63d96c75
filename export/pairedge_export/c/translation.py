"""A graph on its way to a C function: what every operator's translation works with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pairedge.graph import CONTRACTS
from pairedge_export.c.constants import Array, Constants
from pairedge_export.c.function import Function
from pairedge_export.c.static_graph import Node, Quantization, StaticGraph
from pairedge_export.c.tensors import (
    BYTE,
    FLOAT,
    TYPES,
    Memory,
    Operand,
    Shape,
    compact_strides,
    constant,
    elementwise,
    scalar,
)

CHANNELS_LAST = (0, 2, 3, 1)


@dataclass
class Translation:
    """A graph of which a part has been translated.

    Attributes:
        graph: what is translated.
        constants: of the file.
        function: what has been written.
        tensors: what is known so far, by name.
        column_orders: of matrices whose columns lie in another order than the graph's: the graph's column of
            each column in memory, int64 (C,), by name.
        rectified: tensors to which their only reader, a Relu, has already been applied.
    """

    graph: StaticGraph
    constants: Constants
    function: Function = field(default_factory=Function)
    tensors: dict[str, Operand] = field(default_factory=dict)
    column_orders: dict[str, Array] = field(default_factory=dict)
    rectified: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        specs = CONTRACTS[self.graph.kind].inputs
        for name in self.graph.inputs:
            shape, type = self.graph.shapes[name], TYPES[specs[name].dtype]
            strides = compact_strides(shape, range(len(shape)))
            self.tensors[name] = Memory(name, shape, strides, type=type)

    def tensor(self, name: str) -> Operand:
        """A tensor by name; a constant is written into expressions when it is one number."""
        if name not in self.graph.constants:
            return self.tensors[name]
        values = self.graph.constants[name]
        return scalar(values.item()) if values.size == 1 else self.constants.tensor(values)

    def memory(self, name: str, order: Sequence[int] | None = None) -> Memory:
        """A tensor by name, in memory: as it is there, or compact with its axes in an order."""
        tensor = self.tensor(name)
        if isinstance(tensor, Memory) and order is None:
            return tensor
        if tensor.type == BYTE:
            tensor = elementwise("{0}", tensor)  # copied as floats, which is what kernels take
        if order is None:
            order = CHANNELS_LAST if len(tensor.shape) == 4 else range(len(tensor.shape))
        return self.function.in_memory(tensor, "values", order)

    def rows(self, name: str) -> Memory:
        """A tensor by name, in compact memory in row-major order."""
        return self.memory(name, range(len(self.tensor(name).shape)))

    def integers(self, name: str) -> list[int]:
        """A constant that says how to compute, such as axes.

        Raises:
            ExportError: when it is computed.
        """
        if name not in self.graph.constants:
            raise self.graph.refusal(f"shapes that are computed ({name})")
        return [int(value) for value in self.graph.constants[name].ravel()]

    def require(self, node: Node, **values: Any) -> None:
        """Refuse a node that has an attribute with another value than these."""
        for name, value in values.items():
            if node.attributes.get(name, value) != value:
                raise self.graph.refusal(f"{node.operator} with {name}={node.attributes[name]}")

    def convolve(
        self,
        node: Node,
        source: Memory,
        window: tuple[int, int, int],
        weights: tuple[Array, Array],
        place: Memory,
    ) -> list[Operand]:
        """Append a convolution, with the Relu that follows where nothing else reads its output.

        Args:
            node: the layer.
            source: channels last, of floats, or of integers where the layer is of integers.
            window: height, width and stride.
            weights: (W, C), a row of all output channels for each input of a window, as these lie in memory;
                and the biases, (C,). Both float32 of any range; of integers int8 and int32.
            place: of the output, channels last, of the type of the source.
        """
        if node.quantization is not None:
            return self.convolve_quantized(node.quantization, source, window, weights, place)
        [name] = node.outputs
        layer = self.constants.layer(*weights)
        relu = [each.operator for each in self.graph.readers(name)] == ["Relu"]
        relu = relu and name not in self.graph.outputs
        if relu:
            self.rectified.add(name)
        self.function.run(
            f"convolution({source.pointer}, {c_shape(source.shape)}, {c_window(window)}, {layer},",
            f"            {place.pointer}, {c_shape(place.shape)}, {'RELU' if relu else 'LINEAR'});",
            reads=source,
            fills=place,
        )
        return [place]

    def convolve_quantized(
        self,
        quantization: Quantization,
        source: Memory,
        window: tuple[int, int, int],
        weights: tuple[Array, Array],
        place: Memory,
    ) -> list[Operand]:
        """Append a convolution of integers.

        Args:
            quantization: of the layer.
            source: as of `convolve`.
            window: as of `convolve`.
            weights: int8 (W, C) and int32 (C,), of any range, as of `convolve`.
            place: as of `convolve`.
        """
        rows, bias = weights
        # The sum of (input - zero) * weight is that of input * weight, less what is the same for every input.
        bias = (bias - quantization.input_zero * rows.sum(axis=0, dtype=np.int64)).astype(np.int32)
        names = ", ".join(self.constants.quantized_layer(rows, bias, quantization.scales))
        self.function.run(
            f"quantized_convolution({source.pointer}, {c_shape(source.shape)}, {c_window(window)},",
            f"                      {names}, {quantization.zero}, {place.pointer}, {c_shape(place.shape)});",
            reads=source,
            fills=place,
        )
        return [place]

    def padded(self, name: str, pads: Sequence[int], value: str) -> Memory:
        """Pictures by name, channels last, with a value around them: top, left, bottom, right."""
        if not any(pads):
            return self.memory(name, CHANNELS_LAST)
        tensor = self.tensor(name)
        images, channels, height, width = tensor.shape
        top, left, bottom, right = pads
        shape = (images, channels, height + top + bottom, width + left + right)
        type = FLOAT if tensor.type == BYTE else tensor.type
        place = self.function.array("padded", shape, CHANNELS_LAST, type)
        self.function.fill(place, constant(value, shape))
        self.function.fill(place.part(2, top, height).part(3, left, width), tensor)
        return place


def c_shape(shape: Shape) -> str:
    """A shape in C, of pictures or of rows, which are pictures of one pixel."""
    images, channels, height, width = (*shape, 1, 1)[:4]
    return f"(shape){{{images}, {height}, {width}, {channels}}}"


def c_window(window: tuple[int, int, int]) -> str:
    """Height, width and stride of a window in C."""
    return f"(window){{{', '.join(map(str, window))}}}"
