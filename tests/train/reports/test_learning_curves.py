"""The figure of learning curves: all that runs have measured, and labels that tell them apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from matplotlib.axes import Axes

from pairedge_train.experiments.recipe import Recipe
from pairedge_train.reports.learning_curves import draw_curves, labels, write_curves
from pairedge_train.training.record import METRICS, RECIPE

Lines = dict[str, list[tuple[str, list[float], list[float]]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[float], list[float]]]:
    """What is plotted: epochs and values."""
    plotted: list[tuple[list[float], list[float]]] = []
    plot = Axes.plot

    def recorded(
        axes: Axes, x: Sequence[float], y: Sequence[float], *rest: object, **options: object
    ) -> object:
        plotted.append((list(x), list(y)))
        return plot(axes, x, y, *rest, **options)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(Axes, "plot", recorded)
    return plotted


def test_the_mean_over_rounds_is_drawn_and_a_round_that_stopped_early_keeps_its_last_value(
    lines: list[tuple[list[float], list[float]]],
) -> None:
    files = draw_curves({"mine": {"comparison_loss": [[1.0, 0.5, 0.25], [0.5, 0.25]]}})
    assert lines == [([1, 2, 3], [0.75, 0.375, 0.25])]
    assert files["png"].startswith(b"\x89PNG")


def test_a_panel_is_there_for_what_was_measured() -> None:
    run = {"comparison_loss": [[1.0]], "validation_comparison_loss": [[1.0]], "validation_accuracy": [[0.5]]}
    comments = re.findall(r"<!-- (.*?) -->", draw_curves({"mine": run})["svg"].decode())
    assert "comparison: loss" in comments
    assert "comparison: accuracy" in comments
    assert "both digits: loss" not in comments
    assert "mine (n = 1)" in comments
    assert "validation" in comments
    assert "test" not in comments


def run_of(folder: Path, changes: dict[str, object]) -> Path:
    folder.mkdir(parents=True)
    (folder / RECIPE).write_text(Recipe().with_(changes).to_toml())
    (folder / METRICS).write_text("seed,member,epoch,loss,comparison_loss\n1,0,1,2.0,0.5\n1,0,2,1.0,0.25\n")
    return folder


def test_runs_are_named_by_the_settings_in_which_they_differ(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / name, {"optim.lr": lr}) for name, lr in (("a", 0.01), ("b", 0.02))]
    assert labels(runs) == ["optim.lr=0.01", "optim.lr=0.02"]
    assert labels(runs[:1]) == ["a"]


def test_runs_that_do_not_differ_are_named_by_their_folders(tmp_path: Path) -> None:
    assert labels([run_of(tmp_path / name, {}) for name in ("a", "b")]) == ["a", "b"]
    same = [run_of(tmp_path / side / "c", {}) for side in ("left", "right")]
    assert labels(same) == [str(run) for run in same]


def test_the_same_metrics_give_the_same_bytes(tmp_path: Path) -> None:
    run = run_of(tmp_path / "a", {})
    paths = write_curves([run], tmp_path)
    first = [path.read_bytes() for path in paths]
    assert [path.name for path in paths] == ["curves.svg", "curves.png"]
    assert [path.read_bytes() for path in write_curves([run], tmp_path)] == first
