"""The training loop: the only one."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, cast

import torch
from torch import Generator, Tensor
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pairedge_train.data.pairs import Draw, Pairs, make_pairs
from pairedge_train.errors import DataError, DivergedError
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.networks.network import Network
from pairedge_train.networks.output import Output
from pairedge_train.training.augment import warp
from pairedge_train.training.evaluate import Scores, judge
from pairedge_train.training.losses import losses

# Means over an epoch of the total loss, the comparison's and the digits'.
Costs: TypeAlias = tuple[float, float | None, float | None]


@dataclass(frozen=True)
class Epoch:
    """What one epoch measured.

    Attributes:
        number: 1 for the first.
        loss: mean total loss over the epoch's batches, in training mode.
        comparison_loss: the comparison's part of it, None without a comparison head.
        digit_loss: the two digits' part of it before its weight, None without digit heads.
        seconds: what the training took, judging left out.
        validation: scores on the validation pairs after the epoch, None without any or in a blind search.
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
    network: Network,
    draw: Draw,
    recipe: Recipe,
    *,
    generator: Generator,
    teacher: Network | None = None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> list[Epoch]:
    """Train a network in place, on the device where it and the pairs are, and leave it in evaluation mode.

    Args:
        network: fresh weights, which are changed.
        draw: the pairs to train and to validate on.
        recipe: batch size, epochs, learning rate, early stopping and so on.
        generator: decides the order of pairs where the recipe shuffles or redraws, and its augmentation.
        teacher: its digit posteriors, of the very images that the network sees, take the place of the labels.
        on_epoch: called after each epoch.

    Raises:
        DivergedError: when the loss of an epoch is not finite.
    """
    steps = -(-len(draw.training) // recipe.batch_size)
    optimiser = AdamW(network.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True)
    schedule = make_schedule(optimiser, recipe, steps)
    averaged = average_of(network, recipe)
    training = draw.training
    history: list[Epoch] = []
    best, best_weights = 0, None
    for number in range(1, recipe.epochs + 1):
        start = time.perf_counter()
        if recipe.redraw and number > 1:
            order = torch.randperm(len(draw.training_digits), generator=generator)
            training = make_pairs(draw.training_digits, order).to(str(training.images.device))
        costs = train_epoch(
            network,
            batches(training, recipe, generator),
            optimiser,
            schedule,
            recipe,
            averaged=averaged,
            teacher=teacher,
        )
        seconds = time.perf_counter() - start
        judged = cast(Network, averaged.module) if averaged else network
        epoch = judged_epoch(judged, draw, recipe, number, costs, seconds)
        history.append(epoch)
        on_epoch(epoch)
        halve_lr(optimiser, history, recipe)
        if recipe.patience or recipe.restore_best:
            if number == 1 or improved(epoch.validation, history[best].validation, recipe):
                best = number - 1
                best_weights = copy.deepcopy(judged.state_dict()) if recipe.restore_best else None
            if recipe.patience and number - 1 - best >= recipe.patience:
                break
    if best_weights is not None:
        network.load_state_dict(best_weights)
    elif averaged:
        network.load_state_dict(averaged.module.state_dict())
    network.eval()
    return history


def judged_epoch(
    network: Network, draw: Draw, recipe: Recipe, number: int, costs: Costs, seconds: float
) -> Epoch:
    """What an epoch came to: its costs in training, and the scores after it that the recipe asks for.

    Raises:
        DivergedError: when the loss is not finite.
    """
    loss, comparison_loss, digit_loss = costs
    if not math.isfinite(loss):
        raise DivergedError(f"the loss became {loss} in epoch {number}; a lower --lr may help")
    judged = partial(judge, network, dropout=recipe.dropout_at_eval)
    return Epoch(
        number,
        loss,
        comparison_loss,
        digit_loss,
        seconds,
        validation=judged(draw.validation) if draw.validation and recipe.watched else None,
        train=judged(draw.training) if recipe.curves else None,
        test=judged(draw.test) if recipe.curves else None,
    )


def train_epoch(
    network: Network,
    epoch: Iterator[tuple[Tensor, Tensor, Tensor]],
    optimiser: Optimizer,
    schedule: LRScheduler | None,
    recipe: Recipe,
    *,
    averaged: AveragedModel | None = None,
    teacher: Network | None = None,
) -> Costs:
    """One pass over an epoch's batches; the mean of the total loss, the comparison's and the digits'."""
    network.train()
    sums: list[Tensor | None] = [None, None, None]
    count = 0
    for images, digits, target in epoch:
        parts = losses(
            network(images),
            target,
            digits,
            teaching=posteriors(teacher, images) if teacher else None,
            label_smoothing=recipe.label_smoothing,
            comparison_weight=recipe.comparison_weight,
            digit_weight=recipe.digit_weight,
        )
        optimiser.zero_grad()
        torch.autograd.backward(parts.total)
        optimiser.step()
        if schedule:
            schedule.step()
        if averaged:
            averaged.update_parameters(network)
        count += len(target)
        for i, part in enumerate(parts):
            if part is not None:
                weighted, so_far = part.detach() * len(target), sums[i]
                sums[i] = weighted if so_far is None else so_far + weighted
    total, comparison, digit = (None if part is None else float(part) / count for part in sums)
    assert total is not None  # every network has a head
    return total, comparison, digit


def batches(pairs: Pairs, recipe: Recipe, generator: Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Images, digits and targets of one epoch, batch by batch; a last batch of one pair is left out.

    Batch normalisation cannot be trained on a single pair.

    Raises:
        DataError: when the recipe augments and the pairs do not keep what their images were averaged from.
    """
    target = pairs.target
    order = torch.randperm(len(pairs), generator=generator) if recipe.shuffle else torch.arange(len(pairs))
    for some in torch.split(order.to(target.device), recipe.batch_size):
        if len(some) > 1:
            images = bent(pairs, some, recipe, generator) if recipe.augmentation else pairs.images[some]
            yield images, pairs.digits[some], target[some]


def bent(pairs: Pairs, some: Tensor, recipe: Recipe, generator: Generator) -> Tensor:
    """Some pairs' images, float32 (B, 2, 14, 14), every tile bent by itself at 28x28 and then averaged."""
    if pairs.fields is None:
        raise DataError("augmentation needs the 28x28 pictures, which these digits were not kept with")
    fields = warp(pairs.fields[some].flatten(0, 1).float(), recipe.augmentation, generator)
    quarters = fields[:, ::2, ::2] + fields[:, 1::2, ::2] + fields[:, ::2, 1::2] + fields[:, 1::2, 1::2]
    return (quarters / 4).view(-1, 2, 14, 14)


@torch.no_grad()
def posteriors(teacher: Network, images: Tensor) -> Tensor:
    """What a teacher makes of the digits in images (B, 2, 14, 14): (B, 2, 10)."""
    output: Output = teacher(images)
    assert output.digits is not None  # a teacher has a digit head
    return output.digits.softmax(2)


def average_of(network: Network, recipe: Recipe) -> AveragedModel | None:
    """The moving average of a network's weights and running statistics, where the recipe wants it."""
    if not recipe.ema:
        return None
    moving = get_ema_multi_avg_fn(recipe.ema)  # type: ignore[no-untyped-call]  # torch has no types for it
    return AveragedModel(network, multi_avg_fn=moving, use_buffers=True)


def make_schedule(optimiser: Optimizer, recipe: Recipe, steps_per_epoch: int) -> LRScheduler | None:
    """The learning rate's course over the steps; None leaves it as it is."""
    if recipe.schedule == "constant":
        return None
    return OneCycleLR(
        optimiser,
        max_lr=recipe.lr,
        total_steps=recipe.epochs * steps_per_epoch + 1,  # it steps once when it is made
        pct_start=0.25,
        cycle_momentum=False,
    )


def halve_lr(optimiser: Optimizer, history: list[Epoch], recipe: Recipe) -> None:
    """Halve the learning rate when the last epoch's loss fell too little (report 001, adaptive rate)."""
    if recipe.halve_lr_at is None or len(history) < 2:
        return
    before, now = history[-2].loss, history[-1].loss
    for group in optimiser.param_groups:
        if (before - now) / before <= recipe.halve_lr_at and group["lr"] > recipe.lr_floor:
            group["lr"] /= 2


def improved(now: Scores | None, best: Scores | None, recipe: Recipe) -> bool:
    """Whether validation got strictly better, by the recipe's measure."""
    assert now is not None  # a recipe that watches validation has validation pairs
    assert best is not None
    if recipe.monitor == "accuracy":
        return now.pairs > best.pairs
    return _watched_loss(now, recipe) < _watched_loss(best, recipe)


def _watched_loss(scores: Scores, recipe: Recipe) -> float:
    comparison, digits = scores.comparison_loss or 0.0, scores.digit_loss or 0.0
    return recipe.comparison_weight * comparison + recipe.digit_weight * digits
