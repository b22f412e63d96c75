"""Negatives: pictures that show no digit, which a model should answer with low confidence.

Letters written by strokes, letters and signs of handwriting fonts, printed signs, shapes, scribbles, noise,
textures and blank pages, put on paper by the same scenes that digits are (`conditions`). Letters, signs and
shapes come in three parts: one for training, one for validation and one for tests, which has fonts of its
own, too. A letter or sign that tests draw, of any kind, training draws of no kind. The other kinds have no
such parts, and `KINDS` says which are which.

Left out is what a person may take for a digit: the letters and signs of `hands.LOOKALIKES`, and circles,
squares, arrows, ticks and single bars among the shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from PIL import Image

from pairedge_train.rendering.canvas import (
    BOARD,
    NOTES,
    WHITE_PAPER,
    chance,
    cloud,
    pick,
    ramp,
    varied,
    within,
)
from pairedge_train.rendering.conditions import CONDITIONS, Condition, Rendered
from pairedge_train.rendering.glyphs import FONTS, FONTS_FOR_TESTS, glyph
from pairedge_train.rendering.hands import hands, written_glyph
from pairedge_train.rendering.line_figures import Strokes, random_figure
from pairedge_train.rendering.pen import Writer
from pairedge_train.rendering.render import photograph
from pairedge_train.rendering.split import Split
from pairedge_train.rendering.stroke_field import FINE, Field, stroke_field

# How a hand writes them: points that a smooth line goes through, x to the right and y down in a unit square.
LETTERS: dict[str, Strokes] = {
    "A": (((0.1, 0.97), (0.5, 0.03)), ((0.5, 0.03), (0.9, 0.97)), ((0.25, 0.62), (0.75, 0.62))),
    "E": (
        ((0.2, 0.03), (0.2, 0.97)), ((0.2, 0.03), (0.8, 0.04)),
        ((0.2, 0.5), (0.7, 0.5)), ((0.2, 0.97), (0.82, 0.96)),
    ),
    "H": (((0.18, 0.03), (0.18, 0.97)), ((0.82, 0.03), (0.82, 0.97)), ((0.18, 0.5), (0.82, 0.5))),
    "K": (((0.2, 0.03), (0.2, 0.97)), ((0.8, 0.05), (0.2, 0.55)), ((0.35, 0.45), (0.82, 0.97))),
    "N": (((0.15, 0.97), (0.15, 0.03)), ((0.15, 0.03), (0.85, 0.97)), ((0.85, 0.97), (0.85, 0.03))),
    "X": (((0.15, 0.05), (0.85, 0.95)), ((0.85, 0.05), (0.15, 0.95))),
    "k": (((0.25, 0.03), (0.25, 0.97)), ((0.75, 0.4), (0.25, 0.7)), ((0.4, 0.62), (0.78, 0.97))),
    "n": (
        ((0.2, 0.2), (0.2, 0.95)),
        ((0.2, 0.45), (0.4, 0.22), (0.65, 0.22), (0.78, 0.4), (0.78, 0.95)),
    ),
    "V": (((0.12, 0.05), (0.5, 0.96)), ((0.5, 0.96), (0.88, 0.05))),
    "F": (((0.22, 0.03), (0.22, 0.97)), ((0.22, 0.04), (0.82, 0.04)), ((0.22, 0.48), (0.7, 0.48))),
    "M": (
        ((0.1, 0.97), (0.15, 0.03)), ((0.15, 0.03), (0.5, 0.65)),
        ((0.5, 0.65), (0.85, 0.03)), ((0.85, 0.03), (0.9, 0.97)),
    ),
    "m": (
        ((0.08, 0.3), (0.08, 0.8)), ((0.08, 0.45), (0.22, 0.3), (0.4, 0.33), (0.46, 0.5), (0.46, 0.8)),
        ((0.46, 0.45), (0.6, 0.3), (0.8, 0.33), (0.88, 0.5), (0.88, 0.8)),
    ),
    "R": (
        ((0.2, 0.97), (0.2, 0.04)), ((0.2, 0.04), (0.6, 0.05), (0.78, 0.25), (0.6, 0.48), (0.2, 0.5)),
        ((0.4, 0.5), (0.85, 0.97)),
    ),
    "W": (
        ((0.05, 0.05), (0.27, 0.95)), ((0.27, 0.95), (0.5, 0.3)),
        ((0.5, 0.3), (0.73, 0.95)), ((0.73, 0.95), (0.95, 0.05)),
    ),
    "e": (
        ((0.2, 0.55), (0.8, 0.5)),
        ((0.8, 0.5), (0.72, 0.25), (0.45, 0.2), (0.2, 0.45), (0.25, 0.8), (0.55, 0.95), (0.82, 0.82)),
    ),
    "h": (
        ((0.22, 0.03), (0.22, 0.97)),
        ((0.22, 0.6), (0.42, 0.42), (0.66, 0.44), (0.76, 0.6), (0.76, 0.97)),
    ),
    "w": (
        ((0.08, 0.3), (0.18, 0.7), (0.32, 0.8), (0.46, 0.65), (0.5, 0.35)),
        ((0.5, 0.35), (0.54, 0.65), (0.68, 0.8), (0.84, 0.65), (0.92, 0.3)),
    ),
    "Æ": (
        ((0.03, 0.97), (0.45, 0.03)), ((0.45, 0.03), (0.95, 0.03)), ((0.52, 0.03), (0.52, 0.97)),
        ((0.52, 0.97), (0.97, 0.97)), ((0.22, 0.6), (0.85, 0.58)),
    ),
    "Ħ": (
        ((0.2, 0.03), (0.2, 0.97)), ((0.8, 0.03), (0.8, 0.97)), ((0.2, 0.55), (0.8, 0.55)),
        ((0.03, 0.25), (0.97, 0.25)),
    ),
    "Ł": (((0.35, 0.03), (0.35, 0.97)), ((0.35, 0.97), (0.9, 0.96)), ((0.1, 0.62), (0.65, 0.38))),
    "Ж": (
        ((0.5, 0.03), (0.5, 0.97)), ((0.08, 0.05), (0.92, 0.95)), ((0.92, 0.05), (0.08, 0.95)),
    ),
}  # fmt: skip
LETTERS_OF: dict[Split, tuple[str, ...]] = {
    "training": ("A", "E", "H", "K", "N", "X", "k", "n", "V"),
    "validation": ("Æ", "Ħ", "Ł", "Ж"),
    "test": ("F", "M", "m", "R", "W", "e", "h", "w"),
}

SIGNS_OF: dict[Split, str] = {
    "training": "AEHKNVXknv&@*+=~ΓΔΛΠΦΨДИЛЩЯ",
    "validation": "ÆĦŁŊЊЉЋ‡",
    "test": "F#¶±÷»«€¥©",
}

# Corners of closed or open figures in a unit square.
SHAPES: dict[str, Strokes] = {
    "triangle": (((0.5, 0.05), (0.95, 0.9)), ((0.95, 0.9), (0.05, 0.9)), ((0.05, 0.9), (0.5, 0.05))),
    "plus": (((0.5, 0.05), (0.5, 0.95)), ((0.05, 0.5), (0.95, 0.5))),
    "zigzag": (
        ((0.05, 0.3), (0.25, 0.7)), ((0.25, 0.7), (0.45, 0.3)), ((0.45, 0.3), (0.65, 0.7)),
        ((0.65, 0.7), (0.9, 0.3)),
    ),
    "grid": (
        ((0.35, 0.05), (0.35, 0.95)), ((0.65, 0.05), (0.65, 0.95)),
        ((0.05, 0.35), (0.95, 0.35)), ((0.05, 0.65), (0.95, 0.65)),
    ),
    "envelope": (
        ((0.05, 0.2), (0.95, 0.2)), ((0.95, 0.2), (0.95, 0.8)), ((0.95, 0.8), (0.05, 0.8)),
        ((0.05, 0.8), (0.05, 0.2)), ((0.05, 0.2), (0.5, 0.55)), ((0.5, 0.55), (0.95, 0.2)),
    ),
    "house": (
        ((0.15, 0.45), (0.5, 0.05)), ((0.5, 0.05), (0.85, 0.45)), ((0.85, 0.45), (0.85, 0.95)),
        ((0.85, 0.95), (0.15, 0.95)), ((0.15, 0.95), (0.15, 0.45)), ((0.15, 0.45), (0.85, 0.45)),
    ),
    "star": (
        ((0.5, 0.03), (0.79, 0.92)), ((0.79, 0.92), (0.03, 0.37)), ((0.03, 0.37), (0.97, 0.37)),
        ((0.97, 0.37), (0.21, 0.92)), ((0.21, 0.92), (0.5, 0.03)),
    ),
    "hourglass": (
        ((0.15, 0.05), (0.85, 0.05)), ((0.85, 0.05), (0.15, 0.95)),
        ((0.15, 0.95), (0.85, 0.95)), ((0.85, 0.95), (0.15, 0.05)),
    ),
    "fence": (
        ((0.1, 0.1), (0.1, 0.9)), ((0.37, 0.1), (0.37, 0.9)), ((0.63, 0.1), (0.63, 0.9)),
        ((0.9, 0.1), (0.9, 0.9)), ((0.02, 0.5), (0.98, 0.5)),
    ),
    "ladder": (
        ((0.3, 0.03), (0.3, 0.97)), ((0.7, 0.03), (0.7, 0.97)), ((0.3, 0.2), (0.7, 0.2)),
        ((0.3, 0.5), (0.7, 0.5)), ((0.3, 0.8), (0.7, 0.8)),
    ),
    "comb": (
        ((0.05, 0.2), (0.95, 0.2)), ((0.05, 0.2), (0.05, 0.85)), ((0.35, 0.2), (0.35, 0.85)),
        ((0.65, 0.2), (0.65, 0.85)), ((0.95, 0.2), (0.95, 0.85)),
    ),
    "stairs": (
        ((0.05, 0.95), (0.05, 0.65)), ((0.05, 0.65), (0.35, 0.65)), ((0.35, 0.65), (0.35, 0.35)),
        ((0.35, 0.35), (0.65, 0.35)), ((0.65, 0.35), (0.65, 0.05)), ((0.65, 0.05), (0.95, 0.05)),
    ),
}  # fmt: skip
SHAPES_OF: dict[Split, tuple[str, ...]] = {
    "training": ("triangle", "plus", "zigzag", "grid", "envelope"),
    "validation": ("ladder", "comb", "stairs"),
    "test": ("house", "star", "hourglass", "fence"),
}

# Scenes that keep strokes recognizable; the tiny ones would make a letter of anything.
SCENES = tuple(name for name in CONDITIONS if name not in ("broken", "noise", "uci", "bitmap"))


def render_negative(kind: str, generator: Generator, *, split: Split = "training") -> Rendered:
    """A picture that shows no digit.

    Args:
        kind: a name in KINDS.
        generator: decides everything that varies.
        split: what the picture is for; the parts of a kind that has parts share nothing.

    Returns:
        A PIL image, or the bytes of a JPEG file.

    Raises:
        KeyError: when there is no such kind.
    """
    return KINDS[kind].draw(generator, split)


def letters(generator: Generator, split: Split) -> Rendered:
    """A letter by hand."""
    names = LETTERS_OF[split]
    return _seen(_written(LETTERS[names[int(generator.integers(len(names)))]], generator), generator)


def alphabets(generator: Generator, split: Split) -> Rendered:
    """A letter or sign, Latin, Greek or Cyrillic, in the hand of one of the writers of `hands`."""
    writers = hands(split)
    writer = writers[int(generator.integers(len(writers)))]
    signs = writer.negatives(split)
    return _seen(
        written_glyph(writer.glyphs[signs[int(generator.integers(len(signs)))]], generator), generator
    )


def symbols(generator: Generator, split: Split) -> Rendered:
    """A printed letter or sign."""
    signs, fonts = SIGNS_OF[split], FONTS_FOR_TESTS if split == "test" else FONTS
    sign, font = signs[int(generator.integers(len(signs)))], fonts[int(generator.integers(len(fonts)))]
    if font.startswith("cm") and sign not in _ASCII_LETTERS:  # Computer Modern has its signs elsewhere
        font = fonts[0]
    return _seen(stroke_field(glyph(sign, font)), generator)


def shapes(generator: Generator, split: Split) -> Rendered:
    """A figure drawn by hand, at times turned; in training more often one that has no name."""
    if split == "training" and chance(generator, 0.7):
        return _seen(_written(random_figure(generator), generator), generator)
    names = SHAPES_OF[split]
    field = _written(SHAPES[names[int(generator.integers(len(names)))]], generator)
    return _seen(np.ascontiguousarray(np.rot90(field, int(generator.integers(4)))), generator)


def scribbles(generator: Generator, _: Split) -> Rendered:
    """A long line that crosses itself many times, or a heap of short ones."""
    if chance(generator, 0.5):
        points = generator.uniform(0.05, 0.95, (int(generator.integers(14, 26)), 2))
        strokes: Strokes = (tuple((float(x), float(y)) for x, y in points),)
    else:
        ends = generator.uniform(0.05, 0.95, (int(generator.integers(7, 13)), 2, 2))
        strokes = tuple(tuple((float(x), float(y)) for x, y in pair) for pair in ends)
    return _seen(_written(strokes, generator), generator)


def noise(generator: Generator, _: Split) -> Rendered:
    """Nothing but noise: a camera in the dark, television snow, a broken file."""
    height, width = (int(generator.integers(16, 200)) for _ in range(2))
    grain = float(generator.choice([1, 2, 4, 10]))
    channels = [
        cloud((height, width), max(2, max(height, width) / grain), generator)
        for _ in range(3 if chance(generator, 0.5) else 1)
    ]
    spread = within(generator, (8, 90))
    levels = within(generator, (60, 200)) + np.stack(channels, axis=-1) * spread
    if chance(generator, 0.3):
        levels = np.where(levels > np.median(levels) + spread, 255, 0)
    pixels = levels.clip(0, 255).astype(np.uint8)
    return Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0])


def texture(generator: Generator, split: Split) -> Rendered:
    """Wood, cloth, walls: waves, stripes and checks; in tests bricks, bars and curved grain."""
    shape = (int(generator.integers(60, 200)), int(generator.integers(60, 200)))
    across = ramp(shape, within(generator, (0, 2 * np.pi)))
    crossing = ramp(shape, within(generator, (0, 2 * np.pi)))
    bent = across + cloud(shape, within(generator, (2, 6)), generator) * np.float32(
        within(generator, (0, 0.06))
    )
    waves = np.float32(within(generator, (2, 16)) * np.pi)
    patterns: tuple[Callable[[], Field], ...] = (
        lambda: _sine(waves * bent),
        lambda: _sine(waves * bent) * _sine(waves * crossing),
        lambda: cloud(shape, within(generator, (2, 12)), generator),
    )
    if split == "test":
        patterns = (
            lambda: _sine(3 * waves * np.sqrt((across + 0.3) ** 2 + crossing**2)),
            lambda: _bricks(shape, generator),
            lambda: np.sign(_sine(waves * bent)),
        )
    pattern = patterns[int(generator.integers(len(patterns)))]()
    ground, other = (varied(pick(generator, (*WHITE_PAPER, *NOTES, *BOARD)), generator) for _ in range(2))
    colors = ground + (other - ground) * (0.5 + 0.5 * pattern.clip(-1, 1))
    colors += generator.standard_normal(shape, dtype=np.float32) * np.float32(within(generator, (0, 6)))
    return Image.fromarray(colors.clip(0, 255).astype(np.uint8).transpose(1, 2, 0).copy())


def blank(generator: Generator, _: Split) -> Rendered:
    """A page, a note or a board with nothing on it."""
    name = ("scan", "photo", "shadow", "squared", "ruled", "chalk", "noise")[int(generator.integers(7))]
    return photograph(np.zeros((_SIDE, _SIDE), np.float32), CONDITIONS[name], generator)


@dataclass(frozen=True)
class Kind:
    """A kind of negative.

    Attributes:
        draw: a picture of it, from a generator and the split that it is for.
        held_out: whether all that validation and tests draw is held out of training. Where it is not, they
            draw what training draws, with other seeds.
    """

    draw: Callable[[Generator, Split], Rendered]
    held_out: bool


# Texture is not held out, though tests have patterns of their own: their bars are training's waves with hard
# edges, and all its colors and its grain are drawn as in training.
KINDS: dict[str, Kind] = {
    "letters": Kind(letters, held_out=True),
    "alphabets": Kind(alphabets, held_out=True),
    "symbols": Kind(symbols, held_out=True),
    "shapes": Kind(shapes, held_out=True),
    "scribbles": Kind(scribbles, held_out=False),
    "noise": Kind(noise, held_out=False),
    "texture": Kind(texture, held_out=False),
    "blank": Kind(blank, held_out=False),
}

_SIDE = 28 * FINE
_ASCII_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def _seen(field: Field, generator: Generator) -> Rendered:
    """Strokes, float32 (S, S), under a condition drawn evenly."""
    scene: Condition = CONDITIONS[SCENES[int(generator.integers(len(SCENES)))]]
    thinnest, thickest = scene.pen
    pen = min(max(thinnest, 1.0), thickest), min(thickest, 3.6)
    return photograph(field, replace(scene, pen=pen), generator)


def _written(strokes: Strokes, generator: Generator) -> Field:
    """Strokes in somebody's hand, float32 (84, 84)."""
    return Writer.drawn(generator).write(strokes, generator)


def _sine(angles: Field) -> Field:
    """The sine, float32, by way of float64: NumPy's float32 one depends on the CPU."""
    return np.sin(angles, dtype=np.float64).astype(np.float32)


def _bricks(shape: tuple[int, int], generator: Generator) -> Field:
    """A wall: rows of bricks, every other row shifted by half; float32 (H, W), 1 or -1."""
    rows = np.arange(shape[0], dtype=np.float32)[:, None] / np.float32(within(generator, (10, 30)))
    columns = np.arange(shape[1], dtype=np.float32) / np.float32(within(generator, (20, 60)))
    shifted = columns + 0.5 * (np.floor(rows) % 2)
    mortar = ((rows % 1) < 0.15) | ((shifted % 1) < 0.08)
    wall: Field = np.where(mortar, 1, -1).astype(np.float32)
    return wall
