"""The training loop: the only one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from pairedge_train.data import Digits, Pairs, make_pairs
from pairedge_train.errors import DivergedError
from pairedge_train.evaluate import accuracy
from pairedge_train.heads import losses
from pairedge_train.network import Network
from pairedge_train.recipe import Recipe


@dataclass(frozen=True)
class Epoch:
    """What one epoch measured.

    Attributes:
        number: 1 for the first.
        loss: mean total loss over the epoch's batches, in training mode.
        comparison_loss: the comparison's part of it, None without a comparison head.
        digit_loss: the two digits' part of it before its weight, None without digit heads.
        validation_accuracy: share of validation pairs decided rightly after the epoch, None without any.
    """

    number: int
    loss: float
    comparison_loss: float | None
    digit_loss: float | None
    validation_accuracy: float | None


def fit(
    network: Network,
    training: Pairs,
    recipe: Recipe,
    *,
    generator: Generator,
    redraw_from: Digits | None = None,
    validation: Pairs | None = None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> list[Epoch]:
    """Train a network in place, on the device where it and the pairs are.

    Args:
        network: fresh weights, which are changed.
        training: the pairs to train on.
        recipe: batch size, epochs, learning rate and so on.
        generator: decides the order of pairs where the recipe shuffles or redraws.
        redraw_from: the digits to pair anew in each epoch, where the recipe says so.
        validation: pairs that are judged after each epoch.
        on_epoch: called after each epoch.

    Raises:
        DivergedError: when the loss of an epoch is not finite.
    """
    optimiser = AdamW(network.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True)
    steps = -(-len(training) // recipe.batch_size)
    schedule = make_schedule(optimiser, recipe, steps)
    device = str(training.images.device)
    history = []
    for number in range(1, recipe.epochs + 1):
        if recipe.redraw and redraw_from is not None and number > 1:
            order = torch.randperm(len(redraw_from), generator=generator)
            training = make_pairs(redraw_from, order[: 2 * len(training)]).to(device)
        network.train()
        sums = torch.zeros(3, device=device)
        for images, digits, target in batches(training, recipe, generator):
            parts = losses(network(images), target, digits, recipe.digit_weight)
            optimiser.zero_grad()
            parts.total.backward()
            optimiser.step()
            schedule.step()
            sums += torch.stack(
                [sums.new_tensor(0) if part is None else part.detach() for part in parts]
            ) * len(target)
        total, comparison, digit = (sums / len(training)).tolist()
        if not torch.isfinite(sums[0]):
            raise DivergedError(f"the loss became {total} in epoch {number}; a lower --lr may help")
        epoch = Epoch(
            number,
            total,
            comparison if parts.comparison is not None else None,
            digit if parts.digits is not None else None,
            accuracy(network, validation).pairs if validation else None,
        )
        history.append(epoch)
        on_epoch(epoch)
    network.eval()
    return history


def batches(pairs: Pairs, recipe: Recipe, generator: Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Images, digits and targets of one epoch, batch by batch; a last batch of one pair is left out.

    Batch normalisation cannot be trained on a single pair, and the pair comes back in the next epoch's order
    or is one of a thousand.
    """
    images, digits, target = pairs.images, pairs.digits, pairs.target
    if recipe.shuffle:
        order = torch.randperm(len(pairs), generator=generator).to(images.device)
        images, digits, target = images[order], digits[order], target[order]
    for batch in zip(*(part.split(recipe.batch_size) for part in (images, digits, target)), strict=True):
        if len(batch[0]) > 1:
            yield batch


def make_schedule(optimiser: Optimizer, recipe: Recipe, steps_per_epoch: int) -> LRScheduler:
    """The learning rate's course over the steps."""
    if recipe.schedule == "one-cycle":
        return OneCycleLR(
            optimiser,
            max_lr=recipe.lr,
            total_steps=recipe.epochs * steps_per_epoch + 1,  # it steps once when it is made
            pct_start=0.25,
            cycle_momentum=False,
        )
    return LambdaLR(optimiser, lambda _: 1.0)
