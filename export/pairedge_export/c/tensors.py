"""Tensors of a C function: where their values lie in memory, or the C expression that computes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TypeAlias

import numpy as np

Shape: TypeAlias = tuple[int, ...]
Index: TypeAlias = tuple[str, ...]  # a C expression for each axis; "0" along an axis of size 1
# The types of C that elements have: tiles are read as bytes, computed is in floats or in int8.
BYTE, FLOAT, INT8 = "uint8_t", "float", "int8_t"
TYPES = {"tensor(uint8)": BYTE, "tensor(float)": FLOAT}  # by their names in ONNX


@dataclass(frozen=True)
class Memory:
    """A tensor in memory, or a part of one, as in NumPy: other shapes of it need no copy.

    Attributes:
        name: the C array.
        shape: of the tensor.
        strides: how many elements apart neighbors along each axis lie.
        offset: of the first element.
        type: of the elements in C.
    """

    name: str
    shape: Shape
    strides: tuple[int, ...]
    offset: int = 0
    type: str = FLOAT

    @property
    def reads(self) -> frozenset[str]:
        """The arrays that its values are read from."""
        return frozenset({self.name})

    @property
    def pointer(self) -> str:
        """The C expression of its address."""
        return f"{self.name} + {self.offset}" if self.offset else self.name

    def at(self, index: Index) -> str:
        """The C expression of the value at an index."""
        terms = [
            place if stride == 1 else f"{place} * {stride}"
            for place, stride in zip(index, self.strides, strict=True)
            if place != "0"
        ]
        if self.offset or not terms:
            terms.append(str(self.offset))
        return f"{self.name}[{' + '.join(terms)}]"

    def is_compact(self, order: Sequence[int]) -> bool:
        """Whether its elements lie side by side, with the axes in this order, the last one innermost."""
        dense = compact_strides(self.shape, order)
        return all(
            size == 1 or stride == wanted
            for size, stride, wanted in zip(self.shape, self.strides, dense, strict=True)
        )

    def part(self, axis: int, start: int, size: int) -> Memory:
        """Its elements from `start` on along an axis."""
        shape = (*self.shape[:axis], size, *self.shape[axis + 1 :])
        return replace(self, shape=shape, offset=self.offset + start * self.strides[axis])

    def without(self, axis: int) -> Memory:
        """The same without an axis of size 1."""
        keep = [each for each in range(len(self.shape)) if each != axis]
        return replace(
            self, shape=tuple(self.shape[i] for i in keep), strides=tuple(self.strides[i] for i in keep)
        )

    def reshaped(self, shape: Shape) -> Memory:
        """The same elements, which must be compact in row-major order, in another shape."""
        return replace(self, shape=shape, strides=compact_strides(shape, range(len(shape))))


@dataclass(frozen=True)
class Computed:
    """A tensor whose values are computed where they are needed.

    Attributes:
        shape: of the tensor.
        at: from an index to the C expression of the value there.
        reads: the arrays that the expressions read.
        type: of the values in C.
    """

    shape: Shape
    at: Callable[[Index], str]
    reads: frozenset[str]
    type: str = FLOAT


Operand: TypeAlias = Memory | Computed


def compact_strides(shape: Shape, order: Sequence[int]) -> tuple[int, ...]:
    """Strides of elements side by side, with the axes in this order, the last one innermost."""
    strides = [0] * len(shape)
    for position, axis in enumerate(order):
        strides[axis] = prod(shape[inner] for inner in order[position + 1 :])
    return tuple(strides)


def constant(value: str, shape: Shape) -> Computed:
    """A tensor that has one value everywhere, a C expression."""
    return Computed(shape, lambda _: value, frozenset())


def scalar(value: float) -> Computed:
    """A number that is written into expressions."""
    return constant(literal(value), ())


def literal(value: float) -> str:
    """A C constant of type float, exactly this value in single precision."""
    single = np.float32(value)
    if np.isinf(single):
        return "INFINITY" if single > 0 else "-INFINITY"
    return f"{single!s}F"


def elementwise(template: str, *operands: Operand, type: str = FLOAT) -> Computed:
    """A C expression of operands `{0}`, `{1}`, ... that are broadcast against each other.

    Args:
        template: the expression, for `str.format`.
        operands: their shapes must agree as in NumPy.
        type: of the expression in C.
    """
    shape = np.broadcast_shapes(*(operand.shape for operand in operands))

    def at(index: Index) -> str:
        return template.format(*(operand.at(aligned(index, operand.shape)) for operand in operands))

    return Computed(shape, at, frozenset().union(*(operand.reads for operand in operands)), type)


def aligned(index: Index, shape: Shape) -> Index:
    """The index into a tensor of this shape that is broadcast to the index's axes."""
    own = index[len(index) - len(shape) :]
    return tuple("0" if size == 1 else place for place, size in zip(own, shape, strict=True))
