"""Committed rows are trained again: equal to the bit on the same CPU, close on another, or told apart."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pairedge_train.data.datasets import DataSet
from pairedge_train.data.published import load_mnist
from pairedge_train.experiments.library import reports, studies
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.reports.reproduce import Job, jobs_of_recipe
from pairedge_train.reports.verify import Committed, committed_rows, describe, sample, verify
from pairedge_train.training.rounds import train_round, train_rounds

ARTIFACTS = Path(__file__).parents[3] / "artifacts"


@pytest.fixture
def alone(tiny: DataSet, quick: Recipe) -> Committed:
    [job] = jobs_of_recipe("study", quick.with_({"network.variant": "MLP"}), 7, 1)
    _, row = train_round(job.recipe, tiny, 7)
    return Committed(job, row, row.seconds)


def test_the_same_round_is_equal_to_the_bit(alone: Committed, tiny: DataSet) -> None:
    comparison = verify(alone, tiny)
    assert comparison.differing == ()
    assert comparison.verdict == "equal"
    assert describe(comparison).startswith("equal    study MLP ")


def test_a_round_of_a_bundle_is_trained_in_its_bundle(tiny: DataSet, quick: Recipe) -> None:
    jobs = jobs_of_recipe("study", quick, 7, 3)
    rows = [row for _, row in train_rounds(quick, tiny, 7, [0, 1, 2])]
    assert verify(Committed(jobs[2], rows[2], 1.0), tiny).verdict == "equal"


def test_a_number_that_was_changed_differs(alone: Committed, tiny: DataSet) -> None:
    assert alone.row.test_accuracy is not None
    wrong = replace(alone.row, test_accuracy=alone.row.test_accuracy + 0.01)
    comparison = verify(replace(alone, row=wrong), tiny)
    assert comparison.differing == ("test_accuracy",)
    assert comparison.verdict == "differs"  # the row names this very machine
    assert "test accuracy" in describe(comparison)


@pytest.mark.parametrize(("change", "verdict"), [(0.04, "close"), (-0.04, "close"), (0.06, "differs")])
def test_another_machine_may_change_an_accuracy_a_little(
    change: float, verdict: str, alone: Committed, tiny: DataSet
) -> None:
    assert alone.row.test_accuracy is not None
    elsewhere = {"cpu": "another", "kernels": "DEFAULT"}
    row = replace(alone.row, test_accuracy=alone.row.test_accuracy + change, machine=elsewhere)
    assert verify(replace(alone, row=row), tiny).verdict == verdict


def test_the_sample_is_decided_by_its_seed_and_by_what_rows_cost(alone: Committed) -> None:
    rows = [replace(alone, job=Job("study", alone.job.recipe, 7, i), cost=float(i)) for i in range(20)]
    assert sample(rows, 5, 1, 60) == sample(rows, 5, 1, 60)
    assert sample(rows, 5, 1, 60) != sample(rows, 5, 2, 60)
    assert all(row.cost <= 3 for row in sample(rows, 5, 1, 3))
    assert len(sample(rows, 5, 1, 3)) == 4


def test_most_committed_rows_can_be_verified() -> None:
    for study in reports().values():
        rows = list(committed_rows([study], ARTIFACTS / "reports"))
        assert len(rows) >= 80, study.name
    best = list(committed_rows([studies()["best"]], ARTIFACTS / "best"))
    assert best
    assert not any(row.job.recipe.loss.teacher for row in best)


@pytest.mark.slow
@pytest.mark.mnist
def test_two_committed_rows_are_what_training_gives() -> None:
    mnist = load_mnist(Path(os.environ["PAIREDGE_DATA"]))
    rows = [row for study in reports().values() for row in committed_rows([study], ARTIFACTS / "reports")]
    for row in sample(rows, 2, seed=5, most=4.0):
        comparison = verify(row, mnist)
        assert comparison.verdict in ("equal", "close"), describe(comparison)
