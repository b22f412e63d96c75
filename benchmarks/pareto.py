"""Latency and accuracy of every variant whose rounds are committed, and their Pareto front.

python -m benchmarks.pareto [--quick | --draw]

Accuracy is the mean test accuracy of one row of the variant, the first that names it in TABLES: the settings
that its study chose, whatever their test accuracy. Latency is the median of one pair on one thread, of a
graph with random weights, which takes as long as a trained one. Calls of all graphs take turns. The model
that ships has its own accuracy; it was trained on all training tiles, where most studies have 1,000 pairs.
--draw takes the accuracies from the committed rows again, keeps the stored latencies, and draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path
from typing import Any, Literal

import click
import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

import pairedge
from benchmarks.fresh_graphs import fresh_graphs
from benchmarks.options import HELP, quick_option
from benchmarks.records import RESULTS, ROOT, ParetoPoint, ParetoRecord, keep, latency, read_record
from pairedge.bench import interleaved, machine
from pairedge.inspection import accuracies
from pairedge.model import AnyModel
from pairedge.shipped import shipped_graph
from pairedge_train.experiments.library import studies
from pairedge_train.experiments.study import StudyRow
from pairedge_train.files import write_all
from pairedge_train.reports.agreement import rows_of, summary
from pairedge_train.reports.figures import STYLE, saved
from pairedge_train.rows import read_rows

FIGURE = "latency-accuracy"
CAPTION = (
    "Each variant at the settings that its report, or our study, chose: its first row in the main tables, "
    "not its most accurate row."
)
# The tables of each study that have its networks at the settings that it chose, in order of precedence.
# Tables that vary a setting of a chosen network come last, for variants of their own, or not at all.
TABLES: dict[str, tuple[str, ...]] = {
    "report0": ("sharing-and-losses", "described-and-coded"),
    "report1": ("adaptive-rate",),  # at the rates and batch sizes of its text; each first at a constant rate
    "report2": ("no-dropout", "dropout"),  # evaluated as its text describes, without dropout
    "report3": ("3", "1", "dropout-rate"),  # of a_w_net, the loss ratio that it chose
    "report4": ("2", "dropout"),
    "best": ("any-size", "small", "sharing-and-losses"),
}
_FRONT, _OTHERS = "#1f5f8b", "#5b6770"
_LABEL_POINTS = 8  # font size of a label, and the vertical space that it takes


@dataclass(frozen=True)
class VariantRow:
    """The row that a variant is shown by; the fields are those of `records.ParetoPoint`."""

    variant: str
    members: list[str]
    study: str
    row: str
    pairs: int | Literal["all"]
    accuracy: float
    sd: float | None
    n: int


def chosen_rows() -> dict[str, tuple[str, StudyRow]]:
    """Of each variant the study and the first row in TABLES that names it; no accuracy is looked at."""
    chosen: dict[str, tuple[str, StudyRow]] = {}
    for study, tables in TABLES.items():
        for table in tables:
            for row in studies()[study].table(table).rows:
                # An ensemble is a network of its own, and named after its row.
                name = row.recipe.variant if len(row.recipe.network.members) == 1 else row.label
                chosen.setdefault(name, (study, row))
    return chosen


def variant_rows() -> list[VariantRow]:
    """The chosen row of each variant that has rounds with a test accuracy."""
    rows = []
    for variant, (study, row) in chosen_rows().items():
        folder = "reports" if studies()[study].is_report else "best"
        rounds = read_rows(ROOT / "artifacts" / folder / f"{study}.jsonl")
        mean = summary(rows_of(row, rounds), "test_accuracy")
        if mean is not None:
            rows.append(
                VariantRow(
                    variant=variant,
                    members=list(row.recipe.network.members),
                    study=study,
                    row=row.label,
                    pairs=row.recipe.data.pairs,
                    accuracy=mean.mean,
                    sd=mean.sd,
                    n=mean.n,
                )
            )
    return rows


def with_accuracies(points: Iterable[ParetoPoint], rows: Iterable[VariantRow]) -> list[ParetoPoint]:
    """Measured points, fastest first, with the accuracies of these rows; that of the model that ships stays.

    A row that was never measured gives no point.

    Raises:
        KeyError: when a point has no row.
    """
    by_variant = {row.variant: vars(row) for row in rows}
    updated = [
        point if point.row is None else replace(point, **by_variant[point.variant]) for point in points
    ]
    optimal = pareto_optimal(point.accuracy for point in updated)
    return [
        replace(point, pareto_optimal=is_optimal) for point, is_optimal in zip(updated, optimal, strict=True)
    ]


def measure(rows: Iterable[VariantRow], seconds: float) -> list[ParetoPoint]:
    """The points of these rows and of the model that ships, fastest first."""
    facts: list[dict[str, Any]] = []
    models: list[AnyModel] = []
    for row in rows:
        content = fresh_graphs(*row.members)["pair"]
        facts.append({**vars(row), "bytes": len(content)})
        models.append(pairedge.load(content, digits=False))
    shipped = pairedge.load()
    models.append(shipped)
    data_set, (accuracy, n) = next(iter(sorted(accuracies(shipped.metadata).items())))
    facts.append(
        {
            "variant": shipped.variant,
            "study": data_set,
            "pairs": shipped.metadata["recipe"]["data"]["pairs"],
            "accuracy": accuracy,
            "n": n,
            "bytes": Path(shipped_graph("pair")).stat().st_size,
        }
    )
    times = interleaved([{str(place): one_pair(model)} for place, model in enumerate(models)], seconds)
    latencies = [latency(times[str(place)]) for place in range(len(models))]
    order = sorted(range(len(models)), key=lambda place: latencies[place].p50)
    optimal = pareto_optimal([facts[place]["accuracy"] for place in order])
    return [
        ParetoPoint(
            **facts[place],
            one_pair_microseconds=latencies[place],
            pareto_optimal=is_optimal,
        )
        for place, is_optimal in zip(order, optimal, strict=True)
    ]


def one_pair(model: AnyModel) -> Callable[[], object]:
    """A call that compares one pair of tiles."""
    first, second = np.random.default_rng(0).integers(0, 256, (2, 14, 14), np.uint8)
    return lambda: model.predict(first, second)


def pareto_optimal(accuracies: Iterable[float]) -> list[bool]:
    """Of accuracies, the fastest first, which exceed all those before them."""
    best, optimal = 0.0, []
    for accuracy in accuracies:
        optimal.append(accuracy > best)
        best = max(best, accuracy)
    return optimal


def figure(points: list[ParetoPoint]) -> Figure:
    """Accuracy over latency, to be drawn under STYLE; the Pareto front is labeled."""
    canvas = Figure(figsize=(9, 4.8), layout="constrained")
    axes = canvas.add_subplot()
    optimal = [point.pareto_optimal for point in points]
    places = np.array([[point.one_pair_microseconds.p50, 100 * point.accuracy] for point in points])
    front, others = places[optimal], places[np.logical_not(optimal)]
    axes.scatter(others[:, 0], others[:, 1], color=_OTHERS, s=22, label="other variants", zorder=3)
    axes.scatter(front[:, 0], front[:, 1], color=_FRONT, s=22, label="Pareto front", zorder=3)
    axes.step(front[:, 0], front[:, 1], where="post", color=_FRONT, linewidth=1)
    axes.set_xscale("log")
    axes.set_xlim(left=places[:, 0].min() / 1.6)  # labels of the fastest lie at their left
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set(xlabel="latency of one pair in microseconds, median, 1 thread", ylabel="correct comparisons, %")
    # Outside the axes, where there are no points.
    canvas.legend(fontsize=9, frameon=False, loc="outside upper left", ncols=2)
    canvas.supxlabel(CAPTION, fontsize=_LABEL_POINTS)
    canvas.draw_without_rendering()  # decides where points lie
    label(axes, [name_of(point) for point in compress(points, optimal)], front)
    return canvas


def label(axes: Axes, names: list[str], front: NDArray[np.floating]) -> None:
    """Name the points of the front at their upper left, where by definition no other point lies.

    Args:
        axes: of a figure whose layout is done.
        names: of the points, from the bottom up.
        front: microseconds and percent, float (N, 2).
    """
    heights = axes.transData.transform(front)[:, 1] * 72 / axes.figure.dpi
    free = 0.0  # above the label before
    for name, place, height in zip(names, front, heights, strict=True):
        bottom = max(height + 2, free)
        offset = (-4, bottom - height)
        axes.annotate(
            name, place, xytext=offset, textcoords="offset points", ha="right", fontsize=_LABEL_POINTS
        )
        free = bottom + 1.2 * _LABEL_POINTS


def name_of(point: ParetoPoint) -> str:
    """What the figure calls a point."""
    return f"{point.variant}, ships" if point.row is None else point.variant


def draw(points: list[ParetoPoint]) -> dict[str, bytes]:
    """The figure by file name, SVG and PNG."""
    with rc_context(STYLE):
        return {f"{FIGURE}.{ending}": content for ending, content in saved(figure(points)).items()}


@click.command(context_settings=HELP)
@quick_option
@click.option(
    "--draw", "redraw", is_flag=True, help="Keep the stored latencies; take accuracies from the rows again."
)
def main(quick: bool, redraw: bool) -> None:
    """Measure every variant and draw the Pareto front; store the results of a full run."""
    if quick and redraw:
        raise click.UsageError("--quick and --draw exclude each other")
    if redraw:
        stored = read_record(RESULTS / "pareto.json", ParetoRecord)
        points = with_accuracies(stored.points, variant_rows())
        record = replace(stored, points=points)
    else:
        rows = variant_rows()
        points = measure(rows[:4] if quick else rows, 1 if quick else 120)
        record = ParetoRecord(machine=machine(), points=points)
    for point in points:
        click.echo(
            f"{point.one_pair_microseconds.p50:9.1f} us {100 * point.accuracy:6.2f} % "
            f"{'*' if point.pareto_optimal else ' '} {point.variant}"
        )
    files = draw(points)
    if not quick:
        write_all(ROOT / "docs", files)
        keep("pareto", record)


if __name__ == "__main__":
    main()
