"""A network ready for gray levels: a variant's body behind its normalization, two constants of the model."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pairedge_train.experiments.recipe import Architecture
from pairedge_train.networks.ensemble import ensemble_of
from pairedge_train.networks.output import Output
from pairedge_train.networks.variants import get_variant


class Network(nn.Module):
    """Maps gray levels 0..255, float32 (B, 2, 14, 14), to a variant's `Output`.

    Args:
        body: the variant's network.
        mean: subtracted from every gray level.
        std: what the difference is divided by.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, body: nn.Module, mean: float = 0.0, std: float = 1.0) -> None:
        super().__init__()
        self.body = body
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, images: Tensor) -> Output:
        """Answer for pairs, float32 (B, 2, 14, 14)."""
        output: Output = self.body(self.normalize(images))
        return output

    def normalize(self, images: Tensor) -> Tensor:
        """Gray levels to what the body was trained on."""
        return (images - self.mean) / self.std

    def parameter_count(self) -> int:
        """How many trainable numbers the network has; a shared weight counts once."""
        return sum(parameter.numel() for parameter in self.parameters())


def build_network(architecture: Architecture, mean: float = 0.0, std: float = 1.0) -> Network:
    """A network with fresh weights.

    Args:
        architecture: one variant, or several whose mean answers.
        mean: subtracted from every gray level.
        std: what the difference is divided by.

    Raises:
        RecipeError: for an unknown variant, or one of which no ensemble can be made.
    """
    bodies = [get_variant(name).build() for name in architecture.members]
    return Network(bodies[0] if len(bodies) == 1 else ensemble_of(bodies), mean, std)


def ensemble_network(members: Sequence[Network]) -> Network:
    """One network of several that are normalized alike; of one, that one."""
    if len(members) == 1:
        return members[0]
    body = ensemble_of([member.body for member in members])
    return Network(body, float(members[0].mean), float(members[0].std))


def to_channels_last(network: Network) -> Network:
    """The network in the memory format in which the CPU's kernels are fastest; it is changed in place."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's types lack it
    return network
