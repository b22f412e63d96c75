"""The pictures of examples/: digits drawn as strokes, each in its own size and colors.

python -m tools.examples examples
"""

from __future__ import annotations

from pathlib import Path

import click

from pairedge_train.rendering.pen_digits import Look, draw_digit

EXAMPLES = {
    "three.png": (3, Look(size=(240, 320), ink=(28, 46, 120), paper=(250, 247, 235), slant=0.1)),
    "seven.png": (7, Look(size=(160, 160), ink=(245, 245, 240), paper=(34, 52, 44), stroke=0.1)),
    "five.png": (5, Look(size=(64, 48), ink=(190, 30, 40), paper=(255, 255, 255), height=0.85, stroke=0.14)),
    "zero.png": (
        0,
        Look(size=(500, 400), ink=(60, 60, 60), paper=(225, 220, 210), height=0.4, middle=(0.3, 0.6)),
    ),
    "eight.png": (8, Look(size=(28, 28), ink=(255, 255, 255), paper=(0, 0, 0), height=0.72, stroke=0.13)),
    "nine.png": (
        9,
        Look(size=(300, 300), ink=(110, 40, 110), paper=(248, 220, 226), stroke=0.08, slant=0.15),
    ),
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(path_type=Path))
def main(folder: Path) -> None:
    """Draw the example pictures into FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (digit, look) in EXAMPLES.items():
        draw_digit(digit, look).save(folder / name)


if __name__ == "__main__":
    main()
