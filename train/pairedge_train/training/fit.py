"""The training loop: the only one, for one network or for several rounds of one recipe at once."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, cast

import torch
from torch import Generator, Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pairedge_train.data.pairs import Draw, Pairs, make_pairs
from pairedge_train.errors import DataError, DivergedError
from pairedge_train.experiments.recipe import Augmentation, Loss, Optimization, Recipe
from pairedge_train.networks.network import Network
from pairedge_train.networks.output import Output
from pairedge_train.training.augment import warp
from pairedge_train.training.evaluate import Scores, evaluate
from pairedge_train.training.losses import losses
from pairedge_train.training.stacked import StackedNetworks, can_stack, untie

# Means over an epoch of the total loss, the comparison's and the digits'.
Costs: TypeAlias = tuple[float, float | None, float | None]
Batch: TypeAlias = tuple[Tensor, Tensor, Tensor]  # images, digits, target


@dataclass(frozen=True)
class Epoch:
    """What one epoch measured.

    Attributes:
        number: 1 for the first.
        loss: mean total loss over the epoch's batches, in training mode.
        comparison_loss: the comparison's part of it, None without a comparison head.
        digit_loss: the two digits' part of it before its weight, None without digit heads.
        seconds: what the training took, evaluation left out; the equal share where several were trained.
        validation: scores on the validation pairs after the epoch, where there are any that are looked at.
        train: scores on the training pairs after the epoch, where the recipe asks for curves.
        test: likewise on the test pairs.
    """

    number: int
    loss: float
    comparison_loss: float | None
    digit_loss: float | None
    seconds: float
    validation: Scores | None
    train: Scores | None
    test: Scores | None


def fit(
    networks: Sequence[Network],
    draws: Sequence[Draw],
    recipe: Recipe,
    *,
    generators: Sequence[Generator],
    teacher: Network | None = None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> list[list[Epoch]]:
    """Train networks in place, on the device where they and the pairs are, and leave them in evaluation mode.

    Several are stacked: each takes the very steps that it would take alone, but for dropout, whose one stream
    of random numbers serves all.

    Args:
        networks: fresh weights, which are changed; several only of a recipe that `can_stack`.
        draws: each network's pairs to train and to validate on, as many for one as for another.
        recipe: how.
        generators: decide each network's order of pairs, where the recipe shuffles or redraws, and its
            augmentation.
        teacher: its digit posteriors, of the very images that the network sees, are the soft targets.
        on_epoch: called after each epoch of each network.

    Returns:
        Each network's epochs.

    Raises:
        DivergedError: when the loss of an epoch is not finite.
    """
    together = len(networks) > 1
    if together and not can_stack(recipe):
        raise ValueError("rounds of this recipe cannot be trained together")
    model = StackedNetworks(networks) if together else networks[0]
    training = Pairs.stacked([draw.training for draw in draws]) if together else draws[0].training
    steps = -(-len(training) // recipe.optim.batch_size)
    optimizer = AdamW(model.parameters(), recipe.optim.lr, weight_decay=recipe.optim.weight_decay, fused=True)
    schedule = make_schedule(optimizer, recipe.optim, steps)
    averaged = average_of(model, recipe.optim)
    selection = Selection(recipe)
    histories: list[list[Epoch]] = [[] for _ in networks]
    for number in range(1, recipe.optim.epochs + 1):
        start = time.perf_counter()
        if recipe.data.redraw and number > 1:
            digits = draws[0].training_digits
            order = torch.randperm(len(digits), generator=generators[0])
            training = make_pairs(digits, order).to(str(training.images.device))
        costs = train_epoch(
            model,
            batches(training, recipe, generators),
            optimizer,
            recipe.loss,
            schedule=schedule,
            averaged=averaged,
            teacher=teacher,
        )
        seconds = (time.perf_counter() - start) / len(networks)
        current = [cast(Network, averaged.module)] if averaged else networks
        for network, draw, history, cost in zip(current, draws, histories, costs, strict=True):
            history.append(finish_epoch(network, draw, recipe, number, cost, seconds))
            on_epoch(history[-1])
        halve_lr(optimizer, histories[0], recipe.optim)
        if selection.stops(current[0], histories[0]):
            break
    if averaged:
        networks[0].load_state_dict(averaged.module.state_dict())
    selection.restore(networks[0])
    for network in networks:
        if together:
            untie(network)
        network.eval()
    return histories


def train_epoch(
    model: nn.Module,
    epoch: Iterator[Batch],
    optimizer: Optimizer,
    settings: Loss,
    *,
    schedule: LRScheduler | None = None,
    averaged: AveragedModel | None = None,
    teacher: Network | None = None,
) -> list[Costs]:
    """One pass over an epoch's batches; each network's mean total loss, and the means of its parts."""
    model.train()
    sums: list[Tensor | None] = [None, None, None]
    count = 0
    for images, digits, target in epoch:
        soft_targets = posteriors(teacher, images) if teacher else None
        parts = losses(model(images), target, digits, settings, soft_targets)
        optimizer.zero_grad()
        # A network's weights have a part in its own loss alone, so that the sum has every gradient.
        torch.autograd.backward(parts.total.sum())
        optimizer.step()
        if schedule:
            schedule.step()
        if averaged:
            averaged.update_parameters(model)
        count += len(target)
        for i, part in enumerate(parts):
            if part is not None:
                weighted, so_far = part.detach() * len(target), sums[i]
                sums[i] = weighted if so_far is None else so_far + weighted
    totals = [None if part is None else part.reshape(-1).tolist() for part in sums]
    networks = len(next(total for total in totals if total is not None))  # every network has a head
    return [
        cast(Costs, tuple(None if total is None else total[i] / count for total in totals))
        for i in range(networks)
    ]


def batches(pairs: Pairs, recipe: Recipe, generators: Sequence[Generator]) -> Iterator[Batch]:
    """Images, digits and targets of one epoch, batch by batch; a last batch of one pair is left out.

    Batch normalization cannot be trained on a single pair.

    Args:
        pairs: of one network, or stacked ones of several.
        recipe: batch size, order and augmentation.
        generators: one for each network.

    Raises:
        DataError: when the recipe augments and the pairs do not keep what their images were averaged from.
    """
    target = pairs.target
    order = epoch_order(len(pairs), generators, shuffle=recipe.data.shuffle).to(target.device)
    each = torch.arange(len(generators), device=target.device)
    for rows in torch.split(order, recipe.optim.batch_size):
        if len(rows) > 1:
            place = rows if len(generators) == 1 else (rows, each)
            augment = recipe.augment
            images = augmented(pairs, rows, augment, generators[0]) if augment else pairs.images[place]
            yield images, pairs.digits[place], target[place]


def epoch_order(pairs: int, generators: Sequence[Generator], *, shuffle: bool) -> Tensor:
    """The order in which networks visit their pairs in one epoch: int64 (N,) of one, (N, M) of several."""
    orders = [
        torch.randperm(pairs, generator=generator) if shuffle else torch.arange(pairs)
        for generator in generators
    ]
    return orders[0] if len(orders) == 1 else torch.stack(orders, dim=1)


def augmented(pairs: Pairs, rows: Tensor, settings: Augmentation, generator: Generator) -> Tensor:
    """Some pairs' images, float32 (B, 2, 14, 14), every tile distorted by itself at 28x28, then averaged.

    Args:
        pairs: with their fields.
        rows: int64 (B,), which pairs.
        settings: how far.
        generator: decides how.
    """
    if pairs.fields is None:
        raise DataError("augmentation needs the 28x28 pictures, which these digits were not kept with")
    fields = warp(pairs.fields[rows].flatten(0, 1).float(), settings, generator)
    quarters = fields[:, ::2, ::2] + fields[:, 1::2, ::2] + fields[:, ::2, 1::2] + fields[:, 1::2, 1::2]
    return (quarters / 4).view(-1, 2, 14, 14)


@torch.no_grad()
def posteriors(teacher: Network, images: Tensor) -> Tensor:
    """A teacher's soft targets, float (B, 2, 10), for images, float32 (B, 2, 14, 14)."""
    output: Output = teacher(images)
    assert output.digits is not None  # a teacher has a digit head
    return output.digits.softmax(2)


