"""The networks of report 003 (Kong, Wu, Phan): baselines, weight sharing and auxiliary losses, a_w_net.

All of them but the seven baselines are a convolutional block for the tiles, a classifier on both its outputs
("main") and perhaps one on each ("auxiliary"). The report's sigmoid and the loss on it are one function here:
networks give logits.
"""

from itertools import pairwise

from torch import nn

from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.networks.two_channels import TwoChannels
from pairedge_train.networks.variants import variant

_AFFINE = "the authors' program has affine batch normalization, 448 numbers that the report does not count"
_PRINTED = "the structure printed in Table I does not have the count printed beside it"


@variant("fc_1", parameters=96_433, report=3, stated=96_433)
def fc_1() -> nn.Module:
    """Three linear layers, n to n/2, n/4 and 1 (report 003, IV.A, Table I)."""
    return linear_layers(392, 196, 98, 1)


@variant("fc_1_sigmoid", parameters=96_433, report=3, stated=96_433)
def fc_1_sigmoid() -> nn.Module:
    """fc_1 with sigmoid hidden units, as the authors' program has it (report 003, IV.A, Table I)."""
    return linear_layers(392, 196, 98, 1, activation=nn.Sigmoid)


@variant("fc_2", parameters=144_747, report=3, stated=144_747)
def fc_2() -> nn.Module:
    """Five linear layers, n to n/2, n/2, n/4, n/4 and 1 (report 003, IV.A, Table I)."""
    return linear_layers(392, 196, 196, 98, 98, 1)


@variant("fc_3", parameters=924_337, report=3, stated=924_337)
def fc_3() -> nn.Module:
    """Three linear layers, n to 2n, 2n and 1 (report 003, IV.A, Table I)."""
    return linear_layers(392, 784, 784, 1)


@variant("conv_1", parameters=2_571, report=3, stated=2_571)
def conv_1() -> nn.Module:
    """Three convolutions of 10, 20 and 1 maps (report 003, IV.A, Table I)."""
    return three_convolutions(10, 20)


@variant("conv_2", parameters=48_851, report=3, stated=48_851)
def conv_2() -> nn.Module:
    """Three convolutions of 50, 100 and 1 maps (report 003, IV.A, Table I)."""
    return three_convolutions(50, 100)


@variant("conv_1_as_printed", parameters=2_191, report=3, stated=2_571, reason=_PRINTED)
def conv_1_as_printed() -> nn.Module:
    """Three convolutions of 10, 20 and 1 maps, kernels of 3 (report 003, IV.A, Table I)."""
    return three_convolutions_as_printed(10, 20)


@variant("conv_2_as_printed", parameters=19_681, report=3, stated=48_851, reason=_PRINTED)
def conv_2_as_printed() -> nn.Module:
    """Three convolutions of 32, 64 and 1 maps, kernels of 3 (report 003, IV.A, Table I)."""
    return three_convolutions_as_printed(32, 64)


@variant("conv_3", parameters=9_411, report=3, stated=9_411)
def conv_3() -> nn.Module:
    """Four convolutions of 10, 20, 40 and 1 maps (report 003, IV.A, Table I)."""
    return TwoChannels(
        nn.Conv2d(2, 10, 3),  # 12x12
        nn.ReLU(),
        nn.MaxPool2d(2),  # 6x6
        nn.Conv2d(10, 20, 3),  # 4x4
        nn.ReLU(),
        nn.Conv2d(20, 40, 3),  # 2x2
        nn.ReLU(),
        nn.Conv2d(40, 1, 2),  # 1x1
        nn.Flatten(0),
    )


@variant("cnn_base", parameters=105_889, report=3, stated=105_889)
def cnn_base() -> nn.Module:
    """Three convolutions and three linear layers on both tiles (report 003, IV.A, Fig. 1).

    The figure draws linear layers of 256, 128 and 64; the count is that of 128, 64 and 64.
    """
    return TwoChannels(convolutions(2), main_head(128))


@variant("no_w_net", parameters=235_777, report=3, stated=235_777)
def no_w_net() -> nn.Module:
    """A convolutional block for each tile, main head only (report 003, V, Fig. 2 right)."""
    return TwoBranches([convolutions(1), convolutions(1)], main_head(256), None)


@variant(
    "w_net",
    parameters=142_657,
    report=3,
    stated=142_658,
    reason="a misprint: no_w_net and a_net, made of the same parts, have exactly what the report says",
)
def w_net() -> nn.Module:
    """One convolutional block for both tiles, main head only (report 003, V, Fig. 2 left)."""
    return TwoBranches([convolutions(1)], main_head(256), None)


