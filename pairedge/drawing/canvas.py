"""The sheet that all drawings are made on: its colors and measures, images, arrows and text in one line."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Place: TypeAlias = tuple[int, int]  # x to the right and y down, pixels
Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

INK, QUIET, LINE, PAPER = "#1d2730", "#6b7780", "#c9d1d6", "#ffffff"
BLUE, PALE, ALARM = "#1f5f8b", "#b9c7d1", "#b8480f"

SIDE = 252  # pixels, of the square for an image: a multiple of 14 and 28
GAP = 44  # between images
MARGIN = 40


def blank(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """An empty sheet, and a pen to draw on it."""
    sheet = Image.new("RGB", (width, height), PAPER)
    return sheet, ImageDraw.Draw(sheet)


def show(sheet: Image.Image, image: NDArray[Any], place: Place, side: int = SIDE) -> None:
    """Fit an image, uint8 or float32 (H, W), (H, W, 1) or (H, W, 3), 0 to 255, into a square."""
    image = image[..., 0] if image.shape[2:] == (1,) else image
    levels = Image.fromarray(np.rint(np.clip(image, 0, 255)).astype(np.uint8)).convert("RGB")
    scale = side / max(levels.size)
    width, height = (max(1, round(length * scale)) for length in levels.size)
    way = Image.Resampling.NEAREST if scale > 2 else Image.Resampling.LANCZOS
    x, y = place[0] + (side - width) // 2, place[1] + (side - height) // 2
    sheet.paste(levels.resize((width, height), way), (x, y))
    ImageDraw.Draw(sheet).rectangle((x - 1, y - 1, x + width, y + height), outline=LINE)


def arrow(pen: ImageDraw.ImageDraw, middle: Place) -> None:
    """Draw an arrow to the right."""
    x, y = middle
    pen.polygon([(x - 5, y - 9), (x + 6, y), (x - 5, y + 9)], PALE)


def write(
    pen: ImageDraw.ImageDraw, place: Place, text: str, size: int, color: str = INK, anchor: str = "la"
) -> None:
    """Write one line of text; `anchor` says which point of it is at `place`, as Pillow does."""
    pen.text(place, text, color, font(size), anchor)


def fitting(text: str, size: int, width: int, *, keep_end: bool = False) -> str:
    """The text on one line, shortened with dots at one end to fit a width in pixels."""
    text = text if text.isprintable() else ascii(text)
    if font(size).getlength(text) <= width:
        return text
    while text and font(size).getlength(f"...{text}") > width:
        text = text[1:] if keep_end else text[:-1]
    return f"...{text}" if keep_end else f"{text}..."


@cache
def font(size: int) -> Font:
    """The built-in font in a size, pixels."""
    return ImageFont.load_default(size)
