"""From arrays, tensors and whatever else holds numbers to an image of gray levels or colors."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pairedge.errors import ImageError

_CHANNELS = (1, 3, 4)  # gray, colors, colors with opacity


class SupportsArray(Protocol):
    """Anything that NumPy can make an array of: a tensor of torch or TensorFlow, a table's column, ..."""

    def __array__(self) -> NDArray[Any]:
        """The numbers, of any shape and dtype."""


def to_array(numbers: object) -> NDArray[Any]:
    """What something other than an array stands for: an array of any shape, of bools, ints, floats or others.

    Raises:
        ImageError: when there is none, as of a tensor on a GPU.
    """
    try:
        return np.asarray(numbers)
    except Exception as error:  # each library raises its own
        raise ImageError(f"a {type(numbers).__name__} cannot be read as an array: {error}") from error


def from_array(array: NDArray[Any]) -> Image.Image:
    """The image of an array.

    Args:
        array: (H, W), (H, W, C) or, as torch has it, (C, H, W), where C is 1, 3 or 4. Integers are gray
            levels or colors 0 to 255; floats are 0 to 1, and bools 0 or 1. Of uint16 the brightest becomes
            255, as in files of 16 bits, of which a camera may use 12.

    Raises:
        ImageError: when the array has another shape, another kind of number, or numbers out of range.
    """
    given = array.shape
    if array.ndim == 3 and given[0] in _CHANNELS and given[2] not in _CHANNELS:
        array = np.moveaxis(array, 0, 2)
    if 0 in given or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in _CHANNELS)):
        raise ImageError(
            "an array must be of shape (H, W), (H, W, C) or (C, H, W), where C is 1, 3 or 4, and not empty, "
            f"not {given}"
        )
    levels = _gray_levels(array)
    return Image.fromarray(levels.squeeze(2) if levels.shape[2:] == (1,) else levels)


def _gray_levels(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Numbers of any kind as gray levels 0 to 255, of the same shape."""
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind not in "biuf":
        raise ImageError(f"an array must hold bools, integers or floats, not {array.dtype}")
    low, high = array.min(), array.max()
    if array.dtype.kind == "f" and not (low >= 0 and high <= 1):  # NaN is neither
        raise ImageError(
            f"an array of floats must be from 0 to 1, not {low} to {high}: divide it by what is white in it"
        )
    if array.dtype == np.uint16:
        scale = 255 / max(int(high), 1)
    elif not (low >= 0 and high <= 255):
        raise ImageError(f"an array of integers must hold gray levels 0 to 255, not {low} to {high}")
    else:
        scale = 1 if array.dtype.kind in "iu" else 255
    return np.rint(array.astype(np.float64) * scale).astype(np.uint8)
