"""Figures of straight lines that nobody has named: negatives beside letters and signs.

No two are alike, so that what is learned is that a digit is a rare thing among all that can be drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations, pairwise
from typing import TypeAlias

import numpy as np
from numpy.random import Generator

from pairedge.image.linear import multiply

Point: TypeAlias = tuple[float, float]
Strokes: TypeAlias = tuple[tuple[Point, ...], ...]  # points in a unit square, x to the right and y down


def random_figure(generator: Generator) -> Strokes:
    """A polygon with its diagonals, a lattice, a zigzag, or lines that meet in a point."""
    makers: tuple[Callable[[Generator], Strokes], ...] = (polygon, lattice, zigzag, rays)
    return makers[int(generator.integers(len(makers)))](generator)


def polygon(generator: Generator) -> Strokes:
    """Three to seven corners with two diagonals or more; with fewer it could be a 0 or an 8."""
    count = int(generator.integers(3, 8))
    corners = around(count, generator)
    sides = [*pairwise((*corners, corners[0]))]
    if count < 4:  # a triangle has none: lines from its middle instead
        middle = mean_point(corners)
        return (*sides, *((middle, corner) for corner in corners[: int(generator.integers(2, 4))]))
    apart = [(a, b) for (i, a), (j, b) in combinations(enumerate(corners), 2) if 1 < j - i < count - 1]
    chosen = generator.permutation(len(apart))[: int(generator.integers(2, 5))]
    return (*sides, *(apart[index] for index in chosen))


def lattice(generator: Generator) -> Strokes:
    """Two to four lines across as many others, of any lengths."""
    bars, rungs = generator.integers(2, 5, 2).tolist()
    ends = (np.sort(generator.uniform(0, 1, (bars + rungs, 2)), axis=1) * 0.3 + (0.0, 0.7)).tolist()
    strokes = [((a, y), (b, y)) for y, (a, b) in zip(spread(bars, generator), ends[:bars], strict=True)]
    strokes += [((x, a), (x, b)) for x, (a, b) in zip(spread(rungs, generator), ends[bars:], strict=True)]
    return turned(strokes, generator)


def zigzag(generator: Generator) -> Strokes:
    """Five to eight legs to and fro; with fewer it could be a 3."""
    count = int(generator.integers(6, 10))
    heights = np.where(np.arange(count) % 2, 0.8, 0.2) + generator.uniform(-0.15, 0.15, count)
    points = zip(np.linspace(0.03, 0.97, count).tolist(), heights.tolist(), strict=True)
    return turned(pairwise(points), generator)


def rays(generator: Generator) -> Strokes:
    """Four to eight lines from one point."""
    ends = around(int(generator.integers(4, 9)), generator)
    middle = mean_point(ends)
    return tuple((middle, end) for end in ends)


def around(count: int, generator: Generator) -> list[Point]:
    """Points around the middle of the square, in order."""
    angles = (np.arange(count) + generator.uniform(-0.25, 0.25, count)) * (2 * np.pi / count)
    angles += generator.uniform(0, 2 * np.pi)
    reach = generator.uniform(0.32, 0.5, count)
    return [
        *zip((0.5 + reach * np.cos(angles)).tolist(), (0.5 + reach * np.sin(angles)).tolist(), strict=True)
    ]


def mean_point(points: list[Point]) -> Point:
    """The mean of several points."""
    x, y = np.mean(points, axis=0).tolist()
    return x, y


def spread(count: int, generator: Generator) -> list[float]:
    """Numbers from 0 to 1 in order, about evenly."""
    places = (np.arange(count) + 0.5 + generator.uniform(-0.2, 0.2, count)) / count
    values: list[float] = places.tolist()
    return values


def turned(strokes: Iterable[tuple[Point, Point]], generator: Generator) -> Strokes:
    """The strokes turned around the middle by any angle, and drawn in to stay in the square."""
    angle = generator.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * 0.8
    lines = multiply(np.array([*strokes]) - 0.5, turn) + 0.5
    return tuple(((a, b), (c, d)) for (a, b), (c, d) in lines.tolist())
