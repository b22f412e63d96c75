"""Calibration of a trained network, and the metrics of its row."""

from __future__ import annotations

from typing import Any

import torch

from pairedge_train.data.datasets import NEGATIVE, Digits
from pairedge_train.data.pairs import Draw, Pairs
from pairedge_train.errors import RecipeError
from pairedge_train.experiments.recipe import Evaluation
from pairedge_train.networks.network import Network
from pairedge_train.training.all_pairs import evaluate_all_pairs
from pairedge_train.training.calibration import (
    Reliability,
    best_temperature,
    confidence_thresholds,
    divide_logits,
    rejected_negatives,
    risk,
)
from pairedge_train.training.epoch import Epoch
from pairedge_train.training.evaluate import OnPairs, Scores, evaluate
from pairedge_train.training.events import Judged, Watch, unwatched

COVERAGES = (
    1.0,
    0.999,
    0.995,
    0.99,
    0.98,
    0.95,
    0.9,
)  # shares of answers kept when the least certain are rejected

_CURVES = (
    "loss",
    *(
        f"{split}_{metric}"
        for split in ("train", "validation", "test")
        for metric in ("accuracy", "comparison_loss", "digit_loss")
    ),
)


def calibrate(network: Network, draw: Draw, settings: Evaluation) -> None:
    """Divide a network's logits by the recipe's temperature, or by the best one on the validation pairs.

    Raises:
        RecipeError: when the best temperature is asked for of a network without a linear last layer.
    """
    if settings.temperature == "validation":
        assert draw.validation  # such a recipe holds pairs out
        best = best_temperature(network, draw.validation)
        if best is None:
            raise RecipeError("evaluation.temperature: this variant has no last layer that could carry one")
        divide_logits(network, best[0])
    elif settings.temperature != 1:
        divide_logits(network, settings.temperature)


def measure(
    network: Network, draw: Draw, test: Digits, settings: Evaluation, watch: Watch = unwatched
) -> dict[str, Any]:
    """Evaluate a calibrated network, give the metrics of its row, and move it to the CPU.

    Args:
        network: the network, on the device of the draw.
        draw: the round's pairs.
        test: all test digits.
        settings: what to evaluate.
        watch: told of the pairs that are judged.
    """

    def scores(pairs: Pairs, kind: str) -> Scores:
        on_pairs = judged(watch, len(pairs.of_digits()), f"{kind} pairs")
        return evaluate(network, pairs, dropout=settings.dropout, on_pairs=on_pairs)

    metrics: dict[str, Any] = {
        "train_accuracy": scores(draw.training, "training").pairs,
        "pairs": len(draw.training),
        "test_pairs": len(draw.test),
    }
    if not settings.validation_only:
        of_test = scores(draw.test, "test")
        metrics |= {"test_accuracy": of_test.pairs, "digit_accuracy": of_test.digits}
    if draw.validation:
        metrics["validation_accuracy"] = scores(draw.validation, "validation").pairs
    network.cpu().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # torch's types lack it
    if settings.validation_only:
        assert draw.validation  # such a recipe holds pairs out
        return metrics | validation_metrics(network, draw.validation, watch)
    return metrics | exact_metrics(network, test, settings.exact, watch)


def judged(watch: Watch, total: int, of: str) -> OnPairs:
    """What tells a watch of judged pairs of one kind."""
    return lambda pairs: watch(Judged(pairs, total, of))


def exact_metrics(network: Network, test: Digits, learned: bool, watch: Watch) -> dict[str, Any]:
    """Accuracy and calibration on all ordered pairs of test digits; see `evaluate_all_pairs`."""
    images = torch.from_numpy(test.tiles).float()
    on_pairs = judged(watch, len(test) ** 2, "all pairs of test digits")
    result = evaluate_all_pairs(network, images, test.labels, learned=learned, on_pairs=on_pairs)
    if result is None:
        return {}
    metrics: dict[str, Any] = {
        "exact_accuracy": result.accuracy,
        "exact_digit_accuracy": result.digit_accuracy,
    }
    if result.leq:
        decisions = result.leq.folded()
        metrics |= {
            "leq_calibration_error": result.leq.error(),
            "leq_diagram": _rounded(result.leq),
            "risk": {str(coverage): risk(decisions, coverage) for coverage in COVERAGES},
        }
    if result.digits:
        metrics |= {
            "digit_calibration_error": result.digits.error(),
            "digit_diagram": _rounded(result.digits),
        }
    return metrics


def validation_metrics(network: Network, validation: Pairs, watch: Watch = unwatched) -> dict[str, Any]:
    """The metrics of a search: on all ordered pairs of validation digits, with their best temperature."""
    images, digits = validation.images.cpu().flatten(0, 1), validation.digits.cpu().flatten()
    images, digits = images[digits != NEGATIVE], digits[digits != NEGATIVE]
    on_pairs = judged(watch, len(digits) ** 2, "all pairs of validation digits")
    result = evaluate_all_pairs(network, images, digits, learned=False, on_pairs=on_pairs)
    best = best_temperature(network, validation.to("cpu"))
    return {
        "validation_exact_accuracy": result.accuracy if result else None,
        "validation_digit_accuracy": result.digit_accuracy if result else None,
        "best_temperature": best[0] if best else None,
        "validation_loss": best[1] if best else None,
    }


def thresholds(network: Network, draw: Draw) -> dict[str, Any]:
    """The confidence thresholds, fitted on the digits of the validation pairs, and what its negatives give.

    Empty without validation pairs or a digit head.
    """
    pairs = draw.validation.to("cpu") if draw.validation else None
    fitted = confidence_thresholds(network, pairs) if pairs else None
    if pairs is None or fitted is None:
        return {}
    metrics: dict[str, Any] = {"pair_threshold": fitted.pair, "digit_threshold": fitted.digit}
    if (pairs.digits == NEGATIVE).any():
        negatives, share = rejected_negatives(network, pairs, fitted.digit)
        metrics |= {"negatives": negatives, "negatives_rejected": share}
    return metrics


def curves(history: list[Epoch]) -> dict[str, tuple[float, ...]]:
    """The metrics that every epoch has, by name, rounded to what a figure can show."""
    metrics = [epoch.metrics() for epoch in history]
    columns = {name: [each[name] for each in metrics] for name in _CURVES}
    return {
        name: tuple(round(value, 5) for value in values if value is not None)
        for name, values in columns.items()
        if None not in values
    }


def _rounded(reliability: Reliability) -> tuple[tuple[float, float, float], ...]:
    return tuple(
        (round(share, 6), round(probability, 6), round(frequency, 6))
        for share, probability, frequency in reliability.diagram()
    )
