"""The Pareto front is right, and nothing in its figure covers a point."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.legend import Legend
from matplotlib.text import Annotation

from benchmarks.pareto import figure, pareto_optimal
from benchmarks.records import RESULTS, ParetoRecord, read_record
from pairedge_train.reports.figures import STYLE


def test_the_front_holds_what_no_faster_point_is_as_accurate_as() -> None:
    assert pareto_optimal([0.9, 0.8, 0.95, 0.95]) == [True, False, True, False]  # the fastest first


def test_the_kept_points_lie_on_the_front_as_their_figures_say() -> None:
    points = read_record(RESULTS / "pareto.json", ParetoRecord).points
    latencies = [point.one_pair_microseconds.p50 for point in points]
    assert latencies == sorted(latencies)
    assert [point.pareto_optimal for point in points] == pareto_optimal(point.accuracy for point in points)


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
