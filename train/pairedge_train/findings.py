"""Findings: what rows of rounds come to, and how that compares with what a report printed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from pairedge_train.rows import Row
from pairedge_train.studies import Claim, Statistic, StudyRow, Table

AGREES_WITHIN = 3.0  # standard errors
DECIDES_BEYOND = 2.0  # standard errors
Verdict = Literal["holds", "refuted", "undecided", "no rounds"]


@dataclass(frozen=True)
class Finding:
    """A mean over rounds.

    Attributes:
        mean: of the rounds' values.
        sd: their unbiased standard deviation; None for one round.
        n: how many rounds.
    """

    mean: float
    sd: float | None
    n: int


def rows_of(row: StudyRow, rows: Sequence[Row], rounds: int | None = None) -> list[Row]:
    """The finished rounds of a table's row, by seed, without those that diverged."""
    wanted = range(row.recipe.seed, row.recipe.seed + (rounds or row.recipe.rounds))
    digest = row.recipe.digest()
    found = [each for each in rows if each["recipe"] == digest and each["seed"] in wanted]
    return sorted((each for each in found if "diverged" not in each), key=lambda each: int(each["seed"]))


def finding(
    rows: Sequence[Row], statistic: Statistic | Literal["seconds", "exact_accuracy"]
) -> Finding | None:
    """What some rounds come to; None without any.

    `best_test_accuracy` takes of each round its best epoch by test accuracy, as report 001 does.
    `test_of_best_fold` takes of all rounds the test accuracy of the one that validated best, as report 004
    does (ties go to the first); it is one number.
    """
    if not rows:
        return None
    if statistic == "test_of_best_fold":
        best = max(rows, key=lambda row: float(row["validation_accuracy"]))
        return Finding(best["test_accuracy"], None, 1)
    if statistic == "best_test_accuracy":
        values = [max(row["curves"]["test_accuracy"]) for row in rows]
    else:
        values = [row[statistic] for row in rows]
    return Finding(
        statistics.mean(values), statistics.stdev(values) if len(values) > 1 else None, len(values)
    )


def standard_errors(ours: Finding, row: StudyRow, published_n: int) -> float | None:
    """How many standard errors our mean lies above the report's.

    None where the report printed no number or we have one round. Where the report printed no standard
    deviation, ours stands in for it.
    """
    if row.published is None or ours.sd is None:
        return None
    theirs = ours.sd if row.sd is None else row.sd
    error = math.sqrt(ours.sd**2 / ours.n + theirs**2 / published_n)
    return (ours.mean - row.published) / error if error else None


def verdict(claim: Claim, table: Table, rows: Sequence[Row]) -> tuple[Verdict, str]:
    """Whether a claim's order holds, and the numbers that say so.

    It holds when every step in the order is upwards by more than DECIDES_BEYOND standard errors, is refuted
    when a step is downwards by as much, and is undecided otherwise. A standard deviation's own standard error
    is taken as sd / sqrt(2 (n - 1)).
    """
    found = [finding(rows_of(table.row(label), rows), table.statistic) for label in claim.order]
    steps: list[float] = []
    values: list[str] = []
    for label, each in zip(claim.order, found, strict=True):
        if each is None or each.sd is None:
            return "no rounds", f"{label} has too few rounds"
        values.append(f"{label} {_percent(each.mean if claim.measure == 'mean' else each.sd)}")
    measured = [each for each in found if each is not None]
    for lower, upper in pairwise(measured):
        steps.append(_step(lower, upper, claim.measure))
    text = ", ".join(values)
    if min(steps) > DECIDES_BEYOND:
        return "holds", text
    return ("refuted" if min(steps) < -DECIDES_BEYOND else "undecided"), text


def _step(lower: Finding, upper: Finding, measure: str) -> float:
    """From one finding up to the next, in standard errors of the difference."""
    assert lower.sd is not None  # verdict looked
    assert upper.sd is not None
    if measure == "mean":
        difference = upper.mean - lower.mean
        error = math.sqrt(lower.sd**2 / lower.n + upper.sd**2 / upper.n)
    else:
        difference = upper.sd - lower.sd
        error = math.sqrt(lower.sd**2 / (2 * lower.n - 2) + upper.sd**2 / (2 * upper.n - 2))
    return difference / error if error else math.copysign(math.inf, difference)


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
