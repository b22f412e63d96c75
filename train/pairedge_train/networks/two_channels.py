"""The plain architecture: both tiles as the two channels of one picture, through one stack of layers."""

from __future__ import annotations

from torch import Tensor, nn

from pairedge_train.networks.output import Output


class TwoChannels(nn.Module):
    """A stack of layers with a comparison head only.

    Args:
        layers: (B, 2, 14, 14) -> comparison logits, (B, 2) or (B,).
    """

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, pairs: Tensor) -> Output:
        """Compare pairs, float32 (B, 2, 14, 14)."""
        return Output(self.layers(pairs), None)
