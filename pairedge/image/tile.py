"""From a picture to a tile: the only preprocessing in the project.

A **tile** is what the networks are trained on: uint8 (14, 14), white ink on black, the digit scaled
into a 20x20 box and its center of mass put in the middle of 28x28, as MNIST's makers did (LeCun et al.,
1998), then averaged 2x2. `decode` decodes, `ink` finds what is written, `digit` keeps what is the digit; here
it is scaled and placed. Every step is one small function; `read_picture` reads as their list.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pairedge.errors import ImageError
from pairedge.image.arrays import to_array
from pairedge.image.decode import Picture, open_picture, to_pixels
from pairedge.image.digit import segment_digit, stroke_width
from pairedge.image.ink import find_ink
from pairedge.image.morphology import Gray, bounding_slices, dilate, erode

TILE_SIDE = 14
MNIST_SIDE = 28
FINE_BOX = 100  # pixels: the box in which the width of strokes is changed
THIN_STROKE, THICK_STROKE = 0.07, 0.155  # widths of MNIST's strokes, 5 of 100 are thinner, 5 thicker
MNIST_BOX = 20  # the square inside MNIST's 28x28 that the ink is scaled into


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A picture on its way to a tile, step by step; None for each step that was not reached or not needed.

    Attributes:
        pixels: the picture as decoded, float32 (H, W, 3) or (H, W, 1), 0 to 255.
        ink: everything written, float32 (H, W), 0 (paper) to 1 (full stroke).
        strokes: the digit's own part of the ink, float32 (H, W), 0 to 1.
        field: the digit scaled and centered as in MNIST, float32 (28, 28), 0 to 255.
        tile: what the networks see, uint8 (14, 14).
    """

    pixels: Gray | None = None
    ink: Gray | None = None
    strokes: Gray | None = None
    field: Gray | None = None
    tile: NDArray[np.uint8] | None = None

    def drawings(self) -> dict[str, NDArray[Any]]:
        """The steps that there are as images to look at: name to image, in order, made on demand.

        Each is uint8 or float32, levels 0 to 255: "picture" (H, W, 1) or (H, W, 3), "ink" and "strokes"
        (H, W), "field" (28, 28), "tile" (14, 14). A tile given as it is has "tile" alone.
        """
        images = {
            "picture": self.pixels,
            "ink": None if self.ink is None else self.ink * 255,
            "strokes": None if self.strokes is None else self.strokes * 255,
            "field": self.field,
            "tile": self.tile,
        }
        return {name: image for name, image in images.items() if image is not None}


def to_tile(picture: Picture) -> NDArray[np.uint8]:
    """Turn a picture of one digit into a tile, uint8 (14, 14).

    Args:
        picture: a path, the bytes of an image file or the file, open for reading bytes, a PIL image, or an
            array or tensor (anything with `__array__`) of gray levels (H, W), or colors (H, W, C) or (C, H,
            W) with C = 1, 3 or 4: integers 0 to 255, floats 0 to 1, bools, or uint16, whose brightest
            becomes white. A uint8 array of shape (14, 14) is a tile already and is returned as it is.

    Raises:
        ImageError: when the picture cannot be read.
        NoInkError: when it is blank, too faint, or shows nothing like a digit.
        SeveralDigitsError: when it shows more than one digit.
    """
    tile = read_picture(picture).tile
    assert tile is not None  # a reading that ends without one has raised
    return tile


