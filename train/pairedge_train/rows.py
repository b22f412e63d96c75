"""Result rows: one JSON object per line and per finished round, appended whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pairedge_train.errors import OutputError

Row = dict[str, Any]


def read_rows(path: Path) -> list[Row]:
    """All rows of a file; none when there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def append_row(path: Path, row: Row) -> None:
    """Append one row with a single write; a write that fails midway is taken back.

    Raises:
        OutputError: when the file cannot be written; the rows in it are untouched.
    """
    line = (json.dumps(row, sort_keys=True) + "\n").encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            end = file.tell()
            try:
                written = file.write(line)
                os.fsync(file.fileno())
            except OSError:
                file.truncate(end)
                raise
            if written != len(line):
                file.truncate(end)
                raise OutputError(f"{path}: cannot write: no space left on device")
    except OSError as error:
        raise OutputError(f"{path}: cannot write: {(error.strerror or str(error)).lower()}") from error
