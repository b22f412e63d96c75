"""The sheet of mistakes: digits of unseen hands that the model that ships reads as others.

    python -m tools.mistakes docs/mistakes.png

Each hand that is kept for tests writes under every condition; the sheet shows the wrong answers of some hands
after one another, the most confident ones first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import islice, zip_longest
from pathlib import Path

import click
import numpy as np

import pairedge
from pairedge.drawing.sheet import Cell, draw_sheet
from pairedge.model import PairModel
from pairedge_train.files import write_atomically
from pairedge_train.randomness import seeded
from pairedge_train.rendering.conditions import CONDITIONS
from pairedge_train.rendering.hands import DIGITS, Hand, hands, written_glyph
from pairedge_train.rendering.render import photograph
from pairedge_train.rendering.tiles import tile_or_none
from tools.contact_sheet import shown

_CELLS = 40  # on the sheet


def mistakes_of(hand: Hand, model: PairModel, conditions: Sequence[str] = tuple(CONDITIONS)) -> list[Cell]:
    """The pictures of one hand that are answered with a wrong digit, the most confident answer first.

    Each digit is written once, under a condition drawn evenly, as often as there are conditions.
    """
    generator = seeded(f"mistakes {hand.name}")
    wrong: list[tuple[float, int, Cell]] = []
    for _ in conditions:
        for digit in DIGITS:
            name = str(generator.choice(list(conditions)))
            picture = photograph(written_glyph(hand.glyphs[digit], generator), CONDITIONS[name], generator)
            tile = tile_or_none(picture)
            if tile is None:
                continue
            answer = model.classify(tile)
            if answer.digit != int(digit):
                summary = f"{digit} read as {answer.digit}, {answer.confidence:.2f}"
                if answer.status != "ok":
                    summary += f", {answer.status}"
                cell = Cell(np.asarray(shown(picture)), tile, summary, f"{hand.name}, {name}")
                wrong.append((-answer.confidence, len(wrong), cell))
    return [cell for *_, cell in sorted(wrong)]


def in_turn(of_hands: list[list[Cell]]) -> Iterator[Cell]:
    """Every hand's first mistake, then every hand's second, and so on."""
    return (cell for cells in zip_longest(*of_hands) for cell in cells if cell is not None)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", type=click.Path(path_type=Path))
def main(path: Path) -> None:
    """Draw mistakes of the model that ships into the PNG file PATH."""
    model = pairedge.load()
    of_hands = [mistakes_of(hand, model) for hand in hands("test")]
    total = sum(map(len, of_hands))
    file = BytesIO()
    draw_sheet(islice(in_turn(of_hands), _CELLS), total).save(file, "PNG", optimize=True)
    write_atomically(path, file.getvalue())


if __name__ == "__main__":
    main()
