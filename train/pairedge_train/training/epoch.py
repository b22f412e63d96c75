"""An epoch: what a training has measured when it has seen all pairs once more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pairedge_train.training.evaluate import Scores

# The fields of `Scores`, and what they are called beside those of other splits.
_SCORES = {
    "pairs": "accuracy",
    "digits": "digit_accuracy",
    "comparison_loss": "comparison_loss",
    "digit_loss": "digit_loss",
}


@dataclass(frozen=True)
class Epoch:
    """Losses and scores of one epoch.

    Attributes:
        number: 1 for the first.
        loss: mean total loss over the epoch's batches, in training mode.
        comparison_loss: mean comparison loss, unweighted; None without a comparison head.
        digit_loss: mean sum of both digit losses, unweighted; None without a digit head.
        seconds: training time without evaluation; an equal share where several networks were trained.
        validation: scores on the validation pairs after the epoch; None where there are none, or where the
            recipe evaluates them only at the end.
        train: scores on the training pairs after the epoch; None unless the recipe asks for curves.
        test: scores on the test pairs after the epoch; None unless the recipe asks for curves.
    """

    number: int
    loss: float
    comparison_loss: float | None
    digit_loss: float | None
    seconds: float
    validation: Scores | None
    train: Scores | None
    test: Scores | None

    def metrics(self) -> dict[str, float | None]:
        """Its losses, and the scores of each split, by name; None is not measured."""
        metrics = {name: getattr(self, name) for name in ("loss", "comparison_loss", "digit_loss")}
        for split in ("train", "validation", "test"):
            scores: Scores | None = getattr(self, split)
            for field, name in _SCORES.items():
                metrics[f"{split}_{name}"] = getattr(scores, field) if scores else None
        return metrics

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Epoch:
        """The epoch that `dataclasses.asdict` made plain values of."""
        scores = {name: values[name] and Scores(**values[name]) for name in ("validation", "train", "test")}
        return cls(**{**values, **scores})
