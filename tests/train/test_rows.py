"""Rows of results: whole lines, one for each round, whatever interrupts who writes them."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pairedge_train.errors import DataError, OutputError
from pairedge_train.rows import RoundRow, append_row, read_rows

ROW = RoundRow(variant="aux_ws", recipe="0" * 8, seed=1, test_accuracy=0.5)
OTHER = replace(ROW, seed=2)
LINE = json.dumps(ROW.to_dict())


def test_a_full_disk_leaves_the_rows_that_were_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tmp_path / "rows.jsonl"
    append_row(rows, ROW)

    def fsync(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OutputError, match="no space left"):
        append_row(rows, OTHER)
    assert read_rows(rows) == [ROW]


@pytest.mark.parametrize(
    "line",
    [
        *("{", "{}", '"text"', "not json", "", "null", LINE[:40], LINE.replace("0.5", "NaN")),
        *(LINE.replace("0.5", "1.5"), LINE.replace('"seed": 1', '"seed": -1')),
        *(LINE.replace('"aux_ws"', "3"), LINE[:-1] + ', "color": 1}', "[" * 100_000),
    ],
)
def test_a_line_that_is_no_row_is_named(line: str, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    append_row(rows, ROW)
    before = rows.read_text() + line + "\n"
    rows.write_text(before)
    with pytest.raises(DataError, match=r"rows.jsonl: line 2 is no row of results: "):
        read_rows(rows)
    with pytest.raises(DataError, match="line 2"):
        append_row(rows, OTHER)
    assert rows.read_text() == before


@pytest.mark.parametrize("broken", [*(LINE[:end] for end in range(1, len(LINE), 9)), "\0" * 40])
def test_a_last_line_that_breaks_off_is_no_row_and_the_next_row_takes_its_place(
    broken: str, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(LINE + "\n" + broken)
    assert read_rows(rows) == [ROW]
    append_row(rows, OTHER)
    assert read_rows(rows) == [ROW, OTHER]


def test_a_last_row_without_a_line_break_counts_and_the_next_is_not_glued_to_it(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(LINE)
    assert read_rows(rows) == [ROW]
    append_row(rows, OTHER)
    assert read_rows(rows) == [ROW, OTHER]


@pytest.mark.parametrize("content", ["not json", '"text"', "<html>", "{}"])
def test_a_foreign_file_without_a_line_break_is_refused_and_kept(content: str, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(content)
    with pytest.raises(DataError, match="line 1 is no row of results"):
        append_row(rows, ROW)
    assert rows.read_text() == content


def test_an_empty_file_and_no_file_hold_no_rows(tmp_path: Path) -> None:
    assert read_rows(tmp_path / "none.jsonl") == []
    (tmp_path / "empty.jsonl").touch()
    assert read_rows(tmp_path / "empty.jsonl") == []


def test_a_folder_in_place_of_the_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read: is a directory"):
        read_rows(tmp_path)
    with pytest.raises(DataError, match="cannot read: is a directory"):
        append_row(tmp_path, ROW)


def test_a_round_has_one_row_the_last_one(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    again, bundled = replace(ROW, seconds=2.0), replace(ROW, bundle=(1, 2))
    for row in (ROW, OTHER, bundled, again):
        append_row(rows, row)
    assert read_rows(rows) == [again, OTHER, bundled]


# They start at one moment: each is ready when it has imported all it needs.
WRITER = """
import sys
from pathlib import Path
from pairedge_train.rows import RoundRow, append_row
Path(sys.argv[2]).touch()
while not all(Path(ready).exists() for ready in sys.argv[2:]):
    pass
for seed in range(15):
    append_row(Path(sys.argv[1]), RoundRow(variant="aux_ws", recipe="0" * 8, seed=seed))
"""


def test_two_writers_of_the_same_rounds_leave_one_row_of_each(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    ready = [str(tmp_path / name) for name in "ab"]
    commands = [[sys.executable, "-c", WRITER, str(rows), *order] for order in (ready, ready[::-1])]
    writers = [subprocess.Popen(command) for command in commands]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    assert sorted(row.seed for row in read_rows(rows)) == list(range(15))
