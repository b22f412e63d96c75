"""Reads many pictures or pairs into one array of tiles; says which of them were refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pairedge.errors import ImageError
from pairedge.image.decode import Picture
from pairedge.image.tile import TILE_SIDE, to_tile

Tiles: TypeAlias = NDArray[np.uint8]
Pictures: TypeAlias = Tiles | Iterable[Picture]
Pairs: TypeAlias = Tiles | Iterable[tuple[Picture, Picture]]
Errors: TypeAlias = Literal["raise", "return"]


def gather_pictures(pictures: Pictures, errors: Errors) -> tuple[Tiles, dict[int, ImageError]]:
    """Read pictures.

    Args:
        pictures: tiles, uint8 (N, 14, 14), 0 to 255, or an iterable of pictures.
        errors: "raise" the first refused picture's error, or "return" all.

    Returns:
        The tiles of the pictures that were not refused, uint8 (M, 14, 14), 0 to 255, and the errors of the
        others by index. Each error names its index.

    Raises:
        ImageError: the error of the first picture that is refused, when it shall be raised.
        TypeError: when this is one picture in place of many.
        ValueError: when an array has another dtype or shape, or `errors` another value.
    """
    return _gather(pictures, (), "pictures", errors)


def gather_pairs(pairs: Pairs, errors: Errors) -> tuple[Tiles, dict[int, ImageError]]:
    """Read pairs of pictures.

    Args:
        pairs: pairs of tiles, uint8 (N, 2, 14, 14), 0 to 255, or an iterable of pairs of pictures.
        errors: "raise" the first refused picture's error, or "return" the first one of each pair.

    Returns:
        The tiles of the pairs that were not refused, uint8 (M, 2, 14, 14), 0 to 255, and the errors of the
        others by index. Each error names its index.

    Raises:
        ImageError: the error of the first picture that is refused, when it shall be raised.
        TypeError: when this is one picture in place of many, or a pair has not two pictures.
        ValueError: when an array has another dtype or shape, or `errors` another value.
    """
    return _gather(pairs, (2,), "pairs", errors)


def _gather(
    many: Tiles | Iterable[Any], axes: tuple[int, ...], name: str, errors: Errors
) -> tuple[Tiles, dict[int, ImageError]]:
    """The tiles of single pictures (`axes` is ()) or of pairs ((2,)), and the errors of the others."""
    if errors not in ("raise", "return"):
        raise ValueError(f"errors must be 'raise' or 'return', not {errors!r}")
    if isinstance(many, str | bytes | PathLike):
        raise TypeError(f"{name} must be several, not the one {many!r}")
    shape = (*axes, TILE_SIDE, TILE_SIDE)
    array = np.asarray(many) if hasattr(many, "__array__") else None
    if array is not None and array.dtype.kind not in "OSU":  # as a table's column of paths is
        return _checked(array, shape, name), {}
    tiles: list[list[Tiles]] = []
    refused: dict[int, ImageError] = {}
    for index, item in enumerate(many):
        place = f"{name}[{index}]"
        named = (
            {f"{place}[{side}]": each for side, each in enumerate(_couple(item, place))}
            if axes
            else {place: item}
        )
        try:
            tiles.append([_read(each, name, index) for name, each in named.items()])
        except ImageError as error:
            if errors == "raise":
                raise
            refused[index] = error
    return np.asarray(tiles, np.uint8).reshape(-1, *shape), refused


def _read(picture: Picture, place: str, index: int) -> Tiles:
    try:
        return to_tile(picture)
    except ImageError as error:
        raise type(error)(f"{place}: {error}", error.reading, index) from error


def _couple(pair: Sequence[Picture], place: str) -> Sequence[Picture]:
    if isinstance(pair, str | bytes) or len(pair) != 2:
        raise TypeError(f"{place} must be two pictures, not {pair!r}")
    return pair


def _checked(array: NDArray[Any], shape: tuple[int, ...], name: str) -> Tiles:
    if array.dtype != np.uint8 or array.shape[1:] != shape:
        expected = ", ".join(map(str, ("N", *shape)))
        raise ValueError(
            f"{name} must be a uint8 array ({expected}), not {array.dtype} {array.shape}; "
            "pictures of another kind are read one by one: pass list(array)"
        )
    return array
