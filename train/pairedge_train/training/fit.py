"""The training loop, for one network or for several stacked rounds of one recipe."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, TypeAlias, cast

import torch
from torch import Generator, Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.optim.swa_utils import AveragedModel

from pairedge_train.data.pairs import Draw, Pairs, make_pairs
from pairedge_train.errors import DataError, DivergedError
from pairedge_train.experiments.recipe import Augmentation, Loss, Optimization, Recipe
from pairedge_train.networks.network import Network
from pairedge_train.networks.output import Output
from pairedge_train.training.augment import warp
from pairedge_train.training.epoch import Epoch
from pairedge_train.training.evaluate import evaluate
from pairedge_train.training.losses import losses
from pairedge_train.training.optimization import EarlyStopping, halve_lr, make_average, make_schedule
from pairedge_train.training.stacked import StackedNetworks, can_stack, untie

# Means over an epoch of the total loss, the comparison loss and the digit loss.
MeanLosses: TypeAlias = tuple[float, float | None, float | None]
StateDict: TypeAlias = dict[str, Any]
Batch: TypeAlias = tuple[Tensor, Tensor, Tensor]  # images, digits, target


def fit(
    networks: Sequence[Network],
    draws: Sequence[Draw],
    recipe: Recipe,
    *,
    generators: Sequence[Generator],
    teacher: Network | None = None,
    on_step: Callable[[], None] = lambda: None,
    on_epoch: Callable[[list[Epoch]], None] = lambda _: None,
    saved: StateDict | None = None,
    save_every: int = 0,
    save: Callable[[StateDict], None] = lambda _: None,
) -> list[list[Epoch]]:
    """Train networks in place, on the device where they and the pairs are, and leave them in evaluation mode.

    Several networks are stacked: each takes the same steps as alone, except that all draw their dropout from
    one stream of random numbers.

    Args:
        networks: with fresh weights, which are changed; several only of a recipe that `can_stack`.
        draws: each network's pairs; all of one size.
        recipe: the recipe.
        generators: one for each network: they draw the order of pairs, where the recipe shuffles or redraws,
            and the augmentation.
        teacher: its digit posteriors, of the same augmented images, are the soft targets.
        on_step: called after each batch.
        on_epoch: called after each epoch, with that of each network; first for those that were saved.
        saved: what an earlier, interrupted call has saved: training goes on from there, to the same bits.
        save_every: how many epochs lie between two calls of `save`; 0 never calls it.
        save: called with the state after an epoch.

    Returns:
        Each network's epochs.

    Raises:
        DivergedError: when the loss of an epoch is not finite.
    """
    stacked = len(networks) > 1
    if stacked and not can_stack(recipe):
        raise ValueError("rounds of this recipe cannot be trained together")
    model = StackedNetworks(networks) if stacked else networks[0]
    training = Pairs.stacked([draw.training for draw in draws]) if stacked else draws[0].training
    steps = batches_per_epoch(training, recipe.optim)
    optimizer = AdamW(model.parameters(), recipe.optim.lr, weight_decay=recipe.optim.weight_decay, fused=True)
    schedule = make_schedule(optimizer, recipe.optim, steps)
    average = make_average(model, recipe.optim)
    early_stopping = EarlyStopping(recipe)
    state = State(model, optimizer, schedule, average, early_stopping, [[] for _ in networks], generators)
    histories = state.histories
    if saved:
        state.load_state_dict(saved)
        for epochs in zip(*histories, strict=True):
            on_epoch(list(epochs))
    for number in range(len(histories[0]) + 1, recipe.optim.epochs + 1):
        start = time.perf_counter()
        if recipe.data.redraw and number > 1:
            digits = draws[0].training_digits
            order = torch.randperm(len(digits), generator=generators[0])
            training = make_pairs(digits, order).to(str(training.images.device))
        means = train_epoch(
            model,
            batches(training, recipe, generators),
            optimizer,
            recipe.loss,
            schedule=schedule,
            average=average,
            teacher=teacher,
            on_step=on_step,
        )
        seconds = (time.perf_counter() - start) / len(networks)
        current = [cast(Network, average.module)] if average else networks
        for network, draw, history, mean in zip(current, draws, histories, means, strict=True):
            history.append(finish_epoch(network, draw, recipe, number, mean, seconds))
        on_epoch([history[-1] for history in histories])
        halve_lr(optimizer, histories[0], recipe.optim)
        if early_stopping.should_stop(current[0], histories[0]):
            break
        if save_every and number % save_every == 0:
            save(state.state_dict())
    if average:
        networks[0].load_state_dict(average.module.state_dict())
    early_stopping.restore(networks[0])
    for network in networks:
        if stacked:
            untie(network)
        network.eval()
    return histories


@dataclass(frozen=True)
class State:
    """All that a training remembers from one epoch to the next.

    Attributes:
        model: one network, or stacked ones.
        optimizer: of its parameters.
        schedule: of the learning rate.
        average: of the weights.
        early_stopping: the best epoch so far.
        histories: each network's epochs.
        generators: each network's generator.
    """

    model: nn.Module
    optimizer: Optimizer
    schedule: LRScheduler | None
    average: AveragedModel | None
    early_stopping: EarlyStopping
    histories: list[list[Epoch]]
    generators: Sequence[Generator]

    def state_dict(self) -> StateDict:
        """Tensors and plain values, which share memory with the training; dropout draws from torch's own."""
        device = next(self.model.parameters()).device
        return {
            **{name: part.state_dict() for name, part in self._parts().items()},
            "histories": [[asdict(epoch) for epoch in history] for history in self.histories],
            "generators": [generator.get_state() for generator in self.generators],
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        }

    def load_state_dict(self, state: StateDict) -> None:
        """Go on, to the bit, where `state_dict` was called."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        for history, epochs in zip(self.histories, state["histories"], strict=True):
            history[:] = map(Epoch.from_dict, epochs)
        for generator, its_state in zip(self.generators, state["generators"], strict=True):
            generator.set_state(its_state)
        torch.set_rng_state(state["torch"])
        if state["cuda"] is not None:
            torch.cuda.set_rng_state(state["cuda"], next(self.model.parameters()).device)

    def _parts(self) -> dict[str, Any]:
        parts = {
            "model": self.model,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "average": self.average,
            "early_stopping": self.early_stopping,
        }
        return {name: part for name, part in parts.items() if part is not None}


def train_epoch(
    model: nn.Module,
    epoch: Iterator[Batch],
    optimizer: Optimizer,
    settings: Loss,
    *,
    schedule: LRScheduler | None = None,
    average: AveragedModel | None = None,
    teacher: Network | None = None,
    on_step: Callable[[], None] = lambda: None,
) -> list[MeanLosses]:
    """Train for one epoch.

    Args:
        model: one network, or stacked ones.
        epoch: images, float32 (B, 2, 14, 14), digits, int64 (B, 2), and targets, int64 (B,), of each batch;
            of M stacked networks with a second dimension M.
        optimizer: of the model's parameters.
        settings: weights and label smoothing.
        schedule: stepped after every batch.
        average: the moving average of the model's weights, updated after every batch.
        teacher: gives the soft targets.
        on_step: called after every batch.

    Returns:
        Each network's mean total loss, comparison loss and digit loss.
    """
    model.train()
    sums: list[Tensor | None] = [None, None, None]
    count = 0
    for images, digits, target in epoch:
        soft_targets = posteriors(teacher, images) if teacher else None
        parts = losses(model(images), target, digits, settings, soft_targets)
        optimizer.zero_grad()
        # Each network's weights affect only its own loss, so the gradient of the sum is every network's own.
        torch.autograd.backward(parts.total.sum())
        optimizer.step()
        if schedule:
            schedule.step()
        if average:
            average.update_parameters(model)
        count += len(target)
        for i, part in enumerate(parts):
            if part is not None:
                weighted, so_far = part.detach() * len(target), sums[i]
                sums[i] = weighted if so_far is None else so_far + weighted
        on_step()
    totals = [None if part is None else part.reshape(-1).tolist() for part in sums]
    networks = len(next(total for total in totals if total is not None))  # every network has a head
    return [
        cast(MeanLosses, tuple(None if total is None else total[i] / count for total in totals))
        for i in range(networks)
    ]


def batches(pairs: Pairs, recipe: Recipe, generators: Sequence[Generator]) -> Iterator[Batch]:
    """The batches of one epoch; a last batch of one pair is left out, as batch normalization needs two.

    Args:
        pairs: the pairs of one network, or of several, stacked.
        recipe: batch size, order and augmentation.
        generators: one for each network.

    Yields:
        Images, float32 (B, 2, 14, 14), digits, int64 (B, 2), and targets, int64 (B,); of M stacked networks
        (B, M, 2, 14, 14), (B, M, 2) and (B, M).

    Raises:
        DataError: when the recipe augments and the pairs have no fields.
    """
    target = pairs.target
    order = epoch_order(len(pairs), generators, shuffle=recipe.data.shuffle).to(target.device)
    networks = torch.arange(len(generators), device=target.device)
    for rows in torch.split(order, recipe.optim.batch_size):
        if len(rows) > 1:
            index = rows if len(generators) == 1 else (rows, networks)
            augment = recipe.augment
            images = augmented(pairs, rows, augment, generators[0]) if augment else pairs.images[index]
            yield images, pairs.digits[index], target[index]


def batches_per_epoch(pairs: Pairs, settings: Optimization) -> int:
    """The number of batches in an epoch, with a last batch of one pair, which is left out."""
    return -(-len(pairs) // settings.batch_size)


def epoch_order(pairs: int, generators: Sequence[Generator], *, shuffle: bool) -> Tensor:
    """The order of the pairs in one epoch: int64 (N,) for one network, (N, M) for M stacked ones."""
    orders = [
        torch.randperm(pairs, generator=generator) if shuffle else torch.arange(pairs)
        for generator in generators
    ]
    return orders[0] if len(orders) == 1 else torch.stack(orders, dim=1)


def augmented(pairs: Pairs, rows: Tensor, settings: Augmentation, generator: Generator) -> Tensor:
    """Images with each tile augmented at 28x28, then averaged: float32 (B, 2, 14, 14), 0 to 255.

    Args:
        pairs: pairs with fields.
        rows: indices of the pairs, int64 (B,).
        settings: the ranges of the distortions.
        generator: draws the distortions.

    Raises:
        DataError: when the pairs have no fields.
    """
    if pairs.fields is None:
        raise DataError("augmentation needs the 28x28 pictures, which these digits were not kept with")
    fields = warp(pairs.fields[rows].flatten(0, 1).float(), settings, generator)
    quarters = fields[:, ::2, ::2] + fields[:, 1::2, ::2] + fields[:, ::2, 1::2] + fields[:, 1::2, 1::2]
    return (quarters / 4).view(-1, 2, 14, 14)


@torch.no_grad()
def posteriors(teacher: Network, images: Tensor) -> Tensor:
    """A teacher's soft targets, float (B, 2, 10), for images, float32 (B, 2, 14, 14), 0 to 255."""
    output: Output = teacher(images)
    assert output.digits is not None  # a teacher has a digit head
    return output.digits.softmax(2)


def finish_epoch(
    network: Network, draw: Draw, recipe: Recipe, number: int, means: MeanLosses, seconds: float
) -> Epoch:
    """Evaluate a network after an epoch, as far as the recipe asks for it.

    Raises:
        DivergedError: when the loss is not finite.
    """
    loss, comparison_loss, digit_loss = means
    if not math.isfinite(loss):
        raise DivergedError(f"the loss became {loss} in epoch {number}; a lower optim.lr may help")
    scores = partial(evaluate, network, dropout=recipe.evaluation.dropout)
    # A search evaluates the validation pairs once, at the end, unless early stopping monitors them.
    watched = not recipe.evaluation.validation_only or recipe.stopping.watches
    return Epoch(
        number,
        loss,
        comparison_loss,
        digit_loss,
        seconds,
        validation=scores(draw.validation) if draw.validation and watched else None,
        train=scores(draw.training) if recipe.evaluation.curves else None,
        test=scores(draw.test) if recipe.evaluation.curves else None,
    )
