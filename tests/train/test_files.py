"""Results are written completely or not at all."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch

from pairedge_train.errors import CheckpointError, OutputError
from pairedge_train.files import one_writer, write_all, write_atomically
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


# Stops a write at the N-th call of a function that it uses, as a pulled plug does: nothing is cleaned up.
KILLED = """
import os, sys
from pathlib import Path
from pairedge_train import files

folder, method, calls = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
original = getattr(Path, method)

def counted(*arguments):
    global calls
    calls -= 1
    if calls < 0:
        os._exit(9)
    return original(*arguments)

setattr(Path, method, counted)
files.write_all(folder, {"a": b"new", "b": b"new", "c": b"new"})
"""


@pytest.mark.parametrize(
    ("method", "calls", "after"),
    [("open", 1, "old"), ("rename", 0, "old"), ("replace", 0, "new"), ("replace", 2, "new")],
    ids=["while content is written", "before it counts", "before the first move", "between two moves"],
)
def test_after_a_kill_at_any_moment_the_next_write_leaves_files_of_one_version(
    method: str, calls: int, after: str, tmp_path: Path
) -> None:
    write_all(tmp_path, dict.fromkeys("abc", b"old"))
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), method, str(calls)], check=False)
    assert done.returncode == 9
    write_atomically(tmp_path / "another", b"")
    content = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert content == {"another": "", "a": after, "b": after, "c": after}


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_file_has_the_mode_that_the_umask_leaves(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "file", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_folder_in_place_of_one_file_leaves_all_others_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "b").mkdir()
    with pytest.raises(OutputError, match="cannot write a, b: b is a folder"):
        write_all(tmp_path, {"a": b"new", "b": b"new"})
    assert (tmp_path / "a").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_obsolete_files_go_and_others_stay(tmp_path: Path) -> None:
    write_all(tmp_path, {"pair": b"old", "digit": b"old", "notes": b"mine"})
    write_all(tmp_path, {"pair": b"new"}, obsolete=["pair", "digit", "compare"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes", "pair"]


def test_a_lock_that_cannot_be_taken_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="cannot lock it by"), one_writer(tmp_path / "rows.jsonl"):
        pass
