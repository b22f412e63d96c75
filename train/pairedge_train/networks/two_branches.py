"""The shape that most networks of the reports have: a branch for each tile, and heads on what they say."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pairedge_train.networks.output import Output


class TwoBranches(nn.Module):
    """Two tiles, each through a branch to an embedding; a comparison head on both, a digit head on each.

    Args:
        branches: one module for both tiles (weight sharing) or one for each; (B, 1, 14, 14) -> (B, E).
        comparison: head on both embeddings side by side, (B, 2E) -> comparison logits; None
            leaves the comparison to the digits.
        digit: head on one embedding, (B, E) -> digit logits (B, 10); None leaves the digits out, and with
            them the auxiliary losses. One head at least must be there.
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
        """The embeddings of first and second tiles, each (B, E).

        In training a shared branch is called twice, so that batch normalisation sees first and second
        tiles as two batches, as the reports' networks do, unless it is said to take them `together`.
        Afterwards both always go through it as one batch, which gives the same numbers and lets an
        exporter fold the normalisation into the convolutions.
        """
        if self.shares_weights and (self.together or not self.training):
            both = self.branches[0](pairs.reshape(-1, 1, *pairs.shape[2:]))
            both = both.reshape(-1, 2, both.shape[1])
            return both[:, 0], both[:, 1]
        return self.branches[0](pairs[:, :1]), self.branches[-1](pairs[:, 1:])

    def heads(self, first: Tensor, second: Tensor) -> Output:
        """What the heads say about two embeddings, each (B, E)."""
        digits = None
        if self.digit is not None:
            digits = torch.stack([self.digit(first), self.digit(second)], dim=1)
        return Output(None if self.comparison is None else self.compare(first, second), digits)

    def compare(self, first: Tensor, second: Tensor) -> Tensor:
        """Comparison logits from two embeddings, each (B, E), by the comparison head, which must be there."""
        assert self.comparison is not None
        logits: Tensor = self.comparison(torch.cat([first, second], dim=1))
        return logits
