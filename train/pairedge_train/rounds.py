"""Rounds: train a recipe once for each seed, keep a checkpoint and a row for each, and skip what is done."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Generator

from pairedge_train.checkpoint import Checkpoint, save_checkpoint
from pairedge_train.data import DataSet, draw_pairs
from pairedge_train.errors import DivergedError
from pairedge_train.evaluate import accuracy
from pairedge_train.fit import Epoch, fit
from pairedge_train.network import build_network
from pairedge_train.randomness import drawn_from
from pairedge_train.recipe import Recipe
from pairedge_train.rows import Row, append_row, read_rows


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
                checkpoint, row = train_round(
                    recipe, data, seed, device=device, on_epoch=lambda epoch, seed=seed: on_epoch(seed, epoch)
                )
            except DivergedError as error:
                number = seed - recipe.seed + 1
                raise DivergedError(f"round {number} of {recipe.rounds} (seed {seed}): {error}") from error
            save_checkpoint(checkpoint_path(folder, seed), checkpoint)
            append_row(folder / "rows.jsonl", row)
            rows[seed] = row
        on_round(rows[seed])
    return [rows[seed] for seed in range(recipe.seed, recipe.seed + recipe.rounds)]


def train_round(
    recipe: Recipe,
    data: DataSet,
    seed: int,
    *,
    device: str = "cpu",
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> tuple[Checkpoint, Row]:
    """One round: draw pairs, train fresh weights, measure. The seed decides everything random."""
    generator = Generator().manual_seed(seed)
    draw = draw_pairs(data, recipe, generator)
    training, test = draw.training.to(device), draw.test.to(device)
    validation = draw.validation.to(device) if draw.validation else None
    with drawn_from(generator):
        network = build_network(recipe, draw.training).to(device)
        start = time.perf_counter()
        history = fit(
            network,
            training,
            recipe,
            generator=generator,
            redraw_from=draw.training_digits,
            validation=validation,
            on_epoch=on_epoch,
        )
        seconds = time.perf_counter() - start
    on_test = accuracy(network, test)
    measured = {
        "train_accuracy": accuracy(network, training).pairs,
        "validation_accuracy": history[-1].validation_accuracy,
        "test_accuracy": on_test.pairs,
        "digit_accuracy": on_test.digits,
        "pairs": len(training),
        "test_pairs": len(test),
    }
    row = {
        "variant": recipe.variant,
        "dataset": recipe.dataset,
        "recipe": recipe.digest(),
        "seed": seed,
        **measured,
        "epochs": len(history),
        "seconds": round(seconds, 3),
        "parameters": network.parameter_count(),
        "device": device,
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }
    one_round = replace(recipe, rounds=1, seed=seed)
    return Checkpoint(network.cpu(), one_round, seed, draw.training.sha256(), measured), row
