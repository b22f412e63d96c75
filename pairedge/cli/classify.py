"""`pairedge classify FILE...`: one line for each picture."""

from __future__ import annotations

import json
from typing import Any

import click

from pairedge.cli.shared import (
    check_digit_head,
    check_standard_input,
    json_option,
    leave,
    load_model,
    mark,
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
    """Which digit does each picture show?

    Prints the picture's name, the digit, its probability, and whether that is uncertain. A picture named -
    is read from standard input. Exit code 1 when a picture could not be read or an answer is less sure than
    --min-confidence, 3 when a picture shows no digit, 4 when one shows several.
    """
    check_standard_input(pictures)
    model = load_model(model_file, min_confidence)
    check_digit_head(model)
    statuses = []
    for name in pictures:
        answer: dict[str, Any]
        line = None
        try:
            [found] = model.classify([picture(name)])
        except ImageError as error:
            answer = refuse(name, error)
        else:
            answer = found.to_dict()
            line = f"{shown(name)}: {found.digit}  P = {found.probability:.4f}{mark(found.status)}"
        statuses.append(answer["status"])
        if as_json:
            click.echo(json.dumps({"picture": name, **answer}))
        elif line is not None:
            click.echo(line)
    leave(statuses, min_confidence)
