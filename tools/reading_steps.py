"""The pictures in docs/reading.md: digits drawn with a pen, rendered under a condition, read step by step.

python -m tools.reading_steps docs
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from pairedge.drawing import draw_steps
from pairedge.image import read_picture
from pairedge_train.files import write_all
from pairedge_train.randomness import seeded
from pairedge_train.rendering.pen_digits import Look, draw_digit
from pairedge_train.rendering.render import render

SCENES = {"squared": 4, "shadow": 3, "blue-on-pink": 8, "chalk": 7, "specks": 5, "border": 9}
_LOOK = Look(size=(28, 28), ink=(255, 255, 255), paper=(0, 0, 0), height=0.72, stroke=0.12)


def reading_pictures() -> dict[str, bytes]:
    """A PNG of all reading steps for each scene, by file name."""
    files = {}
    for name, digit in SCENES.items():
        picture = render(drawn_field(digit), name, seeded(f"reading {name}"))
        content = BytesIO()
        draw_steps(read_picture(picture), name).save(content, "PNG", optimize=True)
        files[f"reading-{name}.png"] = content.getvalue()
    return files


def drawn_field(digit: int) -> NDArray[np.uint8]:
    """A digit drawn with a pen, uint8 (28, 28): white on black, like MNIST's."""
    return np.asarray(draw_digit(digit, _LOOK).convert("L"))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(path_type=Path))
def main(folder: Path) -> None:
    """Draw the pictures of docs/reading.md into FOLDER."""
    write_all(folder, reading_pictures())


if __name__ == "__main__":
    main()
