"""Draws how a picture is preprocessed, the answer for a pair, an evaluation's mistakes, and a server's load.

Uses Pillow and its built-in font only, so that a device needs no other package. The font covers little beyond
ASCII, so all text here is ASCII.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pairedge.errors import Drawable
from pairedge.results import Comparison

if TYPE_CHECKING:
    from pairedge.server_load import Load

Place: TypeAlias = tuple[int, int]  # x to the right and y down, pixels
Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

_INK, _QUIET, _LINE, _PAPER = "#1d2730", "#6b7780", "#c9d1d6", "#ffffff"
_BLUE, _PALE, _ALARM = "#1f5f8b", "#b9c7d1", "#b8480f"

_SIDE = 252  # pixels, of the square for an image: a multiple of 14 and 28
_GAP = 44  # between images
_MARGIN = 40
_CELL_SIDE = 126  # of an image in a contact sheet
_COLUMNS = 4  # of a contact sheet
_CELLS = 200  # of a contact sheet: nobody looks at more

# The captions of the steps.
_TITLES = {
    "picture": "the picture",
    "ink": "its ink",
    "strokes": "the digit's strokes",
    "field": "scaled and centered",
    "tile": "the tile",
}


class Cell(NamedTuple):
    """One picture of a contact sheet.

    Attributes:
        picture: gray levels (H, W) or (H, W, 1), or colors (H, W, 3), uint8 or float32, 0 to 255.
        tile: uint8 (14, 14), 0 to 255; None when the picture was refused.
        summary: the outcome in a few words.
        name: of the picture.
    """

    picture: NDArray[Any]
    tile: NDArray[np.uint8] | None
    summary: str
    name: str


def draw_steps(reading: Drawable, name: str) -> Image.Image:
    """Draw the steps of reading one picture, side by side under its name."""
    steps = reading.drawings()
    width = 2 * _MARGIN + len(steps) * (_SIDE + _GAP) - _GAP
    sheet, pen = _blank(max(width, 560), 400)
    _write(pen, (_MARGIN, 30), _fitting(name, 22, sheet.width - 2 * _MARGIN), 22)
    for place, (step, image) in enumerate(steps.items()):
        x = _MARGIN + place * (_SIDE + _GAP)
        if place:
            _arrow(pen, (x - _GAP // 2, 78 + _SIDE // 2))
        _show(sheet, image, (x, 78))
        _write(pen, (x + _SIDE // 2, 342), _TITLES.get(step, step), 20, anchor="ma")
        size = f"{image.shape[1]} x {image.shape[0]}"
        _write(pen, (x + _SIDE // 2, 368), size, 15, _QUIET, anchor="ma")
    return sheet


def draw_pair(readings: Sequence[Drawable], names: Sequence[str], prediction: Comparison) -> Image.Image:
    """Draw a pair and its answer: each picture, its strokes, its tile and its digit, and the decision below.

    Args:
        readings: of both pictures.
        names: of the pictures.
        prediction: the model's answer for the two tiles.
    """
    drawings = [reading.drawings() for reading in readings]
    columns = [step for step in ("picture", "strokes", "tile") if all(step in steps for steps in drawings)]
    bars_at = _MARGIN + len(columns) * (_SIDE + _GAP)
    bars_wide = 380 if prediction.digit_probabilities is not None else -_GAP
    sheet, pen = _blank(bars_at + bars_wide + _MARGIN, 796)
    for row, steps in enumerate(drawings):
        y = 70 + row * (_SIDE + 56)
        for place, step in enumerate(columns):
            x = _MARGIN + place * (_SIDE + _GAP)
            _show(sheet, steps[step], (x, y))
            if place:
                _arrow(pen, (x - _GAP // 2, y + _SIDE // 2))
            if row == 0:
                _write(pen, (x + _SIDE // 2, 36), _TITLES[step], 20, anchor="ma")
        below = _MARGIN + _SIDE // 2, y + _SIDE + 10
        caption = f"{('first', 'second')[row]}: {_fitting(names[row], 16, _SIDE - 60, keep_end=True)}"
        _write(pen, below, caption, 16, _QUIET, anchor="ma")
        if prediction.digit_probabilities is not None:
            _arrow(pen, (bars_at - _GAP // 2, y + _SIDE // 2))
            _bars(pen, prediction.digit_probabilities[row], (bars_at + 10, y), (bars_wide - 10, _SIDE))
    if prediction.digit_probabilities is not None:
        _write(pen, (bars_at + 10 + (bars_wide - 10) // 2, 36), "which digit?", 20, anchor="ma")
    _verdict(sheet, pen, prediction, 690)
    return sheet


def draw_sheet(cells: Iterable[Cell], total: int) -> Image.Image:
    """Draw a contact sheet: each picture next to its tile, with its outcome and its name.

    Args:
        cells: the pictures; the first 200 are drawn.
        total: the number of pictures.
    """
    drawn = list(islice(cells, _CELLS))
    step_x, step_y = 2 * _CELL_SIDE + 4 + 36, _CELL_SIDE + 78
    rows, columns = max(1, -(-len(drawn) // _COLUMNS)), max(1, min(len(drawn), _COLUMNS))
    sheet, pen = _blank(2 * _MARGIN + columns * step_x - 36, 2 * _MARGIN + rows * step_y - 32)
    if not drawn:
        _write(pen, (sheet.width // 2, sheet.height // 2), "no mistakes", 24, _QUIET, anchor="mm")
    if total > len(drawn):
        there = sheet.width // 2, sheet.height - _MARGIN // 2
        _write(pen, there, f"the first {len(drawn)} of {total:,}", 15, _QUIET, anchor="mm")
    for place, cell in enumerate(drawn):
        x = _MARGIN + place % _COLUMNS * step_x
        y = _MARGIN + place // _COLUMNS * step_y
        _show(sheet, cell.picture, (x, y), _CELL_SIDE)
        beside = (x + _CELL_SIDE + 4, y)
        if cell.tile is not None:
            _show(sheet, cell.tile, beside, _CELL_SIDE)
        else:
            middle = beside[0] + _CELL_SIDE // 2, y + _CELL_SIDE // 2
            _write(pen, middle, "no tile", 16, _QUIET, anchor="mm")
        wide = 2 * _CELL_SIDE + 4
        _write(pen, (x, y + _CELL_SIDE + 8), _fitting(cell.summary, 15, wide), 15)
        _write(pen, (x, y + _CELL_SIDE + 30), _fitting(cell.name, 13, wide, keep_end=True), 13, _QUIET)
    return sheet


def draw_loads(loads: Sequence[Load], server: str) -> Image.Image:
    """Draw how a server answered under load: requests per second as bars, and latency from p50 to p99."""
    line, start, wide, gap = 40, _MARGIN + 230, 330, 110
    latencies = start + wide + gap
    sheet, pen = _blank(latencies + wide + gap + 80, 2 * _MARGIN + 90 + line * len(loads))
    _write(pen, (_MARGIN, _MARGIN), _fitting(server, 26, sheet.width - 2 * _MARGIN), 26)
    top = _MARGIN + 60
    _write(pen, (start, top), "requests per second", 17, _QUIET)
    _write(pen, (latencies, top), "latency, milliseconds: p50 to p99", 17, _QUIET)
    fastest = max((load.requests_per_second for load in loads), default=0) or 1
    slowest = max((load.latency_microseconds.get("p99", 0) for load in loads), default=0) or 1
    for row, load in enumerate(loads):
        middle = top + 50 + row * line
        count = f"{load.connections} connection{'' if load.connections == 1 else 's'}"
        _write(pen, (_MARGIN, middle), f"{load.encoding}, {count}", 17, anchor="lm")
        end = start + round(load.requests_per_second / fastest * wide)
        pen.rectangle((start, middle - 9, end, middle + 9), _ALARM if load.failures or load.wrong else _BLUE)
        _write(pen, (end + 8, middle), f"{load.requests_per_second:,.0f}", 17, anchor="lm")
        if load.latency_microseconds:
            times = [load.latency_microseconds[name] for name in ("p50", "p99")]
            left, right = (latencies + round(value / slowest * wide) for value in times)
            pen.line((left, middle, right, middle), _PALE, 6)
            pen.ellipse((left - 6, middle - 6, left + 6, middle + 6), _BLUE)
            text = " to ".join(f"{value / 1000:.1f}" for value in times)
            _write(pen, (right + 12, middle), text, 17, anchor="lm")
    return sheet


def _bars(pen: ImageDraw.ImageDraw, posterior: NDArray[np.float32], place: Place, size: Place) -> None:
    """Draw a bar for each digit's probability, float32 (10,), 0 to 1; the tallest gets a label."""
    (left, top), (width, height) = place, size
    floor, tall = top + height - 30, height - 60
    best = int(posterior.argmax())
    for share in (0.5, 1.0):
        y = floor - round(share * tall)
        pen.line((left, y, left + width, y), _LINE)
    for digit, probability in enumerate(posterior.tolist()):
        color = _BLUE if digit == best else _PALE
        start, end = (left + round((digit + share) * width / len(posterior)) for share in (0.15, 0.85))
        up = floor - round(probability * tall)
        if up < floor:
            pen.rectangle((start, up, end, floor), color)
        middle = (start + end) // 2
        _write(pen, (middle, floor + 8), str(digit), 19, _INK if digit == best else _QUIET, anchor="ma")
        if digit == best:
            _write(pen, (middle, up - 6), f"{probability:.3f}", 17, _BLUE, anchor="ms")
    pen.line((left, floor, left + width, floor), _INK, 2)


