"""The shape that the reports share: a branch for each tile, and a head that compares what they say."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pairedge_train.heads import Output


class TwoBranches(nn.Module):
    """Two tiles, each through a branch to an embedding; a comparison head on both embeddings.

    Args:
        branches: one module for both tiles (weight sharing) or one for each; (B, 1, 14, 14) -> (B, E).
        comparison: head on both embeddings side by side, (B, 2E) -> comparison logits.
        digit: head on one embedding, (B, E) -> digit logits (B, 10); None leaves the digits out, and with
            them the auxiliary losses.
    """

    def __init__(self, branches: list[nn.Module], comparison: nn.Module, digit: nn.Module | None) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.comparison = comparison
        self.digit = digit

    @property
    def shares_weights(self) -> bool:
        """Whether one branch serves both tiles."""
        return len(self.branches) == 1

    def forward(self, pairs: Tensor) -> Output:
        """Compare pairs, float32 (B, 2, 14, 14)."""
        first, second = self.embed(pairs)
        digits = None
        if self.digit is not None:
            digits = torch.stack([self.digit(first), self.digit(second)], dim=1)
        return Output(self.compare(first, second), digits)

    def embed(self, pairs: Tensor) -> tuple[Tensor, Tensor]:
        """The embeddings of first and second tiles, each (B, E).

        In training a shared branch is called twice, so that batch normalisation sees first and second
        tiles as two batches, as the reports' networks do. Afterwards both go through it as one batch,
        which gives the same numbers and lets an exporter fold the normalisation into the convolutions.
        """
        if self.shares_weights and not self.training:
            both = self.branches[0](pairs.reshape(-1, 1, *pairs.shape[2:]))
            both = both.reshape(-1, 2, both.shape[1])
            return both[:, 0], both[:, 1]
        return self.branches[0](pairs[:, :1]), self.branches[-1](pairs[:, 1:])

    def compare(self, first: Tensor, second: Tensor) -> Tensor:
        """Comparison logits from two embeddings, each (B, E)."""
        logits: Tensor = self.comparison(torch.cat([first, second], dim=1))
        return logits
