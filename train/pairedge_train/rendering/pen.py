"""A pen that writes: strokes as one person would write them, each time a little differently.

A `Writer` is drawn once and writes many digits, which are alike as one person's are: the same forms, the same
lean, the same bends; what differs from one to the next is small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pairedge_train.rendering.allographs import ALLOGRAPHS, Point, Strokes
from pairedge_train.rendering.canvas import chance, within
from pairedge_train.rendering.stroke_field import FINE, Field, ridges

Line = NDArray[np.float64]  # (M, 2), x and y in a unit square

_SIDE = 28 * FINE  # of the sheet, field points
_BOX = 20 * FINE  # of the unit square on it
_STEPS = 12  # points of a smooth line from one given point to the next
_RADIUS = 1.0 * FINE  # of the pen where the line is straight


@dataclass(frozen=True, kw_only=True)
class Bend:
    """A smooth displacement of the unit square: a few waves of low frequency.

    Attributes:
        waves: float64 (K, 2), their directions and frequencies, radians across the square.
        phases: float64 (K,), radians.
        moves: float64 (K, 2), how far each moves a point to the right and down, as shares of the square.
    """

    waves: Line
    phases: NDArray[np.float64]
    moves: Line

    @classmethod
    def drawn(cls, generator: Generator, size: float) -> Bend:
        """A bend whose waves move points by about `size`, a share of the square."""
        count = 4
        return cls(
            waves=generator.normal(0, 2.5, (count, 2)),
            phases=generator.uniform(0, 2 * np.pi, count),
            moves=generator.normal(0, size / np.sqrt(count), (count, 2)),
        )

    def __call__(self, points: Line) -> Line:
        """The points, float64 (M, 2), moved."""
        angles = points[:, :1] * self.waves[:, 0] + points[:, 1:] * self.waves[:, 1] + self.phases
        moved: Line = points + (np.sin(angles)[:, :, None] * self.moves).sum(axis=1)
        return moved


@dataclass(frozen=True, kw_only=True)
class Writer:
    """How one person writes.

    Attributes:
        forms: for each digit, which of its allographs.
        bend: what this hand does to every form.
        slant: how far the top leans to the right, as a share of the height.
        wide: width times so much.
        pressure: how much wider a stroke is where it turns, 0 to 1: there the pen is slow.
        tremor: standard deviation of the pen's trembling, as a share of the square.
        sloppy: how far two writings of one form differ, as a share of the square.
        overshoot: how far strokes run beyond their ends, as a share of the square; less than 0 leaves gaps.
        hook: the length of the hooks that strokes end in, as a share of the square; 0 makes none.
    """

    forms: tuple[int, ...]
    bend: Bend
    slant: float = 0.0
    wide: float = 1.0
    pressure: float = 0.0
    tremor: float = 0.0
    sloppy: float = 0.0
    overshoot: float = 0.0
    hook: float = 0.0

    @classmethod
    def drawn(cls, generator: Generator) -> Writer:
        """Somebody's hand."""
        return cls(
            forms=tuple(int(generator.integers(len(ALLOGRAPHS[digit]))) for digit in range(10)),
            bend=Bend.drawn(generator, within(generator, (0.01, 0.05))),
            slant=within(generator, (-0.15, 0.3)),
            wide=within(generator, (0.6, 1.05)),
            pressure=within(generator, (0.0, 0.8)),
            tremor=within(generator, (0.0, 0.008)),
            sloppy=within(generator, (0.008, 0.035)),
            overshoot=within(generator, (-0.03, 0.07)) if chance(generator, 0.5) else 0.0,
            hook=within(generator, (0.03, 0.1)) if chance(generator, 0.3) else 0.0,
        )

    def digit(self, digit: int, generator: Generator) -> Field:
        """A digit in this hand, float32 (84, 84), 0 to 1; it is 0 to 9."""
        return self.write(ALLOGRAPHS[digit][self.forms[digit]], generator)

    def write(self, strokes: Strokes, generator: Generator) -> Field:
        """Any strokes in this hand: a field of strokes, float32 (84, 84), 0 to 1."""
        now = Bend.drawn(generator, self.sloppy)
        sheet = Image.new("L", (_SIDE, _SIDE))
        for stroke in strokes:
            line = now(self.bend(self._ended(smooth(stroke), generator)))
            line += _trembling(len(line), self.tremor, generator)
            centered = (line - 0.5) * (self.wide, 1.0)
            centered[:, 0] -= self.slant * centered[:, 1]
            _draw(sheet, centered * _BOX + _SIDE / 2, self._radii(line))
        return ridges(sheet)

    def _ended(self, line: Line, generator: Generator) -> Line:
        """The line with its ends drawn out or cut back, and at times a hook at its last."""
        first, last = line[0] - line[3], line[-1] - line[-4]
        if self.overshoot < 0:
            line = line[_STEPS // 4 : -(_STEPS // 4)]
        else:
            reach = self.overshoot * generator.uniform(0, 1, 2)
            line = np.stack(
                [line[0] + _unit(first) * reach[0], *line[1:-1], line[-1] + _unit(last) * reach[1]]
            )
        if self.hook and chance(generator, 0.5):
            side = -1.0 if chance(generator, 0.5) else 1.0
            turned = np.array([-last[1], last[0]]) * side - last * 0.5
            end = line[-1] + _unit(turned) * self.hook * generator.uniform(0.5, 1)
            line = np.stack([*line, end])
        return line

    def _radii(self, line: Line) -> NDArray[np.float64]:
        """The pen's radius at each point, field points: wider where the line turns."""
        ahead = np.diff(line, axis=0, prepend=2 * line[:1] - line[1:2])
        directions = np.unwrap(np.arctan2(ahead[:, 1], ahead[:, 0]))
        turning = np.abs(np.gradient(directions)) if len(line) > 2 else np.zeros(len(line))
        slow = np.convolve(np.minimum(turning / 0.25, 1), np.full(5, 0.2), mode="same")
        radii: NDArray[np.float64] = _RADIUS * (1 + self.pressure * slow)
        return radii


def smooth(points: tuple[Point, ...]) -> Line:
    """Points along a Catmull-Rom spline through the given ones (Catmull and Rom, 1974), float64 (M, 2)."""
    knots = np.array([points[0], *points, points[-1]])
    parts = []
    for a, b, c, d in zip(knots, knots[1:], knots[2:], knots[3:], strict=False):
        t = np.linspace(0, 1, _STEPS)[:, None]
        parts.append(
            0.5
            * (
                2 * b
                + (c - a) * t
                + (2 * a - 5 * b + 4 * c - d) * t * t
                + (3 * b - a - 3 * c + d) * t * t * t
            )
        )
    return np.concatenate(parts)


def _draw(sheet: Image.Image, line: Line, radii: NDArray[np.float64]) -> None:
    """Draw a line of varying width onto a sheet ("L"): discs along it, close enough to touch."""
    pen = ImageDraw.Draw(sheet)
    for (x0, y0), (x1, y1), radius in zip(line, line[1:], radii[1:], strict=False):
        steps = max(1, int(np.hypot(x1 - x0, y1 - y0)))
        for share in np.linspace(0, 1, steps + 1):
            x, y = x0 + (x1 - x0) * share, y0 + (y1 - y0) * share
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)


def _trembling(count: int, size: float, generator: Generator) -> Line:
    """Smooth noise along a line, float64 (count, 2)."""
    noise = generator.normal(0, size, (count + 4, 2))
    trembling: Line = np.stack([np.convolve(axis, np.full(5, 0.4), mode="valid") for axis in noise.T], axis=1)
    return trembling


def _unit(direction: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = direction / max(float(np.hypot(*direction)), 1e-9)
    return unit
