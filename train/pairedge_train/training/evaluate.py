"""Evaluation: a network's accuracies and losses on pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from pairedge_train.data.pairs import Pairs
from pairedge_train.networks.network import Network
from pairedge_train.networks.output import Output, leq_probability
from pairedge_train.training.losses import losses

BATCH = 250  # pairs; their activations stay in the cache, which is twice as fast as with 1,000
OnPairs: TypeAlias = Callable[[int], None]  # called with how many pairs were answered since the last call
_DROPOUTS = (nn.Dropout, nn.Dropout2d)


@dataclass(frozen=True)
class Scores:
    """Accuracies, 0 to 1, and mean losses; None where the network lacks the head.

    Attributes:
        pairs: accuracy of the comparisons.
        digits: accuracy on the digits, two of each pair.
        comparison_loss: cross-entropy of the comparison.
        digit_loss: the sum of both digits' cross-entropies.
    """

    pairs: float
    digits: float | None
    comparison_loss: float | None
    digit_loss: float | None


def decide(leq: Tensor | None, digits: Tensor | None) -> Tensor:
    """Whether first <= second, bool (B,): by the comparison head, else by the most probable digits.

    Args:
        leq: P(first <= second), float (B,), 0 to 1; None without a comparison head.
        digits: logits or posteriors, float (B, 2, 10); None without a digit head.
    """
    if leq is not None:
        return leq >= 0.5
    assert digits is not None  # a network has at least one head
    first, second = digits.argmax(2).unbind(1)
    return first <= second


@torch.no_grad()
def evaluate(
    network: Network, pairs: Pairs, *, dropout: bool = False, on_pairs: OnPairs = lambda _: None
) -> Scores:
    """Evaluate a network on pairs; it is left in evaluation mode.

    Args:
        network: the network.
        pairs: pairs on the same device; those with a negative do not count.
        dropout: leave dropout on, as two reports' programs did.
        on_pairs: called after each batch.
    """
    pairs = pairs.of_digits()
    comparison, digits = outputs(network, pairs.images, dropout=dropout, on_pairs=on_pairs)
    parts = losses(Output(comparison, digits), pairs.target, pairs.digits)
    leq = None if comparison is None else leq_probability(comparison)
    return Scores(
        pairs=_accuracy(decide(leq, digits) == pairs.target.bool()),
        digits=None if digits is None else _accuracy(digits.argmax(2) == pairs.digits),
        comparison_loss=None if parts.comparison is None else float(parts.comparison),
        digit_loss=None if parts.digits is None else float(parts.digits),
    )


@torch.no_grad()
def outputs(
    network: Network, images: Tensor, *, dropout: bool = False, on_pairs: OnPairs = lambda _: None
) -> Output:
    """A network's logits for images, float32 (N, 2, 14, 14), 0 to 255; it is left in evaluation mode."""
    network.eval()
    if dropout:
        for module in network.modules():
            module.train(isinstance(module, _DROPOUTS))
    batches = []
    for batch in torch.split(images, BATCH):
        batches.append(network(batch))
        on_pairs(len(batch))
    network.eval()
    heads = (None if parts[0] is None else torch.cat(parts) for parts in zip(*batches, strict=True))
    return Output(*heads)


def _accuracy(correct: Tensor) -> float:
    return float(correct.double().mean())
