"""How well a model's probabilities are calibrated, on MNIST and on hands that it was never shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pairedge.model import PairModel
from pairedge_train.data.datasets import Digits
from pairedge_train.robustness.readings import PAIREDGE
from pairedge_train.robustness.rows import ProbabilityRow
from pairedge_train.robustness.test_sets import Pictures
from pairedge_train.training.calibration import Reliability

_ROWS = 500  # of the table of all pairs at a time


def probability_rows(model: PairModel, test: Digits, hands: Sequence[Pictures]) -> list[ProbabilityRow]:
    """Calibration on the test tiles, and on all pictures of unseen hands together that are not refused.

    Args:
        model: whose comparison is summed from the digits' posteriors.
        test: the data set's test digits.
        hands: each hand's pictures, as `pairedge` reads them.
    """
    tiles = [tile for hand in hands for tile in hand.tiles[PAIREDGE]]
    labels = np.concatenate([hand.labels for hand in hands])
    read = np.array([tile is not None for tile in tiles])
    unseen = np.stack([tile for tile in tiles if tile is not None])
    return [
        probability_row("MNIST's test tiles", model, test.tiles, test.labels.numpy()),
        probability_row("unseen hands", model, unseen, labels[read]),
    ]


def probability_row(
    name: str, model: PairModel, tiles: NDArray[np.uint8], labels: NDArray[np.int64]
) -> ProbabilityRow:
    """Accuracy and calibration on tiles, and on all ordered pairs of them.

    Args:
        name: of the pictures.
        model: whose comparison is summed from the digits' posteriors.
        tiles: uint8 (N, 14, 14).
        labels: int64 (N,).
    """
    posteriors = torch.from_numpy(model.classify_batch(tiles).probabilities)
    truth = torch.from_numpy(labels)
    digits = Reliability.of(posteriors.amax(1), posteriors.argmax(1) == truth)
    correct, parts = 0, []
    for leq, is_leq in comparisons(posteriors, truth):
        correct += int(((leq >= 0.5) == is_leq).sum())
        parts.append(Reliability.of(leq, is_leq))
    return ProbabilityRow(
        pictures=name,
        n=len(labels),
        digit_accuracy=digits.frequency(),
        accuracy=correct / len(labels) ** 2,
        digit_error=digits.error(),
        leq_error=sum(parts[1:], parts[0]).error(),
    )


def comparisons(posteriors: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """P(first <= second) and its truth for all ordered pairs, some rows of the table at a time.

    Args:
        posteriors: float32 (N, 10).
        labels: int64 (N,).

    Yields:
        float32 (R, N), 0 to 1, and bool (R, N).
    """
    at_least = posteriors.flip(1).cumsum(1).flip(1)  # P(digit >= j)
    for rows in range(0, len(labels), _ROWS):
        first = slice(rows, rows + _ROWS)
        yield (posteriors[first] @ at_least.T).clamp_(0, 1), labels[first, None] <= labels


def probability_table(rows: Sequence[ProbabilityRow]) -> str:
    """Accuracy and calibration on each set of pictures, as Markdown."""
    lines = [
        "| pictures | n | digits | all ordered pairs | error of digits | error of P(first <= second) |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        shares = (row.digit_accuracy, row.accuracy, row.digit_error, row.leq_error)
        lines.append(
            f"| {row.pictures} | {row.n:,} | {' | '.join(f'{100 * share:.2f} %' for share in shares)} |"
        )
    return "\n".join(lines) + "\n"
