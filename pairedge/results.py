"""What a model answers: predictions, classifications, and batches of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from pairedge.confidence import Status


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What the model says of one pair.

    Attributes:
        probability: P(first <= second), 0 to 1.
        digit_probabilities: float32 (2, 10), the posterior of each tile's digit; None when the model
            has no digit head.
        min_confidence: the confidence below which the answer is uncertain, 0 to 1.
    """

    probability: float
    digit_probabilities: NDArray[np.float32] | None
    min_confidence: float

    @property
    def leq(self) -> bool:
        """Whether the first digit is less than or equal to the second, as the model decides."""
        return self.probability >= 0.5

    @property
    def digits(self) -> tuple[int, int] | None:
        """The most probable digit of each tile, or None when the model has no digit head."""
        if self.digit_probabilities is None:
            return None
        first, second = self.digit_probabilities.argmax(axis=1)
        return int(first), int(second)

    @property
    def confidence(self) -> float:
        """The least probable of what is answered, 0 to 1: the decision, and the digit of each tile."""
        decision = max(self.probability, 1 - self.probability)
        if self.digit_probabilities is None:
            return decision
        return min(decision, float(self.digit_probabilities.max(axis=1).min()))

    @property
    def status(self) -> Status:
        """`uncertain` when the confidence is below `min_confidence`, else `ok`."""
        return "uncertain" if self.confidence < self.min_confidence else "ok"

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for JSON."""
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
    """What the model says of one tile.

    Attributes:
        probabilities: float32 (10,), the posterior over the digits 0 to 9.
        min_confidence: the confidence below which the answer is uncertain, 0 to 1.
    """

    probabilities: NDArray[np.float32]
    min_confidence: float

    @property
    def digit(self) -> int:
        """The most probable digit."""
        return int(self.probabilities.argmax())

    @property
    def probability(self) -> float:
        """The probability of that digit, 0 to 1."""
        return float(self.probabilities.max())

    @property
    def confidence(self) -> float:
        """The probability of that digit: all that is answered."""
        return self.probability

    @property
    def status(self) -> Status:
        """`uncertain` when the confidence is below `min_confidence`, else `ok`."""
        return "uncertain" if self.confidence < self.min_confidence else "ok"

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for JSON."""
        return {
            "status": self.status,
            "confidence": self.confidence,
            "digit": self.digit,
            "probability": self.probability,
            "probabilities": self.probabilities.tolist(),
        }


class PredictionBatch(Sequence[Prediction]):
    """Predictions of N pairs, kept as arrays and handed out one by one on demand.

    Attributes:
        probability: float32 (N,), P(first <= second).
        digit_probabilities: float32 (N, 2, 10), or None when the model has no digit head.
        min_confidence: the confidence below which an answer is uncertain, 0 to 1.
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
        """Bool (N,): the decision for each pair."""
        return self.probability >= np.float32(0.5)

    @property
    def digits(self) -> NDArray[np.int64] | None:
        """Int64 (N, 2): the most probable digits, or None when the model has no digit head."""
        return None if self.digit_probabilities is None else self.digit_probabilities.argmax(axis=2)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Float64 (N,): the least probable of what is answered, as `Prediction.confidence`."""
        leq = self.probability.astype(np.float64)  # as exact as the single answer's
        decision: NDArray[np.float64] = np.maximum(leq, 1 - leq)
        if self.digit_probabilities is None:
            return decision
        digits = self.digit_probabilities.max(axis=2).min(axis=1)
        least: NDArray[np.float64] = np.minimum(decision, digits)
        return least

    @property
    def uncertain(self) -> NDArray[np.bool_]:
        """Bool (N,): the answers whose confidence is below `min_confidence`."""
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
