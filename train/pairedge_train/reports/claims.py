"""What becomes of a report's claims: each is tested for what it says, on rounds that share their data."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from pairedge_train.experiments.study import Claim, RowName, Statistic, Study
from pairedge_train.networks.variants import get_variant
from pairedge_train.reports.agreement import first_seed, rows_of, values_of
from pairedge_train.reports.statistics import (
    MARGIN,
    SIGNIFICANT,
    Contrast,
    Summary,
    Verdict,
    compare,
    p_steadier,
    paired,
    summarize,
)
from pairedge_train.rows import RoundRow

ClaimVerdict = Literal["holds", "refuted", "undecided", "no rounds"]

# Estimates of how often the last weights are right on pairs they have not seen, the least noisy first: all
# ordered pairs of test digits, then 1,000 test pairs, then the few pairs of a fold.
_ACCURACIES: tuple[Statistic, ...] = ("exact_accuracy", "test_accuracy", "validation_accuracy")
FOLDS_MARK = "†"  # of tests over folds, some of which share their draw of data
_PRINTED_SHARE = 0.001  # the last digit of a share of parameters that a report prints
_AS_CLAIM: dict[Verdict, ClaimVerdict] = {
    "agrees": "holds",
    "differs": "refuted",
    "cannot tell": "undecided",
}


@dataclass(frozen=True)
class ClaimResult:
    """What became of a claim on one statistic.

    Attributes:
        verdict: it holds, is refuted, or neither can be told.
        statistic: what it was tested on; None for a claim about parameters.
        measured: the numbers that say so.
    """

    verdict: ClaimVerdict
    statistic: Statistic | None
    measured: str


def evaluate_claim(claim: Claim, study: Study, rows: Sequence[RoundRow]) -> list[ClaimResult]:
    """The verdict on each statistic that a claim is tested on.

    A claim of several steps holds when each of them is significant at SIGNIFICANT in its direction, and is
    refuted when one is in the other, at SIGNIFICANT over the number of steps. Rounds of one seed share their
    pairs, so that means are compared by paired t-tests; standard deviations by Levene's test.
    """
    if claim.kind == "fewer parameters":
        return [evaluate_parameters(claim, study)]
    rounds = {
        name: {row.seed: row for row in rows_of(study.row(claim, name), rows)}
        for name in (*claim.rows, *claim.against)
    }
    shared = sorted(set.intersection(*(set(by_seed) for by_seed in rounds.values())))
    if len(shared) < 2:
        return [ClaimResult("no rounds", None, f"{len(shared)} rounds that all have")]
    same_seeds = {name: [by_seed[seed] for seed in shared] for name, by_seed in rounds.items()}
    chosen = claim.statistics or (least_noisy(study.table(claim.table).statistic, same_seeds.values()),)
    folds = any(study.row(claim, name).recipe.data.folds for name in same_seeds)
    return [_evaluate(claim, statistic, same_seeds, folds=folds) for statistic in chosen]


def least_noisy(statistic: Statistic, rounds: Iterable[Sequence[RoundRow]]) -> Statistic:
    """The least noisy estimate of what a statistic estimates that all rounds have."""
    if statistic not in (*_ACCURACIES, "test_of_best_fold"):
        return statistic
    every = [row for row_rounds in rounds for row in row_rounds]
    measured = (each for each in _ACCURACIES if None not in values_of(every, each))
    return next(measured, statistic)


def evaluate_parameters(claim: Claim, study: Study) -> ClaimResult:
    """Whether the second row's network has fewer parameters than the first's, by the claimed share."""
    first, second = (get_variant(study.row(claim, name).recipe.variant).parameters for name in claim.rows)
    share = 1 - second / first
    verdict: ClaimVerdict = "holds" if abs(share - claim.value) <= _PRINTED_SHARE / 2 else "refuted"
    return ClaimResult(verdict, None, f"{first:,} and {second:,}: {100 * share:.2f} % fewer")


def _evaluate(
    claim: Claim, statistic: Statistic, rounds: dict[RowName, list[RoundRow]], *, folds: bool
) -> ClaimResult:
    samples = {name: values_of(row_rounds, statistic) for name, row_rounds in rounds.items()}
    if any(None in sample for sample in samples.values()):
        return ClaimResult("no rounds", statistic, "not measured by all rows")
    names = (*claim.rows, *claim.against)
    measure = statistics.stdev if claim.kind == "sd order" else statistics.mean
    text = ", ".join(f"{label(name)} {100 * measure(samples[name]):.2f} %" for name in names)
    n = len(samples[names[0]])
    rows = [samples[name] for name in claim.rows]
    match claim.kind:
        case "reaches":
            contrast = compare(summarize(rows[0]), Summary(claim.value, claim.sd, claim.n))
            agreement = contrast.verdict() if contrast else "cannot tell"
            verdict: ClaimVerdict = _AS_CLAIM[agreement]
            p = contrast.p_differs() if contrast else 1.0
            text += f" beside {100 * claim.value:.1f} %"
            tail = f"difference: p = {p_value(p)}"
        case "sd order":
            steps = [
                (statistics.stdev(high) - statistics.stdev(low), p_steadier(low, high))
                for low, high in pairwise(rows)
            ]
            verdict, p = _directed(steps)
            tail = f"largest p = {p_value(p)}"
        case "equal":
            contrasts = [_step(rows[i], samples[name]) for i, name in enumerate(claim.against)]
            verdict, p = _equal(contrasts)
            tail = f"equivalence: largest p = {p_value(p)}"
        case "no better":
            verdict, p = _no_better([_step(rows[0], other) for other in rows[1:]])
            tail = f"non-superiority: largest p = {p_value(p)}"
        case _:
            verdict, p = _directed([(each.difference, each.p_differs()) for each in _steps(claim, rows)])
            tail = f"largest p = {p_value(p)}"
    counted = f"{n} {folds_of(rounds[names[0]])}" if folds else str(n)
    return ClaimResult(verdict, statistic, f"{text} (n = {counted}, {tail})")


def folds_of(rounds: Sequence[RoundRow]) -> str:
    """Folds, marked, and of how many draws of data they are."""
    draws = len({first_seed(row) for row in rounds})
    return f"folds{FOLDS_MARK} of {draws} draw{'s' if draws > 1 else ''}"


def _steps(claim: Claim, rows: Sequence[Sequence[float]]) -> list[Contrast]:
    """The differences that a claim of means says to be positive."""
    match claim.kind:
        case "order":
            return [_step(high, low, claim.value) for low, high in pairwise(rows)]
        case "best":
            return [_step(rows[0], other) for other in rows[1:]]
        case "worst":
            return [_step(other, rows[0]) for other in rows[1:]]
        case "above":
            return [paired([value - claim.value for value in row]) for row in rows]
        case "below":
            return [paired([claim.value - value for value in row]) for row in rows]
    raise ValueError(f"claims of kind {claim.kind!r} have no steps")


def _step(high: Sequence[float], low: Sequence[float], by: float = 0.0) -> Contrast:
    return paired([above - below - by for above, below in zip(high, low, strict=True)])


def _directed(steps: Sequence[tuple[float, float]]) -> tuple[ClaimVerdict, float]:
    """The verdict on steps, each with its two-sided p-value, that should all be upwards; the largest p."""
    largest = max(p for _, p in steps)
    if all(step > 0 and p < SIGNIFICANT for step, p in steps):
        return "holds", largest
    refuted = any(step < 0 and p < SIGNIFICANT / len(steps) for step, p in steps)
    return ("refuted" if refuted else "undecided"), largest


def _equal(contrasts: Sequence[Contrast]) -> tuple[ClaimVerdict, float]:
    """The verdict on differences that should all lie within the margin; refuted by one beyond it."""
    largest = max(each.p_equivalent() for each in contrasts)
    if largest < SIGNIFICANT:
        return "holds", largest
    beyond = min(min(each.p_greater(MARGIN), each.p_less(-MARGIN)) for each in contrasts)
    return ("refuted" if beyond < SIGNIFICANT / len(contrasts) else "undecided"), largest


def _no_better(contrasts: Sequence[Contrast]) -> tuple[ClaimVerdict, float]:
    """The verdict on differences that should all be below the margin; refuted by a significant gain."""
    largest = max(each.p_less(MARGIN) for each in contrasts)
    if largest < SIGNIFICANT:
        return "holds", largest
    gain = any(each.difference > 0 and each.p_differs() < SIGNIFICANT / len(contrasts) for each in contrasts)
    return ("refuted" if gain else "undecided"), largest


def p_value(p: float) -> str:
    """A p-value to one digit; to two where one would hide on which side of SIGNIFICANT it is."""
    text = f"{p:.1g}"
    return f"{p:.2g}" if float(text) == SIGNIFICANT else text


def label(name: RowName) -> str:
    """What a claim calls a row."""
    return name if isinstance(name, str) else f"{name[1]} (table {name[0]})"
