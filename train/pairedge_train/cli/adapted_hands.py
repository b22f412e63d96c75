"""How much adapting helps: the model is adapted to each hand that is kept for tests.

    python -m pairedge_train.cli.adapted_hands

A row a hand is written to artifacts/adapt/hands.jsonl; the same command resumes. When all hands have one, the
page and the figure are written beside it.
"""

from __future__ import annotations

from pathlib import Path

import click
import torch

from pairedge_train.adaptation.fine_tune import adapted_recipe
from pairedge_train.adaptation.hands import HandRow, run_study
from pairedge_train.adaptation.page import figure, page, wrong
from pairedge_train.adaptation.start import SHIPPED, load_start
from pairedge_train.cli.options import cli_errors, data_dir_option
from pairedge_train.data.loading import load_data
from pairedge_train.experiments.library import load_recipe
from pairedge_train.experiments.recipe import setting_kinds
from pairedge_train.experiments.settings import parse_settings
from pairedge_train.files import write_all


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--start-from", default=SHIPPED, show_default=True, help="Checkpoint or pair.onnx to adapt.")
@click.option(
    "--count", type=click.IntRange(1, 21), default=5, show_default=True, help="Pictures of a digit."
)
@click.option(
    "--split",
    type=click.Choice(["validation", "test"]),
    default="test",
    show_default=True,
    help="Hands to adapt to. Settings are chosen on those for validation, which leave rows and no page.",
)
@click.option(
    "--set", "assignments", multiple=True, metavar="SECTION.SETTING=VALUE", help="Change a setting."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("artifacts/adapt"),
    show_default=True,
    help="Folder.",
)
@data_dir_option
def main(
    start_from: str, count: int, split: str, assignments: tuple[str, ...], out: Path, data_dir: Path | None
) -> None:
    """Adapt the model to each hand, and measure it on the hand and on MNIST before and after."""
    torch.set_num_threads(1)
    with cli_errors():
        start = load_start(start_from)
        changes = parse_settings(assignments, setting_kinds())
        recipe = adapted_recipe(load_recipe("adapt").with_(changes), start)
        rows = run_study(
            recipe,
            start.network,
            load_data(recipe.data, data_dir),
            out / ("hands.jsonl" if split == "test" else "validation.jsonl"),
            count=count,
            seed=start.seed,
            split="test" if split == "test" else "validation",
            on_row=show,
        )
        if split == "test":
            write_all(out, {"adapt.md": page(rows).encode(), "adapt.png": figure(rows)})
            click.echo(page(rows))


def show(row: HandRow) -> None:
    """Print a hand's errors before and after."""
    before, after = wrong(row.own, "before"), wrong(row.own, "after")
    change = 100 * (row.mnist.after - row.mnist.before)
    click.echo(
        f"{row.hand}: {before} errors before, {after} after, of {row.own.n}; MNIST {change:+.2f} points; "
        f"{row.seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
