"""How good a network is: on a round's pairs, and exactly over all ordered pairs of digits."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pairedge_train.data import Digits, Pairs
from pairedge_train.heads import leq_probability
from pairedge_train.network import Network
from pairedge_train.two_branches import TwoBranches

_BATCH = 1000  # pairs at a time: fast, and of a bounded size
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


def decide(leq: Tensor | None, digits: Tensor | None) -> Tensor:
    """The decision first <= second, bool (B,): by the comparison head, else by the most probable digits."""
    if leq is not None:
        return leq >= 0.5
    assert digits is not None  # a network has one head at least
    first, second = digits.argmax(2).unbind(1)
    return first <= second


@torch.no_grad()
def accuracy(network: Network, pairs: Pairs) -> Accuracy:
    """Judge a network on pairs, in evaluation mode, which it is left in."""
    network.eval()
    right = right_digits = 0
    known_digits = True
    for images, digits, target in zip(
        pairs.images.split(_BATCH), pairs.digits.split(_BATCH), pairs.target.split(_BATCH), strict=True
    ):
        output = network(images)
        leq = None if output.comparison is None else leq_probability(output.comparison)
        right += int((decide(leq, output.digits) == target.bool()).sum())
        if output.digits is None:
            known_digits = False
        else:
            right_digits += int((output.digits.argmax(2) == digits).sum())
    return Accuracy(right / len(pairs), right_digits / (2 * len(pairs)) if known_digits else None)


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
    embeddings = [
        body.embed(network.normalise(part[:, None].expand(-1, 2, -1, -1))) for part in tiles.split(_BATCH)
    ]
    first, second = (torch.cat(side) for side in zip(*embeddings, strict=True))
    right = 0
    rows = max(1, _EXACT_PAIRS // len(digits))
    for some, labels in zip(first.split(rows), digits.labels.split(rows), strict=True):
        left = some.repeat_interleave(len(second), dim=0)
        leq = leq_probability(body.compare(left, second.repeat(len(some), 1)))
        truth = labels[:, None] <= digits.labels[None, :]
        right += int((decide(leq, None) == truth.flatten()).sum())
    share = None
    if body.digit is not None:
        sides = [
            (body.digit(side).argmax(1) == digits.labels).float().mean().item() for side in (first, second)
        ]
        share = sum(sides) / 2
    return Accuracy(right / len(digits) ** 2, share)
