"""`pairedge tile FILE -o DRAWING`: what the model sees of a picture, and how it comes about."""

from __future__ import annotations

import click

from pairedge.cli.shared import leave, picture, refuse, save, shown
from pairedge.errors import ImageError


@click.command("tile")
@click.argument("file")
@click.option("-o", "--output", metavar="DRAWING", required=True, help="The file to draw, say tile.png.")
def command(file: str, output: str) -> None:
    """What does the model see of the picture in FILE?

    Draws the steps from the picture to its tile side by side, enlarged; of a picture that is refused, those
    before it was. A FILE named - is read from standard input. Exit code 1 when the picture could not be
    read, 3 when it shows no digit, 4 when it shows several.
    """
    from pairedge.drawing import draw_steps
    from pairedge.image import Reading, read_picture

    reading: Reading | None
    try:
        reading = read_picture(picture(file))
    except ImageError as error:
        status, reading = refuse(file, error)["status"], error.reading
    else:
        status = "ok"
    if reading is not None:
        save(draw_steps(reading.drawings(), shown(file)), output)
    leave([status], None)
