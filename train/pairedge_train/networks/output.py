"""What every network answers with."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Output(NamedTuple):
    """The heads of a network for B pairs; a variant lacks at most one of them.

    Attributes:
        comparison: logits of "first <= second": (B, 2) for the classes no and yes, or (B,) for yes.
        digits: logits (B, 2, 10) of each tile's digit.
    """

    comparison: Tensor | None
    digits: Tensor | None


def leq_probability(comparison: Tensor) -> Tensor:
    """P(first <= second), (B,), from comparison logits (B, 2) or (B,)."""
    return comparison.softmax(1)[:, 1] if comparison.ndim == 2 else comparison.sigmoid()
