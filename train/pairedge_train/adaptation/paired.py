"""Two networks on the same digits: who is right where the other is wrong, and whether that is chance."""

from __future__ import annotations

from typing import Literal

import torch
from scipy import stats
from torch import Tensor

from pairedge_train.data.datasets import Digits
from pairedge_train.networks.network import Network
from pairedge_train.rows import Paired
from pairedge_train.training.evaluate import outputs

SIGNIFICANT = 0.05  # p-values of at least this tell no difference

Verdict = Literal["better", "worse", "no difference that could be told"]


def compare(before: Tensor, after: Tensor) -> Paired:
    """Count where two networks differ, and test it.

    Args:
        before: whether the first network is right, bool (N,), N at least 1.
        after: whether the second one is, bool (N,).
    """
    gained, lost = int((after & ~before).sum()), int((before & ~after).sum())
    p = float(stats.binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
    return Paired(
        n=len(before),
        before=float(before.double().mean()),
        after=float(after.double().mean()),
        gained=gained,
        lost=lost,
        p=min(p, 1.0),
    )


def verdict(paired: Paired) -> Verdict:
    """What the counts show of the second network."""
    if paired.p >= SIGNIFICANT:
        return "no difference that could be told"
    return "better" if paired.gained > paired.lost else "worse"


def is_right(network: Network, digits: Digits) -> Tensor:
    """Whether a network with a digit head classifies each tile correctly, bool (N,); on the CPU."""
    tiles = torch.from_numpy(digits.tiles).float()
    logits = outputs(network, torch.stack([tiles, tiles], dim=1)).digits
    assert logits is not None  # it has a digit head
    return logits[:, 0].argmax(1) == digits.labels
