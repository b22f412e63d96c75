"""What training minimizes: the comparison's cross-entropy, and the auxiliary ones of the two digits."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from pairedge_train.data.datasets import NEGATIVE
from pairedge_train.experiments.recipe import Loss
from pairedge_train.networks.output import Output

EQUAL = Loss()  # both losses with weight 1, from hard labels


class Losses(NamedTuple):
    """The loss of a batch and its parts: float scalars, or (M,) of M stacked networks.

    Attributes:
        total: the weighted sum of the parts.
        comparison: None where the network has no comparison head.
        digits: the sum of the first and the second digit's; None where the network has no digit head.
    """

    total: Tensor
    comparison: Tensor | None
    digits: Tensor | None


def losses(
    output: Output, target: Tensor, digits: Tensor, settings: Loss = EQUAL, soft_targets: Tensor | None = None
) -> Losses:
    """The weighted sum of the comparison's cross-entropy and of the first and the second digit's.

    A negative should have a uniform posterior, and its pair counts in no comparison.

    Args:
        output: the heads' logits for B pairs: (B, 2) or (B,), and (B, 2, 10); of M stacked networks (B, M, 2)
            or (B, M), and (B, M, 2, 10).
        target: int64 (B,) or (B, M): 1 where first <= second, else 0; NEGATIVE where a tile shows no digit.
        digits: int64 (B, 2) or (B, M, 2): the labels, 0 to 9 or NEGATIVE.
        settings: weights and label smoothing.
        soft_targets: posteriors (B, 2, 10) to learn instead of the labels (Hinton, Vinyals and Dean,
            "Distilling the knowledge in a neural network", 2015).
    """
    comparison = digit = None
    if output.comparison is not None:
        comparison = comparison_loss(output.comparison, target)
    if output.digits is not None:
        labels = digits
        if soft_targets is not None:
            labels = soft_targets
        elif settings.label_smoothing or bool((digits == NEGATIVE).any()):
            labels = smoothed(digits, settings.label_smoothing)
        digit = digit_loss(output.digits, labels)
    weighted = ((settings.comparison_weight, comparison), (settings.digit_weight, digit))
    parts = [weight * part for weight, part in weighted if part is not None]
    return Losses(sum(parts[1:], start=parts[0]), comparison, digit)


def comparison_loss(logits: Tensor, target: Tensor) -> Tensor:
    """The mean cross-entropy of the comparison over the pairs of two digits; 0 where there are none.

    Args:
        logits: float (B, 2) for the classes no and yes, or (B,) for yes; of M networks (B, M, 2) or (B, M).
        target: int64 (B,) or (B, M), NEGATIVE where a pair does not count.

    Returns:
        A scalar, or (M,).
    """
    counts = target != NEGATIVE
    if not bool(counts.all()):
        logits, target = logits[counts], target[counts]
        if not len(target):
            return logits.sum()
    if logits.ndim > target.ndim:
        return _cross_entropy(logits, target)
    if logits.ndim == 1:
        return F.binary_cross_entropy_with_logits(logits, target.to(logits))
    return F.binary_cross_entropy_with_logits(logits, target.to(logits), reduction="none").mean(0)


def digit_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """The sum of both tiles' mean cross-entropies.

    Args:
        logits: float (B, 2, 10), or (B, M, 2, 10) of M networks.
        labels: int64 (B, 2) or (B, M, 2), or posteriors of the shape of the logits.

    Returns:
        A scalar, or (M,).
    """
    if logits.ndim == 4:
        return _cross_entropy(logits, labels).sum(-1)
    return 2 * F.cross_entropy(logits.flatten(0, 1), labels.flatten(0, 1))  # the mean over 2B rows, twice


def smoothed(digits: Tensor, share: float) -> Tensor:
    """Posteriors to learn: `share` spread evenly, the rest on the digit; uniform for NEGATIVE.

    Args:
        digits: int64 (...), 0 to 9 or NEGATIVE.
        share: 0 to 1.

    Returns:
        float (..., 10), each summing to 1.
    """
    one_hot = F.one_hot(digits.clamp(min=0), 10).to(torch.get_default_dtype())
    certain = (digits != NEGATIVE).to(one_hot)[..., None] * (1 - share)
    return certain * one_hot + (1 - certain) / 10


def _cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """The mean over the first dimension, of logits (B, ..., C) and int64 targets (B, ...): float (...)."""
    if logits.ndim == 2:
        return F.cross_entropy(logits, target)
    rows = F.cross_entropy(logits.flatten(0, -2), target.flatten(), reduction="none")
    return rows.view(target.shape).mean(0)
