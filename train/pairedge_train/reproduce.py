"""Reproducing: every round that the studies need and that has no row yet, carried over cores or a cluster.

A job is a recipe and the number of a round: names and seeds, not tensors. Workers give rows back, and this
process alone appends them, one write each, so that a run killed at any moment loses nothing that was finished
and doubles nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch
from joblib import Parallel, delayed, parallel_config

from pairedge_train.data import DataSet, load_data
from pairedge_train.errors import DivergedError
from pairedge_train.recipe import Recipe
from pairedge_train.rounds import train_round
from pairedge_train.rows import Row, append_row, read_rows
from pairedge_train.studies import Study, Table


@dataclass(frozen=True)
class Job:
    """One round to train: of which study, by which recipe, and its number from 0."""

    study: str
    recipe: Recipe
    number: int

    @property
    def key(self) -> tuple[str, int]:
        """What names its row among all rows of the study: the recipe's digest and the seed."""
        return self.recipe.digest(), self.recipe.seed + self.number


def rows_path(out: Path, study: str) -> Path:
    """Where a study's rows lie."""
    return out / f"{study}.jsonl"


def jobs_of(study: Study, tables: Iterable[Table], rounds: int | None = None) -> list[Job]:
    """The rounds that some of a study's tables, and the figures that plot them, need; none twice.

    Args:
        study: the study.
        tables: those of its tables that are wanted.
        rounds: at most this many of each row; None for as many as the report has.
    """
    wanted = {table.name: table for table in tables}
    recipes = [row.recipe for table in wanted.values() for row in table.rows]
    recipes += [
        row.recipe for figure in study.figures if figure.table in wanted for row in study.shown(figure)
    ]
    jobs: dict[tuple[str, int], Job] = {}
    for recipe in recipes:
        for number in range(min(recipe.rounds, rounds or recipe.rounds)):
            job = Job(study.name, replace(recipe, rounds=max(recipe.folds, 1)), number)
            jobs.setdefault(job.key, job)
    return list(jobs.values())


def missing(jobs: Iterable[Job], out: Path) -> list[Job]:
    """Those of the jobs that have no row yet."""
    jobs = list(jobs)
    done = {
        (study, row["recipe"], row["seed"])
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
    on_row: Callable[[Job, Row], None] = lambda _job, _row: None,
) -> None:
    """Train the jobs and append their rows as they come.

    Args:
        jobs: what to train.
        out: folder of the studies' rows.
        data_dir: folder that holds MNIST/raw.
        device: where to train.
        workers: processes on this machine, one torch thread each.
        cluster: address of a Dask scheduler to use in place of this machine's cores.
        on_row: called for each row when it is safely on the disk.
    """
    with carrier(workers, cluster):
        tasks = (delayed(train_job)(job, data_dir, device) for job in jobs)
        for job, row in Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="2*n_jobs")(
            tasks
        ):
            append_row(rows_path(out, job.study), row)
            on_row(job, row)


@contextlib.contextmanager
def carrier(workers: int, cluster: str | None) -> Iterator[None]:
    """What joblib carries tasks with: processes of this machine, or an existing Dask cluster."""
    if cluster is None:
        with parallel_config(backend="loky", n_jobs=workers, inner_max_num_threads=1):
            yield
        return
    from distributed import Client

    with Client(cluster), parallel_config(backend="dask"):  # type: ignore[no-untyped-call]
        yield


def train_job(job: Job, data_dir: Path | None, device: str) -> tuple[Job, Row]:
    """Train one round in a worker process; a round whose loss became infinite gives a row that says so."""
    torch.set_num_threads(1)
    try:
        _, row = train_round(job.recipe, _data(job.recipe.dataset, data_dir), job.number, device=device)
    except DivergedError as error:
        digest, seed = job.key
        row = {"variant": job.recipe.variant, "recipe": digest, "seed": seed, "diverged": str(error)}
    return job, row


@cache
def _data(dataset: str, data_dir: Path | None) -> DataSet:
    """A worker loads a data set once."""
    return load_data(dataset, data_dir)
