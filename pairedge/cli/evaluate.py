"""`pairedge evaluate FOLDER`: how many pictures of a folder are read right, and which are not."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import click

from pairedge.cli.shared import (
    check_digit_head,
    leave,
    load_model,
    min_confidence_option,
    model_option,
    save,
    shown,
)
from pairedge.errors import PairedgeError

if TYPE_CHECKING:
    from pairedge.scoring import Evaluation, Labelled

_LISTED = 20  # mistakes told in words; --json tells all


@click.command("evaluate")
@click.argument("folder")
@click.option("--mistakes", metavar="FILE", help="Draw the pictures that were not read right into FILE.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, which holds all.")
@min_confidence_option
@model_option
def command(
    folder: str, mistakes: str | None, as_json: bool, min_confidence: float | None, model_file: str | None
) -> None:
    """How many of the pictures in FOLDER, and in the folders in it, are read right?

    Each picture's digit is the name of the folder it lies in (7/abc.png), or else one digit with which its
    own name begins or ends, set apart by anything but a letter or a digit (7_abc.png, abc-7.png).

    Prints how many are right, how many are uncertain or refused, what was taken for what, and the mistakes.
    A picture refused because it shows no digit, or several, is counted like a mistake. Exit code 1 when a
    picture could not be read or an answer is less sure than --min-confidence.
    """
    from pairedge.scoring import Evaluation, classify_pictures, find_pictures

    model = load_model(model_file, min_confidence)
    check_digit_head(model)
    try:
        pictures = find_pictures(folder)
    except PairedgeError as error:
        raise click.ClickException(str(error)) from error
    with progress(pictures) as bar:
        evaluation = Evaluation(tuple(classify_pictures(model, bar)))
    for outcome in evaluation.outcomes:
        if outcome.status == "unreadable":
            click.echo(f"Error: {outcome.error}", err=True)
    click.echo(json.dumps(evaluation.to_dict()) if as_json else "\n".join(page(evaluation)))
    if mistakes is not None:
        from pairedge.drawing import draw_sheet
        from pairedge.scoring import sheet_cells

        save(draw_sheet(sheet_cells(evaluation), len(evaluation.mistakes())), mistakes)
    leave((o.status for o in evaluation.outcomes if o.status in ("uncertain", "unreadable")), min_confidence)


def progress(pictures: list[Labelled]) -> AbstractContextManager[Iterable[Labelled]]:
    """The pictures, with a bar on standard error where somebody looks at it."""
    if sys.stderr.isatty():
        return click.progressbar(pictures, label="reading", file=sys.stderr)
    return nullcontext(pictures)


def page(evaluation: Evaluation) -> Iterator[str]:
    """What was found, line by line."""
    answered, right = evaluation.answered, evaluation.right
    share = f": {evaluation.accuracy:.2%}" if evaluation.accuracy is not None else ""
    yield f"{right:,} right of {answered:,} answered{share}"
    yield ""
    yield f"{'status':<12} {'pictures':>9} {'right':>9}"
    for status, (count, good) in evaluation.by_status().items():
        yield f"{status:<12} {count:9,} {good:9,}"
    yield ""
    yield from confusion_table(evaluation)
    missed = evaluation.mistakes()
    if missed:
        yield ""
        yield "not read right"
    for outcome in missed[:_LISTED]:
        yield f"  {shown(str(outcome.path))}: {outcome.summary}"
    if len(missed) > _LISTED:
        yield f"  and {len(missed) - _LISTED:,} more: --json tells all, --mistakes draws them"


def confusion_table(evaluation: Evaluation) -> Iterator[str]:
    """Rows are the digits that the pictures are said to show, columns what was answered."""
    confusion = evaluation.confusion()
    width = max(5, len(f" {confusion.max():,}"))
    yield f"{'digit':<7}" + "".join(f"{f'as {digit}':>{width}}" for digit in range(len(confusion)))
    for digit, row in enumerate(confusion.tolist()):
        yield f"{digit:<7}" + "".join(f"{f'{count:,}' if count else '.':>{width}}" for count in row)
