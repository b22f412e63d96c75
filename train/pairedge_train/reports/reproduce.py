"""Reproducing: every round that the studies need and that has no row yet, carried over cores or a cluster.

A job is a recipe and the number of a round: names and seeds, not tensors. Workers give rows back, and this
process alone adds them to the file, one at a time, so that a run killed at any moment loses nothing that was
finished and doubles nothing.

Rounds that can be stacked are trained in bundles. A round's last bits depend on its bundle, so the bundle is
part of what names its row. It follows from the study alone: not from the number of workers, nor from which
rounds have rows already.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch

from pairedge_train.data.datasets import DataSet
from pairedge_train.data.loading import load_data
from pairedge_train.errors import DivergedError
from pairedge_train.experiments.recipe import Data, Recipe
from pairedge_train.experiments.study import Study, Table
from pairedge_train.reports.workers import on_cluster, on_cores
from pairedge_train.rows import RoundRow, append_row, read_rows
from pairedge_train.training.rounds import run_rounds, study_folder, train_round, train_rounds
from pairedge_train.training.stacked import can_stack

# Pairs that all rounds of a bundle see in one step: 16 rounds at batch 25. What a step works on then still
# fits into a processor's cache; at batch 128, 16 rounds together gain nothing.
STACKED_PAIRS = 400


@dataclass(frozen=True)
class Job:
    """One round to train.

    Attributes:
        study: which study it is of.
        recipe: how.
        seed: of the study's first round.
        number: which round, from 0.
        bundle: the numbers of the rounds that are trained together with it, itself among them; empty for a
            round that is trained alone.
    """

    study: str
    recipe: Recipe
    seed: int
    number: int
    bundle: tuple[int, ...] = ()

    @property
    def bundle_seeds(self) -> tuple[int, ...] | None:
        """The seeds of its bundle; None for a round that is trained alone."""
        return tuple(self.seed + number for number in self.bundle) or None

    @property
    def key(self) -> tuple[str, int, tuple[int, ...] | None]:
        """What names its row among all rows of the study: recipe, the round's own seed, and its bundle."""
        return self.recipe.digest(), self.seed + self.number, self.bundle_seeds


def rows_path(out: Path, study: str) -> Path:
    """Where a study's rows lie."""
    return out / f"{study}.jsonl"


def jobs_of(
    study: Study, tables: Iterable[Table], rounds: int | None = None, device: str = "cpu"
) -> list[Job]:
    """The rounds that some of a study's tables, and the figures that plot them, need; none twice.

    Args:
        study: the study.
        tables: those of its tables that are trained.
        rounds: at most this many of each row; None for as many as the report has.
        device: where they will be trained.
    """
    chosen = {table.name: table for table in tables}
    rows = [row for table in chosen.values() for row in table.rows]
    rows += [row for figure in study.figures if figure.table in chosen for row in study.shown(figure)]
    counts: dict[tuple[Recipe, int], int] = {}
    for row in rows:
        count = min(row.rounds, rounds or row.rounds)
        counts[row.recipe, row.seed] = max(count, counts.get((row.recipe, row.seed), 0))
    return [
        job
        for (recipe, seed), count in counts.items()
        for job in jobs_of_recipe(study.name, recipe, seed, count, device)
    ]


