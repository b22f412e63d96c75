"""Small matrices without BLAS or LAPACK, so that a picture gives the same bytes on every CPU.

OpenBLAS chooses its kernels by the CPU, and the kernels differ in the order of their sums and in fused
multiply-adds. NumPy's elementwise operations round every product and every sum, and its reductions add in one
order: what is made of them is the same everywhere. That also rules out `@`, `np.dot` and `np.linalg`, and
`np.einsum`, which may call BLAS. All matrices here are float64 and a few numbers wide.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Matrix: TypeAlias = NDArray[np.float64]

_DEPENDENT = 1e-6  # share of a diagonal entry: what elimination leaves below it is rounding of float32 sums
_SQUARINGS = 6  # A^64: what was a ninth of the principal eigenvalue is then 1e-61 of it


def multiply(left: NDArray[Any], right: NDArray[Any]) -> Matrix:
    """The matrix product, float64 (..., M), of (..., K) and (K, M); a stack of vectors is a matrix."""
    product: Matrix = (left[..., None] * np.asarray(right, np.float64)).sum(axis=-2)
    return product


def inverse(matrix: Matrix) -> Matrix:
    """The inverse, float64 (3, 3), of a regular matrix (3, 3): its cofactors by its determinant."""
    first, second, third = matrix
    cofactors = np.array([np.cross(second, third), np.cross(third, first), np.cross(first, second)])
    inverted: Matrix = cofactors.T / (first * cofactors[0]).sum()
    return inverted


def solve(matrix: NDArray[Any], targets: NDArray[Any]) -> Matrix:
    """X, float64 (N, M), with A X = B: normal equations, solved by Gauss-Jordan elimination.

    Such a matrix needs no search for pivots. An unknown that those before it already explain is set to 0.

    Args:
        matrix: A, float32 or float64 (N, N), symmetric and positive semidefinite.
        targets: B, float32 or float64 (N, M).
    """
    count = len(matrix)
    table = np.concatenate([matrix, targets], axis=1, dtype=np.float64)
    for k in range(count):
        if table[k, k] <= _DEPENDENT * matrix[k, k]:
            table[k] = 0
            continue
        table[k] /= table[k, k]
        factors = table[:, k].copy()
        factors[k] = 0
        table -= factors[:, None] * table[k]
    return table[:, count:]


def principal_axis(matrix: Matrix) -> tuple[float, Matrix]:
    """The largest eigenvalue of a matrix and its eigenvector of length 1, float64 (N,): power iteration.

    Exact where one eigenvalue is much larger than the others. Where none is, the value is a mean of the
    largest ones, never above the largest.

    Args:
        matrix: float64 (N, N), symmetric, positive semidefinite and not 0.
    """
    power = matrix / matrix.trace()
    for _ in range(_SQUARINGS):
        power = multiply(power, power)
        power /= power.trace()
    axis = power[power.diagonal().argmax()]
    axis = axis / np.sqrt(np.square(axis).sum())
    return float((multiply(axis, matrix) * axis).sum()), axis
