"""Rounds: train a recipe once for each seed, keep a checkpoint and a row for each, and skip what is done."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Generator

from pairedge_train.data.datasets import DataSet
from pairedge_train.data.pairs import Draw, draw_pairs
from pairedge_train.data.synthetic import mixed
from pairedge_train.errors import DivergedError, RecipeError
from pairedge_train.experiments.library import load_recipe
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.networks.ensemble import ensemble_of
from pairedge_train.networks.network import Network, build_network
from pairedge_train.randomness import drawn_from
from pairedge_train.rows import Row, append_row, read_rows
from pairedge_train.training.calibration import (
    doubt_threshold,
)
from pairedge_train.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from pairedge_train.training.evaluate import judge
from pairedge_train.training.fit import Epoch, fit
from pairedge_train.training.fit_stacked import can_stack, fit_stacked
from pairedge_train.training.measure import calibrate, curves, judged_exactly, searched

# What decides a round's draw beside its seed.
DRAWING = ("dataset", "pairs", "validation_pairs", "hold_out", "folds", "rendered", "printed", "not_digits")


def study_folder(out: Path, recipe: Recipe) -> Path:
    """Where a recipe's rounds lie under `out`: the same recipe always finds its own rounds again."""
    return out / f"{recipe.variant}-{recipe.digest()}"


def checkpoint_path(folder: Path, seed: int) -> Path:
    """Where a round's checkpoint lies in its study's folder."""
    return folder / f"seed-{seed}.safetensors"


def finished_rows(folder: Path, recipe: Recipe) -> dict[int, Row]:
    """The rows of finished rounds by seed; a round is finished when it has both row and checkpoint."""
    rows = read_rows(folder / "rows.jsonl")
    return {
        row["seed"]: row
        for row in rows
        if row["recipe"] == recipe.digest() and checkpoint_path(folder, row["seed"]).exists()
    }


def run_rounds(
    recipe: Recipe,
    data: DataSet,
    folder: Path,
    *,
    device: str = "cpu",
    on_epoch: Callable[[int, Epoch], None] = lambda _seed, _epoch: None,
    on_round: Callable[[Row], None] = lambda _: None,
) -> list[Row]:
    """Train every round of a recipe that has no row yet; give the rows of all its rounds, by seed.

    A checkpoint is written before its row, so that a study that is killed at any moment is continued by the
    same call, and a finished round is never lost or counted twice.

    Raises:
        DivergedError: when a round's loss is not finite; it names the round.
        OutputError: when a result cannot be written.
    """
    rows = finished_rows(folder, recipe)
    for seed in range(recipe.seed, recipe.seed + recipe.rounds):
        if seed not in rows:
            try:
                number = seed - recipe.seed
                checkpoint, row = train_round(
                    recipe, data, number, device=device, runs=folder.parent, on_epoch=partial(on_epoch, seed)
                )
            except DivergedError as error:
                raise DivergedError(
                    f"round {number + 1} of {recipe.rounds} (seed {seed}): {error}"
                ) from error
            save_checkpoint(checkpoint_path(folder, seed), checkpoint)
            append_row(folder / "rows.jsonl", row)
            rows[seed] = row
        on_round(rows[seed])
    return [rows[seed] for seed in range(recipe.seed, recipe.seed + recipe.rounds)]


