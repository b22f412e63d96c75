"""`pairedge rank FILE...`: the pictures sorted by digit, one line each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from pairedge.classes import named_classes
from pairedge.cli.classify import read
from pairedge.cli.shared import exit_with, shown
from pairedge.cli.stream.item import Row
from pairedge.cli.stream.outputs import Layout
from pairedge.cli.stream.stream import Stream, stream_options
from pairedge.cli.stream.task import Task

if TYPE_CHECKING:
    from pairedge.model import PairModel
    from pairedge.ranking import Ranking


@click.command("rank")
@stream_options("picture", resumable=False)
def command(stream: Stream) -> None:
    """Sort pictures by digit, in ascending order.

    Pictures are files, folders, patterns, or the rows of a list (--from). Prints one line per picture: its
    position, its name, its digit, = if the next digit is the same or else <=, the probability that it is less
    than or equal to the next, and "uncertain" if the model is not confident of the digit. Refused pictures
    come last, without a position. Use - for a picture from standard input.

    Exit code 1 if a picture cannot be read or a digit is less confident than --min-confidence, 3 if a picture
    shows no digit, 4 if one shows several. The other pictures are still ranked.
    """
    model = stream.source.load_with_digits()
    pictures: list[Row] = []
    refused: list[Row] = []
    for row in stream.rows(TASK, stream.inputs.items(), model):
        (refused if "error" in row else pictures).append(row)
    ranking = model.rank([row.pop("tile") for row in pictures])
    with stream.output.open(LAYOUT.naming(model.classes, "name"), iter(())) as rows:
        for row in [*ranked(ranking, pictures, model), *refused]:
            rows.write(row)
    stream.report_left_out()
    exit_with(rows.statuses, stream.source.min_confidence)


def leave(_: PairModel, rows: list[Row]) -> None:
    """Leave rows as they were read: tiles are ranked when all are there."""


def ranked(ranking: Ranking, pictures: list[Row], model: PairModel) -> Iterator[Row]:
    """The rows of pictures, sorted. The last one has no next, so its `in_order` and `tie` are None."""
    from pairedge.confidence import answer_status

    last = len(ranking) - 1
    for place, index in enumerate(ranking.order):
        yield {
            "position": place + 1,
            **pictures[index],
            "status": answer_status(float(ranking.confidence[place]), model.thresholds.digit),
            "confidence": float(ranking.confidence[place]),
            "digit": int(ranking.digits[place]),
            **named_classes(model.classes, name=model.classes[ranking.digits[place]]),
            "expected_digit": float(ranking.expected[place]),
            "in_order": float(ranking.in_order[place]) if place < last else None,
            "tie": bool(ranking.ties[place]) if place < last else None,
        }


def line(row: Row) -> str:
    """The line for one picture: `2  seven.png: 7 <=  P(in order) = 0.9998`."""
    from pairedge.results import mark

    start = f"{row['position']}  {shown(row['picture'])}: {row.get('name', row['digit'])}"
    if row["in_order"] is not None:
        start += f" {'=' if row['tie'] else '<='}  P(in order) = {row['in_order']:.4f}"
    return f"{start}{mark(row['status'])}"


COLUMNS = (
    *("position", "picture", "status", "digit", "expected_digit", "confidence"),
    *("in_order", "tie", "error", "id"),
)
TASK = Task(read, leave)
LAYOUT = Layout(line, COLUMNS)
