"""Data and recipes for the training tests: small, fast, and without MNIST unless a test says so."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from pairedge_train.data.datasets import DataSet, Digits
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.rendering import glyphs, negatives, tiles
from pairedge_train.rendering.hands import Bitmap
from pairedge_train.rendering.line_figures import Strokes


@pytest.fixture
def tiny() -> DataSet:
    """Sixty random tiles per split, with nothing to learn."""
    random = np.random.default_rng(0)

    def split() -> Digits:
        tiles = random.integers(0, 256, (60, 14, 14), dtype=np.uint8)
        labels = torch.from_numpy(random.integers(0, 10, 60))
        return Digits(torch.from_numpy(tiles).float(), tiles, labels)

    return DataSet(split(), split())


@dataclass
class Drawn:
    """What came under the pen since it was last asked.

    Attributes:
        strokes: figures by hand: letters, shapes, scribbles.
        glyphs: printed characters, as (character, font).
        hands: characters of handwriting fonts, as the bytes of their ink.
    """

    strokes: set[Strokes] = field(default_factory=set)
    glyphs: set[tuple[str, str]] = field(default_factory=set)
    hands: set[bytes] = field(default_factory=set)

    @property
    def letters(self) -> set[str]:
        return {name for name, strokes in negatives.LETTERS.items() if strokes in self.strokes}

    @property
    def shapes(self) -> set[str]:
        return {name for name, strokes in negatives.SHAPES.items() if strokes in self.strokes}

    @property
    def signs(self) -> set[str]:
        return {sign for sign, _ in self.glyphs if not sign.isdecimal()}

    @property
    def fonts(self) -> set[str]:
        return {font for _, font in self.glyphs}

    def take(self) -> Drawn:
        """All of it, to begin anew."""
        taken = Drawn(self.strokes, self.glyphs, self.hands)
        self.strokes, self.glyphs, self.hands = set(), set(), set()
        return taken


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    """Records the strokes and the glyphs that the renderer draws; negatives are not photographed."""
    record = Drawn()
    glyph = glyphs.glyph

    def recorded_glyph(text: str, font: str) -> NDArray[np.uint8]:
        record.glyphs.add((text, font))
        return glyph(text, font)

    def recorded_strokes(strokes: Strokes, _: np.random.Generator) -> NDArray[np.float32]:
        record.strokes.add(strokes)
        return np.zeros((84, 84), np.float32)

    def recorded_hand(bitmap: Bitmap, _: np.random.Generator) -> NDArray[np.float32]:
        record.hands.add(bitmap.tobytes())
        return np.zeros((84, 84), np.float32)

    for module in (negatives, tiles):
        monkeypatch.setattr(module, "written_glyph", recorded_hand)
    for module in (glyphs, negatives):
        monkeypatch.setattr(module, "glyph", recorded_glyph)
    monkeypatch.setattr(negatives, "_written", recorded_strokes)
    monkeypatch.setattr(negatives, "photograph", lambda *_: Image.new("L", (28, 28)))
    return record


@pytest.fixture
def quick() -> Recipe:
    """A round of two epochs on twelve pairs."""
    return Recipe().with_(
        {
            "data.pairs": 12,
            "data.test_pairs": 10,
            "data.validation_pairs": 5,
            "optim.batch_size": 5,
            "optim.epochs": 2,
        }
    )
