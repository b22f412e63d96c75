"""Rounds: train a recipe once for each seed, keep a checkpoint and a row for each, and skip what is done."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

from filelock import FileLock
from torch import Generator

from pairedge_train.data.datasets import DataSet
from pairedge_train.data.pairs import Draw, draw_pairs
from pairedge_train.data.synthetic import with_synthetic
from pairedge_train.errors import DivergedError, RecipeError
from pairedge_train.experiments.library import load_recipe
from pairedge_train.experiments.recipe import Architecture, Recipe
from pairedge_train.experiments.study import FIRST_SEED
from pairedge_train.machine import machine
from pairedge_train.networks.network import Network, build_network, ensemble_network, to_channels_last
from pairedge_train.randomness import drawn_from
from pairedge_train.rows import RoundRow, append_row, read_rows
from pairedge_train.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from pairedge_train.training.fit import Epoch, fit
from pairedge_train.training.measure import calibrate, curves, measure, thresholds
from pairedge_train.training.stacked import can_stack


@dataclass(frozen=True)
class Stage:
    """Which network is being trained.

    Attributes:
        variant: its architecture.
        seed: of its round.
        epochs: how many it is trained for at most.
        teacher: whether it is the teacher of the network that is asked for.
    """

    variant: str
    seed: int
    epochs: int
    teacher: bool = False


OnEpoch: TypeAlias = Callable[[Stage, Epoch], None]
OnPictures: TypeAlias = Callable[[int], None]  # called with how many were rendered since the last call


def study_folder(out: Path, recipe: Recipe) -> Path:
    """Where a recipe's rounds lie under `out`: the same recipe always finds its own rounds again."""
    return out / f"{recipe.variant}-{recipe.digest()}"


def checkpoint_path(folder: Path, seed: int) -> Path:
    """Where a round's checkpoint lies in its study's folder."""
    return folder / f"seed-{seed}.safetensors"


def finished_rows(folder: Path, recipe: Recipe) -> dict[int, RoundRow]:
    """The rows of finished rounds by seed; a round is finished when it has both row and checkpoint."""
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
    on_pictures: OnPictures = lambda _: None,
    on_epoch: OnEpoch = lambda _stage, _epoch: None,
    on_round: Callable[[RoundRow], None] = lambda _: None,
) -> list[RoundRow]:
    """Train every round of a recipe that has no row yet; give the rows of all its rounds, by seed.

    A checkpoint is written before its row, so that a study that is killed at any moment is continued by the
    same call, and a finished round is never lost or counted twice. A round that another process is training
    is waited for.

    Args:
        recipe: how.
        data: what the pairs are drawn from.
        folder: of the recipe's checkpoints and rows.
        seed: of the first round; round i, from 0, has the seed `seed + i`. In cross-validation with k folds,
            rounds 0 to k - 1 are the folds of one draw of pairs, the next k rounds those of another.
        rounds: how many.
        device: where to train.
        on_pictures: called as synthetic pictures are rendered.
        on_epoch: called after each epoch, of each member and of a teacher too.
        on_round: called for each round, those too that were finished before.

    Raises:
        DivergedError: when a round's loss is not finite; it names the round.
        OutputError: when a result cannot be written.
    """
    rows = []
    for number in range(rounds):
        with one_process(folder, seed + number):
            row = finished_rows(folder, recipe).get(seed + number)
            if row is None:
                try:
                    checkpoint, row = train_round(
                        recipe,
                        data,
                        seed,
                        number,
                        device=device,
                        runs=folder.parent,
                        on_pictures=on_pictures,
                        on_epoch=on_epoch,
                    )
                except DivergedError as error:
                    place = f"round {number + 1} of {rounds} (seed {seed + number})"
                    raise DivergedError(f"{place}: {error}") from error
                save_checkpoint(checkpoint_path(folder, seed + number), checkpoint)
                append_row(folder / "rows.jsonl", row)
        on_round(row)
        rows.append(row)
    return rows


@contextmanager
def one_process(folder: Path, seed: int) -> Iterator[None]:
    """Let one process of this machine at a time train a round; the others then find it finished."""
    place = hashlib.sha256(f"{checkpoint_path(folder, seed).absolute()}".encode()).hexdigest()[:16]
    # Beside the results a lock would be in the way of who reads them, and of a folder that is not there yet.
    lock = Path(tempfile.gettempdir()) / f"pairedge-{place}.lock"
    with FileLock(lock):
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def train_round(
    recipe: Recipe,
    data: DataSet,
    seed: int = FIRST_SEED,
    number: int = 0,
    *,
    device: str = "cpu",
    runs: Path = Path("runs"),
    on_pictures: OnPictures = lambda _: None,
    on_epoch: OnEpoch = lambda _stage, _epoch: None,
) -> tuple[Checkpoint, RoundRow]:
    """One round: draw pairs, train fresh weights, measure.

    The round's own seed, `seed + number`, decides everything random. In cross-validation with k folds, each k
    rounds share the pairs that the seed of the first of them draws, and differ in the fold that validates.

    Args:
        recipe: how.
        data: what the pairs are drawn from.
        seed: of the first round.
        number: which round, from 0.
        device: where to train.
        runs: where the rounds of teachers lie: one that is missing there is trained first, and kept.
        on_pictures: called as synthetic pictures are rendered.
        on_epoch: called after each epoch, of each member and of a teacher too.
    """
    data = with_synthetic(data, recipe.data.synthetic, seed + number, on_pictures)
    teacher = teacher_of(recipe, data, seed + number, device, runs, on_epoch) if recipe.loss.teacher else None
    draw, generator = draw_round(recipe, data, seed, number, device)
    with drawn_from(generator):
        members, histories = [], []
        for variant in recipe.network.members:
            network = fresh_network(Architecture(variant=variant), recipe, draw, device)
            [history] = fit(
                [network],
                [draw],
                recipe,
                generators=[generator],
                teacher=teacher,
                on_epoch=partial(on_epoch, Stage(variant, seed + number, recipe.optim.epochs)),
            )
            members.append(network)
            histories.append(history)
        network = ensemble_network(members).to(device)
        return finish_round(recipe, data, seed, number, draw, network, histories)


