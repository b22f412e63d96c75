"""`pairedge-train`: train a variant for some rounds, and print the next command.

torch is imported when training begins: help is fast, and a missing torch is one sentence.
"""

from __future__ import annotations

import shlex
import statistics
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pairedge_train.cli.options import (
    check_device,
    cli_errors,
    data_dir_option,
    device_option,
    importing_from_here,
    seed_type,
)

if TYPE_CHECKING:
    from pairedge_train.experiments.recipe import Recipe
    from pairedge_train.rows import RoundRow

FLAGSHIP = "aux_ws"
# Settings that have options of their own, by dotted name.
_SHORTCUTS = {
    "variant": "network.variant",
    "dataset": "data.dataset",
    "group_by": "data.group_by",
    "pairs": "data.pairs",
    "epochs": "optim.epochs",
    "batch_size": "optim.batch_size",
    "lr": "optim.lr",
}


def count_or_all(ctx: click.Context, param: click.Parameter, value: str | None) -> int | str | None:
    """Parse an option that is a count of at least one, or the word `all`."""
    if value is None or value == "all":
        return value
    if not value.isdecimal() or int(value) < 1:
        raise click.BadParameter(f"{value!r} is neither a count of at least one nor 'all'", ctx, param)
    return int(value)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--variant",
    metavar="NAME",
    help="Architecture to train: one that --list shows, or one of your own, MODULE:NAME, whose module is "
    f"imported from the current folder or from what is installed. [{FLAGSHIP}]",
)
@click.option(
    "--list", "list_", is_flag=True, help="List variants, also of installed packages, and recipes, and exit."
)
@click.option("--recipe", "recipe_file", metavar="FILE", help="TOML file, or the name of a shipped recipe.")
@click.option(
    "--start-from",
    metavar="shipped|FILE",
    help="Adapt a trained network to the pictures of --dataset: the model that ships, a checkpoint, or an "
    "exported pair.onnx. The recipe is then `adapt`.",
)
@click.option(
    "--dataset",
    metavar="NAME|PATH",
    help="mnist, uci (which needs no download), kmnist, fashion-mnist, emnist-digits, qmnist or usps; or "
    "pictures of your own: a folder of them by class, or an IDX, NPZ or CSV file. [mnist]",
)
@click.option(
    "--group-by",
    metavar="folder|PATTERN",
    help="Split pictures of your own by writer: by their folder, a regular expression of their path, or a "
    "column of a CSV or an array of an NPZ file.",
)
@click.option("--check-data", is_flag=True, help="Read and split pictures of your own, draw them, and exit.")
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    help="Training runs with new pairs and weights. [the recipe's, or 1]",
)
@click.option("--seed", type=seed_type, help="Seed of the first round. [the recipe's, or 2021]")
@click.option(
    "--pairs", metavar="N|all", callback=count_or_all, help="Training pairs of a round. [1000; uci: all]"
)
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the training pairs.")
@click.option("--batch-size", type=click.IntRange(min=2), help="Pairs per step.")
@click.option("--lr", type=float, help="Learning rate, or its peak.")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="SECTION.SETTING=VALUE",
    help="Change any setting; may be repeated.",
)
@click.option("--show-recipe", is_flag=True, help="Print the resolved recipe as TOML, and exit.")
@click.option(
    "--checkpoint-every",
    type=click.IntRange(min=1),
    metavar="N",
    help="Keep the state of training every N epochs, to resume within a round. [between rounds only]",
)
@click.option("--tensorboard", is_flag=True, help="Write metrics for TensorBoard, too.")
@click.option("--plot", is_flag=True, help="Draw the learning curves of the folders RUN, and exit.")
@click.argument("runs", nargs=-1, metavar="[RUN]...", type=click.Path(path_type=Path))
@click.option("--recipe-help", is_flag=True, help="Print every setting of a recipe, and exit.")
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
    list_: bool,
    recipe_file: str | None,
    start_from: str | None,
    rounds: int | None,
    seed: int | None,
    assignments: tuple[str, ...],
    show_recipe: bool,
    recipe_help: bool,
    check_data: bool,
    checkpoint_every: int | None,
    tensorboard: bool,
    plot: bool,
    runs: tuple[Path, ...],
    device: str,
    data_dir: Path | None,
    out: Path,
    **shortcuts: Any,
) -> None:
    """Train a network that compares two digits.

    The settings are those of --recipe; by default the flagship's, or for a variant of a report those of the
    first report. Options override them.
    Finished rounds are not trained again: after an interruption, the same command resumes.
    """
    if plot != bool(runs):
        raise click.UsageError("--plot needs the folders of runs, RUN..., and nothing else takes them")
    if recipe_help:
        from pairedge_train.experiments.recipe import recipe_help as help_text

        click.echo(help_text())
        return
    try:
        import torch
    except ImportError as error:
        raise click.ClickException("training needs torch: pip install 'pairedge[train]'") from error
    torch.set_num_threads(1)  # fastest for networks this small, and the same bytes on any number of cores
    with cli_errors(), importing_from_here():
        if list_:
            list_choices()
            return
        if plot:
            plot_runs(runs, runs[0] if len(runs) == 1 else out)
            return
        changes = {_SHORTCUTS[name]: value for name, value in shortcuts.items() if value is not None}
        own = own_settings(changes, rounds) if start_from is not None else {}
        recipe = make_recipe(recipe_file or ("adapt" if start_from else None), changes, assignments)
        if show_recipe:
            click.echo(f"# digest {recipe.digest()}\n{recipe.to_toml()}", nl=False)
        elif check_data:
            from pairedge_train.cli import check_data as checking

            checking.check_data(recipe.with_(own).data, data_dir, out)
        elif start_from is not None:
            from pairedge_train.cli.adapting import adapt

            adapt(start_from, own, recipe, seed, device, data_dir, out)
        else:
            first, count = first_rounds(recipe_file, seed, rounds)
            train(recipe, first, count, device, data_dir, out, checkpoint_every or 0, tensorboard)


