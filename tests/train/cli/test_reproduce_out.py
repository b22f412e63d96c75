"""`pairedge-reproduce --out` writes everything, teachers included, into its folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from pairedge_train.cli.reproduce import main
from pairedge_train.experiments import library
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.experiments.study import Study, StudyRow, Table
from pairedge_train.rows import read_rows


@pytest.fixture
def study(quick: Recipe, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A study of an ensemble and of a student that is distilled from it, the only one there is."""
    members = quick.with_({"data.dataset": "uci", "network.variant": ["aux_ws", "aux_ws"]})
    student = members.with_({"network.variant": "aux_ws", "loss.teacher": "tiny.t.ensemble"})
    rows = tuple(
        StudyRow(label=label, recipe=recipe, rounds=1, seed=7)
        for label, recipe in (("student", student), ("ensemble", members))
    )
    table = Table(name="t", title="A table", statistic="test_accuracy", rounds=1, rows=rows)
    tiny = Study(name="tiny", title="Tiny", about="", tables=(table,), claims=(), figures=())
    monkeypatch.setattr(library, "studies", lambda: {"tiny": tiny})
    return tiny


def test_teachers_are_kept_under_out_and_trained_once(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["tiny", "--jobs", "1", "--out", "results"])
    assert result.exit_code == 0, result.output
    out = tmp_path / "results"
    student, ensemble = study.tables[0].rows
    assert [path.name for path in tmp_path.iterdir()] == ["results"]
    assert {path.name for path in out.iterdir()} == {"runs", "tiny.jsonl", "tiny.md"}
    assert {path.name for path in (out / "runs").iterdir()} == {
        f"aux_ws-{row.recipe.digest()}" for row in (student, ensemble)
    }
    rows = {row.recipe: row for row in read_rows(out / "tiny.jsonl")}
    kept = read_rows(out / "runs" / f"aux_ws-{ensemble.recipe.digest()}" / "rows.jsonl")
    assert kept == [rows[ensemble.recipe.digest()]]

    again = CliRunner().invoke(main, ["tiny", "--jobs", "1", "--out", "results"])
    assert again.stdout.splitlines()[0] == (
        "All 2 rounds have rows in results; --fresh --out FOLDER trains them anew, in FOLDER"
    )
    assert list(rows.values()) == read_rows(out / "tiny.jsonl")
    fresh = CliRunner().invoke(main, ["tiny", "--jobs", "1", "--fresh", "--out", "anew"])
    assert fresh.exit_code == 0, fresh.output
    assert "2 rounds, of which 0 are done" in fresh.stdout
    anew = [replace(row, seconds=0) for row in read_rows(tmp_path / "anew" / "tiny.jsonl")]
    assert anew == [replace(row, seconds=0) for row in rows.values()]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--fresh"], "--fresh needs --out FOLDER: the rows that are there stay as they are"),
        (
            ["--fresh", "--out", "old"],
            "--fresh: old is there already; name another --out, or resume without --fresh",
        ),
    ],
)
def test_rounds_are_trained_anew_into_a_new_folder_only(
    arguments: list[str], sentence: str, study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = tmp_path / "old" / "tiny.jsonl"
    rows.parent.mkdir()
    rows.write_text("")
    result = CliRunner().invoke(main, ["tiny", *arguments])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {sentence}"
    assert list(tmp_path.rglob("*")) == [rows.parent, rows]
