"""How good a network is: on a round's pairs, and exactly over all ordered pairs of digits."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pairedge_train.data.datasets import Digits
from pairedge_train.data.pairs import Pairs
from pairedge_train.networks.network import Network
from pairedge_train.networks.output import Output, leq_probability
from pairedge_train.networks.posterior_sum import PosteriorSum
from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.training.losses import losses

_BATCH = 250  # pairs at a time: their activations stay in the cache, twice as fast as 1,000
_DROPOUTS = (nn.Dropout, nn.Dropout2d)
_EXACT_PAIRS = 50_000  # pairs of embeddings at a time: activations then stay in the cache


@dataclass(frozen=True)
class Accuracy:
    """Shares of right answers, 0 to 1.

    Attributes:
        pairs: of the comparisons.
        digits: of the digits, each pair giving two; None without a digit head.
    """

    pairs: float
    digits: float | None


@dataclass(frozen=True)
class Scores(Accuracy):
    """Accuracy and mean losses; a loss is None where the network has no such head.

    Attributes:
        comparison_loss: cross-entropy of the comparison.
        digit_loss: the sum of both digits' cross-entropies.
    """

    comparison_loss: float | None
    digit_loss: float | None


def decide(leq: Tensor | None, digits: Tensor | None) -> Tensor:
    """The decision first <= second, bool (B,): by the comparison head, else by the most probable digits."""
    if leq is not None:
        return leq >= 0.5
    assert digits is not None  # a network has one head at least
    first, second = digits.argmax(2).unbind(1)
    return first <= second


@torch.no_grad()
def judge(network: Network, pairs: Pairs, *, dropout: bool = False) -> Scores:
    """Judge a network on pairs, in evaluation mode, which it is left in.

    Args:
        network: what to judge.
        pairs: what to judge it on, on the same device; pairs without two digits do not count.
        dropout: leave dropout on, as two reports' programs did.
    """
    pairs = pairs.of_digits()
    network.eval()
    if dropout:
        for module in network.modules():
            module.train(isinstance(module, _DROPOUTS))
    answers = [network(images) for images in torch.split(pairs.images, _BATCH)]
    network.eval()
    comparison, digits = (
        None if parts[0] is None else torch.cat(parts) for parts in zip(*answers, strict=True)
    )
    cost = losses(Output(comparison, digits), pairs.target, pairs.digits)
    leq = None if comparison is None else leq_probability(comparison)
    return Scores(
        pairs=_share(decide(leq, digits) == pairs.target.bool()),
        digits=None if digits is None else _share(digits.argmax(2) == pairs.digits),
        comparison_loss=None if cost.comparison is None else float(cost.comparison),
        digit_loss=None if cost.digits is None else float(cost.digits),
    )


def _share(right: Tensor) -> float:
    return float(right.double().mean())


@torch.no_grad()
def exact_accuracy(network: Network, digits: Digits) -> Accuracy | None:
    """Judge a network on all N squared ordered pairs of N digits, each tile going through its branch once.

    The tiles are the rounded ones that the runtime sees. None where a network has no branches to go through:
    it would need N squared runs.
    """
    body = network.eval().body
    if not isinstance(body, TwoBranches):
        return None
    tiles = torch.from_numpy(digits.tiles).float()
    parts = [network.normalise(part[:, None]) for part in torch.split(tiles, _BATCH)]
    sides = [torch.cat([branch(part) for part in parts]) for branch in body.branches]
    first, second = sides[0], sides[-1]  # the same where one branch serves both
    tables: list[Tensor] = []
    if body.digit is not None:
        tables = [confusion(body.digit(side).argmax(1), digits.labels) for side in (first, second)]
    if body.comparison is not None:
        right = right_by_comparison(body, first, second, digits.labels)
    else:
        right = right_by_digits(*tables)
    share = sum(int(table.trace()) for table in tables) / (2 * len(digits)) if tables else None
    return Accuracy(right / len(digits) ** 2, share)


def right_by_comparison(body: TwoBranches, first: Tensor, second: Tensor, labels: Tensor) -> int:
    """How many of all pairs the comparison head decides rightly, from N embeddings of either side, (N, E)."""
    right = 0
    rows = max(1, _EXACT_PAIRS // len(labels))
    summed = body.comparison if isinstance(body.comparison, PosteriorSum) else None
    if summed:
        first, second = first.softmax(1), second.softmax(1)
    for some, wanted in zip(torch.split(first, rows), torch.split(labels, rows), strict=True):
        if summed:
            leq = summed.table(some, second).flatten()
        else:
            left = some.repeat_interleave(len(second), dim=0)
            leq = leq_probability(body.compare(left, second.repeat(len(some), 1)))
        truth = wanted[:, None] <= labels
        right += int((decide(leq, None) == truth.flatten()).sum())
    return right


def confusion(found: Tensor, labels: Tensor) -> Tensor:
    """How often each digit, by row, was read as each digit, by column; int64 (10, 10)."""
    return torch.bincount(10 * labels + found, minlength=100).view(10, 10)


def right_by_digits(first: Tensor, second: Tensor) -> int:
    """How many of all pairs are decided rightly where digits decide, from the confusion of either side.

    Tiles that share label and reading are decided alike, so counts stand for them.
    """
    digits = torch.arange(10, device=first.device)
    leq = digits[:, None] <= digits  # (10, 10)
    right = leq[:, None, :, None] == leq[:, None, :]  # label, reading, other label, other reading
    return int((first[:, :, None, None] * second * right).sum())
