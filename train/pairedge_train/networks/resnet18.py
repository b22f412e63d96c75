"""ResNet18 with a stem and a head for tiles, from fresh weights or, where they can be had, ImageNet's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pairedge_train.torchvision_import import import_torchvision


class ResNet18(nn.Module):
    """Pictures (B, channels, 14, 14) to logits (B, outputs).

    The stem keeps its 7x7 kernels but not its stride: 14x14 is small enough.

    Args:
        channels: of the pictures.
        outputs: how many logits.
        pretrained: start from the weights that torchvision publishes, all but those of the head.

    Attributes:
        pretrained: whether it did; the weights may not have been there.
    """

    def __init__(self, channels: int, outputs: int, *, pretrained: bool) -> None:
        super().__init__()
        body = pretrained_resnet18() if pretrained else None
        self.pretrained = body is not None
        self.body = body or resnet18(None)
        stem = nn.Conv2d(channels, 64, 7, stride=1, padding=3, bias=False)
        if self.pretrained:
            with torch.no_grad():  # colours mean nothing here: every channel starts from their mean
                stem.weight.copy_(self.body.get_parameter("conv1.weight").mean(1, keepdim=True))
        self.body.conv1 = stem
        self.body.fc = nn.Linear(512, outputs)

    def forward(self, pictures: Tensor) -> Tensor:
        """Classify pictures."""
        logits: Tensor = self.body(pictures)
        return logits


def pretrained_resnet18() -> nn.Module | None:
    """ResNet18 with torchvision's best ImageNet weights, or None where they cannot be had.

    They are read from torch.hub's cache. They are downloaded to it only where PAIREDGE_PRETRAINED=1 asks
    for that: building a network goes nowhere unasked.
    """
    weights = import_torchvision("models").ResNet18_Weights.DEFAULT
    cached = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    if not cached.is_file() and os.environ.get("PAIREDGE_PRETRAINED") != "1":
        return None
    try:
        return resnet18(weights)
    except OSError:  # no connection (URLError is one), or no place to put the file
        return None


def resnet18(weights: Any) -> nn.Module:
    """The network that torchvision gives, 1,000 classes, with the given weights or fresh ones."""
    network: nn.Module = import_torchvision("models").resnet18(weights=weights, progress=False)
    return network
