"""Verifying: some committed rows are trained again and compared, to the bit where the CPU is the same."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from pairedge_train.data.datasets import DataSet
from pairedge_train.experiments.study import Study
from pairedge_train.machine import machine
from pairedge_train.reports.reproduce import Job, jobs_of, rows_path
from pairedge_train.rows import RoundRow, read_rows
from pairedge_train.training.rounds import train_round, train_rounds

Verdict = Literal["equal", "close", "differs"]

TOLERANCE = 0.05  # of an accuracy: what other kernels may change in one round; a wrong recipe changes more
_NOT_COMPARED = ("recipe", "seconds", "machine", "versions", "device", "stacked", "bundle")


@dataclass(frozen=True)
class Committed:
    """A committed row and the round that it is of.

    Attributes:
        job: the round.
        row: what it gave.
        cost: seconds of training that it takes to have it again, all rounds of its bundle.
    """

    job: Job
    row: RoundRow
    cost: float


@dataclass(frozen=True)
class Comparison:
    """A committed row beside the same round trained again.

    Attributes:
        committed: the row.
        again: the round's new row.
        differing: the fields that both have measured and that are not equal.
    """

    committed: Committed
    again: RoundRow
    differing: tuple[str, ...]

    @property
    def same_machine(self) -> bool:
        """Whether the row names a CPU with the kernels of this one, and the same versions."""
        return self.committed.row.machine == self.again.machine

    @property
    def verdict(self) -> Verdict:
        """`equal` to the bit; `close`, where another machine's accuracies are within TOLERANCE."""
        if not self.differing:
            return "equal"
        accuracies = [name for name in self.differing if name.endswith("accuracy")]
        distances = [
            abs(getattr(self.committed.row, name) - getattr(self.again, name)) for name in accuracies
        ]
        return "differs" if self.same_machine or max(distances, default=0) > TOLERANCE else "close"


def committed_rows(studies: Iterable[Study], out: Path) -> Iterator[Committed]:
    """The rows of the studies' rounds, but for those that diverged and those that need a teacher."""
    for study in studies:
        rows = {(row.recipe, row.seed, row.bundle): row for row in read_rows(rows_path(out, study.name))}
        for job in jobs_of(study, study.tables):
            row = rows.get(job.key)
            if row is not None and row.diverged is None and not job.recipe.loss.teacher:
                yield Committed(job, row, row.seconds * max(1, len(job.bundle)))


def sample(rows: Iterable[Committed], count: int, seed: int, most: float) -> list[Committed]:
    """So many rows, chosen by a seed among those that cost at most so many seconds; all, where there are fewer."""
    affordable = [row for row in rows if row.cost <= most]
    return random.Random(seed).sample(affordable, min(count, len(affordable)))


def verify(committed: Committed, data: DataSet) -> Comparison:
    """Train a committed row's round again, in its bundle where it has one, and compare."""
    job = committed.job
    if job.bundle:
        trained = train_rounds(job.recipe, data, job.seed, job.bundle)
        _, again = trained[job.bundle.index(job.number)]
    else:
        _, again = train_round(job.recipe, data, job.seed, job.number)
    differing = [
        field.name
        for field in fields(RoundRow)
        if field.name not in _NOT_COMPARED
        and getattr(committed.row, field.name) is not None
        and getattr(committed.row, field.name) != getattr(again, field.name)
    ]
    return Comparison(committed, again, tuple(differing))


def describe(comparison: Comparison) -> str:
    """The comparison in one line."""
    job, verdict = comparison.committed.job, comparison.verdict
    place = f"{job.study} {job.recipe.variant} {job.key[0]} seed {job.key[1]}"
    if verdict == "equal":
        return f"equal    {place}: to the bit"
    accuracy = "validation_accuracy" if comparison.again.test_accuracy is None else "test_accuracy"
    values = [getattr(row, accuracy) for row in (comparison.committed.row, comparison.again)]
    numbers = f"{accuracy.replace('_', ' ')} {100 * values[0]:.2f} %, now {100 * values[1]:.2f} %"
    where = comparison.committed.row.machine
    trained_on = f"{where['cpu']}, {where['kernels']}" if where else "a CPU that was not recorded"
    here = f"{machine()['cpu']}, {machine()['kernels']}"
    return f"{verdict:<8} {place}: {numbers}; trained on {trained_on}, here {here}"
