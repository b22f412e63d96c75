"""A figure of the learning curves of runs: losses and accuracies by epoch, a color for each run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pairedge_train.experiments.recipe import Recipe, read_recipe
from pairedge_train.experiments.settings import flat
from pairedge_train.files import write_all
from pairedge_train.reports.figures import COLORS, STYLE, mean_over_rounds, saved
from pairedge_train.training.record import RECIPE, read_metrics

# Of each panel: its title, and the metric of each split. The loss of training is the mean over an epoch's
# batches, in training mode; that of other splits is taken after the epoch.
_PANELS = {
    "comparison: loss": {"training": "comparison_loss", "validation": "validation_comparison_loss"},
    "both digits: loss": {"training": "digit_loss", "validation": "validation_digit_loss"},
    "comparison: accuracy": {
        "training": "train_accuracy",
        "validation": "validation_accuracy",
        "test": "test_accuracy",
    },
    "digits: accuracy": {
        "training": "train_digit_accuracy",
        "validation": "validation_digit_accuracy",
        "test": "test_digit_accuracy",
    },
}
_DASHES: dict[str, Literal["-", "--", ":"]] = {"training": "-", "validation": "--", "test": ":"}
_MOST_DIFFERENCES = 3  # settings in a run's label; of more, its folder says enough


def write_curves(runs: Sequence[Path], folder: Path) -> list[Path]:
    """Draw the learning curves of runs, and write curves.svg and curves.png.

    Args:
        runs: folders of runs, at least one.
        folder: where the figure goes.

    Returns:
        The files.

    Raises:
        DataError: when a folder is no run.
        RecipeError: when the recipe of one of several runs cannot be read.
        OutputError: when the figure cannot be written.
    """
    curves = {label: read_metrics(run) for label, run in zip(labels(runs), runs, strict=True)}
    files = {f"curves.{ending}": content for ending, content in draw_curves(curves).items()}
    write_all(folder, files)
    return [folder / name for name in files]


def labels(runs: Sequence[Path]) -> list[str]:
    """A name for each run: its variant and the settings in which the runs differ, else its folder's name."""
    names = [run.resolve().name for run in runs]
    if len(runs) == 1:
        return names
    settings = [flat(read_recipe(run / RECIPE).to_dict()) for run in runs]
    differing = [name for name in flat(Recipe().to_dict()) if len({str(each[name]) for each in settings}) > 1]
    if 0 < len(differing) <= _MOST_DIFFERENCES:
        of_runs = [", ".join(f"{name}={each[name]}" for name in differing) for each in settings]
        if len(set(of_runs)) == len(runs):
            return of_runs
    return [name if names.count(name) == 1 else str(run) for name, run in zip(names, runs, strict=True)]


def draw_curves(runs: Mapping[str, Mapping[str, list[list[float]]]]) -> dict[str, bytes]:
    """The figure's files by ending, "svg" and "png".

    Args:
        runs: the curves of each run by its label, as `read_metrics` gives them. Of several trainings the mean
            is drawn, and a band of one standard deviation.
    """
    panels = {
        title: splits
        for title, splits in _PANELS.items()
        if any(metric in run for run in runs.values() for metric in splits.values())
    }
    with rc_context(STYLE):
        figure = Figure(figsize=(9, 3.2 * -(-len(panels) // 2)), layout="constrained")
        drawn: list[str] = []  # splits
        for place, (title, splits) in enumerate(panels.items(), 1):
            axes = figure.add_subplot(-(-len(panels) // 2), 2, place)
            for run, color in zip(runs.values(), _colors(len(runs)), strict=True):
                for split, metric in splits.items():
                    if metric in run:
                        _curve(axes, run[metric], color, _DASHES[split])
                        drawn += [split] * (split not in drawn)
            axes.set_title(title, fontsize=9)
            axes.set_xlabel("epoch")
            if "loss" in title:
                axes.set_yscale("log")
        handles = [
            Line2D([], [], color=color, label=f"{label} (n = {_trainings(run)})")
            for (label, run), color in zip(runs.items(), _colors(len(runs)), strict=True)
        ]
        handles += [Line2D([], [], color="#5b6770", linestyle=_DASHES[split], label=split) for split in drawn]
        figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
        return saved(figure)


def _curve(axes: Axes, histories: list[list[float]], color: str, dash: str) -> None:
    mean, sd = mean_over_rounds(histories)
    epochs = np.arange(1, len(mean) + 1)
    axes.plot(epochs, mean, dash, color=color, linewidth=1.4, marker="." if len(mean) == 1 else "")
    if len(histories) > 1:
        axes.fill_between(epochs, mean - sd, mean + sd, color=color, alpha=0.15, linewidth=0)


def _trainings(run: Mapping[str, list[list[float]]]) -> int:
    return max(map(len, run.values()), default=0)


def _colors(count: int) -> list[str]:
    return [COLORS[i % len(COLORS)] for i in range(count)]
