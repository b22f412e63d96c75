"""What every network answers with, what its answers mean, and what they cost in training."""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor


class Output(NamedTuple):
    """The heads of a network for B pairs; a variant lacks at most one of them.

    Attributes:
        comparison: logits of "first <= second": (B, 2) for the classes no and yes, or (B,) for yes.
        digits: logits (B, 2, 10) of each tile's digit.
    """

    comparison: Tensor | None
    digits: Tensor | None


class Losses(NamedTuple):
    """The loss of a batch and its parts, scalars; a part is None where the network has no such head."""

    total: Tensor
    comparison: Tensor | None
    digits: Tensor | None


def leq_probability(comparison: Tensor) -> Tensor:
    """P(first <= second), (B,), from comparison logits (B, 2) or (B,)."""
    return comparison.softmax(1)[:, 1] if comparison.ndim == 2 else comparison.sigmoid()


def losses(
    output: Output,
    target: Tensor,
    digits: Tensor,
    *,
    comparison_weight: float = 1.0,
    digit_weight: float = 1.0,
) -> Losses:
    """The weighted sum of the comparison's cross-entropy and of the first and the second digit's.

    Args:
        output: the heads' logits for B pairs.
        target: int64 (B,), 1 where first <= second.
        digits: int64 (B, 2), the true digits.
        comparison_weight: weight of the comparison loss in the total.
        digit_weight: weight of the auxiliary losses in the total.
    """
    comparison = digit = None
    if output.comparison is not None:
        if output.comparison.ndim == 2:
            comparison = F.cross_entropy(output.comparison, target)
        else:
            comparison = F.binary_cross_entropy_with_logits(output.comparison, target.to(output.comparison))
    if output.digits is not None:
        # The sum of both tiles' mean cross-entropies, in one call: the mean over 2B rows, twice.
        digit = 2 * F.cross_entropy(output.digits.flatten(0, 1), digits.flatten())
    return weigh(comparison, digit, comparison_weight, digit_weight)


def weigh(
    comparison: Tensor | None, digits: Tensor | None, comparison_weight: float, digit_weight: float
) -> Losses:
    """The total of the parts that a network has, one at least, each with its weight."""
    weighted = ((comparison_weight, comparison), (digit_weight, digits))
    parts = [weight * part for weight, part in weighted if part is not None]
    return Losses(sum(parts[1:], start=parts[0]), comparison, digits)
