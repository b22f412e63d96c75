"""Training rounds of report 000's protocol per hour, beside a plain PyTorch loop.

The baseline is pytorch_baseline.py, a process of its own with torch's default threads. pairedge trains as
`pairedge-reproduce` does: a process for each core, 16 rounds stacked in each. They take turns, so that a
noisy machine slows both alike. Seeds, pairs and test pairs are the same: faster rounds that were less
accurate would be no gain. Wall seconds, with imports, data and evaluation, are kept too.

python -m benchmarks.rounds_per_hour [--runs 5] [--quick]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import torch
from scipy.stats import ttest_rel

from benchmarks.options import HELP, quick_option
from benchmarks.records import ROOT, RoundsRecord, keep
from pairedge.bench import machine
from pairedge_train.data.loading import default_data_dir
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.reports.reproduce import jobs_of_recipe, reproduce, rows_path
from pairedge_train.rows import read_rows

WORKERS = os.cpu_count() or 1
FIRST_SEED = 50_000  # no study begins here
Measured = dict[str, list[float]]  # "seconds" and "test_accuracy" of each round, by seed


def train_baseline(recipe: Recipe, seed: int, rounds: int) -> Measured:
    """The rounds by the plain PyTorch loop."""
    settings = (default_data_dir(), seed, rounds, recipe.optim.epochs)
    command = [sys.executable, "-m", "benchmarks.pytorch_baseline", *map(str, settings)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT)
    measured: Measured = json.loads(done.stdout)
    return measured


def train_stacked(recipe: Recipe, seed: int, rounds: int) -> Measured:
    """The same rounds by `reproduce`; a round's seconds are its share of its bundle's."""
    jobs = jobs_of_recipe("benchmark", recipe, seed, rounds)
    with tempfile.TemporaryDirectory() as folder:
        reproduce(jobs, Path(folder), workers=WORKERS)
        rows = sorted(read_rows(rows_path(Path(folder), "benchmark")), key=lambda row: row.seed)
    return {name: [getattr(row, name) for row in rows] for name in ("seconds", "test_accuracy")}


def compare(runs: int, rounds: int, epochs: int) -> RoundsRecord:
    """Let both train `rounds` rounds in turn, `runs` times."""
    load = os.getloadavg()[0]
    per_hour: dict[str, list[float]] = {"pairedge": [], "baseline": []}
    accuracies: dict[str, list[float]] = {"pairedge": [], "baseline": []}
    wall_seconds: dict[str, list[float]] = {"pairedge": [], "baseline": []}
    for run in range(runs):
        recipe = Recipe().with_({"data.validation_pairs": 0, "optim.epochs": epochs})
        for name, train, processes in (("baseline", train_baseline, 1), ("pairedge", train_stacked, WORKERS)):
            start = time.perf_counter()
            measured = train(recipe, FIRST_SEED + run * rounds, rounds)
            wall_seconds[name].append(time.perf_counter() - start)
            per_hour[name].append(processes * 3600 / statistics.mean(measured["seconds"]))
            accuracies[name] += measured["test_accuracy"]
        click.echo(f"{per_hour['baseline'][-1]:.0f} and {per_hour['pairedge'][-1]:.0f} rounds per hour")
    ratios = [
        ours / baseline for ours, baseline in zip(per_hour["pairedge"], per_hour["baseline"], strict=True)
    ]
    return RoundsRecord(
        machine=machine(),
        runs=runs,
        rounds_per_run=rounds,
        epochs=epochs,
        workers=WORKERS,
        torch=torch.__version__,
        load_average_before=load,
        median_rounds_per_hour={name: statistics.median(values) for name, values in per_hour.items()},
        median_ratio=statistics.median(ratios),
        ratios=ratios,
        rounds_per_hour=per_hour,
        wall_seconds=wall_seconds,
        mean_test_accuracy={name: statistics.mean(values) for name, values in accuracies.items()},
        paired_t_test_p=float(ttest_rel(accuracies["pairedge"], accuracies["baseline"]).pvalue),
        test_accuracy=accuracies,
    )


@click.command(context_settings=HELP)
@click.option("--runs", type=click.IntRange(min=1), default=5, show_default=True, help="Pairs of runs.")
@quick_option
def main(runs: int, quick: bool) -> None:
    """Measure the rounds per hour of pairedge and of a plain PyTorch baseline; store the results."""
    if quick:
        click.echo(compare(1, 2 * WORKERS, 2))
        return
    result = compare(runs, 16 * WORKERS, 25)
    keep("rounds_per_hour", result)
    click.echo(f"median ratio {result.median_ratio:.2f} (n = {result.runs} pairs of runs)")


if __name__ == "__main__":
    main()
