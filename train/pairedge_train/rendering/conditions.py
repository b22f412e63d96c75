"""Photo-like pictures of MNIST's digits: the scenes that a phone, a scanner or a tablet would deliver.

A digit, uint8 (28, 28), becomes a smooth field of strokes, is written with a pen of some width on some
paper, lit, seen by a camera, and comes out as the picture (or the bytes of the JPEG file) that
`to_tile` reads. Each scene is a `Condition`: ranges, and a list of effects that paint on a
`Canvas`. All that chance decides comes from the generator that is given: the same generator, the same
picture. numpy and Pillow only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import TypeAlias

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageFilter

from pairedge.image.morphology import bounding_slices
from pairedge_train.rendering.canvas import (
    BALLPOINT,
    BOARD,
    CHALK,
    GRAPHITE,
    NOTES,
    PENS,
    WHITE_PAPER,
    Canvas,
    Color,
    Range,
    chance,
    within,
)
from pairedge_train.rendering.effects import (
    dust,
    equal_luminance,
    gaps,
    gradient,
    grain,
    lamp,
    outline,
    ruled,
    shadow,
    specks,
    squared,
    texture,
)
from pairedge_train.rendering.stroke_field import Field

Rendered: TypeAlias = Image.Image | bytes
Effect: TypeAlias = Callable[[Canvas, Generator], None]
Place: TypeAlias = Callable[[tuple[float, float], Generator], tuple[float, float]]
Finish: TypeAlias = Callable[[Canvas, "Condition", Generator], Rendered]

VISIBLE = 50  # levels by which ink and ground differ in some color, before contrast is taken away


# ---------------------------------------------------------------- where the digit lies


def near_the_middle(size: tuple[float, float], generator: Generator) -> tuple[float, float]:
    """Somewhere inside: the digit's middle as shares of width and height, given its size in the same."""
    slack = [max(0.0, 0.47 - share / 2) for share in size]
    return 0.5 + within(generator, (-slack[0], slack[0])), 0.5 + within(generator, (-slack[1], slack[1]))


def in_a_corner(size: tuple[float, float], generator: Generator) -> tuple[float, float]:
    """Close to one of the four corners, not touching."""
    x, y = (share / 2 + within(generator, (0.03, 0.12)) for share in size)
    return (x if chance(generator, 0.5) else 1 - x), (y if chance(generator, 0.5) else 1 - y)


def at_the_border(size: tuple[float, float], generator: Generator) -> tuple[float, float]:
    """Touching one or two sides of the picture, a little of the ink cut off at times."""
    x, y = near_the_middle(size, generator)
    cut = within(generator, (-0.02, 0.01))
    edges = (size[0] / 2 + cut, 1 - size[0] / 2 - cut, size[1] / 2 + cut, 1 - size[1] / 2 - cut)
    side = int(generator.integers(0, 6))
    if side in (0, 1, 4, 5):
        x = edges[side % 2]
    if side in (2, 3, 4, 5):
        y = edges[2 + int(generator.integers(0, 2))]
    return x, y


# ---------------------------------------------------------------- from canvas to picture


def as_photo(canvas: Canvas, condition: Condition, generator: Generator) -> Rendered:
    """What a camera makes of it: noise, blur, and a JPEG file where the condition has a quality."""
    colors = _blended(canvas, canvas.cover)
    colors *= canvas.light
    noise = within(generator, condition.noise)
    if noise > 0.3:
        colors += generator.standard_normal(canvas.shape, dtype=np.float32) * np.float32(noise)
    image = _image(colors)
    if condition.quality is None and chance(generator, 0.5):
        image = image.convert("L")
    blur = within(generator, condition.blur)
    if blur > 0.2:
        image = image.filter(ImageFilter.GaussianBlur(blur))
    if condition.quality is None:
        return image
    file = BytesIO()
    image.save(file, "JPEG", quality=int(within(generator, condition.quality)))
    return file.getvalue()


def as_drawing(canvas: Canvas, _: Condition, generator: Generator) -> Rendered:
    """What a drawing program saves: hard or soft edges, and a transparent or plain ground."""
    cover = np.rint(canvas.cover) if chance(generator, 0.5) else canvas.cover
    if chance(generator, 0.5):
        return _image(_blended(canvas, cover))
    layers = np.empty((4, *canvas.shape), np.float32)
    layers[:3] = canvas.ink
    layers[3] = cover * 255
    return _image(layers)


def _blended(canvas: Canvas, cover: Field) -> Field:
    """Ink over paper, float32 (3, H, W)."""
    colors: Field = canvas.ink - canvas.paper
    colors *= cover
    colors += canvas.paper
    return colors


def _image(planes: Field) -> Image.Image:
    """RGB, or RGBA, of planes of gray levels, (3, H, W) or (4, H, W)."""
    levels = np.clip(planes, 0, 255, out=planes).astype(np.uint8)
    return Image.merge("RGBA"[: len(levels)], [Image.fromarray(plane) for plane in levels])


