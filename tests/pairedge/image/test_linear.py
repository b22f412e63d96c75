"""Small matrices: what is computed without BLAS and LAPACK equals what NumPy makes of them with both."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from pairedge.image.linear import Matrix, inverse, multiply, principal_axis, solve


def spread(axis: list[float], others: float) -> Matrix:
    """The spread of many colors that lie along one axis, but for a share of noise."""
    generator = np.random.default_rng(0)
    colors = generator.normal(0, 1, (500, 1)) * axis + generator.normal(0, others, (500, 3))
    return colors.T @ colors


@pytest.mark.parametrize("seed", range(5))
def test_products_and_inverses_are_those_of_numpy(seed: int) -> None:
    generator = np.random.default_rng(seed)
    left, right = generator.normal(0, 1, (2, 3, 3))
    assert_allclose(multiply(left, right), left @ right)
    assert_allclose(multiply(left[0], right), left[0] @ right)
    stack = generator.normal(0, 1, (4, 2, 3))
    assert_allclose(multiply(stack, right), stack @ right)
    assert_allclose(inverse(left), np.linalg.inv(left))


@pytest.mark.parametrize("count", [1, 3, 6])
def test_normal_equations_are_solved(count: int) -> None:
    generator = np.random.default_rng(count)
    terms, values = generator.normal(0, 1, (50, count)), generator.normal(0, 1, (50, 3))
    expected = np.linalg.lstsq(terms, values, rcond=None)[0]
    assert_allclose(solve(terms.T @ terms, terms.T @ values), expected)


def test_an_unknown_that_others_explain_is_left_out() -> None:
    generator = np.random.default_rng(0)
    first, third = generator.normal(0, 1, (2, 50))
    terms = np.stack([first, -2 * first, third])
    solution = solve(terms @ terms.T, terms @ (5 * first - third)[:, None])
    assert_allclose(solution, [[5], [0], [-1]], atol=1e-12)


@pytest.mark.parametrize("axis", [[1.0, 2.0, -1.0], [0.0, 0.0, 3.0], [1.0, 1.0, 1.0]])
def test_the_principal_axis_is_that_of_lapack(axis: list[float]) -> None:
    matrix = spread(axis, 0.2)
    lengths, axes = np.linalg.eigh(matrix)
    length, direction = principal_axis(matrix)
    assert length == pytest.approx(lengths[2], rel=1e-12)
    assert_allclose(direction * np.sign((direction * axes[:, 2]).sum()), axes[:, 2], rtol=1e-9, atol=1e-12)


def test_where_no_axis_stands_out_its_length_is_never_overstated() -> None:
    for others in (0.8, 1.0, 3.0):
        matrix = spread([1.0, 0.0, 0.0], others)
        assert principal_axis(matrix)[0] <= np.linalg.eigvalsh(matrix)[2] * (1 + 1e-12)


def test_the_arguments_are_left_as_they_were() -> None:
    matrix, targets = np.eye(3) * 2, np.ones((3, 1))
    for function in (lambda: solve(matrix, targets), lambda: inverse(matrix), lambda: principal_axis(matrix)):
        function()
    assert_array_equal(matrix, np.eye(3) * 2)
    assert_array_equal(targets, np.ones((3, 1)))
