"""The card of the model that ships, written again from its graphs, `parity.json` and the measured conditions.

    python -m tools.model_card artifacts/aux_ws

For a card whose wording changed, or conditions that were measured again: graphs and checks stay as they are.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from pairedge.graph import CONTRACTS, open_graph
from pairedge_export.c.writing import HEADER, SOURCE
from pairedge_export.card import Group, Rejected, card
from pairedge_export.parity import Parity
from pairedge_train.robustness.accuracy import mean_of_hands
from pairedge_train.robustness.readings import PAIREDGE
from pairedge_train.robustness.rows import Robustness, read_robustness

ROBUSTNESS = Path(__file__).parents[1] / "artifacts" / "robustness"


def model_card(folder: Path) -> str:
    """The text of the card of the model in a folder that pairedge-export wrote."""
    names = [*(f"{kind}.onnx" for kind in CONTRACTS), HEADER, SOURCE]
    paths = [path for name in names if (path := folder / name).exists()]
    sizes = {path.name: path.stat().st_size for path in paths}
    parity = Parity.from_dict(json.loads((folder / "parity.json").read_text()))
    metadata = open_graph(folder / "pair.onnx", "pair").metadata
    measured = read_robustness(ROBUSTNESS)
    return card(metadata, sizes, parity, condition_groups(measured), rejected_groups(measured))


def condition_groups(measured: Robustness) -> list[Group]:
    """The conditions and hands that the model that ships was measured on; a refused picture is a mistake."""
    conditions, hands = (
        [row for row in rows if row.system == PAIREDGE] for rows in (measured.conditions, measured.hands)
    )
    about = f"digits of {len(hands)} handwriting fonts"
    return [
        *(Group(f"{row.condition}: {row.about}", row.accuracy, row.n) for row in conditions),
        Group(f"hands: {about}", mean_of_hands(hands, PAIREDGE), sum(row.n for row in hands)),
    ]


def rejected_groups(measured: Robustness) -> list[Rejected]:
    """What the model's confidence threshold rejects: digits, then negatives by kind."""
    rejection = measured.rejection
    named = {
        "MNIST's test digits": rejection.digits["mnist"],
        "the same, rendered in all conditions": rejection.digits["rendered"],
        **{
            f"negatives that training never draws: {kind}": row
            for kind, row in rejection.negatives_of(held_out=True).items()
        },
        **{
            f"negatives that training draws, too: {kind}": row
            for kind, row in rejection.negatives_of(held_out=False).items()
        },
    }
    return [Rejected(name, row.rejected, row.n) for name, row in named.items()]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Write FOLDER/card.md again, from the graphs and parity.json in FOLDER."""
    (folder / "card.md").write_text(model_card(folder))


if __name__ == "__main__":
    main()
