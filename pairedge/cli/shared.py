"""Shared by the commands: options, pictures from arguments, reports of refused ones, and the exit code."""

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
    from pairedge.model import AnyModel, PairModel

# The contract in this package's docstring. An uncertain answer fails only with --min-confidence.
EXIT_CODES = {"ok": 0, "uncertain": 1, "unreadable": 1, "no-ink": 3, "several": 4}


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
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
min_confidence_option = click.option(
    "--min-confidence",
    type=float,
    metavar="P",
    callback=check_probability,
    help="Mark answers below this confidence, 0 to 1, as uncertain, and exit with code 1 if there are any. "
    "Replaces the model's own thresholds.",
)


def load_model(model_file: str | None, min_confidence: float | None = None) -> AnyModel:
    """Load the model, or print one sentence and exit with code 1."""
    from pairedge.model import load

    try:
        return load(model_file, digits=False, min_confidence=min_confidence)
    except PairedgeError as error:
        raise click.ClickException(str(error)) from error


def load_digit_model(model_file: str | None, min_confidence: float | None = None) -> PairModel:
    """Load a model with a digit head, or print one sentence and exit with code 1."""
    from pairedge.model import PairModel

    model = load_model(model_file, min_confidence)
    if not isinstance(model, PairModel):
        raise click.ClickException(f"the model {model.variant!r} has no digit head: it can only compare")
    return model


def check_standard_input(names: tuple[str, ...]) -> None:
    """Refuse to read standard input twice: the second time, it would be empty."""
    if names.count("-") > 1:
        raise click.UsageError("only one picture can be read from standard input")


def picture(name: str) -> Picture:
    """The picture that a command-line argument names; `-` is read from standard input."""
    return sys.stdin.buffer.read() if name == "-" else name


def shown(name: str) -> str:
    """A file name in printable form; it need not be valid text."""
    return os.fsencode(name).decode(errors="replace")


def report_error(name: str, error: PairedgeError) -> str:
    """Print an error, one sentence that names its source, on standard error, and return the sentence."""
    source = "standard input: " if name == "-" else ""  # the error of a file names the file itself
    click.echo(f"Error: {source}{error}", err=True)
    return f"{source}{error}"


def refuse(name: str, error: ImageError) -> dict[str, str]:
    """Report a refused picture, and return its status and the sentence, ready for JSON."""
    from pairedge.confidence import refusal_status

    return {"status": refusal_status(error), "error": report_error(name, error)}


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
    except (OSError, ValueError) as error:  # ValueError: a suffix unknown to Pillow
        reason = getattr(error, "strerror", None) or str(error)
        raise click.ClickException(f"{path}: {reason.lower()}") from error
