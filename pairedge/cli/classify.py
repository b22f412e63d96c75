"""`pairedge classify FILE...`: one line for each picture."""

from __future__ import annotations

import json

import click

from pairedge.cli.pictures import (
    check_standard_input,
    json_option,
    load_model,
    model_option,
    picture,
    shown,
    tell_failure,
)
from pairedge.errors import ImageError


@click.command("classify")
@click.argument("pictures", nargs=-1, required=True, metavar="FILE...")
@json_option
@model_option
def command(pictures: tuple[str, ...], as_json: bool, model_file: str | None) -> None:
    """Which digit does each picture show?

    Prints the picture's name, the digit and its probability. A picture named - is read from standard
    input. Exit code 1 when a picture could not be read.
    """
    check_standard_input(pictures)
    model = load_model(model_file)
    if not model.has_digits:
        raise click.ClickException(f"the model {model.variant!r} has no digit head: it compares only")
    failed = False
    for name in pictures:
        try:
            [answer] = model.classify([picture(name)])
        except ImageError as error:
            tell_failure(name, error)
            failed = True
            continue
        if as_json:
            click.echo(json.dumps({"picture": name, **answer.to_dict()}))
        else:
            click.echo(f"{shown(name)}: {answer.digit}  P = {answer.probability:.4f}")
    if failed:
        raise SystemExit(1)