def train_round(
    recipe: Recipe,
    data: DataSet,
    number: int,
    *,
    device: str = "cpu",
    runs: Path = Path("runs"),
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> tuple[Checkpoint, Row]:
    """One round: draw pairs, train fresh weights, measure.

    Round `number`, from 0, has the seed `recipe.seed + number`, which decides everything random. Where the
    recipe has folds, its rounds share the pairs that the first seed draws, and `number` is the fold.

    Args:
        recipe: how.
        data: what the pairs are drawn from.
        number: which round.
        device: where to train.
        runs: where the studies of teachers lie: one that is missing there is trained first, and kept.
        on_epoch: called after each epoch, of each member in turn.
    """
    data = mixed(data, recipe, recipe.seed + number)
    teacher = teacher_of(recipe, data, number, device, runs) if recipe.teacher else None
    draw, generator = draw_round(recipe, data, number, device)
    with drawn_from(generator):
        members, histories = [], []
        for variant in recipe.member_variants:
            network = fresh_network(recipe.with_(members=1, variant=variant), draw, device)
            histories.append(
                fit(network, draw, recipe, generator=generator, teacher=teacher, on_epoch=on_epoch)
            )
            members.append(network)
        if recipe.members > 1:
            body = ensemble_of([member.body for member in members])
            network = Network(body, float(network.mean), float(network.std)).to(device)
        return finish_round(recipe, data, number, draw, network, histories)


def teacher_of(recipe: Recipe, data: DataSet, number: int, device: str, runs: Path) -> Network:
    """The trained network of a recipe's teacher for the same round, hence for the same draw."""
    taught_by = load_recipe(recipe.teacher).with_(rounds=1, seed=recipe.seed + number)
    if any(getattr(taught_by, name) != getattr(recipe, name) for name in DRAWING):
        raise RecipeError(f"teacher {recipe.teacher!r} draws other pairs than its student")
    folder = study_folder(runs, taught_by)
    [row] = run_rounds(taught_by, data, folder, device=device)
    return quickest(load_checkpoint(checkpoint_path(folder, row["seed"])).network.to(device))


def train_rounds(
    recipe: Recipe, data: DataSet, numbers: Sequence[int], *, device: str = "cpu"
) -> list[tuple[Checkpoint, Row]]:
    """Several rounds, trained together where that can be, in well under half the time.

    Pairs, first weights and the order of pairs are those of `train_round`. Dropout is not, so that a round's
    bytes depend on its company, which the row counts as "stacked".

    Raises:
        DivergedError: when the loss of one of the rounds is not finite.
    """
    if len(numbers) == 1 or not can_stack(recipe):
        return [train_round(recipe, data, number, device=device) for number in numbers]
    draws, generators, networks = [], [], []
    for number in numbers:
        draw, generator = draw_round(recipe, data, number, device)
        with drawn_from(generator):
            networks.append(fresh_network(recipe, draw, device))
        draws.append(draw)
        generators.append(generator)
    with drawn_from(Generator().manual_seed(recipe.seed + numbers[0])):
        histories = fit_stacked(networks, draws, recipe, generators=generators)
        return [
            finish_round(recipe, data, number, draw, network, [history], stacked=len(numbers))
            for number, draw, network, history in zip(numbers, draws, networks, histories, strict=True)
        ]


def draw_round(recipe: Recipe, data: DataSet, number: int, device: str) -> tuple[Draw, Generator]:
    """A round's pairs, on its device, and the generator that decides what else is random in it."""
    seed = recipe.seed + number
    generator = Generator().manual_seed(recipe.seed if recipe.folds else seed)
    draw = draw_pairs(data, recipe, generator, fold=number).to(device)
    return draw, generator.manual_seed(seed) if recipe.folds else generator


def fresh_network(recipe: Recipe, draw: Draw, device: str) -> Network:
    """A network to be trained, on its device."""
    return quickest(build_network(recipe, draw).to(device))


def quickest(network: Network) -> Network:
    """The network in the order of dimensions in which the CPU's kernels are quickest."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's types lack it
    return network


def finish_round(
    recipe: Recipe,
    data: DataSet,
    number: int,
    draw: Draw,
    network: Network,
    histories: list[list[Epoch]],
    *,
    stacked: int = 1,
) -> tuple[Checkpoint, Row]:
    """Measure a trained network, take it to the CPU, and make its checkpoint and row.

    Of several members' histories the row shows the first one's curves, and the seconds of all.
    """
    seed = recipe.seed + number
    calibrate(network, draw, recipe)
    judged = partial(judge, network, dropout=recipe.dropout_at_eval)
    train, test = judged(draw.training), None if recipe.blind else judged(draw.test)
    validation = judged(draw.validation) if draw.validation else None
    network.cpu().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # as above
    measured = {
        "train_accuracy": train.pairs,
        "validation_accuracy": validation.pairs if validation else None,
        "test_accuracy": test.pairs if test else None,
        "digit_accuracy": test.digits if test else None,
        "exact_accuracy": None,
        "doubt_threshold": None,
        "pairs": len(draw.training),
        "test_pairs": len(draw.test),
    }
    if recipe.not_digits and draw.validation:
        measured["doubt_threshold"] = doubt_threshold(network, draw.validation)
    if recipe.blind:
        measured |= searched(network, draw)
    else:
        measured |= judged_exactly(network, data.test, learned=recipe.exact)
    row = {
        "variant": recipe.variant,
        "dataset": recipe.dataset,
        "recipe": recipe.digest(),
        "seed": seed,
        "fold": number if recipe.folds else None,
        **measured,
        "curves": curves(histories[0]),
        "epochs": len(histories[0]),
        "seconds": round(sum(epoch.seconds for history in histories for epoch in history), 3),
        "stacked": stacked,
        "parameters": network.parameter_count(),
        "pretrained": getattr(network.body, "pretrained", None),
        "device": str(draw.training.images.device),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }
    one_round = replace(recipe, rounds=1, seed=seed) if not recipe.folds else replace(recipe, rounds=1)
    return Checkpoint(network, one_round, seed, draw.training.sha256(), measured), row
