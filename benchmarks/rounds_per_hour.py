"""Rounds of report 000's protocol in an hour, training alone, beside the obvious way of training them.

The yardstick is obvious_twinnet.py, a process of its own with torch's default threads. Ours is what
`pairedge-reproduce` does: a process for each core, 16 rounds stacked in each. They take turns, so that a
noisy machine slows both alike. Seeds and pairs are the same, and so are the test pairs on which both are
judged: rounds that are quick and worse would be no gain. Wall seconds, with imports, data and judging, are
kept too.

python benchmarks/rounds_per_hour.py [--runs 5] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from scipy.stats import ttest_rel
from side_by_side import keep

from pairedge_train.data.datasets import default_data_dir
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.reports.reproduce import Job, reproduce, rows_path
from pairedge_train.rows import read_rows

WORKERS = os.cpu_count() or 1
FIRST_SEED = 50_000  # no study begins here
Measured = dict[str, list[float]]  # "seconds" and "test_accuracy" of each round, by seed


def train_obviously(recipe: Recipe) -> Measured:
    """The yardstick's rounds."""
    program = Path(__file__).with_name("obvious_twinnet.py")
    settings = (program, default_data_dir(), recipe.seed, recipe.rounds, recipe.epochs)
    command = [sys.executable, *map(str, settings)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    measured: Measured = json.loads(done.stdout)
    return measured


def train_stacked(recipe: Recipe) -> Measured:
    """The same rounds by `reproduce`; a round's seconds are its share of what its bundle took."""
    jobs = [Job("benchmark", recipe, number) for number in range(recipe.rounds)]
    with tempfile.TemporaryDirectory() as folder:
        reproduce(jobs, Path(folder), workers=WORKERS)
        rows = sorted(read_rows(rows_path(Path(folder), "benchmark")), key=lambda row: row["seed"])
    return {name: [row[name] for row in rows] for name in ("seconds", "test_accuracy")}


def compare(runs: int, rounds: int, epochs: int) -> dict[str, Any]:
    """Let both train `rounds` rounds in turn, `runs` times."""
    load = os.getloadavg()[0]
    per_hour: dict[str, list[float]] = {"ours": [], "theirs": []}
    accuracies: dict[str, list[float]] = {"ours": [], "theirs": []}
    wall_seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    for run in range(runs):
        recipe = Recipe().with_({"data.validation_pairs": 0, "optim.epochs": epochs})
        for name, train, processes in (("theirs", train_obviously, 1), ("ours", train_stacked, WORKERS)):
            start = time.perf_counter()
            measured = train(recipe)
            wall_seconds[name].append(time.perf_counter() - start)
            per_hour[name].append(processes * 3600 / statistics.mean(measured["seconds"]))
            accuracies[name] += measured["test_accuracy"]
        sys.stdout.write(f"{per_hour['theirs'][-1]:.0f} and {per_hour['ours'][-1]:.0f} rounds per hour\n")
    ratios = [ours / theirs for ours, theirs in zip(per_hour["ours"], per_hour["theirs"], strict=True)]
    return {
        "runs": runs,
        "rounds_of_a_run": rounds,
        "epochs": epochs,
        "workers": WORKERS,
        "torch": torch.__version__,
        # Above a tenth or so nothing here is to be believed: threads of the yardstick wait for each other.
        "load_average_before": load,
        "median_rounds_per_hour": {name: statistics.median(values) for name, values in per_hour.items()},
        "median_ratio": statistics.median(ratios),
        "ratios": ratios,
        "rounds_per_hour": per_hour,
        "wall_seconds": wall_seconds,
        "mean_test_accuracy": {name: statistics.mean(values) for name, values in accuracies.items()},
        "paired_t_test_p": float(ttest_rel(accuracies["ours"], accuracies["theirs"]).pvalue),
        "test_accuracy": accuracies,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="pairs of runs")
    parser.add_argument("--quick", action="store_true", help="one short pair of runs, not kept")
    options = parser.parse_args()
    if options.quick:
        json.dump(compare(1, 2 * WORKERS, 2), sys.stdout, indent=1)
    else:
        result = compare(options.runs, 16 * WORKERS, 25)
        keep("rounds_per_hour", result)
        sys.stdout.write(f"median ratio {result['median_ratio']:.2f} (n = {result['runs']} pairs of runs)\n")
