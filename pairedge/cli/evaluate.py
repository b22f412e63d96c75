"""`pairedge evaluate FOLDER`: the accuracy on labeled pictures, the mistakes, and what was left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pairedge.classes import DIGIT_CLASSES, named_classes
from pairedge.cli import classify
from pairedge.cli.shared import exit_with, refusal, report_error, save, shown
from pairedge.cli.stream.item import Item, Row
from pairedge.cli.stream.outputs import Layout
from pairedge.cli.stream.stream import Stream, stream_options
from pairedge.cli.stream.task import Task
from pairedge.errors import ImageError

if TYPE_CHECKING:
    from pairedge.model import PairModel
    from pairedge.scoring import Evaluation

_LISTED = 20  # mistakes, and files that were left out, in the report; --json has all


@click.command("evaluate")
@stream_options("picture", resumable=False, subfolders=True)
@click.option("--mistakes", metavar="FILE", help="Draw the mistakes as a contact sheet in FILE.")
@click.option("--confusion", metavar="FILE", help="Draw the confusion matrix and the confidence in FILE.")
def command(stream: Stream, mistakes: str | None, confusion: str | None) -> None:
    """Measure accuracy on labeled pictures.

    Pictures are files, folders with their subfolders, patterns, or the rows of a list (--from). A picture's
    label is the column `label` of the list, or else the name of its folder (7/abc.png), or else a single
    digit at the start or the end of its own name, not next to a letter or another digit (7_abc.png,
    abc-7.png).

    Prints the accuracy, the number of pictures by status, the confusion matrix, the mistakes, and the files
    that were left out; with --json, the same as one object; with --csv, one row per picture instead. A
    refused picture counts as a mistake: one that shows no digit, shows several, or cannot be read.

    Exit code 1 if a picture cannot be read or has no label, no picture is answered, or an answer is less
    confident than --min-confidence.
    """
    from pairedge.scoring import Evaluation

    model = stream.source.load_with_digits()
    evaluation = Evaluation()
    task = Task(partial(read, classes=model.classes), answer)
    rows = stream.rows(task, stream.inputs.items(), model, report=report_unreadable)
    if stream.output.format == "csv":
        with stream.output.open(LAYOUT.naming(model.classes, "label_name", "name"), iter(())) as output:
            for row in rows:
                evaluation.add(row)
                output.write(row)
        stream.report_left_out()
    else:
        for row in rows:
            evaluation.add(row)
        left_out = stream.inputs.left_out
        if stream.output.format == "json":
            named = [{"path": path, "reason": reason} for path, reason in left_out]
            stream.output.write(json.dumps({**evaluation.to_dict(), "left_out": named}) + "\n")
        else:
            stream.output.write("\n".join(page(evaluation, model.classes, left_out)) + "\n")
    if mistakes is not None:
        from pairedge.drawing import draw_sheet
        from pairedge.scoring import sheet_cells

        save(draw_sheet(sheet_cells(evaluation), len(evaluation.mistakes())), mistakes)
    if confusion is not None:
        from pairedge.drawing import draw_evaluation

        title = headline(evaluation)
        save(draw_evaluation(evaluation.confusion, evaluation.confidences, title), confusion)
    if not evaluation.answered:
        raise SystemExit(1)
    refused = [row["status"] for row in (*evaluation.refused, *evaluation.unlabeled)]
    failures = {*evaluation.statuses, *refused} & {"uncertain", "unreadable", "unlabeled"}
    exit_with(failures, stream.source.min_confidence)


def read(item: Item, classes: tuple[str, ...]) -> Row:
    """The label and the tile of one picture. A refused picture is a mistake."""
    from pairedge.image import to_tile
    from pairedge.scoring import LabelError, label_of

    name = item.names[0]
    try:
        label = label_of(item.label, Path(name), classes)
    except LabelError as error:
        return {"status": "unlabeled", "error": str(error)}
    row = {"label": label, **named_classes(classes, label_name=classes[label]), "right": False}
    try:
        return {**row, "tile": to_tile(item.picture())}
    except ImageError as error:
        return {**row, **refusal(name, error)}


def answer(model: PairModel, rows: list[Row]) -> None:
    """Put the answers for tiles in their place, and whether they agree with the labels."""
    classify.answer(model, rows)
    for row in rows:
        row["right"] = row["digit"] == row["label"]


def report_unreadable(row: Row) -> None:
    """Print the error of a file that is no picture; the report has all other refusals."""
    if row["status"] == "unreadable":
        report_error(row["error"])


def page(evaluation: Evaluation, classes: tuple[str, ...], left_out: list[tuple[str, str]]) -> Iterator[str]:
    """The lines of the report."""
    from pairedge.scoring import summary

    yield headline(evaluation)
    yield ""
    yield f"{'status':<12} {'pictures':>9} {'right':>9}"
    for status, (count, right) in evaluation.by_status().items():
        yield f"{status:<12} {count:9,} {right:9,}"
    if evaluation.answered:
        yield ""
        yield from confusion_table(evaluation, classes)
    mistakes = [(row["picture"], summary(row)) for row in evaluation.mistakes()]
    yield from listed("mistakes", mistakes, "--json lists all, --mistakes draws them")
    unlabeled = [
        (row["picture"], row["error"].removeprefix(f"{row['picture']}: ")) for row in evaluation.unlabeled
    ]
    yield from listed("left out", [*unlabeled, *left_out], "--json lists all")


def headline(evaluation: Evaluation) -> str:
    """The accuracy: `9 right of 12: 75.00% (1 refused)`."""
    share = f": {evaluation.accuracy:.2%}" if evaluation.accuracy is not None else ""
    refused = f" ({len(evaluation.refused):,} refused)" if evaluation.refused else ""
    return f"{evaluation.right:,} right of {evaluation.pictures:,}{share}{refused}"


def listed(title: str, files: list[tuple[str, str]], hint: str) -> Iterator[str]:
    """The lines of a list of files with a remark each, if there are any."""
    if files:
        yield ""
        yield title
    yield from (f"  {shown(path)}: {remark}" for path, remark in files[:_LISTED])
    if len(files) > _LISTED:
        yield f"  and {len(files) - _LISTED:,} more: {hint}"


def confusion_table(evaluation: Evaluation, classes: tuple[str, ...]) -> Iterator[str]:
    """The lines of the confusion matrix: rows are labels, columns answers."""
    named = classes != DIGIT_CLASSES
    heads = [f"{digit} {name}" if named else name for digit, name in enumerate(classes)]
    wide = max(7, *(len(head) + 2 for head in heads))
    confusion = evaluation.confusion
    width = max(5, len(f" {confusion.max():,}"))
    yield f"{'class' if named else 'digit':<{wide}}" + "".join(
        f"{f'as {digit}':>{width}}" for digit in range(len(confusion))
    )
    for digit, row in enumerate(confusion.tolist()):
        yield f"{heads[digit]:<{wide}}" + "".join(
            f"{f'{count:,}' if count else '.':>{width}}" for count in row
        )


LAYOUT = Layout(str, ("picture", "label", "status", "digit", "confidence", "right", "error", "id"))