@variant("a_net", parameters=248_843, report=3, stated=248_843)
def a_net() -> nn.Module:
    """A convolutional block for each tile, main and auxiliary head (report 003, VI)."""
    return TwoBranches([convolutions(1), convolutions(1)], main_head(256), auxiliary_head())


@variant("a_w_net_dropout_0.6", parameters=155_275, report=3, dropout=0.6)
@variant("a_w_net_dropout_0.5", parameters=155_275, report=3, dropout=0.5)
@variant("a_w_net_dropout_0.3", parameters=155_275, report=3, dropout=0.3)
@variant("a_w_net_dropout_0.2", parameters=155_275, report=3, dropout=0.2)
@variant("a_w_net_dropout_0.1", parameters=155_275, report=3, dropout=0.1)
@variant(
    "final_model_affine",
    parameters=155_723,
    report=3,
    stated=155_275,
    reason=_AFFINE,
    dropout=0.4,
    affine=True,
)
@variant("final_model", parameters=155_275, report=3, stated=155_275, dropout=0.4)
@variant("a_w_net_affine", parameters=155_723, report=3, stated=155_275, reason=_AFFINE, affine=True)
@variant("a_w_net", parameters=155_275, report=3, stated=155_275)
def a_w_net(dropout: float = 0.0, affine: bool = False) -> nn.Module:
    """One convolutional block for both tiles, main and auxiliary head (report 003, VI, VII, Fig. 3)."""
    return TwoBranches([convolutions(1, affine, dropout)], main_head(256), auxiliary_head())


def linear_layers(*widths: int, activation: type[nn.Module] = nn.ReLU) -> nn.Module:
    """Linear layers from one width to the next; the last gives the logit."""
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), activation()]
    return TwoChannels(*layers[:-1], nn.Flatten(0))


def three_convolutions(first: int, second: int) -> nn.Module:
    """conv_1 and conv_2, by their widths.

    As printed in Table I they do not have the counts printed there. These kernels and the batch
    normalization are from the authors' program of conv_1; for conv_2, which has no program, only the widths
    50 and 100 then give the count.
    """
    return TwoChannels(
        nn.Conv2d(2, first, 5),  # 10x10
        nn.ReLU(),
        nn.BatchNorm2d(first),
        nn.MaxPool2d(2),  # 5x5
        nn.Conv2d(first, second, 3),  # 3x3
        nn.ReLU(),
        nn.BatchNorm2d(second),
        nn.Conv2d(second, 1, 3),  # 1x1
        nn.Flatten(0),
    )


def three_convolutions_as_printed(first: int, second: int) -> nn.Module:
    """conv_1 and conv_2 as Table I prints them, by their widths, with padding as its text says.

    The last map is then 7x7, and the report does not say how it becomes one number: its mean is the logit.
    """
    return TwoChannels(
        nn.Conv2d(2, first, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),  # 7x7
        nn.Conv2d(first, second, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(second, 1, 3, padding=1),
        nn.AvgPool2d(7),  # 1x1
        nn.Flatten(0),
    )


def convolutions(channels: int, affine: bool = True, dropout: float = 0.0) -> nn.Module:
    """The convolutional block of Figs. 1 to 3, (B, channels, 14, 14) to (B, 128).

    Dropout zeroes whole maps of the last layer, which are single numbers there.
    """
    layers: list[nn.Module] = []
    for inputs, outputs in ((channels, 32), (32, 64), (64, 128)):  # 14x14 to 7x7, 3x3, 1x1
        layers += [
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.ReLU(),
            nn.BatchNorm2d(outputs, affine=affine),
            nn.MaxPool2d(2),
        ]
    return nn.Sequential(*layers, nn.Dropout2d(dropout), nn.Flatten())


def classifier(width: int, outputs: int) -> nn.Sequential:
    """The fully connected block of Figs. 1 to 3, (B, width) to (B, outputs)."""
    half = width // 2
    return nn.Sequential(
        nn.Linear(width, half),
        nn.ReLU(),
        nn.Linear(half, half),
        nn.ReLU(),
        nn.Linear(half, outputs),
    )


def main_head(width: int) -> nn.Module:
    """The binary classifier, (B, width) to one logit (B,)."""
    return nn.Sequential(classifier(width, 1), nn.Flatten(0))


def auxiliary_head() -> nn.Module:
    """The digit classifier, one tile's (B, 128) to ten logits."""
    return classifier(128, 10)
