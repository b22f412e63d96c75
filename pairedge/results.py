"""The results of a model: predictions for pairs, one or many, and classifications of single tiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from pairedge.confidence import Status, answer_status, digit_confidence, pair_confidence


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """The answer for one pair.

    Attributes:
        probability: P(first <= second), 0 to 1.
        digit_probabilities: float32 (2, 10), the posterior of each tile's digit, 0 to 1; None when the
            model has no digit head.
        min_confidence: the threshold for pairs, 0 to 1: a confidence below it is uncertain.
    """

    probability: float
    digit_probabilities: NDArray[np.float32] | None
    min_confidence: float

    @property
    def leq(self) -> bool:
        """Whether the first digit is less than or equal to the second: probability >= 0.5."""
        return self.probability >= 0.5

    @property
    def digits(self) -> tuple[int, int] | None:
        """The most probable digit of each tile, 0 to 9; None when the model has no digit head."""
        if self.digit_probabilities is None:
            return None
        first, second = self.digit_probabilities.argmax(axis=1)
        return int(first), int(second)

    @property
    def confidence(self) -> float:
        """The least probability among the decision and the two digits, 0 to 1."""
        return float(pair_confidence(self.probability, self.digit_probabilities))

    @property
    def status(self) -> Status:
        """`uncertain` when the confidence is below `min_confidence`, else `ok`."""
        return answer_status(self.confidence, self.min_confidence)

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain Python values, ready for JSON."""
        posteriors = self.digit_probabilities
        return {
            "status": self.status,
            "confidence": self.confidence,
            "leq": self.leq,
            "probability": self.probability,
            "digits": None if self.digits is None else list(self.digits),
            "digit_probabilities": None if posteriors is None else posteriors.tolist(),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Classification:
    """The answer for one tile.

    Attributes:
        probabilities: float32 (10,), the posterior over the digits 0 to 9: each 0 to 1, their sum 1.
        min_confidence: the threshold for single tiles, 0 to 1: a confidence below it is uncertain.
    """

    probabilities: NDArray[np.float32]
    min_confidence: float

    @property
    def digit(self) -> int:
        """The most probable digit, 0 to 9."""
        return int(self.probabilities.argmax())

    @property
    def probability(self) -> float:
        """The probability of that digit, 0 to 1."""
        return float(self.probabilities.max())

    @property
    def confidence(self) -> float:
        """The probability of that digit, 0 to 1."""
        return float(digit_confidence(self.probabilities))

    @property
    def status(self) -> Status:
        """`uncertain` when the confidence is below `min_confidence`, else `ok`."""
        return answer_status(self.confidence, self.min_confidence)

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain Python values, ready for JSON."""
        return {
            "status": self.status,
            "confidence": self.confidence,
            "digit": self.digit,
            "probability": self.probability,
            "probabilities": self.probabilities.tolist(),
        }


class PredictionBatch(Sequence[Prediction]):
    """The answers for N pairs, stored as arrays; indexing gives a `Prediction`.

    Attributes:
        probability: float32 (N,), P(first <= second), 0 to 1.
        digit_probabilities: float32 (N, 2, 10), the posterior of each tile's digit, 0 to 1; None when the
            model has no digit head.
        min_confidence: the threshold for pairs, 0 to 1: a confidence below it is uncertain.
    """

    __slots__ = ("digit_probabilities", "min_confidence", "probability")

    def __init__(
        self,
        probability: NDArray[np.float32],
        digit_probabilities: NDArray[np.float32] | None,
        min_confidence: float,
    ) -> None:
        self.probability = probability
        self.digit_probabilities = digit_probabilities
        self.min_confidence = min_confidence

    @property
    def leq(self) -> NDArray[np.bool_]:
        """Bool (N,): whether each first digit is less than or equal to the second: probability >= 0.5."""
        return self.probability >= np.float32(0.5)

    @property
    def digits(self) -> NDArray[np.int64] | None:
        """Int64 (N, 2): the most probable digit of each tile, 0 to 9; None without a digit head."""
        return None if self.digit_probabilities is None else self.digit_probabilities.argmax(axis=2)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Float64 (N,), 0 to 1: the least probability among the decision and the two digits of each pair."""
        return pair_confidence(self.probability, self.digit_probabilities)

    @property
    def uncertain(self) -> NDArray[np.bool_]:
        """Bool (N,): whether the confidence of each answer is below `min_confidence`."""
        return self.confidence < self.min_confidence

    def __len__(self) -> int:
        return len(self.probability)

    @overload
    def __getitem__(self, index: int) -> Prediction: ...
    @overload
    def __getitem__(self, index: slice) -> PredictionBatch: ...
    def __getitem__(self, index: int | slice) -> Prediction | PredictionBatch:
        digits = None if self.digit_probabilities is None else self.digit_probabilities[index]
        if isinstance(index, slice):
            return PredictionBatch(self.probability[index], digits, self.min_confidence)
        return Prediction(float(self.probability[index]), digits, self.min_confidence)


# The statuses of refused pictures, each worse than the one before it.
REFUSALS = ("unreadable", "no-ink", "several")


def refused_pair(refusals: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """The answer for a pair of which a picture was refused, ready for JSON: the worse refusal, then all.

    Args:
        refusals: `status` and `error` of each refused picture, by "first" and "second".
    """
    worst = max(refusals.values(), key=lambda refusal: REFUSALS.index(refusal["status"]))
    return {**worst, "refused": dict(refusals)}
