"""The Pareto front is right, and nothing in its figure covers a point."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.legend import Legend
from matplotlib.text import Annotation

from benchmarks.pareto import chosen_rows, figure, pareto_optimal, variant_rows, with_accuracies
from benchmarks.records import RESULTS, ROOT, ParetoRecord, read_record
from pairedge_train.experiments.library import studies
from pairedge_train.reports.agreement import summary
from pairedge_train.reports.figures import STYLE
from pairedge_train.reports.statistics import Summary


def test_the_front_holds_what_no_faster_point_is_as_accurate_as() -> None:
    assert pareto_optimal([0.9, 0.8, 0.95, 0.95]) == [True, False, True, False]  # the fastest first


def test_the_kept_points_lie_on_the_front_as_their_figures_say() -> None:
    points = read_record(RESULTS / "pareto.json", ParetoRecord).points
    latencies = [point.one_pair_microseconds.p50 for point in points]
    assert latencies == sorted(latencies)
    assert [point.pareto_optimal for point in points] == pareto_optimal(point.accuracy for point in points)


def test_a_variant_is_shown_by_its_main_row_though_another_is_more_accurate() -> None:
    chosen = {variant: (study, row.label) for variant, (study, row) in chosen_rows().items()}
    assert chosen["twinnet_aux_ws"] == ("report0", "sharing and auxiliary")
    assert chosen["Sub_LeNet5_WS"] == ("report1", "Sub_LeNet5_WS, fixed")
    assert chosen["a_w_net"] == ("report3", "a_w_net")
    assert chosen["aux_ws"] == ("best", "from labels")


def test_no_accuracy_has_a_part_in_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [(row.variant, row.study, row.row) for row in variant_rows()]

    def reversed_summary(*arguments: Any) -> Summary | None:
        result = summary(*arguments)
        return None if result is None else replace(result, mean=1 - result.mean)

    monkeypatch.setattr("benchmarks.pareto.summary", reversed_summary)
    assert [(row.variant, row.study, row.row) for row in variant_rows()] == before


def test_only_a_network_of_the_search_alone_is_left_out() -> None:
    known = {
        row.recipe.variant for study in studies().values() for table in study.tables for row in table.rows
    }
    ours = {study for study, _ in chosen_rows().values()}
    assert ours == set(studies()) - {"search"}
    single = {row.recipe.variant for _, row in chosen_rows().values()}
    assert known - single == {"deep_aux_ws"}


def test_the_kept_accuracies_are_those_of_the_committed_rows() -> None:
    points = read_record(RESULTS / "pareto.json", ParetoRecord).points
    assert with_accuracies(points, variant_rows()) == points, "run `make readme`"


def test_readme_names_the_variants_without_a_latency() -> None:
    measured = {point.variant for point in read_record(RESULTS / "pareto.json", ParetoRecord).points}
    missing = {row.variant for row in variant_rows()} - measured
    named = re.search(r"Not measured yet:(.*?)\.\n", (ROOT / "README.md").read_text(), re.DOTALL)
    assert set(re.findall(r"`(\w+)`", named[1]) if named else ()) == missing


def test_neither_legend_nor_labels_cover_a_point() -> None:
    points = read_record(RESULTS / "pareto.json", ParetoRecord).points
    with rc_context(STYLE):
        drawing = figure(points)
        agg = FigureCanvasAgg(drawing)
        renderer = agg.get_renderer()  # type: ignore[no-untyped-call]  # matplotlib types it not
        drawing.draw(renderer)
    [axes], [legend] = drawing.axes, drawing.findobj(Legend)
    places = axes.transData.transform(
        np.array([[point.one_pair_microseconds.p50, 100 * point.accuracy] for point in points])
    )
    assert all(axes.bbox.contains(*place) for place in places)
    labels = [child for child in axes.get_children() if isinstance(child, Annotation)]
    assert len(labels) == sum(point.pareto_optimal for point in points)
    boxes = [artist.get_window_extent(renderer) for artist in (legend, *labels)]
    for box in boxes:
        assert drawing.bbox.x0 <= box.x0 < box.x1 <= drawing.bbox.x1
        assert drawing.bbox.y0 <= box.y0 < box.y1 <= drawing.bbox.y1
        assert not any(box.contains(*place) for place in places)
    # Without the space for descenders, of which neighboring labels share some.
    assert not any(one.padded(-1).overlaps(other.padded(-1)) for one, other in combinations(boxes, 2))
