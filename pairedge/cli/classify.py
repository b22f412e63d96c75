"""`pairedge classify FILE...`: prints one line per picture."""

from __future__ import annotations

import json
from typing import Any

import click

from pairedge.cli.shared import (
    check_standard_input,
    exit_with,
    json_option,
    load_digit_model,
    min_confidence_option,
    model_option,
    picture,
    refuse,
    shown,
)
from pairedge.errors import ImageError


@click.command("classify")
@click.argument("pictures", nargs=-1, required=True, metavar="FILE...")
@json_option
@min_confidence_option
@model_option
def command(
    pictures: tuple[str, ...], as_json: bool, min_confidence: float | None, model_file: str | None
) -> None:
    """Classify the digit in each picture.

    Prints one line per picture: its name, the digit, the probability, and "uncertain" if the model is not
    confident. Use - for a picture from standard input.

    Exit code 1 if a picture cannot be read or an answer is less confident than --min-confidence, 3 if a
    picture shows no digit, 4 if one shows several.
    """
    check_standard_input(pictures)
    model = load_digit_model(model_file, min_confidence)
    statuses = []
    for name in pictures:
        answer: dict[str, Any]
        line = None
        try:
            classification = model.classify(picture(name))
        except ImageError as error:
            answer = refuse(name, error)
        else:
            answer = classification.to_dict()
            line = f"{shown(name)}: {classification}"
        statuses.append(answer["status"])
        if as_json:
            click.echo(json.dumps({"picture": name, **answer}))
        elif line is not None:
            click.echo(line)
    exit_with(statuses, min_confidence)
