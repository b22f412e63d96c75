"""The seven networks of report 002 (Kriukov, Moiseev, Leserri) on one feature extraction module.

In the order of its Table 1, each without and with dropout. The report ends most names in "Model", and
states neither parameter counts nor a dropout rate: 0.25 is ours. Dropout precedes the linear layers, as in
the authors' program.
"""

import torch
from torch import Tensor, nn

from pairedge_train.networks.output import Output
from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.networks.two_channels import TwoChannels
from pairedge_train.networks.variants import variant

_RATE = 0.25  # of the variants with dropout


@variant("TwoChannels_dropout", parameters=53_301, report=2, dropout=_RATE)
@variant("TwoChannels", parameters=53_301, report=2)
def two_channels(dropout: float = 0.0) -> nn.Module:
    """Both tiles as one picture of two channels (report 002, 1.2, Fig. 3)."""
    return TwoChannels(features(2), hidden(dropout), ten(dropout), nn.ReLU(), *one_logit(10))


@variant("TwoBranches_dropout", parameters=106_026, report=2, dropout=_RATE)
@variant("TwoBranches", parameters=106_026, report=2)
def two_branches(dropout: float = 0.0) -> nn.Module:
    """A network for each tile makes a number of it, the difference compares (report 002, 1.2, Fig. 4)."""
    return TwoBranches([to_number(dropout), to_number(dropout)], Difference(), None)


@variant("WeightSharingBranches_dropout", parameters=53_013, report=2, dropout=_RATE)
@variant("WeightSharingBranches", parameters=53_013, report=2)
def weight_sharing_branches(dropout: float = 0.0) -> nn.Module:
    """One network makes a number of either tile, the difference compares (report 002, 1.2, Fig. 5)."""
    return TwoBranches([to_number(dropout)], Difference(), None)


@variant("BranchesToVec_dropout", parameters=106_225, report=2, dropout=_RATE)
@variant("BranchesToVec", parameters=106_225, report=2)
def branches_to_vec(dropout: float = 0.0) -> nn.Module:
    """A network for each tile makes ten numbers of it, linear layers compare (report 002, 1.2, Fig. 6)."""
    return TwoBranches([to_vector(dropout), to_vector(dropout)], compare_vectors(), None)


@variant("WeightSharingBranchesToVec_dropout", parameters=53_223, report=2, dropout=_RATE)
@variant("WeightSharingBranchesToVec", parameters=53_223, report=2)
def weight_sharing_branches_to_vec(dropout: float = 0.0) -> nn.Module:
    """One network makes ten numbers of either tile, linear layers compare (report 002, 1.2, Fig. 7)."""
    return TwoBranches([to_vector(dropout)], compare_vectors(), None)


@variant("WeightSharingAuxiliary_dropout", parameters=79_533, report=2, dropout=_RATE)
@variant("WeightSharingAuxiliary", parameters=79_533, report=2)
class WeightSharingAuxiliary(nn.Module):
    """One network for both tiles, all heads read both embeddings together (report 002, 1.2, Figs. 8 and 9).

    No digit is read without the other tile, so this is not a `TwoBranches`.
    """

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.branch = nn.Sequential(features(1), hidden(dropout), nn.Dropout(dropout))
        self.joint = nn.Sequential(nn.Linear(256, 100), nn.ReLU())
        self.comparison = nn.Sequential(*one_logit(100))
        self.digits = nn.ModuleList([nn.Linear(100, 10), nn.Linear(100, 10)])

    def forward(self, pairs: Tensor) -> Output:
        """Compare pairs, float32 (B, 2, 14, 14)."""
        vectors = [self.branch(pairs[:, :1]), self.branch(pairs[:, 1:])]
        joint = self.joint(torch.cat(vectors, dim=1))
        return Output(self.comparison(joint), torch.stack([digit(joint) for digit in self.digits], dim=1))


@variant("DirectClassification_dropout", parameters=53_002, report=2, dropout=_RATE)
@variant("DirectClassification", parameters=53_002, report=2)
def direct_classification(dropout: float = 0.0) -> nn.Module:
    """One digit classifier for both tiles, digits alone decide (report 002, 1.2, Fig. 10)."""
    branch = nn.Sequential(features(1), hidden(dropout), ten(dropout))
    return TwoBranches([branch], None, nn.Identity())


class Difference(nn.Module):
    """The logit that the second number is the greater: the second minus the first."""

    def forward(self, numbers: Tensor) -> Tensor:
        """Map numbers (B, 2) to logits (B,)."""
        return numbers[:, 1] - numbers[:, 0]


def features(channels: int) -> nn.Module:
    """The feature extraction module of Fig. 1, (B, channels, 14, 14) to (B, 256)."""
    return nn.Sequential(
        nn.Conv2d(channels, 32, 3),  # 12x12
        nn.MaxPool2d(2),  # 6x6
        nn.ReLU(),
        nn.Conv2d(32, 64, 3),  # 4x4
        nn.MaxPool2d(2),  # 2x2
        nn.ReLU(),
        nn.Flatten(),
    )


def hidden(dropout: float) -> nn.Module:
    """The first linear layer, (B, 256) to (B, 128)."""
    return nn.Sequential(nn.Dropout(dropout), nn.Linear(256, 128), nn.ReLU())


def ten(dropout: float) -> nn.Module:
    """The second linear layer, (B, 128) to (B, 10)."""
    return nn.Sequential(nn.Dropout(dropout), nn.Linear(128, 10))


def one_logit(width: int) -> list[nn.Module]:
    """The last linear layer, (B, width) to one logit (B,)."""
    return [nn.Linear(width, 1), nn.Flatten(0)]


def to_vector(dropout: float) -> nn.Module:
    """The branch of Figs. 6 and 7, (B, 1, 14, 14) to (B, 10)."""
    return nn.Sequential(features(1), hidden(dropout), ten(dropout), nn.ReLU())


def to_number(dropout: float) -> nn.Module:
    """The branch of Figs. 4 and 5, (B, 1, 14, 14) to (B, 1)."""
    return nn.Sequential(to_vector(dropout), nn.Linear(10, 1))


def compare_vectors() -> nn.Module:
    """The last layers of Figs. 6 and 7, both tiles' vectors (B, 20) to one logit (B,)."""
    return nn.Sequential(nn.Linear(20, 10), nn.ReLU(), *one_logit(10))
