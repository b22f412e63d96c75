"""The answers of a model, one at a time: for a pair of pictures, and for a single picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairedge.classes import DIGIT_CLASSES, named_classes
from pairedge.confidence import Status, answer_status, digit_confidence, pair_confidence


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison:
    """The answer for one pair, of a model without a digit head; `str` of it is `pairedge predict`'s line.

    Attributes:
        probability: P(first <= second), 0 to 1.
        digit_probabilities: float32 (2, 10), the posterior of each tile's digit, 0 to 1; None when the
            model has no digit head.
        min_confidence: the threshold for pairs, 0 to 1: a confidence below it is uncertain.
        classes: the names of the model's ten classes, in ascending order.
    """

    probability: float
    digit_probabilities: NDArray[np.float32] | None
    min_confidence: float
    classes: tuple[str, ...] = DIGIT_CLASSES

    @property
    def leq(self) -> bool:
        """Whether the first digit is less than or equal to the second: probability >= 0.5."""
        return self.probability >= 0.5

    @property
    def digits(self) -> tuple[int, int] | None:
        """The most probable digit of each tile, 0 to 9; None when the model has no digit head."""
        return None

    @property
    def names(self) -> tuple[str, str] | None:
        """The names of these digits: "3", or that of a class; None when the model has no digit head."""
        return None

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
        named = {} if self.names is None else named_classes(self.classes, names=list(self.names))
        return {
            "status": self.status,
            "confidence": self.confidence,
            "leq": self.leq,
            "probability": self.probability,
            "digits": None if self.digits is None else list(self.digits),
            **named,
            "digit_probabilities": None if posteriors is None else posteriors.tolist(),
        }

    def __str__(self) -> str:
        return comparison_text(self.names, self.leq, self.probability, self.status)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Prediction(Comparison):
    """The answer for one pair, of a model with a digit head.

    Attributes:
        digit_probabilities: float32 (2, 10), the posterior of each tile's digit, 0 to 1.
    """

    digit_probabilities: NDArray[np.float32]

    @property
    def digits(self) -> tuple[int, int]:
        """The most probable digit of each tile, 0 to 9."""
        first, second = self.digit_probabilities.argmax(axis=1)
        return int(first), int(second)

    @property
    def names(self) -> tuple[str, str]:
        """The names of these digits: "3", or that of a class of the model's own."""
        first, second = self.digits
        return self.classes[first], self.classes[second]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Classification:
    """The answer for one picture; `str` of it is what `pairedge classify` prints after the picture's name.

    Attributes:
        probabilities: float32 (10,), the posterior over the digits 0 to 9: each 0 to 1, their sum 1.
        min_confidence: the threshold for single tiles, 0 to 1: a confidence below it is uncertain.
        classes: the names of the model's ten classes, in ascending order.
    """

    probabilities: NDArray[np.float32]
    min_confidence: float
    classes: tuple[str, ...] = DIGIT_CLASSES

    @property
    def digit(self) -> int:
        """The most probable digit, 0 to 9."""
        return int(self.probabilities.argmax())

    @property
    def name(self) -> str:
        """The name of that digit: "3", or that of a class of the model's own."""
        return self.classes[self.digit]

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
            **named_classes(self.classes, name=self.name),
            "probability": self.probability,
            "probabilities": self.probabilities.tolist(),
        }

    def __str__(self) -> str:
        return classification_text(self.name, self.probability, self.status)

    def __repr__(self) -> str:
        return f"<Classification: {self}>"


def comparison_text(names: Sequence[object] | None, leq: bool, probability: float, status: Status) -> str:
    """The line of an answer for a pair, of its values as `Comparison` has them: its names, or its digits."""
    first, second = names or ("first", "second")
    sign = "<=" if leq else ">"
    return f"{first} {sign} {second}  P(first <= second) = {probability:.4f}{mark(status)}"


def classification_text(name: object, probability: float, status: Status) -> str:
    """The line of an answer for one picture, of its values as `Classification` has them: name, or digit."""
    return f"{name}  P = {probability:.4f}{mark(status)}"


def mark(status: Status) -> str:
    """The end of an answer's line: its status, unless that is ok."""
    return "" if status == "ok" else f"  {status}"


# The statuses of refused pictures, each worse than the one before it.
REFUSALS = ("unreadable", "no-ink", "several")


def refused_pair(refusals: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """The answer for a pair of which a picture was refused, ready for JSON: the worse refusal, then all.

    Args:
        refusals: `status` and `error` of each refused picture, by "first" and "second".
    """
    worst = max(refusals.values(), key=lambda refusal: REFUSALS.index(refusal["status"]))
    return {**worst, "refused": dict(refusals)}
