"""`pairedge-train --start-from`: adapt a trained network to one's own pictures, and say what that changed."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pairedge_train.experiments.recipe import Recipe
    from pairedge_train.rows import Adapted, Paired


def adapt(
    start_from: str,
    own_settings: dict[str, Any],
    recipe: Recipe,
    seed: int | None,
    device: str,
    data_dir: Path | None,
    out: Path,
) -> None:
    """Adapt a network under progress bars; print before and after, and the next command.

    Args:
        start_from: "shipped", or the path of a checkpoint or of an exported graph.
        own_settings: one's own pictures, and how they are split: settings by dotted name.
        recipe: how to train; its data set is what is replayed.
        seed: of the round; None for that of the start.
        device: where to train.
        data_dir: where published data sets lie.
        out: folder for results.
    """
    from pairedge_train.adaptation.fine_tune import adapt, adapted_recipe
    from pairedge_train.adaptation.start import load_start
    from pairedge_train.cli.options import check_device
    from pairedge_train.cli.progress import Progress
    from pairedge_train.data.loading import load_data
    from pairedge_train.errors import DataError
    from pairedge_train.training.rounds import checkpoint_path, study_folder

    check_device(device)
    start = load_start(start_from)
    settings = recipe.with_(own_settings).data
    if not settings.is_own:
        raise DataError(
            f"--start-from adapts to pictures of your own, by their path, not to {settings.dataset}"
        )
    own, replay = load_data(settings, data_dir), load_data(recipe.data, data_dir)
    recipe = adapted_recipe(recipe, start, own.sha256)
    seed = start.seed if seed is None else seed
    folder = study_folder(out, recipe)
    with Progress(recipe, seed, 1) as progress:
        row = adapt(recipe, start, own, replay, folder, seed=seed, device=device, watch=progress)
    assert row.adapted is not None  # as `adapt` gives it
    for line in report(row.adapted):
        click.echo(line)
    click.echo(f"Rows: {folder / 'rows.jsonl'}")
    click.echo(f"Next: pairedge-export {shlex.quote(str(checkpoint_path(folder, seed)))}")


def report(adapted: Adapted) -> list[str]:
    """What adapting changed, a line for each set of digits, and what to make of it."""
    from pairedge_train.adaptation.paired import verdict

    own, test = verdict(adapted.own), verdict(adapted.test)
    if "worse" in (own, test):
        forgotten = "your own pictures" if own == "worse" else "the digits of others"
        advice = f"It reads {forgotten} worse than before: do not use it."
    elif own == "better":
        advice = "It reads your pictures better than before."
    else:
        advice = "It is not shown to read your pictures better than before; more of them could tell."
    return [
        in_words("Your pictures, held out", adapted.own),
        in_words("Test digits of others", adapted.test),
        advice,
    ]


def in_words(name: str, paired: Paired) -> str:
    """A comparison in one line."""
    from pairedge_train.adaptation.paired import verdict

    return (
        f"{name} (n = {paired.n:,}): {100 * paired.before:.2f} % correct before, {100 * paired.after:.2f} % "
        f"after; {paired.gained} gained, {paired.lost} lost: {verdict(paired)} (p = {paired.p:.2g})"
    )
