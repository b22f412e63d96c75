"""`pairedge predict A B [A B ...]`: one line for each pair of pictures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from pairedge.cli.pictures import (
    check_standard_input,
    json_option,
    load_model,
    model_option,
    picture,
    tell_failure,
)
from pairedge.errors import ImageError

if TYPE_CHECKING:
    from pairedge.model import Prediction


@click.command("predict")
@click.argument("pictures", nargs=-1, required=True, metavar="A B [A B ...]")
@json_option
@model_option
def command(pictures: tuple[str, ...], as_json: bool, model_file: str | None) -> None:
    """Is the digit in picture A less than or equal to the digit in picture B?

    Prints the two digits, <= or >, and the probability that the first is less than or equal to the second.
    A picture named - is read from standard input. Exit code 1 when a pair could not be compared.
    """
    if len(pictures) % 2:
        raise click.UsageError(f"pictures come in pairs, but {len(pictures)} were given")
    check_standard_input(pictures)
    from pairedge.image import to_tile

    model = load_model(model_file)
    failed = False
    for names in zip(pictures[::2], pictures[1::2], strict=True):
        tiles = []
        for name in names:
            try:
                tiles.append(to_tile(picture(name)))
            except ImageError as error:
                tell_failure(name, error)
        if len(tiles) < 2:
            failed = True
            continue
        prediction = model.predict(*tiles)
        if as_json:
            click.echo(json.dumps({"first": names[0], "second": names[1], **prediction.to_dict()}))
        else:
            click.echo(sentence(prediction))
    if failed:
        raise SystemExit(1)


def sentence(prediction: Prediction) -> str:
    """One readable line: `3 <= 7  P(first <= second) = 0.9998`."""
    first, second = prediction.digits or ("first", "second")
    sign = "<=" if prediction.leq else ">"
    return f"{first} {sign} {second}  P(first <= second) = {prediction.probability:.4f}"
