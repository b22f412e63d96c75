"""The one rule for "uncertain": an answer is uncertain when its confidence is below its threshold.

The confidence of a pair is the least probability among its decision and its two digits; that of a single tile
is the probability of its digit. Each has a threshold of its own, fitted on the same quantity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pairedge.errors import GraphError, ImageError, NoInkError, SeveralDigitsError

# An answer is ok or uncertain. A picture without an answer has no ink, has several digits or is unreadable.
Status: TypeAlias = Literal["ok", "uncertain", "unreadable", "no-ink", "several"]

DEFAULT_THRESHOLD = 0.5  # for graphs whose metadata has none


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The confidence below which an answer is uncertain, 0 to 1.

    Attributes:
        pair: for pairs, compared with `pair_confidence`.
        digit: for single tiles, compared with `digit_confidence`.
    """

    pair: float
    digit: float


def pair_confidence(
    leq: NDArray[np.floating[Any]] | float, digit_probabilities: NDArray[np.floating[Any]] | None
) -> NDArray[np.float64]:
    """The confidence of pairs: the least probability among the decision and the two digits.

    Args:
        leq: float (...), P(first <= second), 0 to 1. The shape may be ().
        digit_probabilities: float (..., 2, 10), the posterior of each tile's digit, 0 to 1; None when the
            model has no digit head.

    Returns:
        float64 (...), 0 to 1.
    """
    exact = np.asarray(leq, np.float64)  # in float32, 1 - leq would round
    confidence: NDArray[np.float64] = np.maximum(exact, 1 - exact)
    if digit_probabilities is not None:
        confidence = np.minimum(confidence, digit_confidence(digit_probabilities).min(axis=-1))
    return confidence


def digit_confidence(probabilities: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The confidence of single tiles: the probability of the most probable digit.

    Args:
        probabilities: float (..., 10), the posterior of each tile's digit, 0 to 1.

    Returns:
        float64 (...), 0 to 1.
    """
    confidence: NDArray[np.float64] = probabilities.max(axis=-1).astype(np.float64)
    return confidence


def answer_status(confidence: float, threshold: float) -> Status:
    """The status of an answer: `uncertain` when its confidence is below the threshold, else `ok`."""
    return "uncertain" if confidence < threshold else "ok"


def refusal_status(error: ImageError) -> Status:
    """The status of a picture that was refused with this error."""
    if isinstance(error, NoInkError):
        return "no-ink"
    return "several" if isinstance(error, SeveralDigitsError) else "unreadable"


def read_thresholds(metadata: dict[str, Any], name: str) -> Thresholds:
    """The thresholds in a graph's metadata; without any, DEFAULT_THRESHOLD for both.

    Args:
        metadata: of the graph; `metadata["confidence"]` is `{"pair": float, "digit": float}`.
        name: what to call the graph in messages.

    Raises:
        GraphError: when a threshold is missing or is not a number from 0 to 1.
    """
    stored = metadata.get("confidence")
    if stored is None:
        return Thresholds(DEFAULT_THRESHOLD, DEFAULT_THRESHOLD)
    values: list[Any] = [stored.get(key) if isinstance(stored, dict) else None for key in ("pair", "digit")]
    if not all(isinstance(value, int | float) and 0 <= value <= 1 for value in values):
        raise GraphError(f"{name}: its confidence thresholds are not numbers from 0 to 1: {stored!r}")
    pair, digit = map(float, values)
    return Thresholds(pair, digit)


def check_min_confidence(value: float) -> None:
    """Refuse a min_confidence that is not a probability.

    Raises:
        ValueError: when it is not from 0 to 1.
    """
    if not 0 <= value <= 1:  # also true of NaN
        raise ValueError(f"min_confidence must be from 0 to 1, not {value}")
