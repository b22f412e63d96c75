"""What the verbs share: pictures named on the command line, telling of those refused, and the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from pairedge.errors import ImageError, PairedgeError

if TYPE_CHECKING:
    from PIL import Image

    from pairedge.image.decode import Picture
    from pairedge.model import PairModel

# The contract in this package's docstring. What is uncertain fails only where a confidence was asked for.
EXIT_CODES = {"ok": 0, "uncertain": 1, "unreadable": 1, "no-ink": 3, "several": 4}


def check_probability(
    context: click.Context, parameter: click.Parameter, value: float | None
) -> float | None:
    """Refuse an option's value that is no probability; click's own range lets NaN pass."""
    if value is not None and not 0 <= value <= 1:
        raise click.BadParameter(f"{value} is not from 0 to 1", context, parameter)
    return value


model_option = click.option(
    "--model", "model_file", metavar="FILE", help="A pair graph to use in place of the model that ships."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
min_confidence_option = click.option(
    "--min-confidence",
    type=float,
    metavar="P",
    callback=check_probability,
    help="Call answers below this confidence uncertain, in place of the model's own threshold, and leave "
    "with exit code 1 when there are any.",
)


def load_model(model_file: str | None, min_confidence: float | None = None) -> PairModel:
    """Load the model, or leave with one sentence and exit code 1."""
    from pairedge.model import load

    try:
        return load(model_file, min_confidence=min_confidence)
    except PairedgeError as error:
        raise click.ClickException(str(error)) from error


def check_digit_head(model: PairModel) -> None:
    """Leave with one sentence and exit code 1 when a model cannot tell which digit a tile shows."""
    if not model.has_digits:
        raise click.ClickException(f"the model {model.variant!r} has no digit head: it compares only")


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


def tell_failure(name: str, error: PairedgeError) -> str:
    """Print one sentence on standard error, which names the picture; the sentence."""
    source = "standard input: " if name == "-" else ""  # the error of a file names the file itself
    click.echo(f"Error: {source}{error}", err=True)
    return f"{source}{error}"


def refuse(name: str, error: ImageError) -> dict[str, str]:
    """Tell of a picture that gets no answer; its status and the sentence, ready for JSON."""
    from pairedge.confidence import refusal_status

    return {"status": refusal_status(error), "error": tell_failure(name, error)}


def leave(statuses: Iterable[str], min_confidence: float | None) -> None:
    """Leave with the highest exit code that a status asks for, if that is not 0."""
    counted = set(statuses)
    if min_confidence is None:
        counted.discard("uncertain")
    code = max((EXIT_CODES[status] for status in counted), default=0)
    if code:
        raise SystemExit(code)


def mark(status: str) -> str:
    """What ends the line of an answer: nothing when it is certain."""
    return "" if status == "ok" else f"  {status}"


def save(drawing: Image.Image, path: str) -> None:
    """Write a drawing, in the format that the name ends in, or leave with one sentence and exit code 1."""
    try:
        drawing.save(path)
    except (OSError, ValueError) as error:  # ValueError: Pillow knows no format that ends so
        reason = getattr(error, "strerror", None) or str(error)
        raise click.ClickException(f"{path}: {reason.lower()}") from error
