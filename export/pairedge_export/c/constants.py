"""The constants of a C file: weights with output channels innermost, each written once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pairedge_export.c.tensors import FLOAT, INT8, Memory, compact_strides

Array: TypeAlias = NDArray[Any]
# Zeros behind the weights of a layer: a vector that begins at the last output channel ends there.
_TAIL = 15
_TYPES = {"float32": FLOAT, "int32": "int32_t", "int8": INT8}


@dataclass
class Constants:
    """Arrays by the name that they have in C; equal ones of several graphs are one.

    Attributes:
        arrays: float32, int32 or int8 (N,), of any range.
    """

    arrays: dict[str, Array] = field(default_factory=dict)

    def tensor(self, values: Array) -> Memory:
        """A constant tensor, float32 of any shape."""
        name = self._name("VALUES", values.astype(np.float32).ravel())
        return Memory(name, values.shape, compact_strides(values.shape, range(values.ndim)))

    def layer(self, rows: Array, bias: Array) -> str:
        """The weights of a convolution: biases, then a row of all output channels for each input of a window.

        Args:
            rows: float32 (W, C), of any range: a row of all output channels for each input of a window, as
                these lie in memory.
            bias: float32 (C,), of any range.

        Returns:
            The name of the array.
        """
        return self._name(
            "WEIGHTS", np.concatenate([bias, rows.ravel(), np.zeros(_TAIL, np.float32)]).astype(np.float32)
        )

    def quantized_layer(self, rows: Array, bias: Array, scales: Array) -> tuple[str, str, str]:
        """The weights of a convolution of integers.

        Args:
            rows: int8 (W, C), of any range: a row of all output channels for each input of a window, as these
                lie in memory.
            bias: int32 (C,), of any range.
            scales: float32 (C,), above 0: of each channel's sums.

        Returns:
            The names of the arrays.
        """
        weights = self._name("WEIGHTS", rows.ravel())
        return weights, self._name("BIASES", bias), self._name("SCALES", scales)

    def _name(self, stem: str, values: Array) -> str:
        for name, known in self.arrays.items():
            if known.dtype == values.dtype and np.array_equal(known, values):
                return name
        name = f"{stem}_{1 + sum(each.startswith(stem) for each in self.arrays)}"
        self.arrays[name] = values
        return name

    @property
    def bytes(self) -> int:
        """The memory that they take, in bytes."""
        return sum(values.nbytes for values in self.arrays.values())

    def lines(self) -> Iterator[str]:
        """Their definitions in C."""
        for name, values in self.arrays.items():
            yield ""
            yield f"ALIGNED static const {_TYPES[values.dtype.name]} {name}[{len(values)}] = {{"
            digits = values.astype(str)  # as few as tell each value from its neighbors in single precision
            in_a_line, suffix = (8, "F") if values.dtype == np.float32 else (16, "")
            for start in range(0, len(digits), in_a_line):
                yield f"    {', '.join(f'{each}{suffix}' for each in digits[start : start + in_a_line])},"
            yield "};"
