"""The files of a run: a row an epoch, every setting, and what trained each round for how long."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import pairedge
from pairedge_train.data.datasets import DataSet
from pairedge_train.errors import DataError, OutputError
from pairedge_train.experiments.recipe import Recipe, read_recipe
from pairedge_train.machine import machine
from pairedge_train.training import rounds as rounds_module
from pairedge_train.training.events import EpochEnd, Event
from pairedge_train.training.record import METRICS, RECIPE, RUN, Record, read_metrics
from pairedge_train.training.rounds import run_rounds


def metrics(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / METRICS).read_text().splitlines()))


def test_metrics_has_a_row_for_each_epoch_as_soon_as_it_is_over(
    tiny: DataSet, quick: Recipe, tmp_path: Path
) -> None:
    ends: list[EpochEnd] = []

    def watch(event: Event) -> None:
        if isinstance(event, EpochEnd):
            ends.append(event)
            assert len(metrics(tmp_path)) == len(ends)

    run_rounds(quick, tiny, tmp_path, rounds=2, watch=watch)
    rows = metrics(tmp_path)
    assert [(row["seed"], row["member"], row["epoch"]) for row in rows] == [
        ("2021", "0", "1"),
        ("2021", "0", "2"),
        ("2022", "0", "1"),
        ("2022", "0", "2"),
    ]
    for row, end in zip(rows, ends, strict=True):
        assert float(row["loss"]) == end.epoch.loss
        assert end.epoch.validation is not None
        assert float(row["validation_accuracy"]) == end.epoch.validation.pairs
        assert row["test_accuracy"] == ""  # the recipe asks for no curves


def test_members_have_rows_of_their_own_and_a_teacher_a_run_of_its_own(
    tiny: DataSet, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = quick.with_({"network.variant": ["aux_ws", "aux_ws"], "optim.epochs": 1})
    monkeypatch.setattr(rounds_module, "load_recipe", lambda _: teacher)
    run_rounds(quick.with_({"network.variant": "aux_ws", "loss.teacher": "it"}), tiny, tmp_path / "student")
    assert [row["member"] for row in metrics(tmp_path / "student")] == ["0", "0"]
    assert [row["member"] for row in metrics(tmp_path / f"aux_ws-{teacher.digest()}")] == ["0", "1"]


def test_the_recipe_is_there_whole_and_run_json_says_what_trained(
    tiny: DataSet, quick: Recipe, tmp_path: Path
) -> None:
    rows = run_rounds(quick, tiny, tmp_path, rounds=2)
    assert read_recipe(tmp_path / RECIPE) == quick
    run = json.loads((tmp_path / RUN).read_text())
    assert run["recipe"] == quick.digest()
    assert list(run["rounds"]) == ["2021", "2022"]
    for row, facts in zip(rows, run["rounds"].values(), strict=True):
        assert facts["machine"] == machine()
        assert (facts["device"], facts["epochs"], facts["pairedge"]) == ("cpu", 2, pairedge.__version__)
        assert facts["seconds"] >= facts["seconds_of_training"] == row.seconds


def test_curves_are_read_by_training_and_a_line_that_breaks_off_does_not_count(tmp_path: Path) -> None:
    (tmp_path / METRICS).write_text(
        "seed,member,epoch,loss,digit_loss\n1,0,1,0.5,\n1,0,2,0.25,\n2,0,1,0.75,\n2,0,2,0.7"
    )
    assert read_metrics(tmp_path)["loss"] == [[0.5, 0.25], [0.75]]
    assert "digit_loss" not in read_metrics(tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "no run of pairedge-train: it has no metrics.csv"),
        ("seed,member,epoch,loss\n", "it has no epoch yet"),
        ("seed,member,epoch,loss\n1,0,1,low\n", "line 2 is no row of metrics"),
        ("seed,member,epoch,loss\n1,0,1,2,3\n", "line 2 is no row of metrics"),
        ("a,b\n1,2\n", "line 2 is no row of metrics"),
    ],
)
def test_what_is_no_run_is_one_sentence(text: str | None, sentence: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / METRICS).write_text(text)
    with pytest.raises(DataError, match=sentence):
        read_metrics(tmp_path)


def test_metrics_that_cannot_be_written_are_one_sentence(
    tiny: DataSet, quick: Recipe, tmp_path: Path
) -> None:
    (tmp_path / METRICS).mkdir()
    with pytest.raises(OutputError, match=r"metrics\.csv: cannot write: is a directory"):
        run_rounds(quick, tiny, tmp_path)


def test_a_run_json_of_something_else_is_kept(tiny: DataSet, quick: Recipe, tmp_path: Path) -> None:
    [row] = run_rounds(quick, tiny, tmp_path / "run")
    (tmp_path / RUN).write_text("[1]")
    with pytest.raises(DataError, match="not what pairedge-train wrote"):
        Record(tmp_path, quick).finish(row, 1.0)
    assert (tmp_path / RUN).read_text() == "[1]"