def own_settings(changes: dict[str, Any], rounds: int | None) -> dict[str, Any]:
    """Take what --start-from adapts to out of the changes: the recipe's own data set is what is replayed."""
    if "network.variant" in changes or rounds not in (None, 1):
        raise click.UsageError("--start-from trains one network, as it is: without --variant and --rounds")
    if "data.dataset" not in changes:
        raise click.UsageError("--start-from needs --dataset PATH: pictures of your own")
    return {name: changes.pop(name) for name in ("data.dataset", "data.group_by") if name in changes}


def list_choices() -> None:
    """Print the variants, those of installed packages too, and the shipped recipes."""
    from pairedge_train.experiments.library import shipped_recipes
    from pairedge_train.networks.variants import Variant, installed_variants, variants

    installed = installed_variants()
    usable = [
        *variants().values(),
        *(each for each in installed.values() if isinstance(each, Variant)),
    ]
    width = max(len(variant.name) for variant in usable)
    for variant in usable:
        click.echo(f"{variant.name:<{width}} {variant.parameters:>10,} parameters  {variant.summary}")
    for name in shipped_recipes():
        click.echo(f"--recipe {shlex.quote(name)}")
    for name, found in installed.items():
        if not isinstance(found, Variant):
            click.echo(f"Left out: {name}: {found}", err=True)


def make_recipe(recipe_file: str | None, changes: dict[str, Any], assignments: tuple[str, ...]) -> Recipe:
    """The recipe of a file, or a variant's default recipe, with the command line's changes.

    The default recipe is report 000's for a variant of a report, else the flagship's.

    Args:
        recipe_file: a TOML file or the name of a shipped recipe; None for the variant's default.
        changes: settings by dotted name, from options of their own.
        assignments: from --set, which override other options.
    """
    from pairedge_train.experiments.library import load_recipe
    from pairedge_train.experiments.recipe import PUBLISHED, Recipe, setting_kinds
    from pairedge_train.experiments.settings import parse_settings
    from pairedge_train.networks.variants import import_variant

    settings = changes | parse_settings(assignments, setting_kinds())
    if recipe_file:
        recipe = load_recipe(recipe_file)
    else:
        variant = settings.get("network.variant", FLAGSHIP)
        first = variant[0] if isinstance(variant, list) and variant else variant  # of an ensemble
        recipe = load_recipe("flagship") if import_variant(str(first)).report is None else Recipe()
    dataset = settings.get("data.dataset", PUBLISHED[0])
    if not recipe_file and (dataset == "uci" or dataset not in PUBLISHED):
        small = {"data.pairs": "all", "data.test_pairs": "all", "data.validation_pairs": 100}
        settings = small | settings
    recipe = recipe.with_(settings)
    teacher = load_recipe(recipe.loss.teacher).network.members if recipe.loss.teacher else ()
    for name in (*recipe.network.members, *teacher):
        import_variant(name)  # report what cannot be trained before any data is loaded
    return recipe


