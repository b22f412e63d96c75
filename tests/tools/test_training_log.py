"""The figures of train/LOG.md are those of the committed rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from pairedge_train.experiments.library import load_recipe, study_rows
from pairedge_train.reports.agreement import rows_of
from pairedge_train.rows import RoundRow, read_rows
from tools.training_log import ROOT, best_temperatures, errors, fill, trains_alike

LOG = (ROOT / "train" / "LOG.md").read_text()
BEST = ROOT / "artifacts" / "best"
ROWS = read_rows(BEST / "search.jsonl")


def made_rows(name: str, seeds: Sequence[int], accuracies: Sequence[float]) -> list[RoundRow]:
    recipe = load_recipe(f"search.{name}")
    return [
        RoundRow(
            variant=recipe.variant,
            recipe=recipe.digest(),
            seed=seed,
            validation_exact_accuracy=accuracy,
            best_temperature=accuracy,
        )
        for seed, accuracy in zip(seeds, accuracies, strict=True)
    ]


def test_the_tables_are_those_of_the_committed_rows() -> None:
    assert LOG.count("<!-- table: ") == 2
    assert fill(LOG, ROOT) == LOG, "run `make readme`"


def test_the_figures_between_the_tables_are_those_of_the_committed_rows() -> None:
    first = [json.loads(line) for line in (BEST / "forerunner.jsonl").read_text().splitlines()]
    smoothed = {
        smoothing: [
            row["best_temperature"] for row in first if row["setting"]["label_smoothing"] == smoothing
        ]
        for smoothing in (0.1, 0.05)
    }
    most = rows_of(study_rows()["search.wide-settings.label smoothing 0.2"], ROWS)
    of_most = [row.best_temperature or 0.0 for row in most]
    one, same, other = errors(
        ["wide-settings.baseline", "ensembles.two wide", "ensembles.wide and deep"], ROWS
    )
    text = " ".join(LOG.split())
    for sentence in (
        f"of {min(smoothed[0.1]):.3f} to {max(smoothed[0.1]):.3f} with label smoothing 0.1",
        f"and of {min(smoothed[0.05]):.3f} and {max(smoothed[0.05]):.3f} with 0.05",
        f"label smoothing 0.2 has {min(of_most):.3f} to {max(of_most):.3f}",
        f"of the same shape removes {100 * (1 - same / one):.0f} % of the errors, one of another shape "
        f"{100 * (1 - other / one):.0f} %",
    ):
        assert sentence in text


def test_errors_are_of_the_draws_that_all_have() -> None:
    rows = [
        *made_rows("flagship-length.120 epochs", [101, 102], [0.9, 0.8]),
        *made_rows("flagship-length.240 epochs", [102, 103], [0.85, 0.99]),
    ]
    names = ["flagship-length.120 epochs", "flagship-length.240 epochs"]
    assert errors(names, rows) == pytest.approx([20, 15])


def test_temperatures_are_of_rounds_that_train_alike() -> None:
    flagship = load_recipe("best.small.from labels")
    alike, longer = "flagship-length.240 epochs", "flagship-length.480 epochs"
    rows = [*made_rows(alike, [101], [0.5]), *made_rows(longer, [101], [0.9])]
    assert list(best_temperatures(flagship, rows)) == [0.5]
    assert not trains_alike(flagship, load_recipe(f"search.{longer}"))


def test_distilled_networks_train_alike_where_their_teachers_do_at_one_temperature() -> None:
    student = load_recipe("best.small.distilled from best")
    assert trains_alike(student, student)
    another = replace(
        student, loss=replace(student.loss, teacher="best.any-size.four of one shape, 120 epochs")
    )
    assert not trains_alike(student, another)
    assert not trains_alike(student, load_recipe("best.small.from labels"))
    softer = load_recipe("search.flagship-distilled.240 epochs, without comparison loss")
    assert not trains_alike(student, softer)
