"""`pairedge-train`: train a variant for some rounds, and say what to do next.

torch is imported when training begins, so that help is quick and a missing torch is one sentence.
"""

from __future__ import annotations

import shlex
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pairedge_train.cli.options import check_device, data_dir_option, device_option, told_in_one_sentence

if TYPE_CHECKING:
    from pairedge_train.experiments.recipe import Recipe
    from pairedge_train.rows import Row
    from pairedge_train.training.fit import Epoch

FLAGSHIP = "aux_ws"


def count_or_all(ctx: click.Context, param: click.Parameter, value: str | None) -> int | str | None:
    """Read an option that is a count of at least one, or the word `all`."""
    if value is None or value == "all":
        return value
    if not value.isdecimal() or int(value) < 1:
        raise click.BadParameter(f"{value!r} is neither a count of at least one nor 'all'", ctx, param)
    return int(value)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--variant", metavar="NAME", help=f"Architecture to train; --list shows them. [{FLAGSHIP}]")
@click.option("--list", "list_", is_flag=True, help="List the variants and the recipes that ship, and stop.")
@click.option(
    "--recipe", "recipe_file", metavar="FILE", help="TOML file, or the name of a recipe that ships."
)
@click.option("--dataset", type=click.Choice(["mnist", "uci"]), help="uci needs no download. [mnist]")
@click.option("--rounds", type=click.IntRange(min=1), help="Trainings with fresh pairs and weights. [1]")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the first round. [2021]")
@click.option(
    "--pairs", metavar="N|all", callback=count_or_all, help="Training pairs of a round. [1000; uci: all]"
)
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the training pairs.")
@click.option("--batch-size", type=click.IntRange(min=2), help="Pairs per step.")
@click.option("--lr", type=float, help="Learning rate, or its peak.")
@device_option
@data_dir_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Folder for results.",
)
def main(
    list_: bool, recipe_file: str | None, device: str, data_dir: Path | None, out: Path, **changes: Any
) -> None:
    """Train a network that compares two digits.

    The settings are the flagship's, for a variant of a report those of the first report's protocol, or those
    of --recipe; the options change them.
    Rounds that are finished already are not trained again: after an interruption, the same command goes on.
    """
    try:
        import torch
    except ImportError as error:
        raise click.ClickException("training needs torch: pip install 'pairedge[train]'") from error
    torch.set_num_threads(1)  # fastest for networks this small, and the same bytes on any number of cores
    with told_in_one_sentence():
        if list_:
            list_choices()
        else:
            recipe = make_recipe(
                recipe_file, {name: value for name, value in changes.items() if value is not None}
            )
            train(recipe, device, data_dir, out)


def list_choices() -> None:
    """Print the variants and the recipes that ship."""
    from pairedge_train.experiments.library import shipped_recipes
    from pairedge_train.networks.variants import variants

    width = max(map(len, variants()))
    for variant in variants().values():
        click.echo(f"{variant.name:<{width}} {variant.parameters:>10,} parameters  {variant.summary}")
    for name in shipped_recipes():
        click.echo(f"--recipe {shlex.quote(name)}")


def make_recipe(recipe_file: str | None, changes: dict[str, Any]) -> Recipe:
    """The recipe of a file, or the variant's own, with the command line's changes.

    A variant of a report is trained by report 000's protocol, any other by the flagship's.
    """
    from pairedge_train.experiments.library import load_recipe
    from pairedge_train.experiments.recipe import Recipe
    from pairedge_train.networks.variants import get_variant

    if recipe_file:
        recipe = load_recipe(recipe_file)
    elif get_variant(changes.get("variant", FLAGSHIP)).report is None:
        recipe = load_recipe("flagship").with_(variant=FLAGSHIP)
    else:
        recipe = Recipe()
    if changes.get("dataset") == "uci" and not recipe_file:
        changes = {"pairs": "all", "test_pairs": "all", "validation_pairs": 100, **changes}
    recipe = recipe.with_(**changes)
    get_variant(recipe.variant)  # an unknown name is told before anything is loaded
    return recipe


def train(recipe: Recipe, device: str, data_dir: Path | None, out: Path) -> None:
    """Train the rounds of a recipe under a progress bar; print what came of them and the next command."""
    from tqdm import tqdm

    from pairedge_train.data.datasets import load_data
    from pairedge_train.training.rounds import checkpoint_path, run_rounds, study_folder

    check_device(device)
    data = load_data(recipe.dataset, data_dir)
    folder = study_folder(out, recipe)
    interval = 0.1 if sys.stderr.isatty() else 10  # seconds; a log wants fewer lines than a terminal
    with tqdm(total=recipe.rounds * recipe.epochs, unit="epoch", mininterval=interval, leave=False) as bar:

        def on_epoch(seed: int, epoch: Epoch) -> None:
            bar.set_description(f"{recipe.variant} round {seed - recipe.seed + 1}/{recipe.rounds}")
            bar.set_postfix_str(describe(epoch), refresh=False)
            bar.update()

        def on_round(row: Row) -> None:
            bar.update(
                (row["seed"] - recipe.seed + 1) * recipe.epochs - bar.n
            )  # rounds that were done before
            bar.write(f"seed {row['seed']}: {summary(row)}")

        rows = run_rounds(recipe, data, folder, device=device, on_epoch=on_epoch, on_round=on_round)
    accuracies = [100 * row["test_accuracy"] for row in rows]
    if len(rows) > 1:
        mean, sd = statistics.mean(accuracies), statistics.stdev(accuracies)
        click.echo(f"{recipe.variant}: test accuracy {mean:.2f} % (sd {sd:.2f}, n = {len(rows)} rounds)")
    click.echo(f"Rows: {folder / 'rows.jsonl'}")
    click.echo(f"Next: pairedge-export {checkpoint_path(folder, rows[-1]['seed'])}")


def describe(epoch: Epoch) -> str:
    """An epoch's losses and validation accuracy, for the progress bar."""
    parts = [f"loss {epoch.loss:.3f}"]
    if epoch.comparison_loss is not None:
        parts.append(f"comparison {epoch.comparison_loss:.3f}")
    if epoch.digit_loss is not None:
        parts.append(f"digits {epoch.digit_loss:.3f}")
    if epoch.validation:
        parts.append(f"validation {100 * epoch.validation.pairs:.1f} %")
    return ", ".join(parts)


def summary(row: Row) -> str:
    """A round's results in one phrase."""
    digits = "" if row["digit_accuracy"] is None else f", digits {100 * row['digit_accuracy']:.2f} %"
    return f"test accuracy {100 * row['test_accuracy']:.2f} %{digits}, {row['seconds']:.1f} s"
