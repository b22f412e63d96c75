"""Rounds: train a recipe once per seed, keep a checkpoint and a row of each, and skip finished ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from torch import Generator

from pairedge_train.data.datasets import DataSet
from pairedge_train.data.pairs import Draw, draw_pairs
from pairedge_train.data.synthetic import with_synthetic
from pairedge_train.errors import DivergedError, RecipeError
from pairedge_train.experiments.library import load_recipe
from pairedge_train.experiments.recipe import Architecture, Recipe
from pairedge_train.experiments.study import FIRST_SEED
from pairedge_train.files import one_writer
from pairedge_train.machine import machine
from pairedge_train.networks.network import Network, build_network, ensemble_network, to_channels_last
from pairedge_train.networks.variants import get_variant
from pairedge_train.randomness import drawn_from
from pairedge_train.rows import RoundRow, append_row, read_rows
from pairedge_train.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from pairedge_train.training.events import (
    EpochEnd,
    Event,
    Judged,
    Rendered,
    RoundEnd,
    Stage,
    Step,
    Watch,
    unwatched,
)
from pairedge_train.training.fit import Epoch, batches_per_epoch, fit
from pairedge_train.training.measure import calibrate, curves, measure, thresholds
from pairedge_train.training.stacked import can_stack


@dataclass(frozen=True)
class Round:
    """One round of a recipe.

    Attributes:
        recipe: the recipe.
        first_seed: seed of the first round.
        number: index of the round, from 0.
    """

    recipe: Recipe
    first_seed: int
    number: int

    @property
    def seed(self) -> int:
        """The round's own seed, which names it."""
        return self.first_seed + self.number

    @property
    def fold(self) -> int | None:
        """The validation fold; None without cross-validation."""
        folds = self.recipe.data.folds
        return self.number % folds if folds else None

    def stage(self, draw: Draw, member: int = 0) -> Stage:
        """The training of one of its networks."""
        settings = self.recipe.optim
        steps = batches_per_epoch(draw.training, settings)
        return Stage(self.recipe.network.members[member], self.seed, settings.epochs, steps, member)


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
    watch: Watch = unwatched,
) -> list[RoundRow]:
    """Train every unfinished round of a recipe, and give the rows of all its rounds, by seed.

    A checkpoint is written before its row: after a kill at any moment the same call resumes, and a finished
    round is never lost or counted twice. If another process is training a round, wait for its result.

    Args:
        recipe: the recipe.
        data: the data set that the pairs are drawn from.
        folder: folder of the recipe's checkpoints and rows.
        seed: seed of the first round; round i, from 0, has seed `seed + i`. In cross-validation with k folds,
            rounds 0 to k - 1 are the folds of one draw of pairs, the next k rounds those of another.
        rounds: number of rounds.
        device: where to train.
        watch: told what happens, also of a teacher, and of rounds that were finished before.

    Raises:
        DivergedError: when a round's loss is not finite; it names the round.
        OutputError: when a result cannot be written.
    """
    rows = []
    for number in range(rounds):
        path = checkpoint_path(folder, seed + number)
        with one_writer(path):
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
                        watch=watch,
                    )
                except DivergedError as error:
                    name = f"round {number + 1} of {rounds} (seed {seed + number})"
                    raise DivergedError(f"{name}: {error}") from error
                save_checkpoint(path, checkpoint)
                append_row(folder / "rows.jsonl", row)
        watch(RoundEnd(row))
        rows.append(row)
    return rows