def boxed(side: int) -> Finish:
    """A tiny gray picture that the ink fills to its edges, as USPS (16) and UCI (8) have them.

    LeCun et al. (1989) say how USPS was made: a linear map into 16x16 that keeps the proportions, on binary
    ink, so that a pixel's level is the share of it that ink covers. Here the proportions are kept in most
    pictures and stretched toward a square in the others.
    """

    def finish(canvas: Canvas, _: Condition, generator: Generator) -> Rendered:
        strong = canvas.cover >= 0.5
        if not strong.any():  # nothing was drawn
            return Image.new("L", (side, side))
        ink = Image.fromarray(canvas.cover[bounding_slices(strong)])
        width, height = ink.size
        share = min(width, height) / max(width, height)
        if share > 0.4 and chance(generator, 0.5):  # a bare one stays narrow
            share **= 1 - within(generator, (0, 0.7))
        short = max(2, round(side * share))
        size = (short, side) if width < height else (side, short)
        field = np.zeros((side, side), np.float32)
        left, top = ((side - length + int(generator.integers(0, 2))) // 2 for length in size)
        small = np.asarray(ink.resize(size, Image.Resampling.BOX))
        field[top : top + size[1], left : left + size[0]] = small
        field *= 255 / max(float(field.max()), 1e-6)
        levels = np.rint(field).astype(np.uint8)
        return Image.fromarray(levels if chance(generator, 0.5) else 255 - levels)

    return finish


def as_bitmap(canvas: Canvas, _: Condition, generator: Generator) -> Rendered:
    """A tiny scan in black and white that the ink fills to its edges, stretched toward a square."""
    strong = canvas.cover >= 0.5
    side = 16 if chance(generator, 0.7) else 32
    if not strong.any():  # nothing was drawn
        return Image.new("L", (side, side))
    ink = Image.fromarray(canvas.cover[bounding_slices(strong)])
    share = min(ink.size) / max(ink.size)
    share **= 1 - within(generator, (0.6, 1.0) if side == 16 else (0, 0.4))
    short = max(2, round(side * share))
    size = (short, side) if ink.width < ink.height else (side, short)
    field = np.zeros((side, side), np.uint8)
    left, top = ((side - length) // 2 for length in size)
    small = np.asarray(ink.resize(size, Image.Resampling.BOX))
    field[top : top + size[1], left : left + size[0]] = small > within(generator, (0.3, 0.55)) * small.max()
    return Image.fromarray(field * 255 if chance(generator, 0.5) else 255 - field * 255)


def as_painting(canvas: Canvas, _: Condition, generator: Generator) -> Rendered:
    """A tiny drawing by a paint program's pen of one pixel, without soft edges."""
    side = 28 if chance(generator, 0.6) else int(generator.integers(20, 49))
    share = np.asarray(Image.fromarray(canvas.cover).resize((side, side), Image.Resampling.BOX))
    drawn = share > 0.3 * share.max()
    ink, paper = (0, 255) if chance(generator, 0.6) else (255, 0)
    return Image.fromarray(np.where(drawn, ink, paper).astype(np.uint8))


# ---------------------------------------------------------------- conditions


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A named scene: the ranges that a picture of it is drawn from, evenly.

    Attributes:
        about: what it stands for, in one line.
        side: width and height of the picture, pixels.
        height: the digit's longer side, as a share of the picture's smaller one.
        place: where the digit's middle lies.
        pen: width of the strokes, MNIST pixels (a digit of MNIST is 20 high).
        slant: how far the top leans to the right, as a share of the height, either way.
        turn: rotation, radians, either way.
        stretch: width times so much.
        tilt: how much larger one side of the picture is seen than the other, either way.
        inks: the pens to choose from; one is picked and varied a little.
        papers: the grounds to choose from.
        contrast: how much of the difference between ink and paper is left.
        effects: what is painted, in order.
        blur: radius, pixels.
        noise: standard deviation, gray levels.
        quality: of the JPEG file; None makes no file.
        finish: what makes the picture of the canvas.
    """

    about: str
    side: Range = (90, 200)
    height: Range = (0.4, 0.75)
    place: Place = near_the_middle
    pen: Range = (1.4, 3.2)
    slant: float = 0.2
    turn: float = 0.12
    stretch: Range = (0.85, 1.2)
    tilt: float = 0.1
    inks: tuple[Color, ...] = PENS
    papers: tuple[Color, ...] = WHITE_PAPER
    contrast: Range = (0.8, 1.0)
    effects: tuple[Effect, ...] = ()
    blur: Range = (0.3, 1.2)
    noise: Range = (0.0, 4.0)
    quality: Range | None = (45, 92)
    finish: Finish = as_photo


CONDITIONS: dict[str, Condition] = {
    "scan": Condition(about="a clean scan, a little soft", noise=(0, 1.5), tilt=0.0, quality=None),
    "photo": Condition(
        about="uneven light on textured paper, JPEG", effects=(texture, gradient, lamp), noise=(1, 6)
    ),
    "shadow": Condition(
        about="the shadow of the phone across the page", effects=(texture, gradient, shadow), noise=(1, 6)
    ),
    "squared": Condition(
        about="squared paper in bad light",
        effects=(texture, squared, gradient, lamp),
        inks=BALLPOINT,
        noise=(1, 5),
    ),
    "ruled": Condition(about="ruled paper", effects=(texture, ruled, gradient), inks=BALLPOINT, noise=(1, 5)),
    "pencil": Condition(
        about="a thin pencil",
        pen=(0.7, 1.3),
        inks=GRAPHITE,
        effects=(texture, grain, gradient),
        blur=(0.3, 0.8),
        noise=(1, 4),
    ),
    "hairline": Condition(
        about="a pen of one part in a hundred of the digit's height, or a little more",
        side=(90, 240),
        height=(0.5, 0.85),
        pen=(0.2, 0.6),
        inks=(*BALLPOINT, (0, 0, 0)),
        effects=(gradient,),
        blur=(0.0, 0.5),
        noise=(0, 2),
        quality=(70, 95),
    ),
    "marker": Condition(about="a thick felt pen", pen=(3.5, 5.0), effects=(texture, gradient)),
    "blue-on-pink": Condition(
        about="colored ink about as bright as the paper",
        papers=NOTES,
        effects=(equal_luminance, texture, gradient),
        noise=(0, 3),
    ),
    "chalk": Condition(
        about="chalk on a board",
        inks=CHALK,
        papers=BOARD,
        pen=(1.3, 3.0),
        effects=(grain, dust, texture, gradient),
        noise=(1, 6),
    ),
    "white-on-black": Condition(
        about="white on black",
        inks=((255, 255, 255), (230, 230, 230)),
        papers=((0, 0, 0), (12, 12, 16)),
        side=(28, 200),
        height=(0.55, 0.9),
        blur=(0, 0.6),
        noise=(0, 1),
        quality=None,
    ),
    "tablet": Condition(
        about="drawn in a program, on a transparent or plain background",
        side=(80, 220),
        inks=((0, 0, 0), (255, 255, 255), (30, 60, 200), (220, 30, 30)),
        papers=((255, 255, 255), (255, 250, 220), (30, 30, 34)),
        contrast=(1, 1),
        finish=as_drawing,
    ),
    "corner": Condition(
        about="a small digit in the corner of a big empty page",
        side=(240, 340),
        height=(0.07, 0.16),
        place=in_a_corner,
        pen=(1.6, 3.2),
        effects=(texture, gradient),
        blur=(0.3, 0.7),
        noise=(0, 3),
    ),
    "border": Condition(
        about="a digit that touches the picture's border",
        height=(0.7, 0.96),
        place=at_the_border,
        effects=(texture, gradient),
        noise=(0, 3),
    ),
    "print": Condition(
        about="colorful print, filled with one color and edged with another",
        pen=(2.6, 4.2),
        slant=0.1,
        papers=(*WHITE_PAPER, *NOTES, (60, 90, 150), (40, 40, 44)),
        effects=(outline, gradient),
        noise=(0, 3),
    ),
    "broken": Condition(about="gaps in the strokes", pen=(1.8, 3.2), effects=(gaps, texture, gradient)),
    "specks": Condition(about="specks of ink around the digit", effects=(specks, texture, gradient)),
    "noise": Condition(
        about="a noisy camera in the dark",
        papers=((110, 108, 104), (150, 146, 140), (90, 92, 96)),
        pen=(1.8, 3.4),
        noise=(10, 26),
        effects=(gradient,),
    ),
    "low-contrast": Condition(
        about="faint ink", contrast=(0.16, 0.3), effects=(texture, gradient), noise=(0, 2), quality=(75, 95)
    ),
    "perspective": Condition(
        about="seen at an angle", tilt=0.45, turn=0.3, slant=0.3, effects=(texture, gradient)
    ),
    "usps": Condition(
        about="16x16 with no margin, both polarities",
        side=(128, 128),
        height=(0.8, 0.8),
        pen=(1.8, 4.2),
        slant=0.25,
        turn=0.1,
        stretch=(0.8, 1.4),
        tilt=0.15,
        finish=boxed(16),
    ),
    "uci": Condition(
        about="8x8 with no margin, both polarities",
        side=(96, 96),
        height=(0.8, 0.8),
        pen=(1.8, 3.6),
        finish=boxed(8),
    ),
    "bitmap": Condition(
        about="16x16 or 32x32, black and white, no margin, stretched toward a square",
        side=(128, 128),
        height=(0.8, 0.8),
        pen=(1.4, 3.4),
        slant=0.25,
        tilt=0.15,
        finish=as_bitmap,
    ),
    "paint": Condition(
        about="28x28, drawn by a paint program's pen of one pixel",
        side=(168, 168),
        height=(0.5, 0.95),
        pen=(0.6, 0.9),
        finish=as_painting,
    ),
}
