"""Rounds: train a recipe once per seed, keep a checkpoint and a row of each, and skip finished ones."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import torch
from torch import Generator

from pairedge_train.data.datasets import DataSet
from pairedge_train.data.synthetic import with_synthetic
from pairedge_train.errors import DivergedError, RecipeError
from pairedge_train.experiments.library import load_recipe
from pairedge_train.experiments.recipe import Architecture, Recipe
from pairedge_train.experiments.study import FIRST_SEED
from pairedge_train.files import one_writer
from pairedge_train.networks.network import Network, ensemble_network, to_channels_last
from pairedge_train.networks.variants import get_variant
from pairedge_train.randomness import drawn_from
from pairedge_train.rows import RoundRow, append_row, read_rows
from pairedge_train.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from pairedge_train.training.events import EpochEnd, Event, Judged, Rendered, RoundEnd, Step, Watch, unwatched
from pairedge_train.training.one_round import (
    Round,
    draw_round,
    finish_round,
    fit_watched,
    fresh_network,
    identity,
)
from pairedge_train.training.record import Record
from pairedge_train.training.snapshot import Snapshot
from pairedge_train.training.stacked import can_stack


def study_folder(out: Path, recipe: Recipe) -> Path:
    """The folder of a recipe's rounds under `out`; its name is a function of the recipe and its own variants.

    A variant of one's own adds a digest of its code, so that an edited one is trained anew, elsewhere.
    """
    sources = [get_variant(name).source for name in recipe.network.members]
    digests = [recipe.digest(), *dict.fromkeys(source for source in sources if source)]
    return out / "-".join([recipe.variant.replace(":", "."), *digests])


def checkpoint_path(folder: Path, seed: int) -> Path:
    """The path of a round's checkpoint in its recipe's folder."""
    return folder / f"seed-{seed}.safetensors"


def snapshot_path(folder: Path, seed: int) -> Path:
    """The path of an unfinished round's snapshot in its recipe's folder."""
    return folder / f"seed-{seed}.unfinished"


def finished_rows(folder: Path, recipe: Recipe) -> dict[int, RoundRow]:
    """The rows of finished rounds by seed; a finished round has both row and checkpoint."""
    digest = recipe.digest()
    return {
        row.seed: row
        for row in read_rows(folder / "rows.jsonl")
        if row.recipe == digest and checkpoint_path(folder, row.seed).exists()
    }


def run_rounds(
    recipe: Recipe,
    data: DataSet,
    folder: Path,
    *,
    seed: int = FIRST_SEED,
    rounds: int = 1,
    device: str = "cpu",
    checkpoint_every: int = 0,
    watch: Watch = unwatched,
) -> list[RoundRow]:
    """Train every unfinished round of a recipe, and give the rows of all its rounds, by seed.

    A checkpoint is written before its row: after a kill at any moment the same call resumes, and a finished
    round is never lost or counted twice. If another process is training a round, wait for its result.

    Args:
        recipe: the recipe.
        data: the data set that the pairs are drawn from.
        folder: folder of the recipe's checkpoints and rows, and of what `Record` writes.
        seed: seed of the first round; round i, from 0, has seed `seed + i`. In cross-validation with k folds,
            rounds 0 to k - 1 are the folds of one draw of pairs, the next k rounds those of another.
        rounds: number of rounds.
        device: where to train; on another device than a CPU, rounds that can be stacked train together.
        checkpoint_every: epochs between two snapshots of an unfinished round; 0 writes none. A round goes on
            from a snapshot that is there in any case.
        watch: told what happens, also of a teacher, and of rounds that were finished before.

    Raises:
        DivergedError: when a round's loss is not finite; it names the round.
        OutputError: when a result cannot be written.
    """
    record = Record(folder, recipe)

    def watch_and_record(event: Event) -> None:
        record(event)
        watch(event)

    rows: dict[int, RoundRow] = {}
    todo = bundles(recipe, rounds, device)
    while todo:
        numbers = todo.pop(0)
        with ExitStack() as locks:
            for number in numbers:
                locks.enter_context(one_writer(checkpoint_path(folder, seed + number)))
            finished = finished_rows(folder, recipe)
            missing = [number for number in numbers if seed + number not in finished]
            snapshot = Snapshot(snapshot_path(folder, seed + numbers[0]), checkpoint_every)
            if missing:
                start = time.perf_counter()
                try:
                    trained = train_rounds(
                        recipe,
                        data,
                        seed,
                        missing,
                        device=device,
                        runs=folder.parent,
                        snapshot=snapshot,
                        watch=watch_and_record,
                    )
                except DivergedError as error:
                    snapshot.remove()
                    if len(missing) > 1:  # of a bundle, train alone what does not diverge, and name what does
                        todo[:0] = [[number] for number in numbers]
                        continue
                    name = f"round {missing[0] + 1} of {rounds} (seed {seed + missing[0]})"
                    raise DivergedError(f"{name}: {error}") from error
                finished |= keep_rounds(folder, record, trained, time.perf_counter() - start)
            snapshot.remove()
        for number in numbers:
            rows[number] = finished[seed + number]
            watch(RoundEnd(rows[number]))
    return [rows[number] for number in range(rounds)]


def keep_rounds(
    folder: Path, record: Record, trained: Sequence[tuple[Checkpoint, RoundRow]], seconds: float
) -> dict[int, RoundRow]:
    """Write the checkpoints and rows of rounds that were trained together, and give the rows by seed."""
    bundle = tuple(row.seed for _, row in trained) if len(trained) > 1 else None
    rows: dict[int, RoundRow] = {}
    for checkpoint, row in trained:
        rows[row.seed] = replace(row, bundle=bundle)
        save_checkpoint(checkpoint_path(folder, row.seed), checkpoint)
        record.finish(rows[row.seed], seconds / len(trained))
        append_row(folder / "rows.jsonl", rows[row.seed])
    return rows


def bundles(recipe: Recipe, rounds: int, device: str) -> list[list[int]]:
    """The numbers of the rounds that are trained together, one bundle after the other.

    On a GPU that is all of them, where they can be stacked. On a CPU it is each alone: what `pairedge-train`
    trains does not depend on how many rounds are asked for. Studies have bundles for a CPU.
    """
    together = torch.device(device).type != "cpu" and can_stack(recipe)
    return [list(range(rounds))] if together else [[number] for number in range(rounds)]


def train_round(
    recipe: Recipe,
    data: DataSet,
    seed: int = FIRST_SEED,
    number: int = 0,
    *,
    device: str = "cpu",
    runs: Path = Path("runs"),
    snapshot: Snapshot | None = None,
    watch: Watch = unwatched,
) -> tuple[Checkpoint, RoundRow]:
    """Train one round: draw pairs, train fresh weights, calibrate and evaluate.

    The round's own seed, `seed + number`, determines everything random. In cross-validation with k folds,
    each k rounds share the pairs that the seed of the first of them draws, and differ in the validation fold.

    Args:
        recipe: the recipe.
        data: the data set that the pairs are drawn from.
        seed: seed of the first round.
        number: index of the round, from 0.
        device: where to train.
        runs: folder of teachers' rounds; a missing teacher is trained first, and kept there.
        snapshot: keeps the unfinished training, and has that of an earlier call.
        watch: told what happens, also of a teacher.
    """
    snapshot = snapshot or Snapshot()
    this = Round(recipe, seed, number)
    # Synthetic pictures know nothing of the classes' names.
    rendered = with_synthetic(data, recipe.data, this.seed, lambda pictures: watch(Rendered(pictures)))
    data = replace(rendered, classes=data.classes)
    teacher = teacher_of(this, data, device, runs, snapshot.every, watch) if recipe.loss.teacher else None
    draw, generator = draw_round(this, data, device)
    snapshot.open(device, lambda: identity([this], [draw], device))
    with drawn_from(generator):
        members, histories = [], []
        for member in range(len(recipe.network.members)):
            stage = this.stage(draw, member)
            network = fresh_network(Architecture(variant=stage.variant), recipe, draw, device)
            history = snapshot.finished_member(member, network)
            if history is None:
                [history] = fit_watched(
                    [stage], [network], [draw], recipe, [generator], snapshot, watch, teacher
                )
                snapshot.finish_member(network, history)
            else:
                for epoch in history:
                    watch(EpochEnd(replace(stage, resumed=len(history)), epoch))
            members.append(network)
            histories.append(history)
        network = ensemble_network(members).to(device)
        return finish_round(this, data, draw, network, histories, snapshot.machine, watch)


def teacher_of(
    student: Round, data: DataSet, device: str, runs: Path, checkpoint_every: int, watch: Watch
) -> Network:
    """The trained teacher of a recipe's round, of the same seed and so of the same pairs."""
    name, seed = student.recipe.loss.teacher, student.seed
    teacher = load_recipe(name)
    if teacher.data != student.recipe.data:
        raise RecipeError(f"teacher {name!r} draws other pairs than its student")
    folder = study_folder(runs, teacher)

    def watch_teacher(event: Event) -> None:
        match event:
            case Step(stage) | EpochEnd(stage):
                watch(replace(event, stage=replace(stage, teacher=True)))
            case Judged():
                watch(event)

    run_rounds(
        teacher,
        data,
        folder,
        seed=seed,
        device=device,
        checkpoint_every=checkpoint_every,
        watch=watch_teacher,
    )
    return to_channels_last(load_checkpoint(checkpoint_path(folder, seed)).network.to(device))


