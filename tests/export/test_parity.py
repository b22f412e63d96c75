"""The proof itself: what counts as equal, which decisions are compared, and on which pairs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pairedge_export.parity import BATCHES, compare_decisions, compare_values, probes

OUTPUTS = ("leq", "digits", "embedding")


def values(scale: float = 1.0) -> NDArray[np.float32]:
    return np.array([0.25, 0.5, scale], np.float32)


@pytest.mark.parametrize(
    ("scale", "difference", "passed"),
    [(1.0, 9e-6, True), (1.0, 1.2e-5, False), (0.5, 1.2e-5, False), (50.0, 4e-4, True), (50.0, 6e-4, False)],
)
def test_values_may_differ_by_a_hundred_thousandth_of_the_largest_beyond_one(
    scale: float, difference: float, passed: bool
) -> None:
    ours, theirs = values(scale), values(scale)
    theirs[1] += difference
    check = compare_values("pair", ["leq"], "by hand", [ours], [theirs])
    assert check.passed is passed
    assert check.difference == pytest.approx(difference / max(1.0, scale), rel=0.05)


def test_each_output_is_compared_and_nan_or_another_shape_never_passes() -> None:
    ours = [values(), values()]
    wrong = values() + np.float32(1e-3)
    nan = np.array([0.25, np.nan, 1], np.float32)
    for theirs in (wrong, nan, values()[:2], values().astype(np.float64), values()[None]):
        assert not compare_values("pair", ["leq", "digits"], "by hand", ours, [values(), theirs]).passed
        assert not compare_values("pair", ["leq", "digits"], "by hand", ours, [theirs, values()]).passed
    assert compare_values("pair", ["leq", "digits"], "by hand", ours, [values(), values()]).passed


def test_a_single_decision_that_differs_is_one_too_many() -> None:
    leq = np.full(100, 0.9, np.float32)
    digits = np.eye(10, dtype=np.float32)[np.arange(200) % 10].reshape(100, 2, 10)
    same = compare_decisions("pair", ["leq", "digits"], "by hand", [leq, digits], [leq, digits])
    assert (same.passed, same.detail) == (True, "0 of 300 differ")
    other = leq.copy()
    other[7] = 0.49999
    check = compare_decisions("pair", ["leq", "digits"], "by hand", [leq, digits], [other, digits])
    assert (check.passed, check.detail) == (False, "1 of 300 differ")
    turned = digits.copy()
    turned[7, 1] = turned[7, 1, ::-1]
    check = compare_decisions("pair", ["leq", "digits"], "by hand", [leq, digits], [leq, turned])
    assert (check.passed, check.detail) == (False, "1 of 300 differ")


def test_one_half_is_a_yes() -> None:
    half, below = np.array([0.5], np.float32), np.array([0.49999997], np.float32)
    assert not compare_decisions("pair", ["leq"], "by hand", [half], [below]).passed


@pytest.mark.parametrize("count", [6, 7, 100])
def test_a_pair_is_of_two_different_tiles_and_each_tile_comes_first_and_second(count: int) -> None:
    tiles = np.arange(count, dtype=np.uint8)[:, None, None].repeat(14, 1).repeat(14, 2)
    batches = dict(probes("pair", tiles, None))
    assert list(batches) == ["extremes", *(f"batch {size}" for size in BATCHES), f"all {count} tiles"]
    for name, (images,) in batches.items():
        assert images.shape[1:] == (2, 14, 14)
        assert (images[:, 0] != images[:, 1]).any(axis=(1, 2)).all(), name
    first, second = batches[f"all {count} tiles"][0][:, :, 0, 0].T
    assert sorted(first) == sorted(second) == list(range(count))
    assert [len(batches[f"batch {size}"][0]) for size in BATCHES if size < count] == [
        size for size in BATCHES if size < count
    ]
