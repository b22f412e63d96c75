"""Morphology of gray levels and masks, without SciPy: a small device need not install it."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Gray: TypeAlias = NDArray[np.float32]
Mask: TypeAlias = NDArray[np.bool_]


def smooth(values: Gray, passes: int) -> Gray:
    """Average each pixel with its neighbors (1 2 1 both ways), so many times; float32 (H, W), any range."""
    for _ in range(2 * passes):
        padded = np.pad(values, ((1, 1), (0, 0)), mode="edge")
        values = np.asarray((padded[:-2] + padded[2:]) / 4 + values / 2, np.float32).T
    return values


def dilate(values: NDArray[Any], reach: int) -> NDArray[Any]:
    """The highest value within `reach` rows and columns; (H, W) of bool, uint8 or float32, any range."""
    return dilate_columns(dilate_columns(values, reach).T, reach).T


def dilate_columns(values: NDArray[Any], reach: int) -> NDArray[Any]:
    """The highest value within `reach` rows, as `dilate`: windows of 1, 2, 4 ... rows, then the rest.

    Values are (H, W) of bool, uint8 or float32, any range.
    """
    values = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    span, window = 1, 2 * reach + 1
    while span < window:
        step = min(span, window - span)
        values = np.maximum(values[step:], values[:-step])
        span += step
    return values


def erode(values: NDArray[Any], reach: int) -> NDArray[Any]:
    """The lowest value within `reach` rows and columns; (H, W) of bool or float32 and any range."""
    return ~dilate(~values, reach) if values.dtype == np.bool_ else -dilate(-values, reach)


def otsu(values: Gray) -> float:
    """The threshold that parts values into the two classes of least inner variance (Otsu, 1979).

    Where an empty gap lies between the classes, every threshold in it is as good: the middle one is taken.

    Args:
        values: float32 of any shape and range, not empty.
    """
    counts, edges = np.histogram(values, bins=256)
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts, dtype=np.float64)  # whole numbers, whose products a 32-bit integer cannot hold
    above = below[-1] - below
    sums = np.cumsum(counts * middles)
    # An empty class has no mean: its numerator is 0, and any divisor will do.
    distance = sums / np.maximum(below, 1) - (sums[-1] - sums) / np.maximum(above, 1)
    between = below * above * distance**2
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9))
    return float(edges[1:][best].mean())


class Components(NamedTuple):
    """The connected parts of a mask, one entry each.

    Attributes:
        labels: int32 (H, W), the part each pixel belongs to, or -1.
        area: int64 (N,), pixels.
        box: int64 (N, 4): top, left, bottom, right, the last two exclusive.
    """

    labels: NDArray[np.int32]
    area: NDArray[np.int64]
    box: NDArray[np.int64]


def connected_components(mask: Mask) -> Components:
    """Label the connected components of a mask, bool (H, W); pixels that touch at corners are connected.

    Rows become runs of pixels; runs that touch are joined by taking the lowest number of their
    neighbors again and again, which takes a logarithmic number of rounds.
    """
    height, width = mask.shape
    stride = width + 2  # runs of different rows neither meet nor touch across the edge
    padded = np.zeros((height, stride), np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded.ravel(), prepend=0)
    starts, ends = np.flatnonzero(steps > 0), np.flatnonzero(steps < 0)
    first = np.searchsorted(ends, starts + stride, side="left")  # touching corners count
    last = np.searchsorted(starts, ends + stride, side="right")
    counts = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(starts)), counts)
    lower = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    root = np.arange(len(starts))
    while True:
        least = np.minimum(root[upper], root[lower])
        joined = root.copy()
        np.minimum.at(joined, root[upper], least)
        np.minimum.at(joined, root[lower], least)
        while not np.array_equal(joined, joined[joined]):
            joined = joined[joined]
        if np.array_equal(joined, root):
            break
        root = joined
    _, part = np.unique(root, return_inverse=True)
    count = int(part.max()) + 1 if part.size else 0
    labels = np.full(mask.shape, -1, np.int32)
    labels[mask] = np.repeat(part, ends - starts)
    area = np.bincount(part, ends - starts, count).astype(np.int64)
    box = np.empty((count, 4), np.int64)
    box[:, :2], box[:, 2:] = max(height, width), 0
    rows = starts // stride
    np.minimum.at(box[:, 0], part, rows)
    np.minimum.at(box[:, 1], part, starts % stride - 1)
    np.maximum.at(box[:, 2], part, rows + 1)
    np.maximum.at(box[:, 3], part, (ends - 1) % stride)
    return Components(labels, area, box)


def bounding_slices(mask: Mask, margin: int = 0) -> tuple[slice, slice]:
    """The rows and columns that a mask, bool (H, W), not empty, takes, with a margin where there is one."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left = max(int(rows[0]) - margin, 0), max(int(columns[0]) - margin, 0)
    return slice(top, int(rows[-1]) + margin + 1), slice(left, int(columns[-1]) + margin + 1)
