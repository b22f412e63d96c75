"""The training losses: cross-entropy of the comparison, and auxiliary cross-entropies of the two digits."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from pairedge_train.data.datasets import NEGATIVE
from pairedge_train.experiments.recipe import Loss
from pairedge_train.networks.output import Output

EQUAL = Loss()  # both losses with weight 1, hard labels


class Losses(NamedTuple):
    """The loss of a batch and its parts.

    Attributes:
        total: the weighted sum of the parts, a float scalar; of M stacked networks (M,).
        comparison: the comparison loss, a float scalar or (M,); None without a comparison head.
        digits: the sum of both digits' losses, a float scalar or (M,); None without a digit head.
    """

    total: Tensor
    comparison: Tensor | None
    digits: Tensor | None


def losses(
    output: Output, target: Tensor, digits: Tensor, settings: Loss = EQUAL, soft_targets: Tensor | None = None
) -> Losses:
    """The weighted sum of the comparison loss and the two digit losses.

    The target posterior of a negative is uniform, and a pair with one has no comparison loss.

    Args:
        output: the heads' logits for B pairs: (B, 2) or (B,), and (B, 2, 10); of M stacked networks (B, M, 2)
            or (B, M), and (B, M, 2, 10).
        target: int64 (B,) or (B, M): 1 where first <= second, else 0; NEGATIVE with a negative tile.
        digits: labels, int64 (B, 2) or (B, M, 2), 0 to 9 or NEGATIVE.
        settings: weights and label smoothing.
        soft_targets: a teacher's posteriors, float (B, 2, 10), in place of the labels (Hinton, Vinyals and
            Dean, "Distilling the knowledge in a neural network", 2015).
    """
    comparison = digit = None
    if output.comparison is not None:
        comparison = comparison_loss(output.comparison, target)
    if output.digits is not None:
        labels = digits
        if soft_targets is not None:
            labels = corrected(soft_targets, digits, settings) if settings.corrected_teacher else soft_targets
        elif settings.label_smoothing or bool((digits == NEGATIVE).any()):
            labels = smoothed(digits, settings.label_smoothing)
        digit = digit_loss(output.digits, labels)
    weighted = ((settings.comparison_weight, comparison), (settings.digit_weight, digit))
    parts = [weight * part for weight, part in weighted if part is not None]
    return Losses(sum(parts[1:], start=parts[0]), comparison, digit)


def corrected(posteriors: Tensor, digits: Tensor, settings: Loss) -> Tensor:
    """A teacher's posteriors, float (B, 2, 10), with the smoothed label where another digit leads.

    Args:
        posteriors: float (B, 2, 10), 0 to 1.
        digits: labels, int64 (B, 2), 0 to 9 or NEGATIVE, of which a teacher is never wrong.
        settings: the label smoothing.
    """
    wrong = (posteriors.argmax(-1) != digits) & (digits != NEGATIVE)
    return torch.where(wrong[..., None], smoothed(digits, settings.label_smoothing), posteriors)


def comparison_loss(logits: Tensor, target: Tensor) -> Tensor:
    """The mean cross-entropy of the comparison over the pairs without a negative; 0 where there are none.

    Args:
        logits: float (B, 2) for the classes no and yes, or (B,) for yes; of M networks (B, M, 2) or (B, M).
        target: int64 (B,) or (B, M): 0, 1, or NEGATIVE where a pair does not count.

    Returns:
        A float scalar, or (M,).
    """
    known = target != NEGATIVE
    if not bool(known.all()):
        logits, target = logits[known], target[known]
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
        labels: int64 (B, 2) or (B, M, 2), or float posteriors of the shape of the logits.

    Returns:
        A float scalar, or (M,).
    """
    if logits.ndim == 4:
        return _cross_entropy(logits, labels).sum(-1)
    return 2 * F.cross_entropy(logits.flatten(0, 1), labels.flatten(0, 1))  # the mean over 2B rows, twice


def smoothed(digits: Tensor, share: float) -> Tensor:
    """Smoothed labels: `share` spread evenly over the digits, the rest on the label; uniform for NEGATIVE.

    Args:
        digits: int64 of any shape, 0 to 9 or NEGATIVE.
        share: 0 to 1.

    Returns:
        float (..., 10), 0 to 1, with sum 1 over the last dimension.
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
