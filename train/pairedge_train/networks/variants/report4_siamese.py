"""The networks of report 004 (Celik, Oliva i Jurgens, Mainusch): plain, siamese and residual.

The activation is SELU everywhere. Siamese networks that are trained on digits decide by digits alone. The
report says that its ResNet18s are pretrained, but the authors' program loads no weights; both are here. The
attribute `pretrained` says whether weights were loaded, as they may not be available.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from pairedge_train.networks.resnet18 import ResNet18
from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.networks.two_channels import TwoChannels
from pairedge_train.networks.variants import variant

_RESNET_COUNT = "the report repeats MNISTResNet's count; a stem of one channel and ten classes make 968 more"


@variant("MLP", parameters=27_490, report=4, stated=27_490)
def mlp() -> nn.Module:
    """Three linear layers (report 004, II.B, Table I)."""
    return TwoChannels(
        nn.Flatten(),
        nn.Linear(392, 64),
        nn.SELU(),
        nn.BatchNorm1d(64),
        nn.Linear(64, 32),
        nn.SELU(),
        nn.BatchNorm1d(32),
        nn.Linear(32, 2),
    )


@variant("ConvNet", parameters=57_854, report=4, stated=57_854)
def conv_net() -> nn.Module:
    """Three convolutions and two linear layers (report 004, II.B, Table I)."""
    return TwoChannels(
        nn.Conv2d(2, 16, 4, padding=2),  # 15x15
        nn.SELU(),
        nn.MaxPool2d(2),  # 7x7
        nn.BatchNorm2d(16),
        nn.Conv2d(16, 32, 5, padding=2),
        nn.SELU(),
        nn.MaxPool2d(2),  # 3x3
        nn.BatchNorm2d(32),
        nn.Conv2d(32, 64, 3, padding=2),  # 5x5
        nn.SELU(),
        nn.MaxPool2d(2),  # 2x2
        nn.Flatten(),
        nn.Linear(256, 100),
        nn.Linear(100, 2),
    )


@variant("ConvNet_dropout", parameters=57_758, report=4)
def conv_net_dropout() -> nn.Module:
    """ConvNet's first version, with dropout and without batch normalization (report 004, II.B).

    The report states neither the rate nor the place of its dropout: here they are those of ConvTransposeNet
    in the authors' program, 0.5 behind the flattened maps.
    """
    return TwoChannels(
        nn.Conv2d(2, 16, 4, padding=2),  # 15x15
        nn.SELU(),
        nn.MaxPool2d(2),  # 7x7
        nn.Conv2d(16, 32, 5, padding=2),
        nn.SELU(),
        nn.MaxPool2d(2),  # 3x3
        nn.Conv2d(32, 64, 3, padding=2),  # 5x5
        nn.SELU(),
        nn.MaxPool2d(2),  # 2x2
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(256, 100),
        nn.Linear(100, 2),
    )


@variant("ConvResNet", parameters=41_477, report=4, stated=41_477)
def conv_res_net() -> nn.Module:
    """Ten residual blocks on both tiles (report 004, II.B, Table I)."""
    return TwoChannels(residual_network(2, 2))


@variant("ConvSiameseNetClasses", parameters=30_006, report=4, stated=30_006)
def conv_siamese_net_classes() -> nn.Module:
    """One small convolutional classifier for both tiles, digits alone decide (report 004, II.B, Table I)."""
    return TwoBranches([convolutional_classifier()], None, nn.Identity())


@variant("ConvSiameseNetTargets", parameters=30_048, report=4, stated=30_048)
def conv_siamese_net_targets() -> nn.Module:
    """ConvSiameseNetClasses' branch, never trained on digit labels (report 004, II.B, Table I)."""
    return TwoBranches([convolutional_classifier()], nn.Linear(20, 2), None)


@variant("ConvSiameseResNet", parameters=41_590, report=4, stated=41_590)
def conv_siamese_res_net() -> nn.Module:
    """Ten residual blocks for either tile, digits alone decide (report 004, II.B, Table I): 97.8 % there."""
    return TwoBranches([residual_network(1, 10)], None, nn.Identity())


