"""Studies: every printed row has a recipe, and what rows come to is worked out by hand."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pairedge_train.experiments.library import studies
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.experiments.study import Claim, Figure, Study, StudyRow, Table
from pairedge_train.networks.variants import get_variant, variants
from pairedge_train.reports.agreement import rows_of, standard_errors, summary
from pairedge_train.reports.claims import evaluate_claim
from pairedge_train.reports.index import write_index
from pairedge_train.reports.pages import count, page, write_page
from pairedge_train.reports.statistics import Summary
from pairedge_train.rows import RoundRow, append_row

ALL = studies()


@pytest.mark.parametrize("name", ALL)
def test_claims_and_figures_name_rows_that_exist(name: str) -> None:
    study = ALL[name]
    for claim in study.claims:
        for row_name in (*claim.rows, *claim.against):
            study.row(claim, row_name)
    for figure in study.figures:
        for row in study.shown(figure):
            get_variant(row.recipe.variant)
            if "test_accuracy" in figure.curves or "train_accuracy" in figure.curves:
                assert row.recipe.evaluation.curves


@pytest.mark.parametrize("name", ALL)
def test_labels_name_one_row_each(name: str) -> None:
    for table in ALL[name].tables:
        labels = [row.label for row in table.rows]
        assert len(set(labels)) == len(labels)


def test_every_variant_of_the_reports_is_in_a_table_or_named_as_left_out() -> None:
    rows = [row for study in ALL.values() for table in study.tables for row in table.rows]
    trained = {name for row in rows for name in row.recipe.network.members}
    # The tables train these two by their `_pretrained` names, from scratch where weights are missing.
    assert set(variants()) - trained == {"MNISTResNet", "MNISTResSiameseNet"}


def test_the_reports_have_their_full_rounds() -> None:
    rounds = {name: {table.rounds for table in study.tables} for name, study in ALL.items()}
    assert rounds == {
        "best": {6, 10},
        "report0": {16, 32},
        "report1": {16, 20},
        "report2": {16},
        "report3": {4, 10, 16},
        "report4": {16},
        "search": {2, 3},
    }


def made_rows(recipe: Recipe, accuracies: list[float], *, seed: int = 2021, **more: Any) -> list[RoundRow]:
    return [
        RoundRow(
            **{
                "variant": recipe.variant,
                "recipe": recipe.digest(),
                "seed": seed + i,
                "test_accuracy": accuracy,
                "validation_accuracy": 1 - accuracy,
                "curves": {"test_accuracy": (0.5, accuracy + 0.01, accuracy)},
                "seconds": 1.5,
                "versions": {"torch": "2"},
                "device": "cpu",
                **more,
            }
        )
        for i, accuracy in enumerate(accuracies)
    ]


def study_of(table: Table, *claims: Claim) -> Study:
    return Study(
        name="report9", title="A report", about="About it.", tables=(table,), claims=claims, figures=()
    )


def study_row(label: str, recipe: Recipe, **settings: Any) -> StudyRow:
    return StudyRow(label=label, recipe=recipe, **{"rounds": 4, "seed": 2021, **settings})


def table_of(*rows: StudyRow, **settings: Any) -> Table:
    return Table(
        **{
            "name": "t",
            "title": "A table",
            "source": "nowhere",
            "statistic": "test_accuracy",
            "rounds": 4,
            "published_n": 4,
            "rows": rows,
            **settings,
        }
    )


LOW = Recipe().with_({"network.variant": "twinnet_base"})
HIGH = Recipe().with_({"network.variant": "twinnet_ws"})


def test_a_summary_is_mean_unbiased_sd_and_count() -> None:
    rows = made_rows(LOW, [0.8, 0.9])
    both_rounds = summary(rows, "test_accuracy")
    assert both_rounds is not None
    assert both_rounds.mean == pytest.approx(0.85)
    assert both_rounds.sd == pytest.approx(math.sqrt(0.005))
    assert both_rounds.n == 2
    assert summary(rows[:1], "test_accuracy") == Summary(0.8, None, 1)
    assert summary([], "test_accuracy") is None


def test_the_best_epoch_and_the_best_fold_are_what_the_reports_say() -> None:
    rows = made_rows(LOW, [0.8, 0.9])
    best = summary(rows, "best_test_accuracy")
    assert best is not None
    assert best.mean == pytest.approx(0.86)
    folds = [replace(row, fold=fold) for fold, row in enumerate(rows)]
    best_fold = summary(folds, "test_of_best_fold")
    assert best_fold is not None
    assert (best_fold.mean, best_fold.n) == (0.8, 1)  # it validates best
    assert best_fold.sd == pytest.approx(math.sqrt(0.005))
    second = [replace(row, fold=i) for i, row in enumerate(made_rows(LOW, [0.7, 0.6], seed=2023))]
    of_draws = summary([*folds, *second], "test_of_best_fold")
    assert of_draws is not None
    assert of_draws.mean == pytest.approx(0.7)  # of 0.8 and of 0.6
    assert of_draws.n == 2
    assert of_draws.sd == pytest.approx(math.sqrt(0.02))


def test_a_round_of_a_short_form_never_stands_among_bundles() -> None:
    alone = made_rows(LOW, [0.1, 0.2])
    whole = made_rows(LOW, [0.8, 0.9], bundle=(2021, 2022))
    assert [row.test_accuracy for row in rows_of(study_row("low", LOW), alone)] == [0.1, 0.2]
    assert [row.test_accuracy for row in rows_of(study_row("low", LOW), [*alone, *whole])] == [0.8, 0.9]
    later = made_rows(LOW, [0.7], seed=2023, bundle=(2023, 2024))
    assert [row.seed for row in rows_of(study_row("low", LOW), [*alone, *later])] == [2023]


def test_rows_are_found_by_recipe_and_seed_and_diverged_ones_left_out() -> None:
    rows = [*made_rows(LOW, [0.8] * 6), *made_rows(HIGH, [0.9]), *made_rows(LOW, [0.1], seed=2100)]
    rows[1] = RoundRow(variant=LOW.variant, recipe=LOW.digest(), seed=2022, diverged="nan")
    finished = rows_of(study_row("low", LOW), rows)
    assert [row.seed for row in finished] == [2021, 2023, 2024]


def test_the_difference_is_counted_in_standard_errors_of_both() -> None:
    ours = Summary(0.90, 0.02, 4)
    with_sd = study_row("x", LOW, published=0.88, sd=0.04)
    assert standard_errors(ours, with_sd, 4) == pytest.approx(0.02 / math.sqrt(0.02**2 / 4 + 0.04**2 / 4))
    without = study_row("x", LOW, published=0.88)
    assert standard_errors(ours, without, 4) == pytest.approx(0.02 / math.sqrt(2 * 0.02**2 / 4))
    assert standard_errors(ours, study_row("x", LOW), 4) is None
    assert standard_errors(Summary(0.9, None, 1), with_sd, 4) is None


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        ([0.80, 0.81, 0.80, 0.82], [0.90, 0.91, 0.91, 0.91], "holds"),
        ([0.90, 0.91, 0.90, 0.92], [0.80, 0.81, 0.81, 0.81], "refuted"),
        ([0.70, 0.90, 0.75, 0.90], [0.71, 0.91, 0.76, 0.915], "holds"),  # by pairs, though rounds differ
        ([0.80, 0.90, 0.80, 0.90], [0.82, 0.89, 0.84, 0.87], "undecided"),
        ([0.80, 0.90], [0.80, 0.90], "undecided"),
        ([0.80], [0.90, 0.91], "no rounds"),
    ],
)
def test_a_claim_is_held_against_the_numbers(low: list[float], high: list[float], said: str) -> None:
    table = table_of(study_row("low", LOW), study_row("high", HIGH))
    claim = Claim(text="low < high", table="t", rows=("low", "high"))
    [result] = evaluate_claim(claim, study_of(table), [*made_rows(LOW, low), *made_rows(HIGH, high)])
    assert result.verdict == said


def test_a_claim_can_be_about_the_standard_deviation() -> None:
    table = table_of(study_row("low", LOW), study_row("high", HIGH))
    claim = Claim(text="steadier", table="t", rows=("low", "high"), kind="sd order")
    rows = [*made_rows(LOW, [0.8, 0.801, 0.8, 0.801]), *made_rows(HIGH, [0.7, 0.9, 0.7, 0.9])]
    [result] = evaluate_claim(claim, study_of(table), rows)
    assert result.verdict == "holds"


def test_a_page_puts_the_report_beside_ours() -> None:
    table = table_of(
        study_row("low", LOW, published=0.80, sd=0.01),
        study_row("high", HIGH, published=0.99, sd=0.01),
        seconds=True,
    )
    study = study_of(table, Claim(text="low < high", table="t", rows=("low", "high")))
    rows = [*made_rows(LOW, [0.79, 0.81, 0.80, 0.80]), *made_rows(HIGH, [0.9, 0.91])]
    text = page(study, rows, [])
    # Equivalence within 1.5 points: t = 1.5 / sqrt((0.816^2 + 1^2) / 4) = 2.32 at 75/13 degrees of freedom.
    assert "| low | 80.00 ± 1.00 | 80.00 ± 0.82 | 4 | +0.00 | 2.19 | agrees | 1.50 ± 0.00 |" in text
    assert re.search(r"\| high \| 99.00 ± 1.00 \| 90.50 ± 0.71 \| 2 of 4 \| -8.50 \| \S+ \| differs \|", text)
    assert "| low 80.00 %, high 90.50 % (n = 2, largest p = 0.03)" in text
    assert "| low < high | **holds** |" in text


def test_folds_are_counted_as_draws_of_data_times_folds() -> None:
    in_folds = LOW.with_({"data.folds": 2})
    rows = made_rows(in_folds, [0.8, 0.7, 0.9, 0.8])
    assert count(rows, study_row("low", in_folds)) == "2 x 2"
    assert count(rows[:3], study_row("low", in_folds)) == "3 of 4"
    assert count(made_rows(LOW, [0.8] * 4), study_row("low", LOW)) == "4"


def test_pages_and_figures_are_the_same_bytes_again(tmp_path: Path) -> None:
    study = ALL["report0"]
    for row in study.table("sharing-and-losses").rows:
        curves = dict.fromkeys(("loss", "train_accuracy", "test_accuracy"), (0.6, 0.7, 0.8))
        for made in made_rows(row.recipe, [0.8, 0.9], curves=curves):
            append_row(tmp_path / "report0.jsonl", made)
    files = write_page(study, tmp_path)
    images = {
        f"report0-{figure}.{kind}" for figure in ("figure-2", "architectures") for kind in ("svg", "png")
    }
    assert {"report0.md", *images} == set(files)
    first = {name: (tmp_path / name).read_bytes() for name in files}
    write_page(study, tmp_path)
    assert first == {name: (tmp_path / name).read_bytes() for name in files}
    assert first["report0-figure-2.png"].startswith(b"\x89PNG")


def test_the_index_says_what_dominates(tmp_path: Path) -> None:
    for recipe, seconds in ((LOW, 10.0), (HIGH, 30.0)):
        for made in made_rows(recipe, [0.8, 0.9], seconds=seconds):
            append_row(tmp_path / "report0.jsonl", made)
    write_index(list(ALL.values()), tmp_path)
    text = (tmp_path / "index.md").read_text()
    assert "| [report0](report0.md) | 4 | 80 | 0.7 | twinnet_ws | 75 % |" in text
    assert "All together: 80 seconds, 1 minutes on two cores." in text


def test_a_page_of_our_own_tells_what_was_measured_and_what_it_took() -> None:
    table = table_of(study_row("high", HIGH), statistic="exact_accuracy", beside=("best_temperature",))
    study = Study(name="own", title="Ours", about="About it.", tables=(table,), claims=(), figures=())
    more: dict[str, Any] = {"parameters": 9574, "best_temperature": 0.5}
    rows = [
        *made_rows(HIGH, [0.9], exact_accuracy=0.8, **more),
        *made_rows(HIGH, [0.92], seed=2022, exact_accuracy=0.9, **more),
    ]
    text = page(study, rows, [])
    assert "| high | 85.00 ± 7.07 | 0.5000 ± 0.0000 | 2 of 4 | 9,574 | 1.50 ± 0.00 |" in text
    assert "the report" not in text


def test_reliability_and_coverage_are_drawn_from_rows(tmp_path: Path) -> None:
    figures = (
        Figure(name="worth", title="What it is worth", kind="reliability", table="t"),
        Figure(name="handed", title="Handed on", kind="coverage", table="t"),
    )
    table = table_of(study_row("high", HIGH))
    study = Study(name="own", title="Ours", about="", tables=(table,), claims=(), figures=figures)
    measured: dict[str, Any] = {
        "parameters": 1,
        "leq_diagram": ((0.5, 0.1, 0.12), (0.5, 0.9, 0.91)),
        "risk": {"1.0": 0.01, "0.99": 0.005},
    }
    for row in made_rows(HIGH, [0.9, 0.92], **measured):
        append_row(tmp_path / "own.jsonl", row)
    assert {"own.md", "own-worth.svg", "own-worth.png", "own-handed.svg", "own-handed.png"} == set(
        write_page(study, tmp_path)
    )
