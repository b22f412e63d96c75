"""Values read off a report's curves stand beside the mean of ours at the same place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pairedge_train.experiments.library import studies
from pairedge_train.experiments.study import CurvePoint, Figure, Study, StudyRow
from pairedge_train.reports.curve_points import our_cells, point_lines
from pairedge_train.reports.figures import CURVES
from pairedge_train.rows import RoundRow

STUDY = studies()["report3"]
ROW = STUDY.table("2").row("1")
# Two rounds; the second stopped early, and keeps its last value.
ROUNDS = [
    RoundRow(variant="a_w_net", recipe=ROW.recipe.digest(), seed=2021 + place, curves={"loss": losses})
    for place, losses in enumerate([(0.5, 0.1, 0.3, 0.7), (0.7, 0.3, 0.4)])
]


@pytest.mark.parametrize(
    ("at", "cells"),
    [
        (0, ["0", "0.600 ± 0.141", "2"]),
        (2, ["2", "0.350 ± 0.071", "2"]),
        ("minimum", ["1", "0.200 ± 0.141", "2"]),
        ("end", ["3", "0.550 ± 0.212", "2"]),
    ],
)
def test_ours_is_the_mean_over_the_rounds(at: int, cells: list[str]) -> None:
    assert our_cells(CurvePoint(row="1", curve="loss", at=at, published=0.0), ROUNDS) == cells


def test_of_one_round_there_is_no_standard_deviation() -> None:
    point = CurvePoint(row="1", curve="loss", at="minimum", published=0.0)
    assert our_cells(point, ROUNDS[:1]) == ["1", "0.100", "1"]


def test_a_point_is_a_line_beside_the_report_and_one_without_rounds_is_none() -> None:
    points = (CurvePoint(row="1", curve="loss", at="minimum", where="2", published=0.24),)
    figure = replace(the_figure(STUDY, "figure-4"), points=points, remark="A remark.")
    *_, line, empty, remark = point_lines(STUDY, figure, ROUNDS)
    assert line == "| 1 | training loss | minimum, 2 | 0.240 | 1 | 0.200 ± 0.141 | 2 |"
    assert (empty, remark) == ("", "A remark.")
    assert "| 1 |" not in "".join(point_lines(STUDY, figure, []))
    assert list(point_lines(STUDY, replace(figure, points=()), ROUNDS)) == []


@pytest.mark.parametrize("study", studies().values(), ids=lambda study: study.name)
def test_every_point_is_of_a_curve_that_its_row_has(study: Study) -> None:
    for figure in study.figures:
        for point in figure.points:
            row: StudyRow = study.table(figure.table).row(point.row)
            assert point.curve in CURVES
            assert row.recipe.evaluation.curves or point.curve.startswith("validation")


def the_figure(study: Study, name: str) -> Figure:
    return next(figure for figure in study.figures if figure.name == name)
