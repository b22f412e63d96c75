"""Ways to read a picture: ours, another version's, and a plain resize."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pairedge.errors import ImageError
from pairedge.image.tile import TILE_SIDE, to_tile
from pairedge_train.rendering.conditions import Rendered

Tile: TypeAlias = NDArray[np.uint8]


Reading: TypeAlias = Callable[[Rendered], Tile | None]


def read_all(pictures: list[Rendered], readings: list[str]) -> dict[str, list[Tile | None]]:
    """Each picture's tile by each reading."""
    return {name: [reading_named(name)(picture) for picture in pictures] for name in readings}


@cache
def reading_named(name: str) -> Reading:
    """The reading "resized", "ours", or that of an image.py in a file."""
    if name == "resized":
        return merely_resized
    function = to_tile if name == "ours" else _loaded_to_tile(Path(name))

    def read(picture: Rendered) -> Tile | None:
        try:
            return function(picture)
        except ImageError:
            return None

    return read


def _loaded_to_tile(path: Path) -> Callable[[Rendered], Tile]:
    """`to_tile` of another version of pairedge/image.py."""
    spec = importlib.util.spec_from_file_location("pairedge_image_before", path)
    if spec is None or spec.loader is None:
        raise click.UsageError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Callable[[Rendered], Tile] = module.to_tile
    return function


def merely_resized(picture: Rendered) -> Tile:
    """What most people try first: grey, white on black by the border's median, and 14x14. Never refuses."""
    image = Image.open(BytesIO(picture)) if isinstance(picture, bytes) else picture
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    levels = np.asarray(image.convert("L"))
    border = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    if np.median(border) > 127:
        levels = 255 - levels
    small = Image.fromarray(levels).resize((TILE_SIDE, TILE_SIDE), Image.Resampling.BOX)
    return np.asarray(small, np.uint8)
