"""Evaluation on all ordered pairs of digits: the only one, behind rows, model cards and figures.

Each tile goes through its branch once. The rest is cheap where P(first <= second) is summed from posteriors,
or where digits decide; a learned comparison head runs on every pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pairedge_train.networks.network import Network
from pairedge_train.networks.output import leq_probability
from pairedge_train.networks.posterior_sum import PosteriorSum
from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.training.calibration import Reliability
from pairedge_train.training.evaluate import BATCH, OnPairs

_LEARNED_PAIRS = 50_000  # pairs of embeddings at a time: activations then stay in the cache
_SUMMED_ROWS = 500  # rows of the table of all pairs at a time


@dataclass(frozen=True)
class AllPairs:
    """Accuracy and calibration on N digits and on all their N squared ordered pairs.

    Attributes:
        accuracy: accuracy of the comparisons, 0 to 1.
        digit_accuracy: accuracy on the digits, 0 to 1; None without a digit head.
        leq: reliability of P(first <= second); None where digits decide.
        digits: reliability of the most probable digit's posterior; None without a digit head.
        by_digit: accuracy on the digits that are a 0, a 1, ..., as far as there are any, 0 to 1, and their
            number; None without a digit head.
    """

    accuracy: float
    digit_accuracy: float | None
    leq: Reliability | None
    digits: Reliability | None
    by_digit: dict[int, tuple[float, int]] | None


@torch.no_grad()
def evaluate_all_pairs(
    network: Network,
    tiles: Tensor,
    labels: Tensor,
    *,
    learned: bool = True,
    on_pairs: OnPairs = lambda _: None,
) -> AllPairs | None:
    """Evaluate a network on all ordered pairs of tiles; it is left in evaluation mode.

    Args:
        network: the network, on the CPU.
        tiles: float32 (N, 14, 14), gray levels 0 to 255.
        labels: int64 (N,), 0 to 9.
        learned: evaluate a learned comparison head too, which takes a minute for 10,000 tiles.
        on_pairs: called as the comparison head, or what sums posteriors, has answered pairs.

    Returns:
        None for a network without branches, and for a learned comparison head where `learned` is false.
    """
    body = network.eval().body
    if not isinstance(body, TwoBranches):
        return None
    is_learned = body.comparison is not None and not isinstance(body.comparison, PosteriorSum)
    if is_learned and not learned:
        return None
    inputs = [network.normalize(part[:, None]) for part in torch.split(tiles, BATCH)]
    embeddings = [torch.cat([branch(part) for part in inputs]) for branch in body.branches]
    first, second = embeddings[0], embeddings[-1]  # the same where one branch serves both tiles
    digits = digit_accuracy = by_digit = None
    if body.digit is not None:
        posteriors = [body.digit(side).softmax(1) for side in (first, second)]
        by_side = [Reliability.of(side.amax(1), side.argmax(1) == labels) for side in posteriors]
        digits = by_side[0] + by_side[1]
        digit_accuracy = digits.frequency()
        right = torch.stack([side.argmax(1) == labels for side in posteriors]).double().mean(0)
        by_digit = {
            digit: (float(right[labels == digit].mean()), int((labels == digit).sum()))
            for digit in sorted(set(labels.tolist()))
        }
    if body.comparison is None:
        assert body.digit is not None  # a network has at least one head
        matrices = [confusion(body.digit(side).argmax(1), labels) for side in (first, second)]
        return AllPairs(
            correct_by_digits(*matrices) / len(labels) ** 2, digit_accuracy, None, digits, by_digit
        )
    correct, parts = 0, []
    for leq, truth in _comparisons(body, first, second, labels):
        correct += int(((leq >= 0.5) == truth).sum())
        parts.append(Reliability.of(leq, truth))
        on_pairs(truth.numel())
    comparisons = sum(parts[1:], start=parts[0])
    return AllPairs(correct / len(labels) ** 2, digit_accuracy, comparisons, digits, by_digit)


def _comparisons(
    body: TwoBranches, first: Tensor, second: Tensor, labels: Tensor
) -> Iterator[tuple[Tensor, Tensor]]:
    """P(row <= column), float (R, N), and its truth, bool (R, N), R rows of the table of all pairs at a time.

    Args:
        body: a network with a comparison head.
        first: embeddings of the rows' tiles, float (N, E).
        second: embeddings of the columns' tiles, float (N, E).
        labels: int64 (N,), 0 to 9.
    """
    summed = body.comparison if isinstance(body.comparison, PosteriorSum) else None
    if summed:
        first, second = first.softmax(1), second.softmax(1)
    rows = _SUMMED_ROWS if summed else max(1, _LEARNED_PAIRS // len(labels))
    for part, row_labels in zip(torch.split(first, rows), torch.split(labels, rows), strict=True):
        if summed:
            leq = summed.table(part, second)
        else:
            left = part.repeat_interleave(len(second), dim=0)
            leq = leq_probability(body.compare(left, second.repeat(len(part), 1))).view(len(part), -1)
        yield leq, row_labels[:, None] <= labels


def confusion(predicted: Tensor, labels: Tensor) -> Tensor:
    """Confusion matrix, int64 (10, 10), rows by label and columns by prediction, both int64 (N,)."""
    return torch.bincount(10 * labels + predicted, minlength=100).view(10, 10)


def correct_by_digits(first: Tensor, second: Tensor) -> int:
    """The number of correct comparisons among all ordered pairs where digits decide.

    Tiles with the same label and prediction are compared alike, so their counts are enough.

    Args:
        first: confusion matrix of the first tiles, int64 (10, 10).
        second: confusion matrix of the second tiles, int64 (10, 10).
    """
    digits = torch.arange(10, device=first.device)
    leq = digits[:, None] <= digits  # (10, 10)
    correct = leq[:, None, :, None] == leq[:, None, :]  # label, prediction, second label, second prediction
    return int((first[:, :, None, None] * second * correct).sum())
