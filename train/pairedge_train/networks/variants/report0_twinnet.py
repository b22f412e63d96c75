"""TwinNet, the networks of report 000 (Zadoks, "Classification, weight sharing, auxiliary losses").

A LeNet-5-like branch reads each tile, and a small perceptron compares the two vectors of ten logits. Four
variants cross weight sharing (one branch for both tiles, or one each) with auxiliary losses (the branches'
logits are also trained as digit logits, or not); a fifth is built as the report's listing prints it, a
sixth with tanh in place of ReLU, which the report says was worse.
"""

from torch import nn

from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.networks.variants import variant


@variant(parameters=18_896, report=0)
def twinnet_base() -> nn.Module:
    """TwinNet, two branches, comparison loss only (report 000, Model architecture, Fig. 1)."""
    return twinnet(share_weights=False, auxiliary=False)


@variant(parameters=9_574, report=0)
def twinnet_ws() -> nn.Module:
    """TwinNet, one branch for both tiles, comparison loss only (report 000, Weight sharing, Fig. 1)."""
    return twinnet(share_weights=True, auxiliary=False)


@variant(parameters=18_896, report=0)
def twinnet_aux() -> nn.Module:
    """TwinNet, two branches, comparison and digit losses (report 000, Auxiliary loss, Fig. 1)."""
    return twinnet(share_weights=False, auxiliary=True)


@variant(parameters=9_574, report=0)
def twinnet_aux_ws() -> nn.Module:
    """TwinNet, one branch, comparison and digit losses (report 000, Fig. 1): 95.22 % in the report."""
    return twinnet(share_weights=True, auxiliary=True)


@variant(parameters=9_574, report=0)
def twinnet_aux_ws_no_hidden_relu() -> nn.Module:
    """TwinNet, one branch, both losses, the subnet as printed (report 000, Model architecture, listing)."""
    return twinnet(share_weights=True, auxiliary=True, hidden_relu=False)


@variant(parameters=9_574, report=0)
def twinnet_aux_ws_tanh() -> nn.Module:
    """TwinNet, one branch, both losses, tanh for every ReLU (report 000, Model architecture)."""
    return twinnet(share_weights=True, auxiliary=True, activation=nn.Tanh)


def twinnet(
    *,
    share_weights: bool,
    auxiliary: bool,
    hidden_relu: bool = True,
    activation: type[nn.Module] = nn.ReLU,
) -> TwoBranches:
    """Build a TwinNet. The embedding of a tile is its ten digit logits, so the digit head has no weights."""
    branches = [lenet(hidden_relu, activation) for _ in range(1 if share_weights else 2)]
    return TwoBranches(branches, comparison(activation), nn.Identity() if auxiliary else None)


def lenet(hidden_relu: bool = True, activation: type[nn.Module] = nn.ReLU) -> nn.Module:
    """The convolutional subnet of Fig. 1: (B, 1, 14, 14) to ten logits; 9,322 parameters.

    The report's printed listing has no activation after BatchNorm1d; the author's program has the ReLU
    built here by default, and only with it does training come near the report's accuracy.
    """
    return nn.Sequential(
        nn.Conv2d(1, 16, 3),  # 12x12
        activation(),
        nn.AvgPool2d(2),  # 6x6
        nn.Conv2d(16, 32, 3),  # 4x4
        activation(),
        nn.AvgPool2d(2),  # 2x2
        nn.Flatten(),
        nn.Linear(128, 32),
        nn.BatchNorm1d(32),
        activation() if hidden_relu else nn.Identity(),
        nn.Dropout(0.25),
        nn.Linear(32, 10),
    )


def comparison(activation: type[nn.Module] = nn.ReLU) -> nn.Module:
    """The fully-connected subnet: both tiles' logits (B, 20) to two logits (B, 2); 252 parameters."""
    return nn.Sequential(
        activation(),
        nn.Linear(20, 10),
        nn.BatchNorm1d(10),
        activation(),
        nn.Dropout(0.25),
        nn.Linear(10, 2),
    )