def teacher_of(
    recipe: Recipe, data: DataSet, seed: int, device: str, runs: Path, on_epoch: OnEpoch
) -> Network:
    """The trained network of a recipe's teacher for the same round, hence for the same pairs."""
    teacher = load_recipe(recipe.loss.teacher)
    if teacher.data != recipe.data:
        raise RecipeError(f"teacher {recipe.loss.teacher!r} draws other pairs than its student")
    folder = study_folder(runs, teacher)

    def on_teacher_epoch(stage: Stage, epoch: Epoch) -> None:
        on_epoch(replace(stage, teacher=True), epoch)

    run_rounds(teacher, data, folder, seed=seed, device=device, on_epoch=on_teacher_epoch)
    return to_channels_last(load_checkpoint(checkpoint_path(folder, seed)).network.to(device))


def train_rounds(
    recipe: Recipe, data: DataSet, seed: int, numbers: Sequence[int], *, device: str = "cpu"
) -> list[tuple[Checkpoint, RoundRow]]:
    """Several rounds, trained together where that can be, in well under half the time.

    Pairs, first weights and the order of pairs are those of `train_round`. Dropout is not, so that a round's
    bytes depend on its company, which the row counts as "stacked".

    Raises:
        DivergedError: when the loss of one of the rounds is not finite.
    """
    if len(numbers) == 1 or not can_stack(recipe):
        return [train_round(recipe, data, seed, number, device=device) for number in numbers]
    draws, generators, networks = [], [], []
    for number in numbers:
        draw, generator = draw_round(recipe, data, seed, number, device)
        with drawn_from(generator):
            networks.append(fresh_network(recipe.network, recipe, draw, device))
        draws.append(draw)
        generators.append(generator)
    with drawn_from(Generator().manual_seed(seed + numbers[0])):
        histories = fit(networks, draws, recipe, generators=generators)
        return [
            finish_round(recipe, data, seed, number, draw, network, [history], stacked=len(numbers))
            for number, draw, network, history in zip(numbers, draws, networks, histories, strict=True)
        ]


def draw_round(recipe: Recipe, data: DataSet, seed: int, number: int, device: str) -> tuple[Draw, Generator]:
    """A round's pairs, on its device, and the generator that decides what else is random in it."""
    folds = recipe.data.folds
    fold = number % folds if folds else 0
    generator = Generator().manual_seed(seed + number - fold)
    draw = draw_pairs(data, recipe.data, generator, fold=fold).to(device)
    return draw, generator.manual_seed(seed + number) if folds else generator


def fresh_network(architecture: Architecture, recipe: Recipe, draw: Draw, device: str) -> Network:
    """A network to be trained, on its device, normalized by the round's pairs where the recipe says so."""
    statistics = (draw.mean, draw.std) if recipe.data.normalize == "standardize" else (0.0, 1.0)
    return to_channels_last(build_network(architecture, *statistics).to(device))


def finish_round(
    recipe: Recipe,
    data: DataSet,
    seed: int,
    number: int,
    draw: Draw,
    network: Network,
    histories: list[list[Epoch]],
    *,
    stacked: int = 1,
) -> tuple[Checkpoint, RoundRow]:
    """Calibrate and measure a trained network, take it to the CPU, and make its checkpoint and row.

    Of several members' histories the row shows the first one's curves, and the seconds of all.
    """
    calibrate(network, draw, recipe.evaluation)
    metrics = measure(network, draw, data.test, recipe.evaluation)
    if recipe.data.synthetic.negatives:
        metrics |= thresholds(network, draw)
    fold = number % recipe.data.folds if recipe.data.folds else None
    row = RoundRow(
        variant=recipe.variant,
        dataset=recipe.data.dataset,
        recipe=recipe.digest(),
        seed=seed + number,
        fold=fold,
        curves=curves(histories[0]),
        epochs=len(histories[0]),
        seconds=round(sum(epoch.seconds for history in histories for epoch in history), 3),
        stacked=stacked,
        parameters=network.parameter_count(),
        pretrained=getattr(network.body, "pretrained", None),
        device=str(draw.training.images.device),
        machine=machine(),
        **metrics,
    )
    digest = draw.training.sha256()
    return Checkpoint(network, recipe, seed + number, fold, digest, metrics, machine()), row