def finish_epoch(
    network: Network, draw: Draw, recipe: Recipe, number: int, costs: Costs, seconds: float
) -> Epoch:
    """An epoch's losses in training, and the scores after it that the recipe asks for.

    Raises:
        DivergedError: when the loss is not finite.
    """
    loss, comparison_loss, digit_loss = costs
    if not math.isfinite(loss):
        raise DivergedError(f"the loss became {loss} in epoch {number}; a lower optim.lr may help")
    scores = partial(evaluate, network, dropout=recipe.evaluation.dropout)
    # A search looks at validation once, at the end, unless something is selected by it.
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


def average_of(model: nn.Module, settings: Optimization) -> AveragedModel | None:
    """The moving average of a model's weights and running statistics, where the recipe wants it."""
    if not settings.ema:
        return None
    moving = get_ema_multi_avg_fn(settings.ema)  # type: ignore[no-untyped-call]  # torch has no types for it
    return AveragedModel(model, multi_avg_fn=moving, use_buffers=True)


def make_schedule(optimizer: Optimizer, settings: Optimization, steps_per_epoch: int) -> LRScheduler | None:
    """The learning rate's schedule over the steps; None leaves it constant."""
    if settings.schedule == "constant":
        return None
    return OneCycleLR(
        optimizer,
        max_lr=settings.lr,
        total_steps=settings.epochs * steps_per_epoch + 1,  # it steps once when it is made
        pct_start=0.25,
        cycle_momentum=False,
    )


