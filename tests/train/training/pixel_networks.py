"""Networks whose answers are written into their tiles, so that what they give is known by hand."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pairedge_train.data.pairs import Pairs
from pairedge_train.networks.network import Network
from pairedge_train.networks.posterior_sum import PosteriorSum
from pairedge_train.networks.two_branches import TwoBranches


class FirstTen(nn.Module):
    """Maps tiles (B, 1, 14, 14) to their first ten pixels, (B, 10)."""

    def forward(self, tiles: Tensor) -> Tensor:
        return tiles.flatten(1)[:, :10]


def linear(inputs: int, outputs: int) -> nn.Linear:
    """A linear layer that gives zeros."""
    layer = nn.Linear(inputs, outputs)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def digit_branch() -> nn.Sequential:
    """Its logits are the first ten pixels, by way of a linear layer that can carry a temperature."""
    layer = linear(10, 10)
    nn.init.eye_(layer.weight)
    return nn.Sequential(FirstTen(), layer)


def by_digits() -> Network:
    """Without comparison head: the most probable digits decide."""
    return Network(TwoBranches([digit_branch()], None, nn.Identity())).eval()


class NextTen(nn.Module):
    """Maps tiles (B, 1, 14, 14) to the ten pixels after their first ten, (B, 10)."""

    def forward(self, tiles: Tensor) -> Tensor:
        return tiles.flatten(1)[:, 10:20]


def by_digits_of_two_branches() -> Network:
    """The first tile's digit is in its first ten pixels, the second tile's in the next ten."""
    return Network(TwoBranches([FirstTen(), NextTen()], None, nn.Identity())).eval()


def by_posteriors(*, digits: bool = True) -> Network:
    """P(first <= second) is summed from the posteriors."""
    head = nn.Identity() if digits else None
    return Network(TwoBranches([digit_branch()], PosteriorSum(), head)).eval()


def by_first_pixel() -> Network:
    """The logit of "yes" is the first tile's first pixel; that of "no" is 0."""
    layer = linear(20, 2)
    with torch.no_grad():
        layer.weight[1, 0] = 1
    return Network(TwoBranches([nn.Sequential(FirstTen())], nn.Sequential(layer), None)).eval()


def tiles_of(logits: Tensor) -> Tensor:
    """Tiles, float32 (N, 14, 14), with these first ten pixels, float (N, 10)."""
    tiles = torch.zeros(len(logits), 196)
    tiles[:, :10] = logits
    return tiles.view(-1, 14, 14)


def tiles_that_say(digits: Sequence[int], strength: float) -> Tensor:
    """Tiles whose logits are `strength` for one digit and 0 for the others."""
    return tiles_of(strength * nn.functional.one_hot(torch.tensor(digits), 10).float())


def pairs_of(tiles: Tensor, labels: Sequence[int]) -> Pairs:
    """Neighbors as pairs."""
    return Pairs(tiles.view(-1, 2, 14, 14), torch.tensor(labels).view(-1, 2))
