"""Ways to read a picture as a tile: pairedge's, that of another checkout, and a plain resize."""

from __future__ import annotations

import pickle
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pairedge.image.tile import TILE_SIDE
from pairedge_train.errors import DataError
from pairedge_train.rendering.conditions import Rendered
from pairedge_train.rendering.tiles import tile_or_none

Tile: TypeAlias = NDArray[np.uint8]

RESIZE_ONLY = "resize only"
PAIREDGE = "pairedge"

# Runs in a process of its own: two versions of one package do not fit into one.
_READ_BY_CHECKOUT = """
import pickle, sys
sys.path.insert(0, sys.argv[1])
from pairedge.errors import ImageError
from pairedge.image import to_tile

def tile_or_none(picture):
    try:
        return to_tile(picture)
    except ImageError:
        return None

tiles = [tile_or_none(picture) for picture in pickle.load(sys.stdin.buffer)]
pickle.dump(tiles, sys.stdout.buffer)
"""


def read_all(pictures: list[Rendered], readings: list[str]) -> dict[str, list[Tile | None]]:
    """The tiles of all pictures, uint8 (14, 14), by reading; None where a reading refuses a picture."""
    return {reading: read_by(reading, pictures) for reading in readings}


def read_by(reading: str, pictures: list[Rendered]) -> list[Tile | None]:
    """The tiles of all pictures, uint8 (14, 14), by one reading; None where it refuses a picture.

    Args:
        reading: RESIZE_ONLY, PAIREDGE, or the folder of another checkout of this project.
        pictures: files' contents or images.

    Raises:
        DataError: when the other checkout cannot read them.
    """
    if reading == RESIZE_ONLY:
        return [resize_only(picture) for picture in pictures]
    if reading == PAIREDGE:
        return [tile_or_none(picture) for picture in pictures]
    return _read_by_checkout(Path(reading), pictures)


def _read_by_checkout(folder: Path, pictures: list[Rendered]) -> list[Tile | None]:
    program = [sys.executable, "-c", _READ_BY_CHECKOUT, str(folder)]
    done = subprocess.run(program, input=pickle.dumps(pictures), capture_output=True, check=False)
    if done.returncode:
        [*_, reason] = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise DataError(f"{folder}: its pairedge cannot read the pictures: {reason}")
    # The checkout named on the command line, whose code has just run anyway.
    tiles: list[Tile | None] = pickle.loads(done.stdout)  # noqa: S301
    return tiles


def resize_only(picture: Rendered) -> Tile:
    """The naive reading, uint8 (14, 14): gray, white on black by the border's median. It never refuses."""
    image = Image.open(BytesIO(picture)) if isinstance(picture, bytes) else picture
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    levels = np.asarray(image.convert("L"))
    border = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    if np.median(border) > 127:
        levels = 255 - levels
    small = Image.fromarray(levels).resize((TILE_SIDE, TILE_SIDE), Image.Resampling.BOX)
    return np.asarray(small, np.uint8)
