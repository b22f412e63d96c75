"""`pairedge predict A B [A B ...]`: prints one line per pair of pictures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from pairedge.cli.shared import (
    check_standard_input,
    exit_with,
    json_option,
    load_model,
    min_confidence_option,
    model_option,
    picture,
    refuse,
    save,
    shown,
)
from pairedge.errors import ImageError

if TYPE_CHECKING:
    from pairedge.image import Reading


@click.command("predict")
@click.argument("pictures", nargs=-1, required=True, metavar="A B [A B ...]")
@json_option
@click.option("--show", metavar="FILE", help="Draw a single pair and its answer in FILE.")
@min_confidence_option
@model_option
def command(
    pictures: tuple[str, ...],
    as_json: bool,
    show: str | None,
    min_confidence: float | None,
    model_file: str | None,
) -> None:
    """Predict whether the digit in picture A is less than or equal to the one in picture B.

    Prints one line per pair: both digits with <= or > between them, the probability that the first is less
    than or equal to the second, and "uncertain" if the model is not confident. Use - for a picture from
    standard input.

    Exit code 1 if a picture cannot be read or an answer is less confident than --min-confidence, 3 if a
    picture shows no digit, 4 if one shows several.
    """
    if len(pictures) % 2:
        raise click.UsageError(f"expected pairs of pictures, but got an odd number: {len(pictures)}")
    if show is not None and len(pictures) > 2:
        raise click.UsageError("--show draws a single pair of pictures")
    check_standard_input(pictures)
    model = load_model(model_file, min_confidence)
    from pairedge.results import refused_pair

    statuses = []
    for names in zip(pictures[::2], pictures[1::2], strict=True):
        readings, refusals = read_pair(names)
        tiles = [reading.tile for reading in readings if reading.tile is not None]
        prediction = None if refusals else model.predict(*tiles)
        answer = refused_pair(refusals) if prediction is None else prediction.to_dict()
        statuses.append(answer["status"])
        if as_json:
            click.echo(json.dumps({"first": names[0], "second": names[1], **answer}))
        elif prediction is not None:
            click.echo(str(prediction))
        if show is not None and prediction is not None:
            from pairedge.drawing import draw_pair

            save(draw_pair(readings, [shown(name) for name in names], prediction), show)
    exit_with(statuses, min_confidence)


def read_pair(names: tuple[str, str]) -> tuple[list[Reading], dict[str, dict[str, str]]]:
    """Read both pictures, and report each that is refused.

    Returns:
        The readings of the pictures that are not refused, and the refusals by "first" and "second".
    """
    from pairedge.image import read_picture

    readings, refusals = [], {}
    for place, name in zip(("first", "second"), names, strict=True):
        try:
            readings.append(read_picture(picture(name)))
        except ImageError as error:
            refusals[place] = refuse(name, error)
    return readings, refusals
