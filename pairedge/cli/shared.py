"""Shared by the commands: options, names and errors in printable form, and the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from pairedge.errors import ImageError

if TYPE_CHECKING:
    from PIL import Image

    from pairedge.image.decode import Picture

# The contract in this package's docstring. An uncertain answer fails only with --min-confidence.
EXIT_CODES = {"ok": 0, "uncertain": 1, "unreadable": 1, "unlabeled": 1, "no-ink": 3, "several": 4}


def check_probability(
    context: click.Context, parameter: click.Parameter, value: float | None
) -> float | None:
    """Refuse an option's value that is not a probability; click's FloatRange accepts NaN."""
    if value is not None and not 0 <= value <= 1:
        raise click.BadParameter(f"{value} is not from 0 to 1", context, parameter)
    return value


model_option = click.option(
    "--model", "model_file", metavar="FILE", help="Pair graph to use instead of the shipped pair.onnx."
)
min_confidence_option = click.option(
    "--min-confidence",
    type=float,
    metavar="P",
    callback=check_probability,
    help="Mark answers below this confidence, 0 to 1, as uncertain, and exit with code 1 if there are any. "
    "Replaces the model's own thresholds.",
)


def picture(name: str) -> Picture:
    """The picture that a command-line argument names; `-` is read from standard input."""
    return sys.stdin.buffer if name == "-" else name


def shown(name: str) -> str:
    """A file name in printable form, on one line; it need not be valid text."""
    text = os.fsencode(name).decode(errors="replace")
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def report_error(sentence: object) -> None:
    """Print an error, one sentence that names its source, on standard error."""
    click.echo(f"Error: {sentence}", err=True)


def refusal(name: str, error: ImageError) -> dict[str, str]:
    """The status of a refused picture, and one sentence that names it."""
    from pairedge.confidence import refusal_status

    source = "standard input: " if name == "-" else ""  # the error of a file names the file itself
    return {"status": refusal_status(error), "error": f"{source}{error}"}


def exit_with(statuses: Iterable[str], min_confidence: float | None) -> None:
    """Exit with the highest code among those of the statuses; return when that is 0."""
    counted = set(statuses)
    if min_confidence is None:
        counted.discard("uncertain")
    code = max((EXIT_CODES[status] for status in counted), default=0)
    if code:
        raise SystemExit(code)


def save(drawing: Image.Image, path: str) -> None:
    """Write a drawing in the format of its suffix, or print one sentence and exit with code 1."""
    try:
        drawing.save(path)
    except KeyError as error:  # a suffix that Pillow reads, but does not write
        suffix = str(error.args[0]).lower()
        raise click.ClickException(f"{path}: Pillow writes no {suffix} pictures; name it .png") from error
    except (OSError, ValueError) as error:  # ValueError: a suffix unknown to Pillow
        reason = getattr(error, "strerror", None) or str(error)
        raise click.ClickException(f"{path}: {reason.lower()}") from error
