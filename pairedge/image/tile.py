"""From a picture to a tile: the only preprocessing in the project.

A **tile** is what the networks are trained on: uint8 (14, 14), white ink on black, the digit scaled
into a 20x20 box and its centre of mass put in the middle of 28x28, as MNIST's makers did (LeCun et al.,
1998), then averaged 2x2. `decode` decodes, `ink` finds what is written, `digit` keeps what is the digit; here
it is scaled and placed. Every step is one small function; `reading_steps` reads as their list.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pairedge.errors import ImageError
from pairedge.image.decode import Picture, open_picture, to_pixels
from pairedge.image.digit import find_strokes, stroke_width
from pairedge.image.ink import find_ink
from pairedge.image.morphology import Grey, extent, highest, lowest

__all__ = [
    "TILE_SIDE",
    "Picture",
    "average",
    "open_picture",
    "pool",
    "reading_steps",
    "to_pixels",
    "to_tile",
]

TILE_SIDE = 14
MNIST_SIDE = 28
FINE_BOX = 100  # pixels: the box in which the width of strokes is changed
THIN_STROKE, THICK_STROKE = 0.07, 0.155  # widths of MNIST's strokes, 5 of 100 are thinner, 5 thicker
MNIST_BOX = 20  # the square inside MNIST's 28x28 that the ink is scaled into


def to_tile(picture: Picture) -> NDArray[np.uint8]:
    """Turn a picture of one digit into a tile, uint8 (14, 14).

    Args:
        picture: a path, the bytes of an image file, a PIL image, or an array of grey levels 0..255 of
            shape (H, W), or colours (H, W, 3) or (H, W, 4). A uint8 array of shape (14, 14) is a tile
            already and is returned as it is.

    Raises:
        ImageError: when the picture cannot be read.
        NoInkError: when it is blank, too faint, or shows nothing like a digit.
        SeveralDigitsError: when it shows more than one digit.
    """
    tile: NDArray[np.uint8] = reading_steps(picture)["tile"]
    return tile


def reading_steps(picture: Picture) -> dict[str, NDArray[Any]]:
    """What `to_tile` does, step by step: name to image, in order, ending with "tile".

    Each image is uint8 or float32, levels 0..255: "picture" (H, W) or (H, W, 3), then (H, W) or smaller,
    "field" (28, 28), "tile" (14, 14). A tile given as it is has "tile" alone.

    Raises:
        ImageError: as `to_tile` does; the error of a file names the file, and holds the steps before it.
    """
    if (
        isinstance(picture, np.ndarray)
        and picture.shape == (TILE_SIDE, TILE_SIDE)
        and picture.dtype == np.uint8
    ):
        return {"tile": picture}
    steps: dict[str, NDArray[Any]] = {}
    try:
        pixels = to_pixels(open_picture(picture))
        steps["picture"] = pixels.squeeze()
        ink, darkness = find_ink(pixels)
        steps["ink"] = ink * 255
        strokes = find_strokes(ink, darkness)
    except ImageError as error:
        named = f"{os.fspath(picture)}: " if isinstance(picture, str | os.PathLike) else ""
        raise type(error)(f"{named}{error}", steps) from error
    field = centre(fit_box(usual_width(crop(strokes))))
    return {**steps, "strokes": strokes * 255, "field": field, "tile": pool(field)}


def crop(ink: Grey) -> Grey:
    """The smallest rectangle that holds all ink of at least half strength."""
    return ink[extent(ink >= 0.5)]


def usual_width(ink: Grey) -> Grey:
    """Widen strokes that are thinner than MNIST's, thin those that are thicker; leave the others alone."""
    fine = scaled(ink, FINE_BOX)
    narrow = stroke_width(np.pad(fine, 1) >= 0.5)
    wanted = min(max(narrow, THIN_STROKE * FINE_BOX), THICK_STROKE * FINE_BOX)
    reach = round((wanted - narrow) / 2)
    if reach == 0:
        return ink
    fine = np.pad(fine, abs(reach))
    if reach > 0:
        return highest(fine, reach)
    thinned = lowest(fine, -reach)
    return crop(thinned) if (thinned >= 0.5).any() else ink


def fit_box(ink: Grey) -> Grey:
    """Scale ink, proportions kept, so that its longer side is MNIST_BOX pixels."""
    return scaled(ink, MNIST_BOX)


def scaled(ink: Grey, longest: int) -> Grey:
    """Ink with its longer side of so many pixels: averaged where it shrinks, interpolated where it grows."""
    scale = longest / max(ink.shape)
    width, height = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
    filter_ = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(ink).resize((width, height), filter_), np.float32)


def centre(ink: Grey) -> Grey:
    """Place ink in a 28x28 field with its centre of mass in the middle, as far as it stays inside."""
    height, width = ink.shape
    mass = float(ink.sum())
    y = float((ink.sum(axis=1) * (np.arange(height) + 0.5)).sum()) / mass
    x = float((ink.sum(axis=0) * (np.arange(width) + 0.5)).sum()) / mass
    top = min(max(round(MNIST_SIDE / 2 - y), 0), MNIST_SIDE - height)
    left = min(max(round(MNIST_SIDE / 2 - x), 0), MNIST_SIDE - width)
    field = np.zeros((MNIST_SIDE, MNIST_SIDE), np.float32)
    field[top : top + height, left : left + width] = ink * 255
    return field


def average(fields: NDArray[Any]) -> Grey:
    """Average 2x2 blocks: (..., 28, 28) grey levels to float32 (..., 14, 14), multiples of a quarter level.

    This is the `avg_pool2d(kernel_size=2)` of the course that the five reports were written for.
    """
    quarters = fields.astype(np.float32)
    mean: Grey = (
        quarters[..., ::2, ::2]
        + quarters[..., ::2, 1::2]
        + quarters[..., 1::2, ::2]
        + quarters[..., 1::2, 1::2]
    ) / np.float32(4)
    return mean


def pool(fields: NDArray[Any]) -> NDArray[np.uint8]:
    """Average 2x2 blocks and round: (..., 28, 28) grey levels 0..255 to tiles, uint8 (..., 14, 14)."""
    return np.rint(average(fields)).astype(np.uint8)
