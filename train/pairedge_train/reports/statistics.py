"""Tests on means: do two differ, are they equivalent within a margin, and what difference could be detected?

A `Contrast` is an estimated difference with its standard error and degrees of freedom; all tests are t-tests
on it. What is compared decides how it is made: summaries of independent rounds (`welch`), a summary beside a
mean without a standard deviation (`borrowed_sd`), paired values (`paired`), or values beside a bound, which
are paired with it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scipy import optimize, stats

SIGNIFICANT = 0.05  # two-sided in tests of a difference; one-sided, twice, in tests of equivalence
MARGIN = 0.015  # accuracies that differ by less count as equivalent
POWER = 0.8  # of the difference that is called detectable

Verdict = Literal["agrees", "differs", "cannot tell"]


@dataclass(frozen=True)
class Summary:
    """A mean over rounds.

    Attributes:
        mean: of the rounds' values.
        sd: their unbiased standard deviation; None where it is unknown.
        n: how many rounds.
    """

    mean: float
    sd: float | None
    n: int


@dataclass(frozen=True)
class Contrast:
    """An estimated difference of two means.

    Attributes:
        difference: the estimate.
        error: its standard error.
        df: degrees of freedom of the standard error.
    """

    difference: float
    error: float
    df: float

    def p_greater(self, bound: float = 0.0) -> float:
        """One-sided p-value for: the true difference is greater than `bound`."""
        excess = self.difference - bound
        if self.error == 0:
            return 0.5 if excess == 0 else float(excess < 0)
        return float(stats.t.sf(excess / self.error, self.df))

    def p_less(self, bound: float = 0.0) -> float:
        """One-sided p-value for: the true difference is less than `bound`."""
        return Contrast(-self.difference, self.error, self.df).p_greater(-bound)

    def p_differs(self, bound: float = 0.0) -> float:
        """Two-sided p-value for: the true difference is not `bound`."""
        return min(1.0, 2 * min(self.p_greater(bound), self.p_less(bound)))

    def p_equivalent(self, margin: float = MARGIN) -> float:
        """The p-value of two one-sided tests (TOST) for: the true difference lies within `margin` of zero."""
        return max(self.p_greater(-margin), self.p_less(margin))

    def detectable(self) -> float:
        """The least true difference that the two-sided test finds, with its sign, with a power of `POWER`."""
        critical = float(stats.t.isf(SIGNIFICANT / 2, self.df))

        def surplus(noncentrality: float) -> float:
            return float(stats.nct.sf(critical, self.df, noncentrality)) - POWER

        above = critical
        while surplus(above) < 0:
            above *= 1.5
        return self.error * float(optimize.brentq(surplus, 0.0, above))

    def verdict(self, margin: float = MARGIN) -> Verdict:
        """Whether the two means agree; a significant difference that lies within the margin agrees."""
        if self.p_equivalent(margin) < SIGNIFICANT:
            return "agrees"
        return "differs" if self.p_differs() < SIGNIFICANT else "cannot tell"


def summarize(values: Sequence[float]) -> Summary:
    """Mean, unbiased standard deviation (None for one value) and count of at least one value."""
    sd = statistics.stdev(values) if len(values) > 1 else None
    return Summary(statistics.mean(values), sd, len(values))


def welch(ours: Summary, theirs: Summary) -> Contrast:
    """Our mean minus theirs, of independent rounds with standard deviations of their own.

    Raises:
        ValueError: when either has no standard deviation or fewer than two rounds.
    """
    if ours.sd is None or theirs.sd is None or min(ours.n, theirs.n) < 2:
        raise ValueError("Welch's test needs two standard deviations over at least two rounds each")
    mine, other = ours.sd**2 / ours.n, theirs.sd**2 / theirs.n
    variance = mine + other
    weights = mine**2 / (ours.n - 1) + other**2 / (theirs.n - 1)
    df = variance**2 / weights if weights else float(ours.n + theirs.n - 2)
    return Contrast(ours.mean - theirs.mean, math.sqrt(variance), df)


def borrowed_sd(ours: Summary, mean: float, n: int) -> Contrast:
    """Our mean minus a mean over `n` rounds whose standard deviation is unknown: ours stands in for it.

    Raises:
        ValueError: when ours has none, being of one round.
    """
    if ours.sd is None or ours.n < 2:
        raise ValueError("a standard deviation is borrowed from at least two rounds")
    return Contrast(ours.mean - mean, ours.sd * math.sqrt(1 / ours.n + 1 / n), ours.n - 1)


def paired(differences: Sequence[float]) -> Contrast:
    """The mean of at least two differences within pairs.

    Raises:
        StatisticsError: for fewer than two.
    """
    sd = statistics.stdev(differences)
    return Contrast(statistics.mean(differences), sd / math.sqrt(len(differences)), len(differences) - 1)


def compare(ours: Summary, theirs: Summary) -> Contrast | None:
    """Our mean minus theirs; None where no spread is known: one round of ours, or of either's."""
    if ours.sd is None or ours.n < 2:
        return None
    if theirs.sd is None or theirs.n < 2:
        return borrowed_sd(ours, theirs.mean, theirs.n)
    return welch(ours, theirs)


def p_steadier(steady: Sequence[float], unsteady: Sequence[float]) -> float:
    """The p-value of Levene's test, around the median, that two samples differ in spread."""
    return float(stats.levene(steady, unsteady).pvalue)
