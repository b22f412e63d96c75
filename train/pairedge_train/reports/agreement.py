"""How rows of rounds compare with the numbers that a report gives, and how much that comparison is worth."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pairedge_train.experiments.study import Statistic, Study, StudyRow, Table
from pairedge_train.reports.statistics import Contrast, Summary, Verdict, compare, summarize
from pairedge_train.rows import RoundRow

NEAR = 3.0  # standard errors: the rule that pages of these reports used before there were verdicts


@dataclass(frozen=True)
class Comparison:
    """A row of a table beside its report's number.

    Attributes:
        row: the row.
        counts: whether its number is one that the report prints, as described, and counted here.
        ours: what its rounds come to; None without any.
        contrast: ours minus the report's; None where there is no number or no spread.
        standard_errors: the difference in standard errors, None as before.
        borrowed: whether our standard deviation stands in for one that the report does not give.
    """

    row: StudyRow
    counts: bool
    ours: Summary | None
    contrast: Contrast | None
    standard_errors: float | None
    borrowed: bool

    @property
    def verdict(self) -> Verdict:
        """Whether ours agrees with the report's number."""
        return self.contrast.verdict() if self.contrast else "cannot tell"


@dataclass(frozen=True)
class Tally:
    """How many comparisons came to which verdict.

    Attributes:
        agrees: equivalent within the margin.
        differs: significantly different.
        cannot_tell: neither.
        near: within `NEAR` standard errors, whatever the verdict.
    """

    agrees: int = 0
    differs: int = 0
    cannot_tell: int = 0
    near: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.agrees + self.differs + self.cannot_tell

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.agrees + other.agrees,
            self.differs + other.differs,
            self.cannot_tell + other.cannot_tell,
            self.near + other.near,
        )


def rows_of(row: StudyRow, rows: Sequence[RoundRow], rounds: int | None = None) -> list[RoundRow]:
    """The finished rounds of a table's row, one for each seed, without those that diverged.

    A round that a short form trained alone never stands among rounds that were trained in bundles.
    """
    seeds = range(row.seed, row.seed + (rounds or row.rounds))
    digest = row.recipe.digest()
    of_row = [each for each in rows if each.recipe == digest and each.seed in seeds and not each.diverged]
    in_bundles = any(each.bundle for each in of_row)
    by_seed: dict[int, RoundRow] = {}
    for each in sorted(of_row, key=lambda each: len(each.bundle or ())):
        if each.bundle or not in_bundles:
            by_seed[each.seed] = each  # of several, the one of the largest bundle
    return [by_seed[seed] for seed in sorted(by_seed)]


def summary(rows: Sequence[RoundRow], statistic: Statistic | Literal["seconds"]) -> Summary | None:
    """What some rounds come to; None without any, or where they have not measured it.

    `best_test_accuracy` takes of each round its best epoch by test accuracy, as report 001 does.
    `test_of_best_fold` takes of each draw of pairs the test accuracy of the fold that validated best, as
    report 004 does (ties go to the first): n counts draws. Of one draw, the standard deviation is that of all
    folds' test accuracies.
    """
    values = [value for value in values_of(rows, statistic) if value is not None]
    if not values:
        return None
    if statistic == "test_of_best_fold":
        best = best_folds(rows)
        if len(best) > 1:
            return summarize(best)
        return Summary(best[0], statistics.stdev(values) if len(values) > 1 else None, 1)
    return summarize(values)


def best_folds(rows: Sequence[RoundRow]) -> list[float]:
    """Of each draw of pairs, the test accuracy of the fold that validated best."""
    draws: dict[int, list[RoundRow]] = {}
    for row in rows:
        draws.setdefault(first_seed(row), []).append(row)
    best = [max(folds, key=lambda row: row.validation_accuracy or 0.0) for folds in draws.values()]
    return [row.test_accuracy for row in best if row.test_accuracy is not None]


def first_seed(row: RoundRow) -> int:
    """The seed of the first fold of a round's draw of pairs; its own where there are no folds."""
    return row.seed - (row.fold or 0)


def values_of(rows: Sequence[RoundRow], statistic: str) -> list[Any]:
    """What each round gives: a number, or None where it has not measured it."""
    if statistic == "best_test_accuracy":
        return [max((row.curves or {}).get("test_accuracy", ()), default=None) for row in rows]
    if statistic == "error_of_surest_99":
        return [(row.risk or {}).get("0.99") for row in rows]
    return [getattr(row, "test_accuracy" if statistic == "test_of_best_fold" else statistic) for row in rows]


def compare_rows(table: Table, rows: Sequence[RoundRow]) -> list[Comparison]:
    """Each row of a table beside its report's number."""
    return [compare_row(table, row, row, summary(rows_of(row, rows), table.statistic)) for row in table.rows]


def compare_row(table: Table, row: StudyRow, published: StudyRow, ours: Summary | None) -> Comparison:
    """What a row's rounds come to beside the number that the report gives for `published`."""
    contrast = errors = None
    if ours and published.published is not None:
        contrast = compare(ours, Summary(published.published, published.sd, table.published_n))
        errors = standard_errors(ours, published, table.published_n)
    borrowed = published.published is not None and published.sd is None
    return Comparison(row, table.counts(row), ours, contrast, errors, borrowed)


def standard_errors(ours: Summary, row: StudyRow, published_n: int) -> float | None:
    """How many standard errors our mean lies above the report's.

    None where the report printed no number or we have one round. Where the report printed no standard
    deviation, ours stands in for it.
    """
    if row.published is None or ours.sd is None:
        return None
    theirs = ours.sd if row.sd is None else row.sd
    error = math.sqrt(ours.sd**2 / ours.n + theirs**2 / published_n)
    return (ours.mean - row.published) / error if error else None


def negative_control(table: Table, rows: Sequence[RoundRow]) -> Tally:
    """The verdicts where each row is held against the other rows' numbers, as far as they are not its own.

    The more of these agree, the less it says that a row agrees with its own number.
    """
    summaries = [summary(rows_of(row, rows), table.statistic) for row in table.rows]
    return tally(
        compare_row(table, row, other, ours)
        for row, ours in zip(table.rows, summaries, strict=True)
        for other in table.rows
        if ours and other.published is not None and other.published != row.published
    )


def tally(comparisons: Iterable[Comparison]) -> Tally:
    """Count verdicts."""
    comparisons = list(comparisons)
    verdicts = Counter(each.verdict for each in comparisons)
    distances = [each.standard_errors for each in comparisons if each.standard_errors is not None]
    near = sum(abs(distance) <= NEAR for distance in distances)
    return Tally(verdicts["agrees"], verdicts["differs"], verdicts["cannot tell"], near)


def tallies(study: Study, rows: Sequence[RoundRow]) -> dict[str, Tally]:
    """Verdicts on a report's numbers: those that its text prints, each once, and the others by their kind."""
    kinds: dict[str, Tally] = {"printed": Tally()}
    for table in study.tables:
        for comparison in compare_rows(table, rows):
            if comparison.row.published is None:
                continue
            kind: str = table.source_kind
            if kind == "printed" and not comparison.counts:
                kind = "printed, compared again"
            kinds[kind] = kinds.get(kind, Tally()) + tally([comparison])
    return kinds