@variant("MNISTResNet_pretrained", parameters=11_174_402, report=4, stated=11_174_402, pretrained=True)
@variant("MNISTResNet", parameters=11_174_402, report=4, stated=11_174_402)
class MNISTResNet(TwoChannels):
    """ResNet18 on both tiles (report 004, II.B, Table I)."""

    def __init__(self, pretrained: bool = False) -> None:
        network = ResNet18(2, 2, pretrained=pretrained)
        super().__init__(network)
        self.pretrained = network.pretrained


@variant(
    "MNISTResSiameseNet_pretrained",
    parameters=11_175_370,
    report=4,
    stated=11_174_402,
    reason=_RESNET_COUNT,
    pretrained=True,
)
@variant("MNISTResSiameseNet", parameters=11_175_370, report=4, stated=11_174_402, reason=_RESNET_COUNT)
class MNISTResSiameseNet(TwoBranches):
    """One ResNet18 for both tiles, digits alone decide (report 004, II.B, Table I)."""

    def __init__(self, pretrained: bool = False) -> None:
        branch = ResNet18(1, 10, pretrained=pretrained)
        super().__init__([branch], None, nn.Identity())
        self.pretrained = branch.pretrained


@variant("SiameseLinearConv", parameters=44_266, report=4)
def siamese_linear_conv() -> nn.Module:
    """What the authors' program runs as MNISTResSiameseNet: a linear map (report 004, II.B, Table II)."""
    branch = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=2),  # 16x16
        nn.Conv2d(8, 16, 5, padding=2),
        nn.Flatten(),
        nn.Linear(4096, 10),
    )
    return TwoBranches([branch], None, nn.Identity())


@variant("ConvTransposeNet", parameters=13_938, report=4)
def conv_transpose_net() -> nn.Module:
    """Two transposed convolutions and a linear layer (report 004, IV.B)."""
    return TwoChannels(
        nn.ConvTranspose2d(2, 16, 4, padding=2),  # 13x13
        nn.SELU(),
        nn.MaxPool2d(2),  # 6x6
        nn.ConvTranspose2d(16, 32, 5, padding=2),
        nn.SELU(),
        nn.MaxPool2d(2),  # 3x3
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(288, 2),
    )


class ResidualBlock(nn.Module):
    """Two convolutions and a skip connection; 4,140 parameters (report 004, II.B, ConvResNet)."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(15, 15, 3, padding=1), nn.SELU(), nn.BatchNorm2d(15))
        self.second = nn.Conv2d(15, 15, 3, padding=1)
        self.norm = nn.BatchNorm2d(15)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, 15, H, W) to the same shape."""
        normed: Tensor = self.norm(F.selu(self.second(self.first(maps)) + maps))
        return normed


def residual_network(channels: int, outputs: int) -> nn.Module:
    """Ten residual blocks of 15 maps, (B, channels, 14, 14) to (B, outputs).

    The report's average pooling with a kernel of 8 sees only the top left 8x8 of the maps.
    """
    return nn.Sequential(
        nn.Conv2d(channels, 15, 1),
        nn.SELU(),
        *(ResidualBlock() for _ in range(10)),
        nn.AvgPool2d(8),  # 1x1
        nn.SELU(),
        nn.Flatten(),
        nn.Linear(15, outputs),
    )


def convolutional_classifier() -> nn.Module:
    """The branch of the two ConvSiameseNets, (B, 1, 14, 14) to ten logits; 30,006 parameters.

    The report's count leaves out the affine batch normalization of the authors' program: 48 more.
    """
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=2),  # 16x16
        nn.SELU(),
        nn.MaxPool2d(2),  # 8x8
        nn.BatchNorm2d(8, affine=False),
        nn.Conv2d(8, 16, 5, padding=2),
        nn.SELU(),
        nn.MaxPool2d(2),  # 4x4
        nn.BatchNorm2d(16, affine=False),
        nn.Flatten(),
        nn.Linear(256, 100),
        nn.Linear(100, 10),
    )
