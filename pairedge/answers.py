"""What a graph may answer: as many rows as it was asked for, finite, and probabilities where those are due.

A graph states its shapes and is free to break them, so every answer is looked at before anyone reads it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LARGEST = 1 + 1e-3  # a sum of probabilities in reduced precision may exceed 1
_SUM_WITHIN = 1e-3  # of 1, for a distribution: reduced precision rounds
# Output by name: the axes after the batch; None is any size.
_AXES: dict[str, tuple[int | None, ...]] = {
    "leq": (),
    "digits": (2, 10),
    "posterior": (10,),
    "embedding": (None,),
}


def wrong_answer(name: str, answer: NDArray[np.float32], batch: int) -> str | None:
    """Describe what is wrong with one output of a graph; None when it is valid.

    Args:
        name: of the output, in any contract.
        answer: float32 (N, ...), 0 to 1 unless it is an embedding.
        batch: the N that is expected.
    """
    axes = _AXES[name]
    if answer.ndim != 1 + len(axes) or any(
        axis not in (None, size) for axis, size in zip(axes, answer.shape[1:], strict=True)
    ):
        return f"has shape {answer.shape}"
    if len(answer) != batch:
        return f"has {len(answer)} answers"
    if not np.isfinite(answer).all():
        return "is not finite"
    if name == "embedding" or not answer.size:
        return None
    if answer.min() < 0 or (name == "leq" and answer.max() > _LARGEST):
        return "is not a probability"
    if name != "leq" and abs(answer.sum(axis=-1) - 1).max() > _SUM_WITHIN:
        return "is not a distribution over the digits"
    return None


def is_valid(name: str, answer: NDArray[np.float32], batch: int) -> bool:
    """Whether `wrong_answer` finds nothing, in a fraction of its time: this is on the way of every answer.

    Args:
        name: of the output, in any contract.
        answer: valid if float32 (N, ...), 0 to 1 unless it is an embedding.
        batch: the N that is expected.
    """
    axes = _AXES[name]
    if answer.ndim != 1 + len(axes) or len(answer) != batch:
        return False
    if name == "embedding":
        return bool(np.isfinite(answer).all())
    if answer.shape[1:] != axes or not batch:
        return answer.shape[1:] == axes
    if name == "leq":
        return bool(answer.min() >= 0 and answer.max() <= _LARGEST)  # NaN is in no range
    return bool(answer.min() >= 0 and abs(answer.sum(axis=-1) - 1).max() <= _SUM_WITHIN)


def is_valid_pair(leq: NDArray[np.float32], digits: NDArray[np.float32] | None = None) -> bool:
    """Whether these are valid answers for one pair: for twenty-one numbers, Python is faster than NumPy.

    Args:
        leq: valid if float32 (1,), 0 to 1.
        digits: valid if float32 (1, 2, 10), 0 to 1; None without a digit head.
    """
    if leq.shape != (1,) or not 0 <= leq.item() <= _LARGEST:
        return False
    if digits is None:
        return True
    if digits.shape != (1, 2, 10):
        return False
    [[first, second]] = digits.tolist()
    return bool(
        -_SUM_WITHIN <= sum(first) - 1 <= _SUM_WITHIN
        and -_SUM_WITHIN <= sum(second) - 1 <= _SUM_WITHIN
        and min(first) >= 0
        and min(second) >= 0
    )
