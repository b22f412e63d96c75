"""The architecture of most networks of the reports: a branch for each tile, and heads on the embeddings."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pairedge_train.networks.output import Output


class TwoBranches(nn.Module):
    """Maps each tile to an embedding; a comparison head reads both embeddings, a digit head each one.

    Args:
        branches: one module for both tiles (weight sharing) or one for each; (B, 1, 14, 14) -> (B, E).
        comparison: head on both embeddings side by side, (B, 2E) -> comparison logits; None compares the most
            probable digits.
        digit: head on one embedding, (B, E) -> digit logits (B, 10); None for a network without digits, which
            has no auxiliary losses. There must be at least one head.
        together: send both tiles through a shared branch as one batch in training too.
    """

    def __init__(
        self,
        branches: list[nn.Module],
        comparison: nn.Module | None,
        digit: nn.Module | None,
        *,
        together: bool = False,
    ) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.comparison = comparison
        self.digit = digit
        self.together = together

    @property
    def shares_weights(self) -> bool:
        """Whether one branch serves both tiles."""
        return len(self.branches) == 1

    def forward(self, pairs: Tensor) -> Output:
        """Compare pairs, float32 (B, 2, 14, 14)."""
        return self.heads(*self.embed(pairs))

    def embed(self, pairs: Tensor) -> tuple[Tensor, Tensor]:
        """The embeddings of first and second tiles, each float (B, E), of pairs, float32 (B, 2, 14, 14).

        In training a shared branch is called twice unless `together`, so that batch normalization sees first
        and second tiles as two batches, as in the reports' networks. In evaluation both always go through it
        as one batch, which gives the same numbers and lets an exporter fold the normalization into the
        convolutions.
        """
        if self.shares_weights and (self.together or not self.training):
            embeddings = self.branches[0](pairs.reshape(-1, 1, *pairs.shape[2:]))
            embeddings = embeddings.reshape(-1, 2, embeddings.shape[1])
            return embeddings[:, 0], embeddings[:, 1]
        return self.branches[0](pairs[:, :1]), self.branches[-1](pairs[:, 1:])

    def heads(self, first: Tensor, second: Tensor) -> Output:
        """The heads' logits for two embeddings, each float (B, E)."""
        digits = None
        if self.digit is not None:
            digits = torch.stack([self.digit(first), self.digit(second)], dim=1)
        return Output(None if self.comparison is None else self.compare(first, second), digits)

    def compare(self, first: Tensor, second: Tensor) -> Tensor:
        """Comparison logits, float (B, 2) or (B,), of two embeddings, each float (B, E)."""
        assert self.comparison is not None
        logits: Tensor = self.comparison(torch.cat([first, second], dim=1))
        return logits