def _verdict(sheet: Image.Image, pen: ImageDraw.ImageDraw, prediction: Comparison, top: int) -> None:
    """Draw the decision in large letters, and its probability and confidence."""
    color = _BLUE if prediction.status == "ok" else _ALARM
    first, second = prediction.digits or ("first", "second")
    decision = f"{first} {'<=' if prediction.leq else '>'} {second}"
    pen.line((_MARGIN, top, sheet.width - _MARGIN, top), _LINE)
    middle, end = (top + sheet.height) // 2, sheet.width - _MARGIN
    _write(pen, (_MARGIN, middle), decision, 54, color, anchor="lm")
    chance = f"P(first <= second) = {prediction.probability:.4f}"
    _write(pen, (end, middle - 18), chance, 26, anchor="rm")
    sure = f"confidence {prediction.confidence:.4f}"
    if prediction.status == "ok":
        _write(pen, (end, middle + 18), sure, 19, _QUIET, anchor="rm")
    else:
        _write(pen, (end, middle + 18), f"{prediction.status}: {sure}", 19, _ALARM, anchor="rm")


def _blank(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    sheet = Image.new("RGB", (width, height), _PAPER)
    return sheet, ImageDraw.Draw(sheet)


def _show(sheet: Image.Image, image: NDArray[Any], place: Place, side: int = _SIDE) -> None:
    """Fit an image, (H, W), (H, W, 1) or (H, W, 3), 0 to 255, into a square; small ones stay sharp."""
    image = image[..., 0] if image.shape[2:] == (1,) else image
    levels = Image.fromarray(np.rint(np.clip(image, 0, 255)).astype(np.uint8)).convert("RGB")
    scale = side / max(levels.size)
    width, height = (max(1, round(length * scale)) for length in levels.size)
    way = Image.Resampling.NEAREST if scale > 2 else Image.Resampling.LANCZOS
    x, y = place[0] + (side - width) // 2, place[1] + (side - height) // 2
    sheet.paste(levels.resize((width, height), way), (x, y))
    ImageDraw.Draw(sheet).rectangle((x - 1, y - 1, x + width, y + height), outline=_LINE)


def _arrow(pen: ImageDraw.ImageDraw, middle: Place) -> None:
    x, y = middle
    pen.polygon([(x - 5, y - 9), (x + 6, y), (x - 5, y + 9)], _PALE)


def _write(
    pen: ImageDraw.ImageDraw, place: Place, text: str, size: int, color: str = _INK, anchor: str = "la"
) -> None:
    pen.text(place, text, color, _font(size), anchor)


def _fitting(text: str, size: int, width: int, *, keep_end: bool = False) -> str:
    """The text on one line, shortened with dots at one end to fit a width in pixels."""
    text = text if text.isprintable() else ascii(text)
    if _font(size).getlength(text) <= width:
        return text
    while text and _font(size).getlength(f"...{text}") > width:
        text = text[1:] if keep_end else text[:-1]
    return f"...{text}" if keep_end else f"{text}..."


@cache
def _font(size: int) -> Font:
    return ImageFont.load_default(size)
