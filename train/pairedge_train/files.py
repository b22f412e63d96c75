"""Atomic writes: a reader never sees half a file, whatever interrupts the writer."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from pairedge_train.errors import OutputError


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file completely or not at all.

    Raises:
        OutputError: when the folder is not writable or the disk is full; the old file, if any, is untouched.
    """
    write_all(path.parent, {path.name: content})


def write_all(folder: Path, files: dict[str, bytes]) -> None:
    """Write several files to a folder, all of them or none.

    Each file is written under a temporary name first. They are renamed only when all content is on the disk,
    since renaming needs no more space.

    Raises:
        OutputError: when the folder is not writable or the disk is full; the old files are untouched.
    """
    staged: dict[Path, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
            staged[Path(temporary)] = folder / name
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o644)  # mkstemp makes it private
        for staged_file, final in staged.items():
            staged_file.replace(final)
    except BaseException as error:  # also Ctrl-C: no temporary file may stay behind
        for staged_file in staged:
            staged_file.unlink(missing_ok=True)
        if isinstance(error, OSError):
            names = ", ".join(files)
            raise OutputError(
                f"{folder}: cannot write {names}: {(error.strerror or str(error)).lower()}"
            ) from error
        raise
