"""The output that all networks share."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Output(NamedTuple):
    """The logits of a network's heads for B pairs; at most one of them is None.

    Attributes:
        comparison: float logits of first <= second: (B, 2) for the classes no and yes, or (B,) for yes; None
            without a comparison head.
        digits: float logits (B, 2, 10) of each tile's digit; None without a digit head.
    """

    comparison: Tensor | None
    digits: Tensor | None


def leq_probability(comparison: Tensor) -> Tensor:
    """P(first <= second), float (B,), 0 to 1, from comparison logits, float (B, 2) or (B,)."""
    return comparison.softmax(1)[:, 1] if comparison.ndim == 2 else comparison.sigmoid()
