"""Reproducing: every round that the studies need and that has no row yet, carried over cores or a cluster.

A job is a recipe and the number of a round: names and seeds, not tensors. Workers give rows back, and this
process alone appends them, one write each, so that a run killed at any moment loses nothing that was finished
and doubles nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from joblib import Parallel, delayed, parallel_config

from pairedge_train.data.datasets import DataSet, load_data
from pairedge_train.errors import DivergedError
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.experiments.study import Study, Table
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
    """

    study: str
    recipe: Recipe
    seed: int
    number: int

    @property
    def key(self) -> tuple[str, int]:
        """What names its row among all rows of the study: the recipe's digest and the round's own seed."""
        return self.recipe.digest(), self.seed + self.number


def rows_path(out: Path, study: str) -> Path:
    """Where a study's rows lie."""
    return out / f"{study}.jsonl"


def jobs_of(study: Study, tables: Iterable[Table], rounds: int | None = None) -> list[Job]:
    """The rounds that some of a study's tables, and the figures that plot them, need; none twice.

    Args:
        study: the study.
        tables: those of its tables that are trained.
        rounds: at most this many of each row; None for as many as the report has.
    """
    chosen = {table.name: table for table in tables}
    rows = [row for table in chosen.values() for row in table.rows]
    rows += [row for figure in study.figures if figure.table in chosen for row in study.shown(figure)]
    jobs: dict[tuple[str, int], Job] = {}
    for row in rows:
        for number in range(min(row.rounds, rounds or row.rounds)):
            job = Job(study.name, row.recipe, row.seed, number)
            jobs.setdefault(job.key, job)
    return list(jobs.values())


def missing(jobs: Iterable[Job], out: Path) -> list[Job]:
    """Those of the jobs that have no row yet."""
    jobs = list(jobs)
    done = {
        (study, row.recipe, row.seed)
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
    """
    with backend(workers, cluster):
        tasks = (
            delayed(train_bundle)(bundle, out / "runs", data_dir, device)
            for bundle in bundles(jobs, workers, device)
        )
        parallel = Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="2*n_jobs")
        for rows in parallel(tasks):
            for job, row in rows:
                append_row(rows_path(out, job.study), row)
                on_row(job, row)


def bundles(jobs: Iterable[Job], workers: int, device: str) -> list[list[Job]]:
    """The jobs in bundles that are trained together, each of one recipe; a round of its own where it must be.

    On a CPU a bundle is no larger than its cache likes, nor than leaves every worker something to do.
    """
    groups: dict[tuple[str, Recipe, int], list[Job]] = {}
    for job in jobs:
        groups.setdefault((job.study, job.recipe, job.seed), []).append(job)
    total = sum(map(len, groups.values()))
    bundled = []
    for (_, recipe, _), group in groups.items():
        most = len(group) if can_stack(recipe) else 1
        if device == "cpu":
            most = max(1, min(most, STACKED_PAIRS // recipe.optim.batch_size, -(-total // workers)))
        count = -(-len(group) // most)
        bundled += [group[i::count] for i in range(count)]  # sizes differ by one at most
    return bundled


@contextlib.contextmanager
def backend(workers: int, cluster: str | None) -> Iterator[None]:
    """The backend of joblib: processes of this machine, or an existing Dask cluster."""
    if cluster is None:
        with parallel_config(backend="loky", n_jobs=workers, inner_max_num_threads=1):
            yield
        return
    from distributed import Client

    with Client(cluster), parallel_config(backend="dask"):  # type: ignore[no-untyped-call]  # it has no types
        yield


def train_bundle(
    jobs: list[Job], runs: Path, data_dir: Path | None, device: str
) -> list[tuple[Job, RoundRow]]:
    """Train rounds of one recipe in a worker process, together; one by one where one of them diverges."""
    torch.set_num_threads(1)
    keep_freed_memory()
    recipe, seed = jobs[0].recipe, jobs[0].seed
    if len(jobs) > 1:
        with contextlib.suppress(DivergedError):
            data = _data(recipe.data.dataset, data_dir)
            trained = train_rounds(recipe, data, seed, [job.number for job in jobs], device=device)
            return [(job, row) for job, (_, row) in zip(jobs, trained, strict=True)]
    return [train_job(job, runs, data_dir, device) for job in jobs]


def train_job(job: Job, runs: Path, data_dir: Path | None, device: str) -> tuple[Job, RoundRow]:
    """Train one round; a round whose loss became infinite gives a row that says so.

    A round that may teach others is taken from `runs` where it was trained for one of them, and kept there.
    """
    data = _data(job.recipe.data.dataset, data_dir)
    digest, seed = job.key
    try:
        if len(job.recipe.network.members) > 1 or job.recipe.loss.teacher:
            folder = study_folder(runs, job.recipe)
            [row] = run_rounds(job.recipe, data, folder, seed=seed, device=device)
        else:
            _, row = train_round(job.recipe, data, job.seed, job.number, device=device, runs=runs)
    except DivergedError as error:
        row = RoundRow(variant=job.recipe.variant, recipe=digest, seed=seed, diverged=str(error))
    return job, row


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
    return load_data(dataset, data_dir)
