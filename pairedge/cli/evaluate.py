"""`pairedge evaluate FOLDER`: the accuracy on the pictures of a folder, and the mistakes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import click

from pairedge.cli.shared import (
    exit_with,
    load_digit_model,
    min_confidence_option,
    model_option,
    save,
    shown,
)
from pairedge.errors import PairedgeError

if TYPE_CHECKING:
    from pairedge.scoring import Evaluation, LabeledPicture

_LISTED = 20  # mistakes printed; --json prints all


@click.command("evaluate")
@click.argument("folder")
@click.option("--mistakes", metavar="FILE", help="Draw the mistakes as a contact sheet in FILE.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@min_confidence_option
@model_option
def command(
    folder: str, mistakes: str | None, as_json: bool, min_confidence: float | None, model_file: str | None
) -> None:
    """Measure accuracy on the pictures in FOLDER and its subfolders.

    A picture's label is the name of its folder (7/abc.png), or else a single digit at the start or the end of
    its own name, not next to a letter or another digit (7_abc.png, abc-7.png).

    Prints the accuracy, the number of pictures by status, the confusion matrix and the mistakes. A refused
    picture counts as a mistake: one that shows no digit, shows several, or cannot be read.

    Exit code 1 if a picture cannot be read, no picture is answered, or an answer is less confident than
    --min-confidence.
    """
    from pairedge.scoring import Evaluation, classify_pictures, find_pictures

    model = load_digit_model(model_file, min_confidence)
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
    if not evaluation.answered:
        raise SystemExit(1)
    exit_with(
        (o.status for o in evaluation.outcomes if o.status in ("uncertain", "unreadable")), min_confidence
    )


def progress(pictures: list[LabeledPicture]) -> AbstractContextManager[Iterable[LabeledPicture]]:
    """Iterate over the pictures, with a progress bar when standard error is a terminal."""
    if sys.stderr.isatty():
        return click.progressbar(pictures, label="reading", file=sys.stderr)
    return nullcontext(pictures)


def page(evaluation: Evaluation) -> Iterator[str]:
    """The lines of the report."""
    share = f": {evaluation.accuracy:.2%}" if evaluation.accuracy is not None else ""
    refused = f" ({evaluation.refused:,} refused)" if evaluation.refused else ""
    yield f"{evaluation.right:,} right of {len(evaluation.outcomes):,}{share}{refused}"
    yield ""
    yield f"{'status':<12} {'pictures':>9} {'right':>9}"
    for status, (count, right) in evaluation.by_status().items():
        yield f"{status:<12} {count:9,} {right:9,}"
    yield ""
    yield from confusion_table(evaluation)
    mistakes = evaluation.mistakes()
    if mistakes:
        yield ""
        yield "mistakes"
    for outcome in mistakes[:_LISTED]:
        yield f"  {shown(str(outcome.path))}: {outcome.summary}"
    if len(mistakes) > _LISTED:
        yield f"  and {len(mistakes) - _LISTED:,} more: --json lists all, --mistakes draws them"


def confusion_table(evaluation: Evaluation) -> Iterator[str]:
    """The lines of the confusion matrix: rows are labels, columns answers."""
    confusion = evaluation.confusion()
    width = max(5, len(f" {confusion.max():,}"))
    yield f"{'digit':<7}" + "".join(f"{f'as {digit}':>{width}}" for digit in range(len(confusion)))
    for digit, row in enumerate(confusion.tolist()):
        yield f"{digit:<7}" + "".join(f"{f'{count:,}' if count else '.':>{width}}" for count in row)
