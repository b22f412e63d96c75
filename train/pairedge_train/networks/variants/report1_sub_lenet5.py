"""Sub_LeNet5, the three networks of report 001 (Salomon and Caristan).

LeNet-5 without its first two layers, which would make 14x14 maps of a 32x32 picture, reads each tile. The
report's sigmoid and the loss on it are one function here: networks give logits.
"""

from torch import nn

from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.networks.variants import variant


@variant("Sub_LeNet5", parameters=130_877, report=1, stated=130_877)
def sub_lenet5() -> nn.Module:
    """A LeNet-5 for each tile, three linear layers compare (report 001, III)."""
    return TwoBranches([lenet5(), lenet5()], comparison(), None)


@variant("Sub_LeNet5_WS", parameters=71_589, report=1, stated=71_589)
def sub_lenet5_ws() -> nn.Module:
    """One LeNet-5 for both tiles, three linear layers compare (report 001, IV)."""
    return TwoBranches([lenet5()], comparison(), None)


@variant("Sub_LeNet5_WS_AL", parameters=59_288, report=1, stated=59_288)
def sub_lenet5_ws_al() -> nn.Module:
    """One LeNet-5 for both tiles, digits alone decide (report 001, V; "auxLoss" in the text)."""
    return TwoBranches([lenet5()], None, nn.Identity())


def lenet5() -> nn.Module:
    """LeNet-5 from its third layer on: (B, 1, 14, 14) to ten log-probabilities; 59,288 parameters.

    The report gives layer 6 LeNet-5's 84 units, but all three of its counts are those of 82. Its ReLU is
    from the authors' program. Softmax and cross-entropy leave log-probabilities as they are, so that these
    serve as digit logits.
    """
    return nn.Sequential(
        nn.Conv2d(1, 16, 5),  # 10x10
        nn.Tanh(),
        nn.AvgPool2d(2),  # 5x5
        nn.Conv2d(16, 120, 5),  # 1x1
        nn.Tanh(),
        nn.Flatten(),
        nn.Linear(120, 82),
        nn.ReLU(),
        nn.Linear(82, 10),
        nn.LogSoftmax(1),
    )


def comparison() -> nn.Module:
    """Both tiles' log-probabilities (B, 20) to one logit (B,); 12,301 parameters."""
    return nn.Sequential(
        nn.Linear(20, 100),
        nn.ReLU(),
        nn.Linear(100, 100),
        nn.ReLU(),
        nn.Linear(100, 1),
        nn.Flatten(0),
    )