def train_rounds(
    recipe: Recipe,
    data: DataSet,
    seed: int,
    numbers: Sequence[int],
    *,
    device: str = "cpu",
    runs: Path = Path("runs"),
    snapshot: Snapshot | None = None,
    watch: Watch = unwatched,
) -> list[tuple[Checkpoint, RoundRow]]:
    """Train several rounds together where the recipe allows it, in well under half the time.

    Pairs, initial weights and the order of pairs are those of `train_round`. Dropout is not, so a round's
    weights depend on the rounds trained with it, whose number is the row's `stacked`.

    Args: as of `train_round`.

    Raises:
        DivergedError: when the loss of one of the rounds is not finite.
    """
    if len(numbers) == 1 or not can_stack(recipe):
        return [
            train_round(recipe, data, seed, number, device=device, runs=runs, snapshot=snapshot, watch=watch)
            for number in numbers
        ]
    snapshot = snapshot or Snapshot()
    rounds = [Round(recipe, seed, number) for number in numbers]
    draws, generators, networks = [], [], []
    for each in rounds:
        draw, generator = draw_round(each, data, device)
        with drawn_from(generator):
            networks.append(fresh_network(recipe.network, recipe, draw, device))
        draws.append(draw)
        generators.append(generator)
    snapshot.open(device, lambda: identity(rounds, draws, device))
    stages = [each.stage(draw) for each, draw in zip(rounds, draws, strict=True)]
    with drawn_from(Generator().manual_seed(rounds[0].seed)):
        histories = fit_watched(stages, networks, draws, recipe, generators, snapshot, watch)
        trained = zip(rounds, draws, networks, histories, strict=True)
        return [
            finish_round(each, data, draw, network, [history], snapshot.machine, watch, stacked=len(rounds))
            for each, draw, network, history in trained
        ]
