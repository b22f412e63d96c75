"""Doubt: what an answer or a refusal is called, and the confidence below which an answer is uncertain."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pairedge.errors import GraphError, ImageError, NoInkError, SeveralDigitsError

# An answer is ok or uncertain; a picture that gets none shows no ink or several digits, or cannot be read.
Status: TypeAlias = Literal["ok", "uncertain", "unreadable", "no-ink", "several"]

DEFAULT_THRESHOLD = 0.5  # of a graph whose metadata give none


def refusal(error: ImageError) -> Status:
    """The status of a picture that was refused with this error."""
    if isinstance(error, NoInkError):
        return "no-ink"
    return "several" if isinstance(error, SeveralDigitsError) else "unreadable"


def read_threshold(metadata: dict[str, Any], name: str) -> float:
    """The confidence, 0 to 1, below which an answer is uncertain: what a graph's metadata give, or one half.

    Args:
        metadata: read from the graph; the threshold is a number at `metadata["doubt"]["threshold"]`.
        name: what to call the graph in messages.

    Raises:
        GraphError: when what they give is no probability.
    """
    doubt = metadata.get("doubt")
    if doubt is None:
        return DEFAULT_THRESHOLD
    threshold = doubt.get("threshold") if isinstance(doubt, dict) else None
    if not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise GraphError(f"{name}: its threshold of doubt is no number from 0 to 1: {threshold!r}")
    return float(threshold)


def check_min_confidence(value: float) -> float:
    """A confidence as given, when it is one.

    Raises:
        ValueError: when it is not within 0 to 1.
    """
    if not 0 <= value <= 1:  # NaN is not
        raise ValueError(f"min_confidence must be from 0 to 1, not {value}")
    return value
