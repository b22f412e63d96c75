"""Printed digits and signs: glyphs of the free fonts that come with matplotlib, as ink on 28x28.

Some fonts and signs are kept for tests, which training never sees.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSerif", "DejaVuSerif-Bold",
    "DejaVuSerif-Italic", "DejaVuSansMono", "STIXGeneralItalic", "STIXGeneralBol", "cmr10", "cmtt10",
)  # fmt: skip
FONTS_FOR_TESTS = ("DejaVuSansMono-Bold", "DejaVuSerif-BoldItalic", "STIXGeneral", "cmss10", "cmb10")

_SIZE = 160  # points that a glyph is drawn at, before it is scaled into MNIST's box
_BOX, _SIDE = 20, 28  # as in pairedge.image.tile


def printed_digits(
    count: int, generator: Generator, *, testing: bool = False
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw N printed digits, white on black.

    Args:
        count: N.
        generator: picks digits and fonts.
        testing: take the fonts that training never sees.

    Returns:
        Pictures, uint8 (N, 28, 28), 0 to 255, and their labels, int64 (N,), 0 to 9.
    """
    fonts = FONTS_FOR_TESTS if testing else FONTS
    labels = generator.integers(0, 10, count)
    chosen = generator.integers(0, len(fonts), count)
    images = [glyph(str(label), fonts[font]) for label, font in zip(labels, chosen, strict=True)]
    return np.array(images, np.uint8).reshape(-1, _SIDE, _SIDE), labels.astype(np.int64)


def glyph(text: str, font: str) -> NDArray[np.uint8]:
    """A character in a font, uint8 (28, 28), white on black, its longer side 20 and centered.

    Raises:
        KeyError: when the font has nothing to draw for it.
    """
    pen = _font(font)
    left, top, right, bottom = (round(edge) for edge in pen.getbbox(text))
    if right <= left or bottom <= top:
        raise KeyError(f"{font} draws nothing for {text!r}")
    large = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(large).text((-left, -top), text, fill=255, font=pen)
    scale = _BOX / max(large.size)
    size = tuple(max(1, round(length * scale)) for length in large.size)
    sheet = Image.new("L", (_SIDE, _SIDE))
    small = large.resize((size[0], size[1]), Image.Resampling.BOX)
    sheet.paste(small, ((_SIDE - size[0]) // 2, (_SIDE - size[1]) // 2))
    return np.asarray(sheet)


@cache
def _font(name: str) -> ImageFont.FreeTypeFont:
    import matplotlib as mpl

    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf", _SIZE)
