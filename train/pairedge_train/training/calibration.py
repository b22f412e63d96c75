"""Calibration: reliability of probabilities, temperature scaling, selective risk, confidence thresholds.

Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks" (2017).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pairedge.confidence import Thresholds, digit_confidence, pair_confidence
from pairedge_train.data.datasets import NEGATIVE
from pairedge_train.data.pairs import Pairs
from pairedge_train.networks.ensemble import MeanOfBranches
from pairedge_train.networks.network import Network
from pairedge_train.networks.output import leq_probability
from pairedge_train.networks.posterior_sum import PosteriorSum
from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.training.evaluate import BATCH, decide, outputs
from pairedge_train.training.losses import comparison_loss

REJECTED = 0.015  # share of digits, and of pairs of digits, that the confidence threshold may reject
DIAGRAM_BINS = 15  # as in Guo et al.
_BINS = 3_000  # a multiple of the diagram's
_MAX_LOG_TEMPERATURE = math.log(8)  # temperatures are searched from 1/8 to 8


@dataclass(frozen=True)
class Reliability:
    """Histogram of predicted probabilities p of an event, and of how often the event was true, by p.

    The bins of p are even, and so fine that the center of one stands for every probability in it.

    Attributes:
        count: float64 (3000,), number of predictions in each bin.
        positive: float64 (3000,), number of them whose event was true.
    """

    count: Tensor
    positive: Tensor

    @classmethod
    def of(cls, probability: Tensor, truth: Tensor) -> Reliability:
        """From probabilities, float of any shape, 0 to 1, and the truth of their events, bool, likewise."""
        bins = (probability.flatten() * _BINS).int().clamp_(0, _BINS - 1)
        counts = torch.bincount(bins * 2 + truth.flatten(), minlength=2 * _BINS).view(-1, 2).double()
        return cls(counts.sum(1), counts[:, 1])

    def __add__(self, other: Reliability) -> Reliability:
        """The histogram of the predictions of both."""
        return Reliability(self.count + other.count, self.positive + other.positive)

    def diagram(self) -> list[tuple[float, float, float]]:
        """The reliability diagram: share, mean probability and observed frequency of each bin in use."""
        probability = self.count * (torch.arange(_BINS) + 0.5) / _BINS
        count, probability, positive = (
            part.view(DIAGRAM_BINS, -1).sum(1) for part in (self.count, probability, self.positive)
        )
        shares = count / count.sum()
        return [
            (float(shares[i]), float(probability[i] / count[i]), float(positive[i] / count[i]))
            for i in range(DIAGRAM_BINS)
            if count[i]
        ]

    def frequency(self) -> float:
        """The observed frequency of the event over all predictions, 0 to 1."""
        return float(self.positive.sum() / self.count.sum())

    def folded(self) -> Reliability:
        """The reliability of binary decisions: p below 0.5 becomes 1 - p, the confidence in "no"."""
        low = torch.arange(_BINS) < _BINS // 2

        def fold(yes: Tensor, no: Tensor) -> Tensor:
            return yes.masked_fill(low, 0) + no.masked_fill(~low, 0).flip(0)

        return Reliability(fold(self.count, self.count), fold(self.positive, self.count - self.positive))

    def error(self) -> float:
        """Expected calibration error: the mean over all predictions of |probability - frequency|, by bin."""
        return sum(share * abs(probability - frequency) for share, probability, frequency in self.diagram())


def risk(confidence: Reliability, coverage: float) -> float:
    """Selective risk: the error rate among the most confident decisions.

    Args:
        confidence: reliability of the decisions, as `Reliability.folded` gives it.
        coverage: the share of decisions that is kept, above 0, up to 1.
    """
    count, wrong = confidence.count.flip(0), (confidence.count - confidence.positive).flip(0)
    covered = coverage * count.sum()
    more_confident = count.cumsum(0) - count
    kept = (covered - more_confident).clamp(min=0).minimum(count)  # a bin that is kept in part errs in part
    return float((wrong * kept / count.clamp(min=1)).sum() / covered)


def divide_logits(network: Network, temperature: float) -> None:
    """Divide a network's logits in place, inside its last layer, so that inference takes no extra step."""
    for layer in _last_layers(network.body):
        with torch.no_grad():
            layer.weight.div_(temperature)
            layer.bias.div_(temperature)


