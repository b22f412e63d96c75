"""What the verbs share: reading pictures named on the command line, and telling of those that fail."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from pairedge.errors import PairedgeError

if TYPE_CHECKING:
    from pairedge.image import Picture
    from pairedge.model import PairModel

model_option = click.option(
    "--model", "model_file", metavar="FILE", help="A pair graph to use in place of the model that ships."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")


def load_model(model_file: str | None) -> PairModel:
    """Load the model, or leave with one sentence and exit code 1."""
    from pairedge.model import load

    try:
        return load(model_file)
    except PairedgeError as error:
        raise click.ClickException(str(error)) from error


def check_standard_input(names: tuple[str, ...]) -> None:
    """Refuse to read standard input twice: the second time, nothing would be left."""
    if names.count("-") > 1:
        raise click.UsageError("only one picture can be read from standard input")


def picture(name: str) -> Picture:
    """The picture that a command-line argument names: `-` is read from standard input."""
    return sys.stdin.buffer.read() if name == "-" else name


def shown(name: str) -> str:
    """A file's name, which need not be text, as it can be printed."""
    return os.fsencode(name).decode(errors="replace")


def tell_failure(name: str, error: PairedgeError) -> None:
    """Print one sentence on standard error, which names the picture."""
    source = "standard input: " if name == "-" else ""  # the error of a file names the file itself
    click.echo(f"Error: {source}{error}", err=True)