def read_picture(picture: Picture) -> Reading:
    """Turn a picture of one digit into a tile, and keep every step on the way.

    Args:
        picture: as `to_tile` takes it. A tile given as it is becomes a reading that holds the tile alone.

    Raises:
        ImageError: as `to_tile` does; the error of a file names the file, and its `reading` holds the steps
            that came before it.
    """
    # Strings of NumPy have `__array__`, too. What is asked first is the fastest path: a tile.
    if not isinstance(picture, np.ndarray) and not isinstance(picture, str) and hasattr(picture, "__array__"):
        picture = to_array(picture)
    if (
        isinstance(picture, np.ndarray)
        and picture.shape == (TILE_SIDE, TILE_SIDE)
        and picture.dtype == np.uint8
    ):
        return Reading(tile=picture)
    pixels: Gray | None = None
    ink: Gray | None = None
    try:
        pixels = to_pixels(open_picture(picture))
        ink, darkness = find_ink(pixels)
        strokes = segment_digit(ink, darkness)
    except ImageError as error:
        named = f"{os.fspath(picture)}: " if isinstance(picture, str | os.PathLike) else ""
        reading = None if pixels is None else Reading(pixels, ink)
        raise type(error)(f"{named}{error}", reading) from error
    field = center(fit_box(normalize_stroke_width(crop(strokes))))
    return Reading(pixels, ink, strokes, field, pool(field))


def crop(ink: Gray) -> Gray:
    """The smallest rectangle that holds all ink, float32 (H, W), of at least half strength (0.5)."""
    return ink[bounding_slices(ink >= 0.5)]


def normalize_stroke_width(ink: Gray) -> Gray:
    """Widen strokes that are thinner than MNIST's, thin those that are thicker; leave the others alone.

    Ink is float32 (H, W), 0 to 1; what was changed has a longer side of about FINE_BOX.
    """
    fine = scaled(ink, FINE_BOX)
    width = stroke_width(np.pad(fine, 1) >= 0.5)
    normal = min(max(width, THIN_STROKE * FINE_BOX), THICK_STROKE * FINE_BOX)
    reach = round((normal - width) / 2)
    if reach == 0:
        return ink
    fine = np.pad(fine, abs(reach))
    if reach > 0:
        return dilate(fine, reach)
    thinned = erode(fine, -reach)
    return crop(thinned) if (thinned >= 0.5).any() else ink


def fit_box(ink: Gray) -> Gray:
    """Scale ink, float32 (H, W), proportions kept, so that its longer side is MNIST_BOX pixels."""
    return scaled(ink, MNIST_BOX)


def scaled(ink: Gray, longest: int) -> Gray:
    """Ink, float32 (H, W), with a longer side of so many pixels: averaged to shrink, interpolated to grow."""
    scale = longest / max(ink.shape)
    width, height = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
    filter_ = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(ink).resize((width, height), filter_), np.float32)


def center(ink: Gray) -> Gray:
    """Place ink in a field with its center of mass in the middle, as far as it stays inside.

    Ink is float32 (H, W), 0 to 1, at most 28 pixels long; the field float32 (28, 28), 0 to 255.
    """
    height, width = ink.shape
    mass = float(ink.sum())
    y = float((ink.sum(axis=1) * (np.arange(height) + 0.5)).sum()) / mass
    x = float((ink.sum(axis=0) * (np.arange(width) + 0.5)).sum()) / mass
    top = min(max(round(MNIST_SIDE / 2 - y), 0), MNIST_SIDE - height)
    left = min(max(round(MNIST_SIDE / 2 - x), 0), MNIST_SIDE - width)
    field = np.zeros((MNIST_SIDE, MNIST_SIDE), np.float32)
    field[top : top + height, left : left + width] = ink * 255
    return field


def average(fields: NDArray[Any]) -> Gray:
    """Average 2x2 blocks: (..., 28, 28) gray levels to float32 (..., 14, 14), multiples of a quarter level.

    This is the `avg_pool2d(kernel_size=2)` of the course that the five reports were written for.
    """
    quarters = fields.astype(np.float32)
    mean: Gray = (
        quarters[..., ::2, ::2]
        + quarters[..., ::2, 1::2]
        + quarters[..., 1::2, ::2]
        + quarters[..., 1::2, 1::2]
    ) / np.float32(4)
    return mean


def pool(fields: NDArray[Any]) -> NDArray[np.uint8]:
    """Average 2x2 blocks and round: (..., 28, 28) gray levels 0..255 to tiles, uint8 (..., 14, 14)."""
    return np.rint(average(fields)).astype(np.uint8)
