"""Each printed number counts once, and each kind of claim is tested for what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pairedge_train.experiments.library import reports, studies
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.experiments.study import Claim, Study, StudyRow, Table
from pairedge_train.reports.agreement import Tally, negative_control, tallies
from pairedge_train.reports.claims import ClaimResult, evaluate_claim
from pairedge_train.reports.pages import outcome
from pairedge_train.rows import RoundRow, read_rows

ARTIFACTS = Path(__file__).parents[3] / "artifacts"
# How many numbers the texts print: the abstract's; Figs. 1 and 2 (tables); Table 1; Tables I to III; Table II
# and the text's ConvTransposeNet.
PRINTED = {"report0": 1, "report1": 18 + 15, "report2": 14, "report3": 7 + 5 + 6, "report4": 8 + 1}


def committed_rows(study: Study) -> list[RoundRow]:
    return read_rows(ARTIFACTS / ("reports" if study.is_report else "best") / f"{study.name}.jsonl")


@pytest.mark.parametrize("name", reports())
def test_each_printed_number_counts_once(name: str) -> None:
    study = reports()[name]
    assert tallies(study, committed_rows(study))["printed"].total == PRINTED[name]


def test_the_recount_by_three_standard_errors() -> None:
    near = [tallies(study, committed_rows(study))["printed"].near for study in reports().values()]
    assert (sum(near), sum(PRINTED.values())) == (51, 75)


@pytest.mark.parametrize("name", reports())
def test_a_page_begins_with_five_sentences(name: str) -> None:
    study = reports()[name]
    text = f"{study.question} {outcome(study, committed_rows(study))}".replace("Fig. ", "Fig ")
    assert study.question.endswith(".")
    assert text.count(". ") + 1 == 5


@pytest.mark.parametrize("name", studies())
def test_rows_of_a_claim_share_their_data(name: str) -> None:
    study = studies()[name]
    for claim in study.claims:
        rows = [study.row(claim, row) for row in (*claim.rows, *claim.against)]
        assert len({(row.recipe.data, row.seed) for row in rows}) == 1, claim.text


def test_both_help_is_tested_on_all_ordered_pairs() -> None:
    # 1,000 test pairs left the last step at p = 0.6; the rows have the accuracy over all pairs.
    study = studies()["best"]
    [claim] = [claim for claim in study.claims if claim.text.startswith("Both help")]
    [result] = evaluate_claim(claim, study, committed_rows(study))
    assert result.statistic == "exact_accuracy"
    assert result.verdict == "holds"


A, B, C = (Recipe().with_({"network.variant": name}) for name in ("no_w_net", "w_net", "TwoChannels"))


def made_rows(recipe: Recipe, accuracies: list[float], **measured: Any) -> list[RoundRow]:
    return [
        RoundRow(
            variant=recipe.variant,
            recipe=recipe.digest(),
            seed=seed,
            test_accuracy=accuracy,
            **{name: values[seed] for name, values in measured.items()},
        )
        for seed, accuracy in enumerate(accuracies)
    ]


def study_of(*claims: Claim, published: tuple[float | None, ...] = (None, None, None), **more: Any) -> Study:
    rows = tuple(
        StudyRow(label=label, recipe=recipe, rounds=4, seed=0, published=number, sd=0.01)
        for label, recipe, number in zip("abc", (A, B, C), published, strict=True)
    )
    settings = {"statistic": "test_accuracy", "rounds": 4, "published_n": 4, **more}
    table = Table(name="t", title="T", rows=rows, **settings)
    return Study(name="report9", title="", about="", tables=(table,), claims=claims, figures=())


def result_of(claim: Claim, **accuracies: list[float]) -> ClaimResult:
    recipes = {"a": A, "b": B, "c": C}
    rows = [row for label, values in accuracies.items() for row in made_rows(recipes[label], values)]
    [result] = evaluate_claim(claim, study_of(claim), rows)
    return result


HIGH, LOW = [0.90, 0.91, 0.92, 0.91], [0.81, 0.80, 0.82, 0.83]


@pytest.mark.parametrize(
    ("kind", "value", "verdict"),
    [
        ("order", 0.0, "refuted"),
        ("best", 0.0, "holds"),
        ("worst", 0.0, "refuted"),
        ("above", 0.7, "holds"),
        ("above", 0.85, "refuted"),
        ("above", 0.81, "undecided"),
        ("below", 0.95, "holds"),
        ("below", 0.85, "refuted"),
        ("no better", 0.0, "refuted"),
    ],
)
def test_a_claim_of_each_kind(kind: Any, value: float, verdict: str) -> None:
    claim = Claim(text="", table="t", kind=kind, rows=("a", "b"), value=value)
    assert result_of(claim, a=HIGH, b=LOW).verdict == verdict


@pytest.mark.parametrize(("least", "verdict"), [(0.05, "holds"), (0.12, "refuted"), (0.095, "undecided")])
def test_a_step_may_be_claimed_to_be_large(least: float, verdict: str) -> None:
    claim = Claim(text="", table="t", rows=("b", "a"), value=least)
    assert result_of(claim, a=HIGH, b=LOW).verdict == verdict


def test_no_better_and_equal_allow_the_margin() -> None:
    nearly = [value - 0.005 for value in HIGH]
    nearly[0] += 0.002
    no_better = Claim(text="", table="t", kind="no better", rows=("a", "b"))
    assert result_of(no_better, a=HIGH, b=nearly).verdict == "holds"
    equal = Claim(text="", table="t", kind="equal", rows=("a",), against=("b",))
    assert result_of(equal, a=HIGH, b=nearly).verdict == "holds"
    assert result_of(equal, a=HIGH, b=LOW).verdict == "refuted"
    assert result_of(equal, a=HIGH, b=[0.88, 0.93, 0.93, 0.90]).verdict == "undecided"


@pytest.mark.parametrize(("value", "verdict"), [(0.91, "holds"), (0.95, "refuted"), (0.92, "undecided")])
def test_reaches_compares_with_the_number_that_it_names(value: float, verdict: str) -> None:
    claim = Claim(text="", table="t", kind="reaches", rows=("a",), value=value, sd=0.008, n=10)
    assert result_of(claim, a=HIGH).verdict == verdict


@pytest.mark.parametrize(
    ("per_draw", "said"), [(4, "n = 4 folds† of 1 draw,"), (2, "n = 4 folds† of 2 draws,")]
)
def test_a_claim_on_folds_says_of_how_many_draws_they_are(per_draw: int, said: str) -> None:
    claim = Claim(text="", table="t", rows=("b", "a"))
    table = study_of(claim).tables[0]
    folds = {"data.folds": per_draw}
    in_folds = tuple(replace(row, recipe=row.recipe.with_(folds)) for row in table.rows)
    study = replace(study_of(claim), tables=(replace(table, rows=in_folds),))
    rows = [*made_rows(A.with_(folds), HIGH), *made_rows(B.with_(folds), LOW)]
    rows = [replace(row, fold=row.seed % per_draw) for row in rows]
    assert said in evaluate_claim(claim, study, rows)[0].measured


def test_fewer_parameters_are_counted_in_the_registry() -> None:
    claim = Claim(text="", table="t", kind="fewer parameters", rows=("a", "b"), value=0.3949)
    [result] = evaluate_claim(claim, study_of(claim), [])
    assert (result.verdict, result.measured) == ("holds", "235,777 and 142,657: 39.49 % fewer")
    wrong = Claim(text="", table="t", kind="fewer parameters", rows=("a", "b"), value=0.4)
    assert evaluate_claim(wrong, study_of(wrong), [])[0].verdict == "refuted"


def test_a_claim_takes_the_least_noisy_statistic_that_all_rows_have() -> None:
    claim = Claim(text="", table="t", rows=("b", "a"))
    exact = made_rows(A, HIGH, exact_accuracy=HIGH)
    without = made_rows(B, LOW)
    assert evaluate_claim(claim, study_of(claim), exact + without)[0].statistic == "test_accuracy"
    with_exact = made_rows(B, LOW, exact_accuracy=LOW)
    assert evaluate_claim(claim, study_of(claim), exact + with_exact)[0].statistic == "exact_accuracy"


def test_a_claim_is_tested_on_each_statistic_that_it_names() -> None:
    claim = Claim(
        text="", table="t", kind="sd order", rows=("a", "b"), statistics=("test_accuracy", "train_accuracy")
    )
    steady, unsteady = [0.8, 0.801, 0.8, 0.801], [0.7, 0.9, 0.7, 0.9]
    rows = [
        *made_rows(A, steady, train_accuracy=unsteady),
        *made_rows(B, unsteady, train_accuracy=steady),
    ]
    verdicts = [result.verdict for result in evaluate_claim(claim, study_of(claim), rows)]
    assert verdicts == ["holds", "refuted"]


def test_the_negative_control_holds_rows_against_the_numbers_of_others() -> None:
    study = study_of(published=(0.91, 0.815, 0.91))
    rows = [*made_rows(A, HIGH), *made_rows(B, LOW), *made_rows(C, [0.5, 0.9, 0.6, 1.0])]
    # a against b's number, b against a's and c's, c (too noisy) against b's; a and c print the same number.
    assert negative_control(study.tables[0], rows) == Tally(0, 3, 1, near=1)


def test_what_is_not_printed_as_described_is_counted_apart() -> None:
    rows = [*made_rows(A, HIGH), *made_rows(B, LOW), *made_rows(C, LOW)]
    for more, kind in (({"source_kind": "figure"}, "figure"), ({"repeats": "u"}, "printed, compared again")):
        counts = tallies(study_of(published=(0.91, 0.9, None), **more), rows)
        assert counts["printed"].total == 0
        assert (counts[kind].agrees, counts[kind].differs, counts[kind].total) == (1, 1, 2)
