"""The studies' figures: mean curves with a band of one standard deviation, bars, grids, and diagrams."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from pairedge_train.experiments.settings import flat
from pairedge_train.experiments.study import Figure, Study, StudyRow
from pairedge_train.reports.agreement import rows_of, summary
from pairedge_train.reports.diagrams import draw_networks
from pairedge_train.rows import RoundRow

COLORS = ("#1f5f8b", "#c7522a", "#3b8250", "#8d5a97", "#b8860b", "#5b6770", "#d17a9c", "#111111")
_DASHES = ("-", "--", ":")
# The same bytes every time: no date, and identifiers that do not change from run to run.
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "pairedge",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
CURVES = {
    "loss": "training loss",
    "train_accuracy": "training accuracy",
    "test_accuracy": "test accuracy",
    "validation_accuracy": "validation accuracy",
    "validation_comparison_loss": "validation loss, comparison",
    "validation_digit_loss": "validation loss, both digits",
}


def draw(study: Study, figure: Figure, rows: Sequence[RoundRow]) -> dict[str, bytes]:
    """A figure's files by ending, "svg" and "png"."""
    if figure.kind == "architectures":
        with rc_context({**STYLE, "svg.fonttype": "none"}):  # text as text: there is much of it
            return saved(draw_networks(figure.variants))
    with rc_context(STYLE):
        canvas = Canvas(figsize=(9, 6.5) if figure.kind == "panels" else (9, 4.5), layout="constrained")
        canvas.suptitle(figure.title, fontsize=10)
        shown = study.shown(figure)
        if figure.kind == "panels":
            panels(canvas, figure, shown, rows)
        elif figure.kind == "grid":
            grid(canvas.add_subplot(), study, figure, shown, rows)
        elif figure.kind == "reliability":
            reliability(canvas, shown, rows)
        elif figure.kind == "coverage":
            coverage(canvas.add_subplot(), shown, rows)
        elif figure.kind == "bars":
            bars(canvas.add_subplot(), study, figure, shown, rows)
        else:
            lines(canvas.add_subplot(), figure, shown, rows)
        return saved(canvas)


def saved(canvas: Canvas) -> dict[str, bytes]:
    """A drawing's files by ending, "svg" and "png", to be written under STYLE."""
    files = {}
    for ending, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
        content = BytesIO()
        canvas.savefig(content, format=ending, dpi=110, metadata=metadata)
        files[ending] = content.getvalue()
    return files


def panels(canvas: Canvas, figure: Figure, shown: Sequence[StudyRow], rows: Sequence[RoundRow]) -> None:
    """One panel for each row: the loss on a logarithmic axis at the left, accuracies at the right."""
    for place, row in enumerate(shown, 1):
        left = canvas.add_subplot(2, 2, place)
        right = left.twinx()
        right.spines["right"].set_visible(True)
        rounds = rows_of(row, rows)
        for curve, color in zip(figure.curves, COLORS, strict=False):
            band(left if "loss" in curve else right, rounds, curve, color, "-", CURVES[curve])
        left.set_title(f"{row.label} (n = {len(rounds)})", fontsize=9)
        left.set_yscale("log")
        left.set(xlabel="epoch", ylabel="training loss")
        right.set(ylabel="accuracy", ylim=(0.5, 1.01))
        if place == 1:
            handles = [*left.get_lines(), *right.get_lines()]
            right.legend(handles=handles, fontsize=8, loc="center right", frameon=False)


def lines(axes: Axes, figure: Figure, shown: Sequence[StudyRow], rows: Sequence[RoundRow]) -> None:
    """All rows, or all curves of one row, by epoch."""
    for i, row in enumerate(shown):
        rounds = rows_of(row, rows)
        for j, curve in enumerate(figure.curves):
            one_row = len(shown) == 1
            color, dash = (COLORS[j], "-") if one_row else (COLORS[i % 8], _DASHES[j])
            label = CURVES[curve] if one_row else f"{row.label}: {CURVES[curve]} (n = {len(rounds)})"
            band(axes, rounds, curve, color, dash, label)
    axes.set(xlabel="epoch", ylabel="loss" if figure.kind == "losses" else "accuracy")
    axes.legend(fontsize=7, frameon=False)


def band(axes: Axes, rows: Sequence[RoundRow], curve: str, color: str, dash: str, label: str) -> None:
    """The mean over rounds by epoch and a band of one standard deviation."""
    if not rows:
        return
    mean, sd = mean_curve(rows, curve)
    epochs = np.arange(len(mean))
    axes.plot(epochs, mean, dash, color=color, label=label, linewidth=1.4)
    if len(rows) > 1:
        axes.fill_between(epochs, mean - sd, mean + sd, color=color, alpha=0.15, linewidth=0)


