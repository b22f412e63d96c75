"""The training loop for several rounds of one recipe at once: `fit` for networks that are stacked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache
from typing import cast

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torch.optim import AdamW, Optimizer

from pairedge_train.data.pairs import Draw
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.networks.network import Network
from pairedge_train.networks.output import Output
from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.networks.variants import get_variant
from pairedge_train.training.fit import Costs, Epoch, judged_epoch
from pairedge_train.training.losses import Losses, weigh
from pairedge_train.training.stacked import StackedTwoBranches, is_stackable, untie


@cache
def can_stack(recipe: Recipe) -> bool:
    """Whether rounds of a recipe can be trained together.

    Their networks must be made of layers that can be stacked, and no round may go a way of its own: stop
    early, change its learning rate by its own loss, draw new pairs, or have a fold of another size.
    """
    apart = recipe.patience or recipe.restore_best or recipe.redraw or recipe.folds
    new = (recipe.augmentation, recipe.label_smoothing, recipe.ema, recipe.members > 1, recipe.teacher)
    if (
        apart
        or any(new)
        or any(recipe.mixture)
        or recipe.halve_lr_at is not None
        or recipe.schedule != "constant"
    ):
        return False
    with torch.device("meta"):  # no weights to fill, and no randomness to draw them from
        return is_stackable(get_variant(recipe.variant).build())


def fit_stacked(
    networks: Sequence[Network], draws: Sequence[Draw], recipe: Recipe, *, generators: Sequence[Generator]
) -> list[list[Epoch]]:
    """Train M networks in place, each on its own draw as `fit` would, and leave them in evaluation mode.

    Only dropout differs: its one stream of random numbers serves all networks.

    Args:
        networks: fresh weights, which are changed; on the device where the pairs are.
        draws: the pairs of each, as many for one as for another.
        recipe: which can be stacked.
        generators: decide each network's order of pairs where the recipe shuffles.

    Returns:
        Each network's epochs. An epoch's seconds are the networks' equal shares of what all took.

    Raises:
        DivergedError: when the loss of an epoch is not finite for one of the networks.
    """
    stacked = StackedTwoBranches([cast(TwoBranches, network.body) for network in networks])
    optimiser = AdamW(stacked.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True)
    both = list(zip(networks, draws, strict=True))
    images = torch.stack([network.normalise(draw.training.images) for network, draw in both], dim=1)
    digits = torch.stack([draw.training.digits for draw in draws], dim=1)
    histories: list[list[Epoch]] = [[] for _ in networks]
    for number in range(1, recipe.epochs + 1):
        start = time.perf_counter()
        order = epoch_order(len(images), recipe, generators).to(images.device)
        measured = train_stacked_epoch(stacked, images, digits, order, optimiser, recipe)
        seconds = (time.perf_counter() - start) / len(networks)
        for (network, draw), history, costs in zip(both, histories, measured, strict=True):
            history.append(judged_epoch(network, draw, recipe, number, costs, seconds))
    for network in networks:
        untie(network.eval())
    return histories


def epoch_order(pairs: int, recipe: Recipe, generators: Sequence[Generator]) -> Tensor:
    """The order in which M networks visit their pairs in one epoch, int64 (N, M)."""
    if not recipe.shuffle:
        return torch.arange(pairs)[:, None].expand(-1, len(generators))
    return torch.stack([torch.randperm(pairs, generator=generator) for generator in generators], dim=1)


def train_stacked_epoch(
    stacked: StackedTwoBranches,
    images: Tensor,
    digits: Tensor,
    order: Tensor,
    optimiser: Optimizer,
    recipe: Recipe,
) -> list[Costs]:
    """One pass over all pairs; for each network the mean of its total loss, the comparison's and the digits'.

    Args:
        stacked: M networks.
        images: normalised, float (N, M, 2, 14, 14).
        digits: int64 (N, M, 2).
        order: int64 (N, M).
        optimiser: of the stacked weights.
        recipe: batch size and weights of the losses.
    """
    stacked.train()
    each = torch.arange(stacked.count, device=order.device)
    batches = [rows for rows in torch.split(order, recipe.batch_size) if len(rows) > 1]  # as in `fit.batches`
    measured = []
    for rows in batches:
        parts = stacked_losses(stacked(images[rows, each]), digits[rows, each], recipe)
        optimiser.zero_grad()
        # A network's weights have a part in its own loss alone, so that the sum has every gradient.
        torch.autograd.backward(parts.total.sum())
        optimiser.step()
        measured.append([None if part is None else part.detach() * len(rows) for part in parts])
    count = sum(map(len, batches))
    means = [
        [None] * stacked.count if part[0] is None else (torch.stack(part).sum(0) / count).tolist()
        for part in zip(*measured, strict=True)
    ]
    return cast(list[Costs], list(zip(*means, strict=True)))


def stacked_losses(output: Output, digits: Tensor, recipe: Recipe) -> Losses:
    """What `heads.losses` says of each of M networks, every part (M,).

    Args:
        output: the logits, (B, M, 2) or (B, M) of the comparison, (B, M, 2, 10) of the digits.
        digits: int64 (B, M, 2), the true digits.
        recipe: weights of the losses.
    """
    comparison = digit = None
    target = (digits[..., 0] <= digits[..., 1]).long()
    if output.comparison is not None:
        if output.comparison.ndim == 3:
            each = F.cross_entropy(output.comparison.flatten(0, 1), target.flatten(), reduction="none")
        else:
            each = F.binary_cross_entropy_with_logits(
                output.comparison, target.to(output.comparison), reduction="none"
            )
        comparison = each.view(target.shape).mean(0)
    if output.digits is not None:
        each = F.cross_entropy(output.digits.flatten(0, 2), digits.flatten(), reduction="none")
        digit = each.view(digits.shape).mean(0).sum(1)
    return weigh(comparison, digit, recipe.comparison_weight, recipe.digit_weight)
