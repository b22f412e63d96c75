"""`pairedge classify FILE...`: one line per picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pairedge.cli.shared import shown
from pairedge.cli.stream.item import Item, Row
from pairedge.cli.stream.outputs import Layout
from pairedge.cli.stream.stream import Stream, stream_options
from pairedge.cli.stream.task import PART, Task

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
    model = stream.source.load_with_digits()
    stream.write(TASK, LAYOUT.naming(model.classes, "name"), model)


def read(item: Item) -> Row:
    """The tile of one picture."""
    from pairedge.image import to_tile

    return {"tile": to_tile(item.picture())}


def answer(model: PairModel, rows: list[Row]) -> None:
    """Put the answers for tiles in their place."""
    import numpy as np

    from pairedge.image import TILE_SIDE

    # The last bits of an answer can vary with the number of tiles beside it, so that is the same always: what
    # --resume continues, or other processes answer, is then the same bytes.
    tiles = np.zeros((PART, TILE_SIDE, TILE_SIDE), np.uint8)
    for place, row in enumerate(rows):
        tiles[place] = row.pop("tile")
    columns = model.classify_batch(tiles)[: len(rows)].to_dict()
    for row, *values in zip(rows, *columns.values(), strict=True):
        row.update(zip(columns, values, strict=True))


def line(row: Row) -> str:
    """The line for one picture: `seven.png: 7  P = 0.9998`."""
    from pairedge.results import classification_text

    name = row.get("name", row["digit"])
    return f"{shown(row['picture'])}: {classification_text(name, row['probability'], row['status'])}"


TASK = Task(read, answer)
LAYOUT = Layout(line, ("picture", "status", "digit", "confidence", "error", "id"))
