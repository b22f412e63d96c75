"""A study of short rounds on scikit-learn's digits, each a task of its own, for campaigns to disturb."""

from __future__ import annotations

from pairedge_train.experiments.recipe import Recipe
from pairedge_train.experiments.study import FIRST_SEED
from pairedge_train.reports.reproduce import Job

RECIPE = Recipe().with_(
    {
        "network.variant": "conv_3",  # which is not trained in bundles
        "data.dataset": "uci",
        "data.pairs": 40,
        "data.test_pairs": 40,
        "data.validation_pairs": 0,
        "optim.epochs": 1,
    }
)


def jobs(rounds: int) -> list[Job]:
    """So many rounds."""
    return [Job("short", RECIPE, FIRST_SEED, number) for number in range(rounds)]