def train_round(
    recipe: Recipe,
    data: DataSet,
    seed: int = FIRST_SEED,
    number: int = 0,
    *,
    device: str = "cpu",
    runs: Path = Path("runs"),
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
        watch: told what happens, also of a teacher.
    """
    this = Round(recipe, seed, number)
    # Synthetic pictures know nothing of the classes' names.
    rendered = with_synthetic(data, recipe.data, this.seed, lambda pictures: watch(Rendered(pictures)))
    data = replace(rendered, classes=data.classes)
    teacher = teacher_of(recipe, data, this.seed, device, runs, watch) if recipe.loss.teacher else None
    draw, generator = draw_round(this, data, device)
    with drawn_from(generator):
        members, histories = [], []
        for member in range(len(recipe.network.members)):
            stage = this.stage(draw, member)
            network = fresh_network(Architecture(variant=stage.variant), recipe, draw, device)
            [history] = fit(
                [network],
                [draw],
                recipe,
                generators=[generator],
                teacher=teacher,
                on_step=partial(watch, Step(stage)),
                on_epoch=partial(tell_epoch, watch, [stage]),
            )
            members.append(network)
            histories.append(history)
        network = ensemble_network(members).to(device)
        return finish_round(this, data, draw, network, histories, watch)


def tell_epoch(watch: Watch, stages: Sequence[Stage], epochs: Sequence[Epoch]) -> None:
    """Tell a watch of an epoch of one network, or of several that are trained together."""
    for stage, epoch in zip(stages, epochs, strict=True):
        watch(EpochEnd(stage, epoch))


def teacher_of(recipe: Recipe, data: DataSet, seed: int, device: str, runs: Path, watch: Watch) -> Network:
    """The trained teacher of a recipe's round, of the same seed and so of the same pairs."""
    teacher = load_recipe(recipe.loss.teacher)
    if teacher.data != recipe.data:
        raise RecipeError(f"teacher {recipe.loss.teacher!r} draws other pairs than its student")
    folder = study_folder(runs, teacher)

    def watch_teacher(event: Event) -> None:
        match event:
            case Step(stage) | EpochEnd(stage):
                watch(replace(event, stage=replace(stage, teacher=True)))
            case Judged():
                watch(event)

    run_rounds(teacher, data, folder, seed=seed, device=device, watch=watch_teacher)
    return to_channels_last(load_checkpoint(checkpoint_path(folder, seed)).network.to(device))


def train_rounds(
    recipe: Recipe, data: DataSet, seed: int, numbers: Sequence[int], *, device: str = "cpu"
) -> list[tuple[Checkpoint, RoundRow]]:
    """Train several rounds together where the recipe allows it, in well under half the time.

    Pairs, initial weights and the order of pairs are those of `train_round`. Dropout is not, so a round's
    weights depend on the rounds trained with it, whose number is the row's `stacked`.

    Raises:
        DivergedError: when the loss of one of the rounds is not finite.
    """
    if len(numbers) == 1 or not can_stack(recipe):
        return [train_round(recipe, data, seed, number, device=device) for number in numbers]
    rounds = [Round(recipe, seed, number) for number in numbers]
    draws, generators, networks = [], [], []
    for each in rounds:
        draw, generator = draw_round(each, data, device)
        with drawn_from(generator):
            networks.append(fresh_network(recipe.network, recipe, draw, device))
        draws.append(draw)
        generators.append(generator)
    with drawn_from(Generator().manual_seed(rounds[0].seed)):
        histories = fit(networks, draws, recipe, generators=generators)
        return [
            finish_round(each, data, draw, network, [history], stacked=len(rounds))
            for each, draw, network, history in zip(rounds, draws, networks, histories, strict=True)
        ]


def draw_round(this: Round, data: DataSet, device: str) -> tuple[Draw, Generator]:
    """Draw a round's pairs on its device; give the generator for everything else random in the round."""
    fold = this.fold or 0
    generator = Generator().manual_seed(this.seed - fold)  # the folds share the draw of their first round
    draw = draw_pairs(data, this.recipe.data, generator, fold=fold).to(device)
    return draw, generator if this.fold is None else generator.manual_seed(this.seed)


def fresh_network(architecture: Architecture, recipe: Recipe, draw: Draw, device: str) -> Network:
    """An untrained network on its device, with the normalization that the recipe asks for."""
    statistics = (draw.mean, draw.std) if recipe.data.normalize == "standardize" else (0.0, 1.0)
    return to_channels_last(build_network(architecture, *statistics).to(device))


def finish_round(
    this: Round,
    data: DataSet,
    draw: Draw,
    network: Network,
    histories: list[list[Epoch]],
    watch: Watch = unwatched,
    *,
    stacked: int = 1,
) -> tuple[Checkpoint, RoundRow]:
    """Calibrate and evaluate a trained network, move it to the CPU, and make its checkpoint and row.

    Of the histories of an ensemble's members the row has the first one's curves, and the seconds of all.
    """
    recipe = this.recipe
    calibrate(network, draw, recipe.evaluation)
    metrics = measure(network, draw, data.test, recipe.evaluation, watch)
    if recipe.data.synthetic.negatives:
        metrics |= thresholds(network, draw)
    if data.added:
        metrics |= {"held_out_digits": data.added.held_out}
    row = RoundRow(
        variant=recipe.variant,
        dataset=recipe.data.dataset,
        recipe=recipe.digest(),
        seed=this.seed,
        fold=this.fold,
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
    return Checkpoint(network, recipe, this.seed, this.fold, digest, metrics, machine(), data.classes), row
