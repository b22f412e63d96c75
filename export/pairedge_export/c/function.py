"""A C function as it grows: statements, the arrays that they fill, and where these lie in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import prod

from pairedge_export.c.tensors import FLOAT, INT8, Memory, Operand, Shape, compact_strides

_ALIGNMENT = 16  # floats: one line of the cache, and the widest vector
_IN_A_FLOAT = {FLOAT: 1, INT8: 4}  # how many elements of a type take the place of one float


@dataclass(frozen=True)
class Statement:
    """Lines of C with the names of the arrays that they read or fill."""

    lines: tuple[str, ...]
    names: frozenset[str]


@dataclass
class Function:
    """Statements in order, and the arrays that they share.

    Attributes:
        statements: in order.
        arrays: by name.
    """

    statements: list[Statement] = field(default_factory=list)
    arrays: dict[str, Memory] = field(default_factory=dict)

    def array(self, stem: str, shape: Shape, order: Sequence[int] | None = None, type: str = FLOAT) -> Memory:
        """A new array.

        Args:
            stem: its name, to which a number is added.
            shape: of the tensor in it.
            order: of the axes in memory, the innermost last; as in `shape` when None.
            type: of its elements in C.
        """
        number = 1 + sum(name.rpartition("_")[0] == stem for name in self.arrays)
        name = f"{stem}_{number}"
        strides = compact_strides(shape, order or range(len(shape)))
        self.arrays[name] = Memory(name, shape, strides, type=type)
        return self.arrays[name]

    def run(self, *lines: str, reads: Operand, fills: Memory) -> None:
        """Append a statement."""
        self.statements.append(Statement(lines, reads.reads | fills.reads))

    def fill(self, place: Memory, tensor: Operand) -> None:
        """Append the loops that copy or compute a tensor into memory of its shape."""
        axes = [axis for axis, size in enumerate(place.shape) if size > 1]
        axes.sort(key=lambda axis: -place.strides[axis])  # the innermost loop goes through neighbors
        index = ["0"] * len(place.shape)
        lines = []
        for depth, (axis, counter) in enumerate(zip(axes, "ijkl", strict=False)):
            index[axis] = counter
            size = place.shape[axis]
            lines.append(f"{'    ' * depth}for (int {counter} = 0; {counter} < {size}; {counter}++)")
        value = f"{place.at(tuple(index))} = {tensor.at(tuple(index))};"
        self.run(*lines, f"{'    ' * len(axes)}{value}", reads=tensor, fills=place)

    def in_memory(self, tensor: Operand, stem: str, order: Sequence[int]) -> Memory:
        """The tensor in compact memory with its axes in this order: its own, or a copy."""
        if isinstance(tensor, Memory) and tensor.is_compact(order):
            return tensor
        place = self.array(stem, tensor.shape, order, tensor.type)
        self.fill(place, tensor)
        return place

    def lifetimes(self) -> Iterator[tuple[str, int, int]]:
        """Each array with the numbers of the first and the last statement that use it."""
        for name in self.arrays:
            uses = [number for number, statement in enumerate(self.statements) if name in statement.names]
            yield name, uses[0], uses[-1]


def offsets(function: Function) -> tuple[dict[str, int], int]:
    """Place the arrays of a function in one block, where those that live at different times share it.

    Returns:
        The offset of each array in floats, by name, and the size of the block in floats.
    """
    placed: list[tuple[int, int, int, int]] = []  # first use, last use, offset, end
    result: dict[str, int] = {}
    floats = {
        name: -(-prod(array.shape) // _IN_A_FLOAT[array.type]) for name, array in function.arrays.items()
    }
    largest_first = sorted(function.lifetimes(), key=lambda each: -floats[each[0]])
    for name, first, last in largest_first:
        size = -(-floats[name] // _ALIGNMENT) * _ALIGNMENT
        start = 0
        for _, _, other, end in sorted(
            (each for each in placed if each[0] <= last and first <= each[1]), key=lambda each: each[2]
        ):
            if start + size <= other:
                break
            start = max(start, end)
        placed.append((first, last, start, start + size))
        result[name] = start
    return result, max((end for *_, end in placed), default=0)
