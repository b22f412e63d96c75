"""Calibration: whether a probability of 0.9 is right nine times of ten, and the temperature that makes it so.

Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks" (2017).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pairedge.confidence import digit_confidence, pair_confidence
from pairedge_train.data.datasets import NEGATIVE
from pairedge_train.data.pairs import Pairs
from pairedge_train.networks.ensemble import MeanOfBranches
from pairedge_train.networks.network import Network
from pairedge_train.networks.output import leq_probability
from pairedge_train.networks.posterior_sum import PosteriorSum
from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.training.evaluate import BATCH, decide, outputs
from pairedge_train.training.losses import comparison_loss

REJECTED = 0.015  # share of real digits that the threshold of confidence may cost
DIAGRAM_BINS = 15  # as Guo et al. have them
_FINE = 3_000  # bins that are kept, a multiple of the diagram's
_REACH = math.log(8)  # temperatures from 1/8 to 8 are tried


@dataclass(frozen=True)
class Reliability:
    """How often that happened which was said to happen with probability p, in fine even bins of p.

    The bins are so fine that the middle of one can stand for every probability in it.

    Attributes:
        count: float64 (BINS,), how often it was said.
        happened: float64 (BINS,), how often it happened.
    """

    count: Tensor
    happened: Tensor

    @classmethod
    def of(cls, probability: Tensor, happened: Tensor) -> Reliability:
        """From probabilities 0 to 1 and what came of them, bool, of any one shape."""
        bins = (probability.flatten() * _FINE).int().clamp_(0, _FINE - 1)
        both = torch.bincount(bins * 2 + happened.flatten(), minlength=2 * _FINE).view(-1, 2).double()
        return cls(both.sum(1), both[:, 1])

    def __add__(self, other: Reliability) -> Reliability:
        """Both taken together."""
        return Reliability(self.count + other.count, self.happened + other.happened)

    def diagram(self) -> list[tuple[float, float, float]]:
        """Of each bin of the diagram that holds any: share, mean probability, and how often it was so."""
        said = self.count * (torch.arange(_FINE) + 0.5) / _FINE
        count, said, happened = (
            part.view(DIAGRAM_BINS, -1).sum(1) for part in (self.count, said, self.happened)
        )
        shares = count / count.sum()
        return [
            (float(shares[i]), float(said[i] / count[i]), float(happened[i] / count[i]))
            for i in range(DIAGRAM_BINS)
            if count[i]
        ]

    def frequency(self) -> float:
        """How often it happened in all."""
        return float(self.happened.sum() / self.count.sum())

    def folded(self) -> Reliability:
        """Of binary answers, the confidence in the decision, 0.5 to 1: p and 1 - p folded into one."""
        low = torch.arange(_FINE) < _FINE // 2

        def fold(yes: Tensor, no: Tensor) -> Tensor:
            return yes.masked_fill(low, 0) + no.masked_fill(~low, 0).flip(0)

        return Reliability(fold(self.count, self.count), fold(self.happened, self.count - self.happened))

    def error(self) -> float:
        """Expected calibration error: |mean probability - frequency| of a bin, in the mean over all cases."""
        return sum(share * abs(said - happened) for share, said, happened in self.diagram())


def risk(confidence: Reliability, coverage: float) -> float:
    """The share of errors among the most confident part of the answers.

    Args:
        confidence: of the decisions that were made, and whether they were right.
        coverage: how large that part is, above 0, up to 1.
    """
    count, wrong = confidence.count.flip(0), (confidence.count - confidence.happened).flip(0)
    wanted = coverage * count.sum()
    before = count.cumsum(0) - count
    taken = (wanted - before).clamp(min=0).minimum(count)  # of a bin that is taken in part, errors in part
    return float((wrong * taken / count.clamp(min=1)).sum() / wanted)


def divide_logits(network: Network, temperature: float) -> None:
    """Divide what the probabilities come from, in place and inside the last layer: it costs nothing later."""
    for layer in _last_layers(network.body):
        with torch.no_grad():
            layer.weight.div_(temperature)
            layer.bias.div_(temperature)


@torch.no_grad()
def best_temperature(network: Network, pairs: Pairs) -> tuple[float, float] | None:
    """The temperature of least cross-entropy on pairs, and that cross-entropy.

    It is the digits' cross-entropy where the comparison is summed from digits that are trained as such, else
    the comparison's. None where no last layer can carry a temperature.
    """
    if not _last_layers(network.body):
        return None
    pairs = pairs.of_digits()
    body = cast(TwoBranches, network.eval().body)
    parts = [body.embed(network.normalize(images)) for images in torch.split(pairs.images, BATCH)]
    first, second = (torch.cat(side) for side in zip(*parts, strict=True))
    by_digits = isinstance(body.comparison, PosteriorSum) and body.digit is not None

    def cost(logarithm: float) -> float:
        temperature = math.exp(logarithm)
        if by_digits:
            logits = torch.stack([first, second], dim=1).flatten(0, 1)
            return float(F.cross_entropy(logits / temperature, pairs.digits.flatten()))
        if isinstance(body.comparison, PosteriorSum):
            comparison = body.compare(first / temperature, second / temperature)
        else:
            comparison = body.compare(first, second) / temperature
        return float(comparison_loss(comparison, pairs.target))

    from scipy.optimize import minimize_scalar  # most of a second that most rounds need not spend

    best = minimize_scalar(cost, bounds=(-_REACH, _REACH), method="bounded")
    return math.exp(best.x), float(best.fun)


@torch.no_grad()
def confidence_thresholds(
    network: Network, pairs: Pairs, rejected: float = REJECTED
) -> tuple[float, float] | None:
    """The confidence below which an answer is uncertain: for a pair, and for a single tile.

    Each is fitted on the quantity that the runtime compares with it (pairedge.confidence).

    Args:
        network: with a digit head, else None is returned.
        pairs: pairs that it was not trained on, negatives among them or not.
        rejected: the share, 0 to 1, of the pairs of two digits, and of their digits, that may fall below.
    """
    comparison, digits = outputs(network, pairs.images)
    if digits is None:
        return None
    posteriors = digits.softmax(2)
    leq = decide(None, digits).float() if comparison is None else leq_probability(comparison)
    of_pairs = torch.from_numpy(pair_confidence(leq.numpy(), posteriors.numpy()))
    of_digits = torch.from_numpy(digit_confidence(posteriors.numpy()))
    return (
        float(of_pairs[pairs.target != NEGATIVE].quantile(rejected)),
        float(of_digits[pairs.digits != NEGATIVE].quantile(rejected)),
    )


def _last_layers(body: nn.Module) -> list[nn.Linear]:
    """The linear layers that the probabilities come from; none where there are no such."""
    if not isinstance(body, TwoBranches):
        return []
    parts = body.branches if isinstance(body.comparison, PosteriorSum) else [body.comparison]
    members = [part.branches if isinstance(part, MeanOfBranches) else [part] for part in parts]
    lasts = [each[-1] for part in members for each in part if isinstance(each, nn.Sequential)]
    return [last for last in lasts if isinstance(last, nn.Linear)]
