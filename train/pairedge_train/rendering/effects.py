"""What light, paper, pens and print do to a rendered picture: each effect paints on a canvas."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

from pairedge.image.ink import LUMINANCE, project
from pairedge_train.rendering.canvas import Canvas, chance, cloud, far_from, pick, ramp, within
from pairedge_train.rendering.stroke_field import soft_step


def gradient(canvas: Canvas, generator: Generator) -> None:
    """Light that falls from one side and fades to the other."""
    across = ramp(canvas.shape, within(generator, (0, 2 * np.pi)))
    canvas.light *= 1 - np.float32(within(generator, (0.1, 0.5))) * across


def lamp(canvas: Canvas, generator: Generator) -> None:
    """A bright spot, darker toward the corners."""
    height, width = canvas.shape
    x, y = within(generator, (0, 1)), within(generator, (0, 1))
    rows = ((np.arange(height, dtype=np.float32) / height - y) ** 2)[:, None]
    columns = (np.arange(width, dtype=np.float32) / width - x) ** 2
    canvas.light *= 1 - np.float32(within(generator, (0.15, 0.45))) * (rows + columns).clip(0, 1)


def shadow(canvas: Canvas, generator: Generator) -> None:
    """The shadow of a hand or of the phone: one side of a line is much darker, its edge more or less soft."""
    across = ramp(canvas.shape, within(generator, (0, 2 * np.pi)))
    edge, softness = within(generator, (0.25, 0.75)), within(generator, (0.01, 0.08))
    bent = across + cloud(canvas.shape, 4, generator) * np.float32(0.04)
    shade = 1 / (1 + np.exp((edge - bent) / np.float32(softness), dtype=np.float64))
    canvas.light *= 1 - np.float32(within(generator, (0.3, 0.6))) * shade.astype(np.float32)


def texture(canvas: Canvas, generator: Generator) -> None:
    """Paper that is not even: fibers and stains."""
    fine = cloud(canvas.shape, 60, generator) * np.float32(within(generator, (1, 4)))
    coarse = cloud(canvas.shape, 6, generator) * np.float32(within(generator, (1, 5)))
    canvas.paper += fine + coarse


def squared(canvas: Canvas, generator: Generator) -> None:
    """Squared paper: two families of thin lines, as the camera sees them."""
    pitch = canvas.tall / within(generator, (0.9, 4.5))
    turn = within(generator, (-0.1, 0.1))
    _lines(canvas, generator, pitch, (turn, turn + np.pi / 2))


def ruled(canvas: Canvas, generator: Generator) -> None:
    """Ruled paper: the digit stands between lines, or on them."""
    pitch = canvas.tall / within(generator, (0.6, 1.8))
    _lines(canvas, generator, pitch, (np.pi / 2 + within(generator, (-0.1, 0.1)),))


def _lines(canvas: Canvas, generator: Generator, pitch: float, directions: tuple[float, ...]) -> None:
    """Lines `pitch` pixels apart, blue-gray or reddish, paler than the ink."""
    height, width = canvas.shape
    rows = np.arange(height, dtype=np.float32)[:, None] - np.float32(height / 2)
    columns = np.arange(width, dtype=np.float32) - np.float32(width / 2)
    depth = 1 + np.float32(canvas.tilt[0]) * columns + np.float32(canvas.tilt[1]) * rows
    thick = max(0.8, pitch * within(generator, (0.02, 0.06)))
    grid = np.zeros(canvas.shape, np.float32)
    for direction in directions:
        along = (np.float32(np.cos(direction)) * columns + np.float32(np.sin(direction)) * rows) / depth
        phase = along / np.float32(pitch) + np.float32(within(generator, (0, 1)))
        distance = np.abs(phase - np.rint(phase)) * np.float32(pitch)
        grid = np.maximum(grid, (np.float32(thick / 2 + 0.5) - distance).clip(0, min(1, thick)))
    color = pick(generator, ((120, 150, 200), (150, 160, 175), (200, 140, 150), (110, 170, 160)))
    strength = np.float32(within(generator, (0.25, 0.8)))
    canvas.paper += (color - canvas.paper) * (grid * strength)


def grain(canvas: Canvas, generator: Generator) -> None:
    """A pencil's or chalk's stroke lets the ground through."""
    holes = cloud(canvas.shape, max(canvas.shape) / 2.5, generator)
    canvas.cover *= (np.float32(within(generator, (0.7, 1))) + np.float32(0.25) * holes).clip(0.25, 1)


def dust(canvas: Canvas, generator: Generator) -> None:
    """What a sponge leaves on a board: pale clouds of the ink's color."""
    smear = cloud(canvas.shape, 5, generator).clip(0, 2) * np.float32(within(generator, (0.02, 0.1)))
    canvas.paper += (canvas.ink - canvas.paper) * smear


def gaps(canvas: Canvas, generator: Generator) -> None:
    """Cuts through the strokes: a pen that skipped, a stencil, a worn print."""
    width = canvas.tall * within(generator, (0.02, 0.06))
    keep = np.ones(canvas.shape, np.float32)
    for _ in range(int(generator.integers(1, 4))):
        across = ramp(canvas.shape, within(generator, (0, 2 * np.pi))) * max(canvas.shape)
        middle = float((across * canvas.cover).sum() / max(canvas.cover.sum(), 1e-6))
        place = middle + within(generator, (-0.35, 0.35)) * canvas.tall
        keep *= (np.abs(across - np.float32(place)) - np.float32(width / 2) + 0.5).clip(0, 1)
    canvas.cover *= keep


def specks(canvas: Canvas, generator: Generator) -> None:
    """Dots of ink that belong to no digit."""
    height, width = canvas.shape
    spots = Image.new("L", (width, height))
    pen = ImageDraw.Draw(spots)
    for _ in range(int(generator.integers(3, 14))):
        x, y = within(generator, (0, width)), within(generator, (0, height))
        radius = max(0.6, canvas.tall * within(generator, (0.004, 0.022)))
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    canvas.cover = np.maximum(canvas.cover, np.asarray(spots, np.float32) / 255)


def outline(canvas: Canvas, generator: Generator) -> None:
    """A printed look: the strokes filled with one color or two, and edged with another."""
    ground = canvas.paper[:, :1, :1]
    edge, fill, second = (far_from(ground, generator) for _ in range(3))
    blend = ramp(canvas.shape, within(generator, (0, 2 * np.pi)))
    filled = fill + (second - fill) * blend if chance(generator, 0.4) else fill
    inner = canvas.cover
    # The field is a Gaussian of the distance to the stroke's middle: its power moves the edge outwards.
    wider = within(generator, (1.3, 1.9)) ** 2
    canvas.cover = soft_step(canvas.field, canvas.level**wider, 0.5 * canvas.level**wider)
    canvas.ink = edge + (filled - edge) * inner


def equal_luminance(canvas: Canvas, generator: Generator) -> None:
    """Ink that differs from its ground by color and hardly by brightness, at times by brightness too."""
    ground = float(project(canvas.paper[:, 0, 0], LUMINANCE))
    ink = pick(generator, ((30, 60, 190), (40, 90, 220), (20, 110, 120), (90, 40, 170)))
    share = np.float32(within(generator, (0.0, 1.0)))
    lifted = (ink + (ground - float(project(ink.ravel(), LUMINANCE)))).clip(0, 255)
    canvas.ink = ink + (lifted - ink) * share