@torch.no_grad()
def best_temperature(network: Network, pairs: Pairs) -> tuple[float, float] | None:
    """The temperature that minimizes the cross-entropy on pairs, and that cross-entropy.

    It is the digits' cross-entropy where the comparison is summed from the posteriors of a digit head, else
    the comparison's. None where the network has no linear last layer.
    """
    if not _last_layers(network.body):
        return None
    pairs = pairs.of_digits()
    body = cast(TwoBranches, network.eval().body)
    batches = [body.embed(network.normalize(images)) for images in torch.split(pairs.images, BATCH)]
    first, second = (torch.cat(side) for side in zip(*batches, strict=True))
    by_digits = isinstance(body.comparison, PosteriorSum) and body.digit is not None

    def cross_entropy(log_temperature: float) -> float:
        temperature = math.exp(log_temperature)
        if by_digits:
            logits = torch.stack([first, second], dim=1).flatten(0, 1)
            return float(F.cross_entropy(logits / temperature, pairs.digits.flatten()))
        if isinstance(body.comparison, PosteriorSum):
            comparison = body.compare(first / temperature, second / temperature)
        else:
            comparison = body.compare(first, second) / temperature
        return float(comparison_loss(comparison, pairs.target))

    from scipy.optimize import minimize_scalar  # its import takes most of a second, which few rounds need

    bounds = (-_MAX_LOG_TEMPERATURE, _MAX_LOG_TEMPERATURE)
    best = minimize_scalar(cross_entropy, bounds=bounds, method="bounded")
    return math.exp(best.x), float(best.fun)


@torch.no_grad()
def confidence_thresholds(network: Network, pairs: Pairs, rejected: float = REJECTED) -> Thresholds | None:
    """The confidence thresholds of pairs and of single tiles, below which an answer is uncertain.

    Each is a quantile of the very quantity that the runtime compares with it (pairedge.confidence).

    Args:
        network: the network; None is returned where it has no digit head.
        pairs: pairs that it was not trained on, with or without negatives, which do not count.
        rejected: the share, 0 to 1, of pairs, and of tiles, whose confidence may be below the threshold.
    """
    comparison, digits = outputs(network, pairs.images)
    if digits is None:
        return None
    posteriors = digits.softmax(2)
    leq = decide(None, digits).float() if comparison is None else leq_probability(comparison)
    of_pairs = torch.from_numpy(pair_confidence(leq.numpy(), posteriors.numpy()))
    of_digits = torch.from_numpy(digit_confidence(posteriors.numpy()))
    return Thresholds(
        pair=float(of_pairs[pairs.target != NEGATIVE].quantile(rejected)),
        digit=float(of_digits[pairs.digits != NEGATIVE].quantile(rejected)),
    )


@torch.no_grad()
def rejected_negatives(network: Network, pairs: Pairs, threshold: float) -> tuple[int, float]:
    """The number of negatives in pairs, and the share of them, 0 to 1, that a threshold rejects.

    Args:
        network: a network with a digit head.
        pairs: pairs with at least one negative.
        threshold: a single tile with a lower confidence is rejected.
    """
    digits = outputs(network, pairs.images).digits
    assert digits is not None
    confidence = torch.from_numpy(digit_confidence(digits.softmax(2).numpy()))[pairs.digits == NEGATIVE]
    return len(confidence), float((confidence < threshold).double().mean())


def _last_layers(body: nn.Module) -> list[nn.Linear]:
    """The linear layers that give the logits; empty where the last layer is not linear."""
    if not isinstance(body, TwoBranches):
        return []
    parts = body.branches if isinstance(body.comparison, PosteriorSum) else [body.comparison]
    members = [part.branches if isinstance(part, MeanOfBranches) else [part] for part in parts]
    layers = [each[-1] for part in members for each in part if isinstance(each, nn.Sequential)]
    return [layer for layer in layers if isinstance(layer, nn.Linear)]
