"""What is measured of a trained network for its row."""

from __future__ import annotations

import torch

from pairedge_train.data.datasets import Digits
from pairedge_train.data.pairs import Draw
from pairedge_train.errors import RecipeError
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.networks.network import Network
from pairedge_train.rows import Row
from pairedge_train.training.calibration import best_temperature, divide_logits, reliability, risk
from pairedge_train.training.evaluate import Scores, exact_accuracy
from pairedge_train.training.fit import Epoch

COVERAGES = (1.0, 0.999, 0.995, 0.99, 0.98, 0.95, 0.9)  # shares of answers that are not handed to a person


def judged_exactly(network: Network, test: Digits, *, learned: bool) -> Row:
    """What a network is worth on all ordered pairs of test digits.

    A learned comparison would have to see all 10^8 of them, and is judged so only where that is wanted.
    """
    worth = reliability(network, torch.from_numpy(test.tiles).float(), test.labels)
    if worth is None:
        comparison = getattr(network.body, "comparison", None)
        exact = exact_accuracy(network, test) if learned or comparison is None else None
        return {"exact_accuracy": exact.pairs if exact else None}

    def rounded(diagram: list[tuple[float, float, float]]) -> list[list[float]]:
        return [[round(value, 6) for value in line] for line in diagram]

    found: Row = {
        "exact_accuracy": worth.decisions.frequency(),
        "leq_calibration_error": worth.leq.error(),
        "leq_diagram": rounded(worth.leq.diagram()),
        "risk": {str(coverage): risk(worth.decisions, coverage) for coverage in COVERAGES},
    }
    if worth.digits:
        found |= {
            "exact_digit_accuracy": worth.digits.frequency(),
            "digit_calibration_error": worth.digits.error(),
            "digit_diagram": rounded(worth.digits.diagram()),
        }
    return found


def searched(network: Network, draw: Draw) -> Row:
    """What a search goes by: all validation digits paired with all, and their best temperature."""
    assert draw.validation  # a recipe that leaves the test set alone holds pairs out
    images, digits = draw.validation.images.flatten(0, 1), draw.validation.digits.flatten()
    worth, best = reliability(network, images, digits), best_temperature(network, draw.validation)
    return {
        "validation_exact_accuracy": worth.decisions.frequency() if worth else None,
        "validation_digit_accuracy": worth.digits.frequency() if worth and worth.digits else None,
        "best_temperature": best[0] if best else None,
        "validation_loss": best[1] if best else None,
    }


def curves(history: list[Epoch]) -> dict[str, list[float]]:
    """What was measured after every epoch, one list for each curve, rounded to what a figure can show."""
    found: dict[str, list[float | None]] = {"loss": [epoch.loss for epoch in history]}
    for side in ("train", "validation", "test"):
        scores: list[Scores | None] = [getattr(epoch, side) for epoch in history]
        for measure, name in (("pairs", "accuracy"), ("comparison_loss",) * 2, ("digit_loss",) * 2):
            found[f"{side}_{name}"] = [getattr(score, measure) if score else None for score in scores]
    return {
        name: [round(value, 5) for value in values if value is not None]
        for name, values in found.items()
        if None not in values
    }


def calibrate(network: Network, draw: Draw, recipe: Recipe) -> None:
    """Divide a network's logits by the recipe's temperature, or by the best one on the validation pairs."""
    if recipe.temperature == "validation":
        assert draw.validation  # the recipe holds pairs out
        best = best_temperature(network, draw.validation)
        if best is None:
            raise RecipeError(f"variant {recipe.variant!r} has no last layer that could carry a temperature")
        divide_logits(network, best[0])
    elif recipe.temperature != 1:
        divide_logits(network, recipe.temperature)
