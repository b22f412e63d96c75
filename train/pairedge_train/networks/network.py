"""A complete network: a variant's body behind the normalization of gray levels."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from pairedge_train.experiments.recipe import Architecture
from pairedge_train.networks.ensemble import ensemble_of
from pairedge_train.networks.output import Output
from pairedge_train.networks.variants import get_variant


class Network(nn.Module):
    """Maps pairs of tiles, gray levels 0 to 255, to a variant's `Output`.

    Args:
        body: the variant's network.
        mean: subtracted from every gray level.
        std: divides the difference.

    Attributes:
        mean: a scalar float32.
        std: a scalar float32.
        fixed_statistics: whether batch normalization normalizes by its running statistics in training too,
            and leaves them as they are.
    """

    mean: Tensor
    std: Tensor
    fixed_statistics: bool = False

    def __init__(self, body: nn.Module, mean: float = 0.0, std: float = 1.0) -> None:
        super().__init__()
        self.body = body
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, images: Tensor) -> Output:
        """Compare pairs, float32 (B, 2, 14, 14), 0 to 255."""
        output: Output = self.body(self.normalize(images))
        return output

    def normalize(self, images: Tensor) -> Tensor:
        """Normalize gray levels, float32 of any shape, 0 to 255, by mean and standard deviation."""
        return (images - self.mean) / self.std

    def train(self, mode: bool = True) -> Network:
        """Set training or evaluation mode, in which `fixed_statistics` keep normalization in any case."""
        super().train(mode)
        if self.fixed_statistics:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def sha256(self) -> str:
        """A digest of all weights and running statistics by name, in hexadecimal."""
        content = hashlib.sha256()
        for name, tensor in sorted(self.state_dict().items()):
            content.update(name.encode() + tensor.cpu().numpy().tobytes())
        return content.hexdigest()

    def parameter_count(self) -> int:
        """The number of trainable parameters; a shared weight counts once."""
        return sum(parameter.numel() for parameter in self.parameters())


def build_network(architecture: Architecture, mean: float = 0.0, std: float = 1.0) -> Network:
    """Build a network with randomly initialized weights.

    Args:
        architecture: one variant, or the members of an ensemble.
        mean: subtracted from every gray level.
        std: divides the difference.

    Raises:
        RecipeError: for an unknown variant, or members that cannot form an ensemble.
    """
    bodies = [get_variant(name).build() for name in architecture.members]
    return Network(bodies[0] if len(bodies) == 1 else ensemble_of(bodies), mean, std)


def ensemble_network(members: Sequence[Network]) -> Network:
    """Combine members with equal normalization into an ensemble; a single member is returned as it is."""
    if len(members) == 1:
        return members[0]
    body = ensemble_of([member.body for member in members])
    return Network(body, float(members[0].mean), float(members[0].std))


def to_channels_last(network: Network) -> Network:
    """Convert a network in place to the memory format in which CPU kernels are fastest, and return it."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's types lack it
    return network
