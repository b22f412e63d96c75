"""ResNet18 with a stem and a head for tiles, randomly initialized or pretrained on ImageNet."""

from __future__ import annotations

import hashlib
import os
from io import BytesIO
from pathlib import Path

import torch
from torch import Tensor, nn

from pairedge_train.errors import CheckpointError
from pairedge_train.torchvision_import import import_torchvision

# SHA-256 of the file at torchvision's URL, whose name has its first eight digits.
PUBLISHED = "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec"


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
        self.body = body or resnet18()
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

    Raises:
        CheckpointError: when the cached file is another one.
    """
    url = import_torchvision("models").ResNet18_Weights.DEFAULT.url
    cached = Path(torch.hub.get_dir()) / "checkpoints" / Path(url).name
    try:
        if not cached.is_file():
            if os.environ.get("PAIREDGE_PRETRAINED") != "1":
                return None
            cached.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(url, str(cached), PUBLISHED[:8], progress=False)
        content = cached.read_bytes()
    except (OSError, RuntimeError):  # no connection, no such cache, or a wrong digest, which leaves no file
        return None
    if hashlib.sha256(content).hexdigest() != PUBLISHED:
        raise CheckpointError(f"{cached}: not the published weights: wrong SHA-256; delete the file")
    network = resnet18()
    network.load_state_dict(torch.load(BytesIO(content), weights_only=True))  # runs no code of the file
    return network


def resnet18() -> nn.Module:
    """The ResNet18 of torchvision, 1,000 classes, initialized randomly."""
    network: nn.Module = import_torchvision("models").resnet18(weights=None)
    return network
