"""A program that the tests run and kill: some short rounds on two cores or a Dask cluster.

python study_program.py OUT [SCHEDULER]
"""

from __future__ import annotations

import sys
from pathlib import Path

from pairedge_train.experiments.recipe import Recipe
from pairedge_train.experiments.study import FIRST_SEED
from pairedge_train.reports.reproduce import Job, missing, reproduce

ROUNDS = 6
# `conv_3` cannot be stacked, so every round is a task of its own.
RECIPE = Recipe().with_(
    {
        "network.variant": "conv_3",
        "data.dataset": "uci",
        "data.pairs": 400,
        "data.test_pairs": 100,
        "data.validation_pairs": 0,
        "optim.epochs": 4,
        "optim.batch_size": 5,
    }
)
JOBS = [Job("small", RECIPE, FIRST_SEED, number) for number in range(ROUNDS)]

if __name__ == "__main__":
    out, cluster = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
    reproduce(missing(JOBS, out), out, workers=2, cluster=cluster)