def mean_curve(rows: Sequence[RoundRow], curve: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of a curve of rows, float64 (E,) each; see `mean_over_rounds`."""
    return mean_over_rounds([(row.curves or {})[curve] for row in rows])


def mean_over_rounds(
    histories: Sequence[Sequence[float]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation by epoch, float64 (E,) each, of a metric's values in each round.

    A round that stopped early keeps its last value to the end of the longest, as report 002 draws it. Of one
    round the standard deviation is NaN.
    """
    longest = max(map(len, histories))
    values = np.array([[*history, *[history[-1]] * (longest - len(history))] for history in histories])
    sd = values.std(axis=0, ddof=1) if len(histories) > 1 else np.full(longest, np.nan)
    return values.mean(axis=0), sd


def bars(
    axes: Axes, study: Study, figure: Figure, shown: Sequence[StudyRow], rows: Sequence[RoundRow]
) -> None:
    """A bar for each row with one standard deviation, and the report's number as a mark."""
    statistic = study.table(figure.table).statistic
    for place, row in enumerate(shown):
        ours = summary(rows_of(row, rows), statistic)
        if ours:
            axes.bar(place, ours.mean, yerr=ours.sd, color=COLORS[0], width=0.6, capsize=3)
        if row.published is not None:
            axes.plot(place, row.published, "D", color=COLORS[1], label="the report" if not place else None)
    axes.set_xticks(
        range(len(shown)), [row.label.replace(", ", ",\n") for row in shown], rotation=25, ha="right"
    )
    axes.set(ylabel="accuracy", ylim=(0.5, 1.0))
    if study.is_report:
        axes.legend(fontsize=8, frameon=False)


def reliability(canvas: Canvas, shown: Sequence[StudyRow], rows: Sequence[RoundRow]) -> None:
    """Reliability diagrams, observed frequency over predicted probability: comparison left, digits right.

    A dot is a bin of one round, its area the bin's share.
    """
    diagrams = {"leq_diagram": "first <= second", "digit_diagram": "the most probable digit"}
    for place, (name, title) in enumerate(diagrams.items(), 1):
        axes = canvas.add_subplot(1, 2, place)
        axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
        for row, color in zip(shown, COLORS, strict=False):
            dots = np.array([dot for each in rows_of(row, rows) for dot in getattr(each, name) or ()])
            if len(dots):
                area = 4 + 60 * np.sqrt(dots[:, 0])
                axes.scatter(dots[:, 1], dots[:, 2], area, color, alpha=0.35, linewidth=0, label=row.label)
        axes.set(xlabel=f"predicted probability: {title}", ylabel="observed frequency")
        if axes.collections:
            axes.legend(fontsize=8, frameon=False)


def coverage(axes: Axes, shown: Sequence[StudyRow], rows: Sequence[RoundRow]) -> None:
    """Error rate of the other pairs over the share of pairs, the least confident, that are rejected."""
    for row, color in zip(shown, COLORS, strict=False):
        risks = [each.risk for each in rows_of(row, rows) if each.risk]
        if risks:
            rejected = [100 * (1 - float(share)) for share in risks[0]]
            errors = 100 * np.array([list(risk.values()) for risk in risks])
            label = f"{row.label} (n = {len(risks)})"
            axes.plot(rejected, errors.mean(axis=0), "o-", color=color, label=label, markersize=3)
    axes.set(xlabel="rejected, % of all pairs", ylabel="error rate of the others, %", ylim=(0, None))
    axes.legend(fontsize=8, frameon=False)


def grid(
    axes: Axes, study: Study, figure: Figure, shown: Sequence[StudyRow], rows: Sequence[RoundRow]
) -> None:
    """A table over its varying setting: ours with bars of one standard deviation, and the report's."""
    table = study.table(figure.table)
    assert table.grid is not None  # a grid figure is of a table with a grid
    for variant, color in zip(dict.fromkeys(row.recipe.variant for row in shown), COLORS, strict=False):
        of_variant = [row for row in shown if row.recipe.variant == variant]
        settings: NDArray[np.float64] = np.array(
            [flat(row.recipe.to_dict())[table.grid] for row in of_variant], float
        )
        summaries = [summary(rows_of(row, rows), table.statistic) for row in of_variant]
        trained = [i for i, each in enumerate(summaries) if each is not None]
        means = [each.mean for each in summaries if each is not None]
        sds = [each.sd or 0.0 for each in summaries if each is not None]
        axes.errorbar(settings[trained], means, sds, color=color, capsize=3, label=f"{variant}, ours")
        axes.plot(
            settings,
            [row.published or np.nan for row in of_variant],
            "D:",
            color=color,
            alpha=0.6,
            label="the report",
        )
    axes.set_xscale("log")
    axes.set(xlabel=table.grid.rpartition(".")[2].replace("_", " "), ylabel="accuracy")
    axes.legend(fontsize=8, frameon=False)
