"""Handwriting fonts as writers: the digits, letters and signs of many hands, as ink, and who drew them.

hands.toml lists the hands by split: those that train, those that choices are made by, and those that are kept
for tests. A designer's hands are all in one split. hands.npz holds their glyphs, which `collect_hands` draws,
so that training needs no network.
"""

# ruff: noqa: RUF001 (Greek and Cyrillic letters that look like Latin ones are meant)

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from pairedge_train.rendering.split import Split
from pairedge_train.rendering.stroke_field import FINE, Field, ridges

Bitmap: TypeAlias = NDArray[np.bool_]

LIST = Path(__file__).with_name("hands.toml")
GLYPHS = Path(__file__).with_name("hands.npz")
BOX = 20 * FINE  # the longer side of a glyph, field points: MNIST's box

DIGITS = "0123456789"
# What may be taken for a digit, and for which: never a negative.
LOOKALIKES: Mapping[str, str] = MappingProxyType(
    dict.fromkeys("OoQDaCcUudаОоСсЮюΟοσΘθφфФ", "0, or an open or crossed one")
    | dict.fromkeys("IilJjtfTr|/\\!ІіїЇгтТΙιΤτ", "1, or 7")
    | dict.fromkeys("ZzΖζ?", "2")
    | dict.fromkeys("ЗзЭэεξ", "3, or a mirrored one")
    | dict.fromkeys("YyЧчУуγυψ", "4, or an open one")
    | dict.fromkeys("Ss$§", "5")
    | dict.fromkeys("GbбδЬьЪъЫы", "6")
    | dict.fromkeys("B8Ввβ", "8")
    | dict.fromkeys("gqPpРрρд", "9, or a looped one")
)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
GREEK = "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρστυφχψω"
CYRILLIC = "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюя"
SIGNS = "&@%*+=^~#"
NEGATIVES = "".join(sign for sign in LETTERS + GREEK + CYRILLIC + SIGNS if sign not in LOOKALIKES)
_HELD_OUT: dict[Split, str] = {"validation": "Lvx^ΔΠπДИЛ", "test": "FMRWehmw#%ΞΣΩλωЖЦШ"}
_TRAINING = "".join(sign for sign in NEGATIVES if not any(sign in part for part in _HELD_OUT.values()))
NEGATIVES_OF: Mapping[Split, str] = MappingProxyType({"training": _TRAINING, **_HELD_OUT})


@dataclass(frozen=True, kw_only=True)
class Hand:
    """A writer.

    Attributes:
        name: of the font's package, @fontsource/NAME in the npm registry.
        designer: who drew it.
        school: the country whose schools teach it, or None.
        split: what it serves.
        version: of the package.
        license: of the font, by its SPDX name.
        copyright: the font's own statement.
        glyphs: bool (60, 60) by character, the longer side 60 and centered.
    """

    name: str
    designer: str
    school: str | None
    split: Split
    version: str
    license: str
    copyright: str
    glyphs: Mapping[str, Bitmap]

    def negatives(self, split: Split) -> str:
        """The letters and signs of this hand that may be drawn as negatives, for a split of any hands."""
        return "".join(sign for sign in self.glyphs if sign in NEGATIVES_OF[split])


def hands(split: Split) -> tuple[Hand, ...]:
    """The hands of a split, in the order of hands.toml."""
    return tuple(hand for hand in all_hands() if hand.split == split)


@cache
def all_hands() -> tuple[Hand, ...]:
    """Every hand with its glyphs, in the order of hands.toml."""
    with np.load(GLYPHS) as stored:
        about = json.loads(str(stored["about"]))
        bitmaps = np.unpackbits(stored["bitmaps"], axis=1, count=BOX * BOX).astype(np.bool_)
        owners, characters = stored["owners"], stored["characters"]
    glyphs: list[dict[str, Bitmap]] = [{} for _ in about]
    for owner, character, bitmap in zip(owners, characters, bitmaps.reshape(-1, BOX, BOX), strict=True):
        glyphs[owner][chr(character)] = bitmap
    return tuple(Hand(**one, glyphs=own) for one, own in zip(about, glyphs, strict=True))


def store(collected: list[Hand]) -> None:
    """Write hands.npz; the same hands give the same bytes."""
    drawn = [
        (owner, ord(sign), bitmap)
        for owner, hand in enumerate(collected)
        for sign, bitmap in hand.glyphs.items()
    ]
    fields = [name for name in Hand.__dataclass_fields__ if name != "glyphs"]
    about = [{name: getattr(hand, name) for name in fields} for hand in collected]
    np.savez_compressed(
        GLYPHS,
        about=np.array(json.dumps(about, ensure_ascii=False)),
        owners=np.array([owner for owner, _, _ in drawn], np.uint16),
        characters=np.array([code for _, code, _ in drawn], np.uint32),
        bitmaps=np.packbits(np.stack([bitmap.ravel() for _, _, bitmap in drawn]), axis=1),
    )


def listed() -> dict[Split, dict[str, dict[str, Any]]]:
    """hands.toml: for each split, the hands by name with their versions, designers and schools."""
    with LIST.open("rb") as file:
        splits: dict[Split, dict[str, dict[str, Any]]] = tomllib.load(file)  # type: ignore[assignment]  # as the file is written
    return splits


def written_glyph(bitmap: Bitmap, generator: Generator) -> Field:
    """A glyph as its writer might write it another time: a field of strokes, float32 (84, 84), 0 to 1.

    The ink leans, is squeezed, and its parts are moved a little, all smoothly.

    Args:
        bitmap: bool (60, 60).
        generator: decides how.
    """
    margin = 4 * FINE
    ink = Image.fromarray(np.pad(bitmap.astype(np.uint8) * 255, margin))
    side = ink.width
    cells = 3  # to a side
    knots = np.linspace(0, side, cells + 1)
    grid = np.stack(np.meshgrid(knots, knots, indexing="xy"), axis=-1)  # (row, column, (x, y))
    lean = generator.uniform(-0.12, 0.12)
    grid[..., 0] += lean * (grid[..., 1] - side / 2)
    grid += (grid - side / 2) * generator.uniform(-0.08, 0.08, 2)
    grid += generator.normal(0, 0.5 * FINE, grid.shape)
    corners = ((0, 0), (1, 0), (1, 1), (0, 1))  # of a cell, as Pillow wants them: down the left side first
    mesh = [
        (
            tuple(round(edge) for edge in (knots[x], knots[y], knots[x + 1], knots[y + 1])),
            tuple(float(edge) for down, right in corners for edge in grid[y + down, x + right]),
        )
        for y in range(cells)
        for x in range(cells)
    ]
    return ridges(ink.transform(ink.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR))
