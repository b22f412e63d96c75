"""Rounds that are trained together: the bundle follows from the study, names the rows, and is kept whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pairedge_train.data.datasets import DataSet
from pairedge_train.errors import DivergedError
from pairedge_train.experiments.library import studies
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.reports import reproduce as reproduce_module
from pairedge_train.reports.reproduce import (
    Job,
    bundles,
    jobs_of,
    jobs_of_recipe,
    missing,
    reproduce,
    rows_path,
)
from pairedge_train.rows import RoundRow, append_row, read_rows
from pairedge_train.training.rounds import train_round


def jobs_of_two(recipe: Recipe) -> list[Job]:
    """Five rounds of a variant that can be stacked, and five of one that cannot."""
    return [
        job
        for name in ("twinnet_aux_ws", "MLP")
        for job in jobs_of_recipe("study", recipe.with_({"network.variant": name}), 2021, 5)
    ]


@pytest.mark.parametrize(
    ("device", "batch_size", "sizes"),
    [
        ("cpu", 25, [5]),
        ("cpu", 150, [2, 2, 1]),
        ("cpu", 1000, [1] * 5),
        ("cuda", 1000, [5]),
    ],
)
def test_bundles_hold_every_job_once(device: str, batch_size: int, sizes: list[int]) -> None:
    recipe = Recipe().with_({"optim.batch_size": batch_size})
    jobs = jobs_of_recipe("study", recipe, 2021, 5, device)
    assert [job.number for job in jobs] == [0, 1, 2, 3, 4]
    grouped = bundles(jobs)
    assert [len(group) for group in grouped] == sizes
    for group in grouped:
        numbers = tuple(job.number for job in group)
        assert {job.bundle for job in group} == {numbers if len(numbers) > 1 else ()}


def test_rounds_that_cannot_be_stacked_have_no_bundle() -> None:
    jobs = jobs_of_recipe("study", Recipe().with_({"network.variant": "MLP"}), 2021, 5)
    assert [len(group) for group in bundles(jobs)] == [1] * 5
    assert {job.bundle_seeds for job in jobs} == {None}


def test_a_bundle_does_not_depend_on_what_is_trained_already() -> None:
    jobs = jobs_of_recipe("study", Recipe(), 2021, 20)
    assert {job.bundle for job in jobs} == {tuple(range(16)), (16, 17, 18, 19)}
    [group] = bundles(jobs[3:5])
    assert [job.number for job in group] == [3, 4]
    assert group[0].bundle == tuple(range(16))  # the whole of it is trained again


def test_a_short_form_never_stands_in_for_full_rounds(tmp_path: Path) -> None:
    study = studies()["report0"]
    quick, full = jobs_of(study, study.tables, rounds=1), jobs_of(study, study.tables)
    for job in quick:
        append_row(
            rows_path(tmp_path, "report0"),
            RoundRow(variant=job.recipe.variant, recipe=job.key[0], seed=job.key[1], bundle=job.key[2]),
        )
    assert missing(quick, tmp_path) == []
    assert missing(full, tmp_path) == full


@pytest.fixture
def tiny_studies(tiny: DataSet, monkeypatch: pytest.MonkeyPatch) -> DataSet:
    """Let jobs run in this process, on tiny data."""
    monkeypatch.setattr(reproduce_module, "_data", lambda *_: tiny)
    return tiny


def test_reproducing_appends_a_row_for_each_round_and_resumes(
    tiny_studies: DataSet, quick: Recipe, tmp_path: Path
) -> None:
    jobs = jobs_of_two(quick)
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    reproduce(jobs, whole)
    reproduce(jobs[:2], resumed)
    todo = missing(jobs, resumed)
    assert todo == jobs[2:]
    seen: list[Job] = []
    reproduce(todo, resumed, on_row=lambda job, _: seen.append(job))
    assert set(seen) == set(todo)
    assert missing(jobs, resumed) == []
    rows = read_rows(rows_path(resumed, "study"))
    assert [(row.variant, row.stacked) for row in rows] == [("twinnet_aux_ws", 5)] * 5 + [("MLP", 1)] * 5
    # Resumed or not, a round is the same: what is left of a bundle is trained in all of its company.
    assert [timeless(row) for row in rows] == [timeless(row) for row in read_rows(rows_path(whole, "study"))]


def timeless(row: RoundRow) -> RoundRow:
    return replace(row, seconds=0.0)


def test_only_the_round_that_diverged_is_marked(
    tiny_studies: DataSet, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverging(recipe: Recipe, data: DataSet, seed: int, number: int, **settings: Any) -> Any:
        if number == 1:
            raise DivergedError("the loss became nan in epoch 2")
        return train_round(recipe, data, seed, number, **settings)

    def together(*_: Any, **__: Any) -> Any:
        raise DivergedError("the loss became nan in epoch 2")

    monkeypatch.setattr(reproduce_module, "train_rounds", together)
    monkeypatch.setattr(reproduce_module, "train_round", diverging)
    jobs = jobs_of_two(quick)[:5]
    reproduce(jobs, tmp_path)
    rows = read_rows(rows_path(tmp_path, "study"))
    assert [row.diverged for row in rows] == [None, "the loss became nan in epoch 2", None, None, None]
    assert [row.seed for row in rows] == [2021, 2022, 2023, 2024, 2025]
    assert {row.stacked for row in rows if row.diverged is None} == {1}
    assert missing(jobs, tmp_path) == []
