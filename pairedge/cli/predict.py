"""`pairedge predict A B [A B ...]`: one line per pair of pictures."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from pairedge.cli.shared import refusal, save, shown
from pairedge.cli.stream.item import Item, Row
from pairedge.cli.stream.outputs import Layout
from pairedge.cli.stream.stream import Stream, stream_options
from pairedge.cli.stream.task import Task
from pairedge.errors import ImageError

if TYPE_CHECKING:
    from pairedge.model import AnyModel


@click.command("predict")
@stream_options("first", "second")
@click.option("--show", metavar="FILE", help="Draw a single pair and its answer in FILE.")
def command(stream: Stream, show: str | None) -> None:
    """Predict whether the digit in picture A is less than or equal to the one in picture B.

    Pictures are files, folders and patterns, taken two by two, or the pairs of a list (--from). Prints one
    line per pair: both digits with <= or > between them, the probability that the first is less than or equal
    to the second, and "uncertain" if the model is not confident. Use - for a picture from standard input.

    Exit code 1 if a picture cannot be read or an answer is less confident than --min-confidence, 3 if a
    picture shows no digit, 4 if one shows several.
    """
    names, countable = stream.inputs.names, stream.inputs.countable()
    if countable and len(names) % 2:
        hint = f"; to read a single digit: pairedge classify {shown(names[0])}" if len(names) == 1 else ""
        raise click.UsageError(f"expected pairs of pictures, but got an odd number: {len(names)}{hint}")
    if show is not None and not (countable and len(names) == 2):
        raise click.UsageError("--show draws a single pair of pictures")
    task = TASK if show is None else Task(partial(read, keep_steps=True), partial(answer_and_draw, show))
    model = stream.source.load()
    stream.write(task, LAYOUT.naming(model.classes, "first_name", "second_name"), model)


def read(item: Item, keep_steps: bool = False) -> Row:
    """The tiles of one pair. Where pictures are refused, the refusal with the higher exit code counts."""
    from pairedge.image import read_picture
    from pairedge.results import refused_pair

    readings, refused = [], {}
    for place, column in enumerate(("first", "second")):
        try:
            readings.append(read_picture(item.picture(place)))
        except ImageError as error:
            refused[column] = refusal(item.names[place], error)
    if refused:
        return refused_pair(refused)
    row: Row = {"tiles": [reading.tile for reading in readings]}
    return {**row, "readings": readings} if keep_steps else row


def answer(model: AnyModel, rows: list[Row]) -> None:
    """Put the answers for pairs of tiles in their place."""
    for row in rows:
        row.update(model.predict(*row.pop("tiles")).to_dict())


def answer_and_draw(show: str, model: AnyModel, rows: list[Row]) -> None:
    """The same; the pair is drawn in the file `show`."""
    from pairedge.drawing import draw_pair

    for row in rows:
        names = [shown(row[column]) for column in ("first", "second")]
        save(draw_pair(row.pop("readings"), names, model.predict(*row["tiles"])), show)
    answer(model, rows)


def line(row: Row) -> str:
    """The line for one pair: `3 <= 7  P(first <= second) = 0.9998`."""
    from pairedge.results import comparison_text

    return comparison_text(row.get("names") or row["digits"], row["leq"], row["probability"], row["status"])


def flat(row: Row) -> Row:
    """The row with both digits as columns, and the names of their classes where they have any."""
    columns = dict(row)
    for key in ("digit", "name"):
        columns[f"first_{key}"], columns[f"second_{key}"] = row.get(f"{key}s") or (None, None)
    return columns


COLUMNS = (
    *("first", "second", "status", "leq", "probability", "first_digit", "second_digit"),
    *("confidence", "error", "id"),
)
TASK = Task(read, answer)
LAYOUT = Layout(line, COLUMNS, flat)
