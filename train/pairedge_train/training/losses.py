"""What every network answers with, what its answers mean, and what they cost in training."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from pairedge_train.data.datasets import NOT_A_DIGIT
from pairedge_train.networks.output import Output


class Losses(NamedTuple):
    """The loss of a batch and its parts, scalars; a part is None where the network has no such head."""

    total: Tensor
    comparison: Tensor | None
    digits: Tensor | None


def losses(
    output: Output,
    target: Tensor,
    digits: Tensor,
    *,
    teaching: Tensor | None = None,
    label_smoothing: float = 0.0,
    comparison_weight: float = 1.0,
    digit_weight: float = 1.0,
) -> Losses:
    """The weighted sum of the comparison's cross-entropy and of the first and the second digit's.

    A digit that is NOT_A_DIGIT should have an even posterior, and its pair counts in no comparison.

    Args:
        output: the heads' logits for B pairs.
        target: int64 (B,), 1 where first <= second; NOT_A_DIGIT where one is none.
        digits: int64 (B, 2), the true digits, or NOT_A_DIGIT.
        teaching: posteriors (B, 2, 10) to learn in place of the true digits (Hinton, Vinyals and Dean,
            "Distilling the knowledge in a neural network", 2015).
        label_smoothing: share of the true digit's weight that all ten digits are given evenly.
        comparison_weight: weight of the comparison loss in the total.
        digit_weight: weight of the auxiliary losses in the total.
    """
    comparison = digit = None
    if output.comparison is not None:
        if output.comparison.ndim == 2:
            comparison = F.cross_entropy(output.comparison, target, ignore_index=NOT_A_DIGIT)
        else:
            comparison = F.binary_cross_entropy_with_logits(output.comparison, target.to(output.comparison))
    if output.digits is not None:
        logits = output.digits.flatten(0, 1)
        # The sum of both tiles' mean cross-entropies, in one call: the mean over 2B rows, twice.
        if teaching is not None:
            digit = 2 * F.cross_entropy(logits, teaching.flatten(0, 1))
        elif label_smoothing or bool((digits == NOT_A_DIGIT).any()):
            digit = 2 * F.cross_entropy(logits, smoothed(digits.flatten(), label_smoothing))
        else:
            digit = 2 * F.cross_entropy(logits, digits.flatten())
    return weigh(comparison, digit, comparison_weight, digit_weight)


def smoothed(digits: Tensor, share: float) -> Tensor:
    """Posteriors (B, 10) to learn: `share` spread evenly, the rest on the digit; all even for NOT_A_DIGIT."""
    hot = F.one_hot(digits.clamp(min=0), 10).to(torch.get_default_dtype())
    known = (digits != NOT_A_DIGIT).to(hot)[:, None] * (1 - share)
    return known * hot + (1 - known) / 10


def weigh(
    comparison: Tensor | None, digits: Tensor | None, comparison_weight: float, digit_weight: float
) -> Losses:
    """The total of the parts that a network has, one at least, each with its weight."""
    weighted = ((comparison_weight, comparison), (digit_weight, digits))
    parts = [weight * part for weight, part in weighted if part is not None]
    return Losses(sum(parts[1:], start=parts[0]), comparison, digits)
