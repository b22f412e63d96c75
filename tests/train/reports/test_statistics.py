"""The tests on means give what textbooks and sums by hand give."""

from __future__ import annotations

import math
from dataclasses import astuple

import pytest

from pairedge_train.reports.statistics import (
    Contrast,
    Summary,
    Verdict,
    borrowed_sd,
    compare,
    p_steadier,
    paired,
    summarize,
    welch,
)


def test_a_summary_is_mean_unbiased_sd_and_count() -> None:
    # Squared deviations 4, 1, 1, 4 sum to 10, over n - 1 = 3.
    summary = summarize([1.0, 2.0, 4.0, 5.0])
    assert (summary.mean, summary.n) == (3.0, 4)
    assert summary.sd == pytest.approx(math.sqrt(10 / 3))
    assert summarize([2.0]) == Summary(2.0, None, 1)


def test_welch_by_hand() -> None:
    # Variances of the means are 4/4 = 1 and 9/9 = 1; df = (1 + 1)^2 / (1/3 + 1/8) = 96/11.
    contrast = welch(Summary(12.0, 2.0, 4), Summary(10.0, 3.0, 9))
    assert astuple(contrast) == pytest.approx((2.0, math.sqrt(2), 96 / 11))


def test_a_borrowed_standard_deviation_is_pooled() -> None:
    # sd 2 on both sides: the error is 2 * sqrt(1/4 + 1/12) = 2 / sqrt(3), df those of our 4 rounds.
    contrast = borrowed_sd(Summary(12.0, 2.0, 4), 10.0, 12)
    assert astuple(contrast) == pytest.approx((2.0, 2 / math.sqrt(3), 3))


def test_paired_differences_by_hand() -> None:
    # Mean 2; squared deviations 1, 0, 1 over 2 give sd 1.
    assert astuple(paired([1.0, 2.0, 3.0])) == pytest.approx((2.0, 1 / math.sqrt(3), 2))


def test_p_values_are_those_of_the_table_of_t() -> None:
    # The tabulated quantile of t for 10 degrees of freedom, one-sided 0.025: 2.228; 0.05: 1.812.
    assert Contrast(2.228, 1.0, 10).p_differs() == pytest.approx(0.05, abs=1e-4)
    assert Contrast(-2.228, 1.0, 10).p_differs() == pytest.approx(0.05, abs=1e-4)
    assert Contrast(1.812, 1.0, 10).p_greater() == pytest.approx(0.05, abs=1e-4)
    assert Contrast(3.812, 1.0, 10).p_greater(2.0) == pytest.approx(0.05, abs=1e-4)
    assert Contrast(0.188, 1.0, 10).p_less(2.0) == pytest.approx(0.05, abs=1e-4)


def test_equivalence_is_the_weaker_of_two_one_sided_tests() -> None:
    # With a margin of 3 the upper bound is 2 standard errors away, the lower one 4.
    contrast = Contrast(1.0, 1.0, 10)
    assert contrast.p_equivalent(3.0) == contrast.p_less(3.0) > contrast.p_greater(-3.0)
    assert Contrast(0.0, 1.0, 10).p_equivalent(1.812) == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize(("n", "effect"), [(64, 0.5), (26, 0.8), (17, 1.0)])
def test_the_detectable_difference_is_that_of_tables_of_power(n: int, effect: float) -> None:
    # Rounds per group that two-sided 5 % and 80 % power need for effects of 0.5, 0.8 and 1 sd (Cohen, 1988).
    enough, less = (welch(Summary(0.0, 1.0, n), Summary(0.0, 1.0, n)).detectable() for n in (n, n - 1))
    assert enough <= effect < less


def test_of_many_rounds_the_detectable_difference_is_2_8_standard_errors() -> None:
    assert Contrast(0.0, 1.0, 1e6).detectable() == pytest.approx(1.960 + 0.8416, abs=1e-3)


@pytest.mark.parametrize(
    ("difference", "error", "verdict"),
    [
        (0.0, 0.005, "agrees"),
        (0.0, 0.01, "cannot tell"),
        (0.03, 0.005, "differs"),
        (0.03, 0.02, "cannot tell"),
        (0.01, 0.001, "agrees"),  # significant, and within the margin
        (0.0, 0.0, "agrees"),
        (0.02, 0.0, "differs"),
    ],
)
def test_verdicts(difference: float, error: float, verdict: Verdict) -> None:
    assert Contrast(difference, error, 20).verdict() == verdict


def test_one_round_on_both_sides_cannot_be_compared() -> None:
    assert compare(Summary(0.9, 0.01, 1), Summary(0.8, None, 1)) is None
    assert compare(Summary(0.9, None, 1), Summary(0.8, 0.01, 10)) is None


def test_a_missing_standard_deviation_is_borrowed() -> None:
    ours = Summary(0.9, 0.01, 8)
    assert compare(ours, Summary(0.8, None, 15)) == borrowed_sd(ours, 0.8, 15)
    assert compare(ours, Summary(0.8, 0.02, 15)) == welch(ours, Summary(0.8, 0.02, 15))


def test_spread_is_told_apart_by_levene() -> None:
    steady, unsteady = [0.8, 0.801] * 6, [0.7, 0.9] * 6
    assert p_steadier(steady, unsteady) < 1e-6
    assert p_steadier(steady, steady) == 1.0
