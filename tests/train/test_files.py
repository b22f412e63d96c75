"""Results are written completely or not at all."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from pairedge_train.errors import CheckpointError, DataError, OutputError
from pairedge_train.files import write_all, write_atomically
from pairedge_train.rows import RoundRow, append_row, read_rows
from pairedge_train.training.checkpoint import load_checkpoint


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)


def test_a_file_is_replaced(tmp_path: Path) -> None:
    for content in (b"old", b"new"):
        write_atomically(tmp_path / "folder" / "file", content)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["file"]
    assert (tmp_path / "folder" / "file").read_bytes() == b"new"


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_leaves_the_old_files_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(OutputError, match="cannot write a, b: no space left on device"):
        write_all(tmp_path, {"a": b"new", "b": b"new"})
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]


def test_a_full_disk_rolls_back_a_half_written_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tmp_path / "rows.jsonl"
    row = RoundRow(variant="aux_ws", recipe="0" * 8, seed=1)
    append_row(rows, row)

    def fsync(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OutputError, match="no space left"):
        append_row(rows, replace(row, seed=2))
    assert read_rows(rows) == [row]


def test_an_unwritable_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"cannot write c: (not a directory|file exists)"):
        write_atomically(tmp_path / "file" / "c", b"")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "no such checkpoint"),
        (b"", "not a safetensors file"),
        (b"\x00" * 100, "not a safetensors file"),
        ({"metadata": None}, "it holds no recipe"),
        ({"metadata": {"pairedge": json.dumps({"schema": 0})}}, "a checkpoint of schema 0"),
        ({"metadata": {"pairedge": json.dumps({"schema": 1, "recipe": {"variant": "ws"}})}}, "do not fit"),
    ],
)
def test_a_file_that_is_no_checkpoint_is_refused(content: Any, sentence: str, tmp_path: Path) -> None:
    from safetensors.torch import save

    path = tmp_path / "seed-1.safetensors"
    if isinstance(content, dict):
        path.write_bytes(save({"weight": torch.zeros(1)}, metadata=content["metadata"]))
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=sentence):
        load_checkpoint(path)


@pytest.mark.parametrize(
    "line", ["{", "{}", '"text"', '{"variant": 3, "recipe": "a", "seed": 1}', "not json"]
)
def test_a_line_that_is_no_row_is_named(line: str, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    append_row(rows, RoundRow(variant="aux_ws", recipe="0" * 8, seed=1))
    rows.write_text(rows.read_text() + line + "\n")
    with pytest.raises(DataError, match=r"rows.jsonl: line 2 is no row of results: "):
        read_rows(rows)
