"""Findings: what rows of rounds come to, and how that compares with what a report printed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from scipy import stats

from pairedge_train.experiments.study import Claim, Statistic, StudyRow, Table
from pairedge_train.rows import RoundRow

AGREES_WITHIN = 3.0  # standard errors
SIGNIFICANT = 0.05  # two-sided
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


def rows_of(row: StudyRow, rows: Sequence[RoundRow], rounds: int | None = None) -> list[RoundRow]:
    """The finished rounds of a table's row, by seed, without those that diverged."""
    seeds = range(row.seed, row.seed + (rounds or row.rounds))
    digest = row.recipe.digest()
    of_row = [each for each in rows if each.recipe == digest and each.seed in seeds]
    return sorted((each for each in of_row if each.diverged is None), key=lambda each: each.seed)


def finding(rows: Sequence[RoundRow], statistic: Statistic | Literal["seconds"]) -> Finding | None:
    """What some rounds come to; None without any, or where they have not measured it.

    `best_test_accuracy` takes of each round its best epoch by test accuracy, as report 001 does.
    `test_of_best_fold` takes the test accuracy of the one round that validated best, as report 004 does (ties
    go to the first): n is 1, and the standard deviation is that of all rounds' test accuracies.
    """
    values = [value for value in values_of(rows, statistic) if value is not None]
    if not values:
        return None
    sd = statistics.stdev(values) if len(values) > 1 else None
    if statistic == "test_of_best_fold":
        best = max(rows, key=lambda row: row.validation_accuracy or 0.0)
        assert best.test_accuracy is not None  # values_of has it
        return Finding(best.test_accuracy, sd, 1)
    return Finding(statistics.mean(values), sd, len(values))


def values_of(rows: Sequence[RoundRow], statistic: str) -> list[Any]:
    """What each round gives: a number, or None where it has not measured it."""
    if statistic == "best_test_accuracy":
        return [max((row.curves or {}).get("test_accuracy", ()), default=None) for row in rows]
    if statistic == "error_of_surest_99":
        return [(row.risk or {}).get("0.99") for row in rows]
    return [getattr(row, "test_accuracy" if statistic == "test_of_best_fold" else statistic) for row in rows]


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


def verdict(claim: Claim, table: Table, rows: Sequence[RoundRow]) -> tuple[Verdict, str]:
    """Whether a claim's order holds, and the numbers that say so.

    It holds when every step in the order is upwards and significant at SIGNIFICANT, is refuted when a
    significant step is downwards, and is undecided otherwise. Rounds of one seed share their pairs, so means
    are compared by a paired t-test, standard deviations by Levene's test around the median.
    """
    rounds = [{row.seed: row for row in rows_of(table.row(label), rows)} for label in claim.order]
    shared = sorted(set.intersection(*map(set, rounds)))
    if len(shared) < 2:
        return "no rounds", f"{len(shared)} rounds that all have"
    samples = [values_of([found[seed] for seed in shared], table.statistic) for found in rounds]
    measure, test = _MEASURES[claim.measure]
    heights = [measure(sample) for sample in samples]
    steps = [
        (upper - lower, 1.0 if high == low else float(test(high, low).pvalue))
        for (lower, low), (upper, high) in pairwise(zip(heights, samples, strict=True))
    ]
    text = ", ".join(
        f"{label} {100 * height:.2f} %" for label, height in zip(claim.order, heights, strict=True)
    )
    worst = max(p for _, p in steps)
    text += f" (n = {len(shared)}, largest p = {worst:.1g})"
    if all(step > 0 and p < SIGNIFICANT for step, p in steps):
        return "holds", text
    refuted = any(step < 0 and p < SIGNIFICANT for step, p in steps)
    return ("refuted" if refuted else "undecided"), text


_MEASURES: dict[str, tuple[Callable[[Sequence[float]], float], Callable[..., Any]]] = {
    "mean": (statistics.mean, stats.ttest_rel),
    "sd": (statistics.stdev, stats.levene),
}
