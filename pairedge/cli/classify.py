"""`pairedge classify FILE...`: one line per picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pairedge.cli.shared import shown
from pairedge.cli.stream.item import TEXT, Item, Row
from pairedge.cli.stream.outputs import Layout
from pairedge.cli.stream.stream import Stream, stream_options

if TYPE_CHECKING:
    from pairedge.model import PairModel


@click.command("classify")
@stream_options("picture")
def command(stream: Stream) -> None:
    """Classify the digit in each picture.

    Pictures are files, folders, patterns, or the rows of a list (--from). Prints one line per picture: its
    name, the digit, the probability, and "uncertain" if the model is not confident. Use - for a picture from
    standard input.

    Exit code 1 if a picture cannot be read or an answer is less confident than --min-confidence, 3 if a
    picture shows no digit, 4 if one shows several.
    """
    stream.write(answer, LAYOUT, stream.source.load_with_digits())


def answer(model: PairModel, item: Item) -> Row:
    """The answer for one picture."""
    classification = model.classify(item.picture())
    return {**classification.to_dict(), TEXT: str(classification)}


def line(row: Row) -> str:
    """The line for one picture: `seven.png: 7  P = 0.9998`."""
    return f"{shown(row['picture'])}: {row[TEXT]}"


LAYOUT = Layout(line, ("picture", "status", "digit", "confidence", "error", "id"))