def halve_lr(optimizer: Optimizer, history: list[Epoch], settings: Optimization) -> None:
    """Halve the learning rate when the last epoch's loss fell too little (report 001, adaptive rate)."""
    if settings.plateau_threshold == "off" or len(history) < 2:
        return
    before, now = history[-2].loss, history[-1].loss
    for group in optimizer.param_groups:
        if (before - now) / before <= settings.plateau_threshold and group["lr"] > settings.min_lr:
            group["lr"] /= 2


class Selection:
    """Early stopping and the best epoch's weights, by the recipe's measure on the validation pairs."""

    def __init__(self, recipe: Recipe) -> None:
        self._stopping = recipe.stopping
        self._loss = recipe.loss
        self._best = 0  # index of the best epoch
        self._weights: dict[str, Tensor] | None = None

    def stops(self, network: Network, history: list[Epoch]) -> bool:
        """Whether training ends with the last epoch of a history, after which the network is as given."""
        if not self._stopping.watches:
            return False
        last = len(history) - 1
        if last == 0 or self.improved(history[last].validation, history[self._best].validation):
            self._best = last
            if self._stopping.restore_best:
                self._weights = copy.deepcopy(network.state_dict())
        return bool(self._stopping.patience) and last - self._best >= self._stopping.patience

    def improved(self, now: Scores | None, best: Scores | None) -> bool:
        """Whether validation got strictly better."""
        assert now is not None  # a recipe that watches validation has validation pairs
        assert best is not None
        if self._stopping.monitor == "accuracy":
            return now.pairs > best.pairs
        return self._total(now) < self._total(best)

    def restore(self, network: Network) -> None:
        """Give the network the best epoch's weights, where the recipe wants them."""
        if self._weights is not None:
            network.load_state_dict(self._weights)

    def _total(self, scores: Scores) -> float:
        comparison, digits = scores.comparison_loss or 0.0, scores.digit_loss or 0.0
        return self._loss.comparison_weight * comparison + self._loss.digit_weight * digits
