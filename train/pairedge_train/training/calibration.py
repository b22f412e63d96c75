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

from pairedge_train.data.datasets import NOT_A_DIGIT
from pairedge_train.data.pairs import Pairs
from pairedge_train.networks.ensemble import MeanOfBranches
from pairedge_train.networks.network import Network
from pairedge_train.networks.output import Output
from pairedge_train.networks.posterior_sum import PosteriorSum
from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.training.losses import losses

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


@dataclass(frozen=True)
class Exact:
    """What a network says of N digits and of all their N squared ordered pairs.

    Attributes:
        digits: confidence in each most probable digit, and whether it is right; None without digit head.
        leq: P(first <= second), and whether it is so.
    """

    digits: Reliability | None
    leq: Reliability

    @property
    def decisions(self) -> Reliability:
        """Confidence in the decisions, 0.5 to 1, and whether they are right: P and 1 - P folded into one."""
        count, happened = self.leq.count, self.leq.happened
        low = torch.arange(_FINE) < _FINE // 2

        def folded(of_yes: Tensor, of_no: Tensor) -> Tensor:
            return of_yes.masked_fill(low, 0) + of_no.masked_fill(~low, 0).flip(0)

        return Reliability(folded(count, count), folded(happened, count - happened))


@torch.no_grad()
def reliability(network: Network, tiles: Tensor, digits: Tensor) -> Exact | None:
    """What a network's probabilities are worth, on all ordered pairs of tiles.

    Args:
        network: what to judge; it is left in evaluation mode.
        tiles: grey levels, float32 (N, 14, 14).
        digits: int64 (N,), what they show.

    Returns:
        None where its comparison is learned, and would have to see every pair.
    """
    body = network.eval().body
    if not isinstance(body, TwoBranches) or not isinstance(body.comparison, PosteriorSum):
        return None
    inputs = [network.normalise(part[:, None]) for part in torch.split(tiles, 250)]
    sides = [torch.cat([branch(part) for part in inputs]).softmax(1) for branch in body.branches]
    first, second = sides[0], sides[-1]
    read = None
    if body.digit is not None:
        readings = [Reliability.of(side.amax(1), side.argmax(1) == digits) for side in (first, second)]
        read = readings[0] + readings[1]
    parts = [
        Reliability.of(body.comparison.table(rows, second), labels[:, None] <= digits)
        for rows, labels in zip(torch.split(first, 500), torch.split(digits, 500), strict=True)
    ]
    return Exact(read, sum(parts[1:], start=parts[0]))


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
    parts = [body.embed(network.normalise(images)) for images in torch.split(pairs.images, 250)]
    first, second = (torch.cat(side) for side in zip(*parts, strict=True))
    by_digits = isinstance(body.comparison, PosteriorSum) and body.digit is not None

    def cost(logarithm: float) -> float:
        heat = math.exp(logarithm)
        if by_digits:
            logits = torch.stack([first, second], dim=1).flatten(0, 1)
            return float(F.cross_entropy(logits / heat, pairs.digits.flatten()))
        if isinstance(body.comparison, PosteriorSum):
            comparison = body.compare(first / heat, second / heat)
        else:
            comparison = body.compare(first, second) / heat
        return float(losses(Output(comparison, None), pairs.target, pairs.digits).total)

    from scipy.optimize import minimize_scalar  # most of a second that most rounds need not spend

    best = minimize_scalar(cost, bounds=(-_REACH, _REACH), method="bounded")
    return math.exp(best.x), float(best.fun)


@torch.no_grad()
def doubt_threshold(network: Network, pairs: Pairs, flagged: float = 0.015) -> float | None:
    """The confidence in a digit below which a picture may show none; a share of the real digits is below it.

    Args:
        network: with a digit head, else there is no such confidence and None is returned.
        pairs: pairs that it was not trained on.
        flagged: the share of their digits that it may cost, 0 to 1.
    """
    answers = [network.eval()(images).digits for images in torch.split(pairs.images, 250)]
    if answers[0] is None:
        return None
    confidence = torch.cat([digits.softmax(2).amax(2) for digits in answers if digits is not None])
    return float(confidence[pairs.digits != NOT_A_DIGIT].quantile(flagged))


def _last_layers(body: nn.Module) -> list[nn.Linear]:
    """The linear layers that the probabilities come from; none where there are no such."""
    if not isinstance(body, TwoBranches):
        return []
    parts = body.branches if isinstance(body.comparison, PosteriorSum) else [body.comparison]
    members = [part.branches if isinstance(part, MeanOfBranches) else [part] for part in parts]
    lasts = [each[-1] for part in members for each in part if isinstance(each, nn.Sequential)]
    return [last for last in lasts if isinstance(last, nn.Linear)]
