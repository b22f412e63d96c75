"""The contact sheet: one rendered picture per condition, with the tile read from it.

    python -m tools.contact_sheet docs/photos.png

It shows MNIST's test digits, which it looks for where `pairedge-train` does.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pairedge.image.tile import TILE_SIDE
from pairedge_train.data.datasets import fields_of
from pairedge_train.data.loading import load_data
from pairedge_train.experiments.recipe import Data
from pairedge_train.files import write_atomically
from pairedge_train.randomness import seeded
from pairedge_train.rendering.conditions import CONDITIONS, Rendered
from pairedge_train.rendering.render import render
from pairedge_train.rendering.tiles import tile_or_none


def contact_sheet(digits: NDArray[np.uint8], *, columns: int = 7, cell: int = 150) -> Image.Image:
    """One picture per condition with its tile beneath.

    Args:
        digits: uint8 (N, 28, 28); each condition shows another one.
        columns: pictures per row.
        cell: width of a picture with its margin, in pixels.
    """
    names = list(CONDITIONS)
    cell_height = cell + 4 * TILE_SIDE + 30
    rows = -(-len(names) // columns)
    sheet = Image.new("RGB", (columns * cell, rows * cell_height), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for index, name in enumerate(names):
        left, top = index % columns * cell, index // columns * cell_height
        picture = render(digits[index % len(digits)], name, seeded(f"sheet {name}"))
        image = _fitted(shown(picture), cell - 10)
        sheet.paste(image, (left + (cell - image.width) // 2, top + 20 + (cell - 10 - image.height) // 2))
        tile = tile_or_none(picture)
        if tile is not None:
            small = Image.fromarray(tile).resize((4 * TILE_SIDE, 4 * TILE_SIDE), Image.Resampling.NEAREST)
            sheet.paste(small, (left + (cell - small.width) // 2, top + 16 + cell))
        pen.text((left + cell / 2, top + 4), name, fill="#1f5f8b", font=font, anchor="ma")
    return sheet


def shown(picture: Rendered) -> Image.Image:
    """A picture as RGB; transparent parts show a checkerboard."""
    image = Image.open(BytesIO(picture)) if isinstance(picture, bytes) else picture
    if image.mode == "RGBA":
        rows, columns = np.indices((image.height, image.width)) // 8
        checkerboard = np.where((rows + columns) % 2, 205, 235).astype(np.uint8)
        background = Image.fromarray(checkerboard).convert("RGBA")
        image = Image.alpha_composite(background, image)
    return image.convert("RGB")


def _fitted(image: Image.Image, side: int) -> Image.Image:
    """The image scaled to a longer side of `side`; magnified pixels stay sharp squares."""
    scale = side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.NEAREST if scale > 3 else Image.Resampling.LANCZOS)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", type=click.Path(path_type=Path))
def main(path: Path) -> None:
    """Draw one rendered picture per condition into the PNG file PATH."""
    file = BytesIO()
    contact_sheet(fields_of(load_data(Data(dataset="mnist")).test)).save(file, "PNG", optimize=True)
    write_atomically(path, file.getvalue())


if __name__ == "__main__":
    main()
