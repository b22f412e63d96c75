"""`pairedge tile FILE -o DRAWING`: draws the preprocessing of a picture, step by step."""

from __future__ import annotations

import click

from pairedge.cli.shared import exit_with, picture, refusal, report_error, save, shown
from pairedge.errors import Drawable, ImageError


@click.command("tile")
@click.argument("file")
@click.option("-o", "--output", metavar="DRAWING", required=True, help="File to write, for example tile.png.")
def command(file: str, output: str) -> None:
    """Draw how the picture in FILE becomes the tile that the model sees.

    Draws the steps side by side, enlarged; for a refused picture, the steps before the refusal. Use - for a
    picture from standard input.

    Exit code 1 if the picture cannot be read, 3 if it shows no digit, 4 if it shows several.
    """
    from pairedge.drawing import draw_steps
    from pairedge.image import read_picture

    reading: Drawable | None
    try:
        reading = read_picture(picture(file))
    except ImageError as error:
        refused = refusal(file, error)
        report_error(refused["error"])
        status, reading = refused["status"], error.reading
    else:
        status = "ok"
    if reading is not None:
        save(draw_steps(reading, shown(file)), output)
    exit_with([status], None)
