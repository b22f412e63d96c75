"""One round: its pairs, its networks, their training, and the checkpoint and row that it ends with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Generator

from pairedge_train.data.datasets import DataSet
from pairedge_train.data.pairs import Draw, draw_pairs
from pairedge_train.experiments.recipe import Architecture, Recipe
from pairedge_train.networks.network import Network, build_network, to_channels_last
from pairedge_train.networks.variants import get_variant
from pairedge_train.rows import RoundRow
from pairedge_train.training.checkpoint import Checkpoint
from pairedge_train.training.epoch import Epoch
from pairedge_train.training.events import EpochEnd, Stage, Step, Watch
from pairedge_train.training.fit import batches_per_epoch, fit
from pairedge_train.training.measure import calibrate, curves, measure, thresholds
from pairedge_train.training.snapshot import Snapshot


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


def identity(rounds: Sequence[Round], draws: Sequence[Draw], device: str) -> dict[str, Any]:
    """What tells an unfinished round, or a bundle of them, from others: its snapshot is of no other use."""
    recipe = rounds[0].recipe
    with torch.device("meta"):  # allocates no weights and draws no random numbers
        networks = [repr(get_variant(name).build()) for name in recipe.network.members]
    return {
        "recipe": recipe.digest(),
        "rounds": [[each.seed, each.fold] for each in rounds],
        "pairs": [draw.training.sha256() for draw in draws],
        "networks": networks,
        "device": torch.device(device).type,
    }


def fit_watched(
    stages: Sequence[Stage],
    networks: Sequence[Network],
    draws: Sequence[Draw],
    recipe: Recipe,
    generators: Sequence[Generator],
    snapshot: Snapshot,
    watch: Watch,
    teacher: Network | None = None,
) -> list[list[Epoch]]:
    """Train as `fit` does, from a snapshot's state where it has one, and tell a watch what happens."""
    resumed = len(snapshot.state["histories"][0]) if snapshot.state else 0
    bundle = tuple(stage.seed for stage in stages) if len(stages) > 1 else ()
    stages = [replace(stage, resumed=resumed, bundle=bundle) for stage in stages]

    def tell_epochs(epochs: list[Epoch]) -> None:
        for stage, epoch in zip(stages, epochs, strict=True):
            watch(EpochEnd(stage, epoch))

    return fit(
        networks,
        draws,
        recipe,
        generators=generators,
        teacher=teacher,
        on_step=partial(watch, Step(stages[0])),
        on_epoch=tell_epochs,
        saved=snapshot.state,
        save_every=snapshot.every,
        save=snapshot.save,
    )


def finish_round(
    this: Round,
    data: DataSet,
    draw: Draw,
    network: Network,
    histories: list[list[Epoch]],
    machine: dict[str, str],
    watch: Watch,
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
        machine=machine,
        **metrics,
    )
    digest = draw.training.sha256()
    return Checkpoint(network, recipe, this.seed, this.fold, digest, metrics, machine, data.classes), row