def jobs_of_recipe(study: str, recipe: Recipe, seed: int, rounds: int, device: str = "cpu") -> list[Job]:
    """The rounds of one recipe, each with the bundle in which it is trained.

    On a CPU a bundle is no larger than its cache likes.
    """
    size = 1
    if can_stack(recipe):
        size = max(1, STACKED_PAIRS // recipe.optim.batch_size) if device == "cpu" else rounds
    jobs = []
    for first in range(0, rounds, size):
        numbers = tuple(range(first, min(first + size, rounds)))
        bundle = numbers if len(numbers) > 1 else ()
        jobs += [Job(study, recipe, seed, number, bundle) for number in numbers]
    return jobs


def missing(jobs: Iterable[Job], out: Path) -> list[Job]:
    """Those of the jobs that have no row yet."""
    jobs = list(jobs)
    done = {
        (study, row.recipe, row.seed, row.bundle)
        for study in {job.study for job in jobs}
        for row in read_rows(rows_path(out, study))
    }
    return [job for job in jobs if (job.study, *job.key) not in done]


def reproduce(
    jobs: list[Job],
    out: Path,
    *,
    data_dir: Path | None = None,
    device: str = "cpu",
    workers: int = 1,
    cluster: str | None = None,
    on_row: Callable[[Job, RoundRow], None] = lambda _job, _row: None,
) -> None:
    """Train the jobs and append their rows as they come.

    Args:
        jobs: what to train.
        out: folder of the studies' rows; teachers and ensembles, which other rounds may need, are kept under
            its `runs`.
        data_dir: folder that holds MNIST/raw.
        device: where to train.
        workers: processes on this machine, one torch thread each.
        cluster: address of a Dask scheduler to use in place of this machine's cores.
        on_row: called for each row when it is safely on the disk.

    Raises:
        WorkersError: when the workers die or the cluster is lost; what was finished is on the disk.
    """
    tasks = [(bundle, out / "runs", data_dir, device) for bundle in bundles(jobs)]
    done = on_cluster(cluster, train_bundle, tasks) if cluster else on_cores(workers, train_bundle, tasks)
    for rows in done:
        for job, row in rows:
            append_row(rows_path(out, job.study), row)
            on_row(job, row)


def bundles(jobs: Iterable[Job]) -> list[list[Job]]:
    """The jobs in groups that are trained together; a job without bundle is a group of its own."""
    groups: dict[object, list[Job]] = {}
    for job in jobs:
        together = (job.study, job.recipe, job.seed, job.bundle) if job.bundle else job
        groups.setdefault(together, []).append(job)
    return list(groups.values())


def train_bundle(
    jobs: list[Job], runs: Path, data_dir: Path | None, device: str
) -> list[tuple[Job, RoundRow]]:
    """Train the rounds of a bundle in a worker process; one by one where one of them diverges.

    Where some rounds of the bundle have rows already, all are trained again, and the others' rows given.
    """
    torch.set_num_threads(1)
    keep_freed_memory()
    first = jobs[0]
    if first.bundle:
        with contextlib.suppress(DivergedError):
            data = _data(first.recipe.data.dataset, data_dir)
            trained = train_rounds(first.recipe, data, first.seed, first.bundle, device=device)
            rows = {number: row for number, (_, row) in zip(first.bundle, trained, strict=True)}
            return [(job, replace(rows[job.number], bundle=job.bundle_seeds)) for job in jobs]
    return [train_job(job, runs, data_dir, device) for job in jobs]


def train_job(job: Job, runs: Path, data_dir: Path | None, device: str) -> tuple[Job, RoundRow]:
    """Train one round; a round whose loss became infinite gives a row that says so.

    A round that may teach others is taken from `runs` where it was trained for one of them, and kept there.
    """
    data = _data(job.recipe.data.dataset, data_dir)
    digest, seed, bundle = job.key
    try:
        if len(job.recipe.network.members) > 1 or job.recipe.loss.teacher:
            folder = study_folder(runs, job.recipe)
            [row] = run_rounds(job.recipe, data, folder, seed=seed, device=device)
        else:
            _, row = train_round(job.recipe, data, job.seed, job.number, device=device, runs=runs)
    except DivergedError as error:
        row = RoundRow(variant=job.recipe.variant, recipe=digest, seed=seed, diverged=str(error))
    return job, replace(row, bundle=bundle)


def keep_freed_memory() -> None:
    """Let glibc keep freed memory for the next step, and do nothing where there is another C library.

    The activations of stacked rounds are so large that it gives them back after every step, and the system
    clears every page of the next step's anew: half again the time.
    """
    with contextlib.suppress(AttributeError, TypeError):
        library = ctypes.CDLL(None)
        library.mallopt(-3, 32 << 20)  # M_MMAP_THRESHOLD, bytes: the greatest that it takes
        library.mallopt(-1, 1 << 30)  # M_TRIM_THRESHOLD


@cache
def _data(dataset: str, data_dir: Path | None) -> DataSet:
    """A worker loads a data set once."""
    return load_data(Data(dataset=dataset), data_dir)
