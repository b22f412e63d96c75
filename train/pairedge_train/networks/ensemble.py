"""Ensembles: several networks as one, by the mean of their logits."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pairedge_train.errors import RecipeError
from pairedge_train.networks.two_branches import TwoBranches


class MeanOfBranches(nn.Module):
    """The mean of several branches' embeddings of a tile."""

    def __init__(self, branches: Sequence[nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, tiles: Tensor) -> Tensor:
        """Map tiles (B, 1, 14, 14) to embeddings (B, E)."""
        return torch.stack([branch(tiles) for branch in self.branches]).mean(0)


def ensemble_of(bodies: Sequence[nn.Module]) -> TwoBranches:
    """Combine networks into one: the mean of their branches, under heads that have no weights.

    Raises:
        RecipeError: when the networks have no branches, or heads with weights.
    """
    first = bodies[0]
    if not isinstance(first, TwoBranches) or _head_weights(first):
        raise RecipeError("members of an ensemble must have branches, and heads without weights")
    branches = zip(*(body.branches for body in bodies if isinstance(body, TwoBranches)), strict=True)
    means: list[nn.Module] = [MeanOfBranches(members) for members in branches]
    return TwoBranches(means, first.comparison, first.digit, together=first.together)


def _head_weights(body: TwoBranches) -> list[nn.Parameter]:
    return [weight for head in (body.comparison, body.digit) if head for weight in head.parameters()]
