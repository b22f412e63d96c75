"""ResNet18 with a stem and a head for tiles, randomly initialized or pretrained on ImageNet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pairedge_train.torchvision_import import import_torchvision


class ResNet18(nn.Module):
    """ResNet18 for pictures of 14x14.

    The stem keeps its 7x7 kernels but has stride 1: 14x14 is small enough.

    Args:
        channels: number of input channels.
        outputs: number of logits.
        pretrained: start from torchvision's published weights, except for the head.

    Attributes:
        pretrained: whether pretrained weights were loaded; they may not have been available.
    """

    def __init__(self, channels: int, outputs: int, *, pretrained: bool) -> None:
        super().__init__()
        body = pretrained_resnet18() if pretrained else None
        self.pretrained = body is not None
        self.body = body or resnet18(None)
        stem = nn.Conv2d(channels, 64, 7, stride=1, padding=3, bias=False)
        if self.pretrained:
            with torch.no_grad():  # gray has no colors: every channel starts from the mean over the colors
                stem.weight.copy_(self.body.get_parameter("conv1.weight").mean(1, keepdim=True))
        self.body.conv1 = stem
        self.body.fc = nn.Linear(512, outputs)

    def forward(self, pictures: Tensor) -> Tensor:
        """Map pictures (B, C, 14, 14) to logits (B, K)."""
        logits: Tensor = self.body(pictures)
        return logits


def pretrained_resnet18() -> nn.Module | None:
    """ResNet18 with torchvision's best ImageNet weights, or None where they are not available.

    They are read from torch.hub's cache, and downloaded to it only when PAIREDGE_PRETRAINED=1 asks for that:
    building a network makes no connection by itself.
    """
    weights = import_torchvision("models").ResNet18_Weights.DEFAULT
    cached = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    if not cached.is_file() and os.environ.get("PAIREDGE_PRETRAINED") != "1":
        return None
    try:
        return resnet18(weights)
    except OSError:  # no connection (URLError is an OSError), or the cache is not writable
        return None


def resnet18(weights: Any) -> nn.Module:
    """The ResNet18 of torchvision, 1,000 classes, with the given weights; None initializes them randomly."""
    network: nn.Module = import_torchvision("models").resnet18(weights=weights, progress=False)
    return network