def first_rounds(recipe_file: str | None, seed: int | None, rounds: int | None) -> tuple[int, int]:
    """The first round's seed and the number of rounds: as given, else the study's, else 2021 and one."""
    from pairedge_train.experiments.library import study_rows
    from pairedge_train.experiments.study import FIRST_SEED

    row = study_rows().get(recipe_file or "")
    first = (row.seed if row else FIRST_SEED) if seed is None else seed
    return first, rounds or (row.rounds if row else 1)


def plot_runs(runs: Sequence[Path], folder: Path) -> None:
    """Draw the learning curves of runs into a folder."""
    from pairedge_train.reports.learning_curves import write_curves

    for path in write_curves(runs, folder):
        click.echo(f"Curves: {path}")


def train(
    recipe: Recipe,
    seed: int,
    rounds: int,
    device: str,
    data_dir: Path | None,
    out: Path,
    checkpoint_every: int,
    tensorboard: bool,
) -> None:
    """Train the rounds of a recipe under progress bars; print the results and the next command."""
    from pairedge_train.cli.check_data import headline, reading_bar, write_sheet
    from pairedge_train.cli.progress import Progress
    from pairedge_train.cli.tensorboard import TensorBoard
    from pairedge_train.data.loading import as_data_set, load_data, load_own
    from pairedge_train.training.events import Event, RoundEnd
    from pairedge_train.training.record import METRICS
    from pairedge_train.training.rounds import checkpoint_path, run_rounds, study_folder

    check_device(device)
    own = None
    if recipe.data.is_own:
        with reading_bar() as on_picture:
            own = load_own(recipe.data, data_dir, on_picture)
        click.echo(headline(own))
        recipe = recipe.with_({"data.sha256": own.sha256})
    data = load_data(recipe.data, data_dir) if own is None else as_data_set(own, recipe.data)
    folder = study_folder(out, recipe)
    with ExitStack() as open_:
        board = open_.enter_context(closing(TensorBoard(folder / "tensorboard"))) if tensorboard else None
        progress = open_.enter_context(Progress(recipe, seed, rounds))

        def watch(event: Event) -> None:
            progress(event)
            if board:
                board(event)
            if isinstance(event, RoundEnd):
                progress.say(f"seed {event.row.seed}: {summary(event.row)}")

        rows = run_rounds(
            recipe,
            data,
            folder,
            seed=seed,
            rounds=rounds,
            device=device,
            checkpoint_every=checkpoint_every,
            watch=watch,
        )
    if len(rows) > 1:
        split = "validation" if recipe.evaluation.validation_only else "test"
        values = [100 * accuracy(row) for row in rows]
        mean, sd = statistics.mean(values), statistics.stdev(values)
        click.echo(f"{recipe.variant}: {split} accuracy {mean:.2f} % (sd {sd:.2f}, n = {len(rows)} rounds)")
    if own is not None:
        write_sheet(own, folder / "data.png")
    click.echo(f"Rows: {folder / 'rows.jsonl'}")
    if (folder / METRICS).exists():  # a version before this one wrote none
        plot_runs([folder], folder)
    named = [f"--variant={name}" for name in dict.fromkeys(recipe.network.members) if ":" in name]
    words = ["pairedge-export", *named, str(checkpoint_path(folder, rows[-1].seed))]
    click.echo(f"Next: {shlex.join(words)}")


def accuracy(row: RoundRow) -> float:
    """A round's accuracy on the test pairs, or on the validation pairs of a recipe of validation only."""
    value = row.validation_accuracy if row.test_accuracy is None else row.test_accuracy
    assert value is not None  # a recipe of validation only has validation pairs
    return value


def summary(row: RoundRow) -> str:
    """A round's results in one line."""
    split = "validation" if row.test_accuracy is None else "test"
    digits = "" if row.digit_accuracy is None else f", digits {100 * row.digit_accuracy:.2f} %"
    return f"{split} accuracy {100 * accuracy(row):.2f} %{digits}, {row.seconds:.1f} s"
