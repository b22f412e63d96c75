"""Atomic writes: a reader never sees half a file, and the next writer settles what a killed one left.

And the folder for what can be made or fetched again.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from filelock import FileLock

from pairedge_train.errors import OutputError

# Folders inside the one that is written to. The first becomes the second by one rename when everything is on
# the disk. From then on the new files count: whoever writes next moves them to their places.
_INCOMPLETE = ".pairedge-incomplete"
_COMPLETE = ".pairedge-complete"


def cache_folder() -> Path:
    """The folder that PAIREDGE_CACHE names, else the platform's folder for a user's caches."""
    return Path(os.environ.get("PAIREDGE_CACHE") or platformdirs.user_cache_path("pairedge"))


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file completely or not at all.

    Raises:
        OutputError: when the folder is not writable or the disk is full; the old file, if any, is untouched.
    """
    write_all(path.parent, {path.name: content})


def write_all(folder: Path, files: Mapping[str, bytes], *, obsolete: Iterable[str] = ()) -> None:
    """Write several files to a folder, all of them or none.

    A kill before all content is on the disk changes nothing. After a kill between the moves of single files
    the next call for this folder completes them first.

    Args:
        folder: where they go; it is created if missing.
        files: their contents by name.
        obsolete: names of files that are removed if they are there and not written.

    Raises:
        OutputError: when the folder is not writable or the disk is full; the old files are untouched.
    """
    incomplete = folder / _INCOMPLETE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with one_writer(folder):
            settle(folder)
            for name in files:
                if (folder / name).is_dir():  # before anything counts: no file could take its place
                    raise IsADirectoryError(errno.EISDIR, f"{name} is a folder")
            try:
                incomplete.mkdir()
                for name, content in files.items():
                    with (incomplete / name).open("xb") as file:
                        file.write(content)
                        file.flush()
                        os.fsync(file.fileno())
                incomplete.rename(folder / _COMPLETE)
            except BaseException:  # also Ctrl-C
                shutil.rmtree(incomplete, ignore_errors=True)
                raise
            settle(folder)
            for name in set(obsolete) - set(files):
                (folder / name).unlink(missing_ok=True)
    except OSError as error:
        names = ", ".join(files)
        raise OutputError(
            f"{folder}: cannot write {names}: {(error.strerror or str(error)).lower()}"
        ) from error


def settle(folder: Path) -> None:
    """Move complete files to their places and remove incomplete ones, under the folder's lock."""
    shutil.rmtree(folder / _INCOMPLETE, ignore_errors=True)
    complete = folder / _COMPLETE
    if complete.is_dir():
        for path in sorted(complete.iterdir()):
            path.replace(folder / path.name)
        complete.rmdir()


@contextmanager
def one_writer(path: Path) -> Iterator[None]:
    """Keep other processes of this machine from the same block for the same path, until it is left.

    The empty file of the lock stays: if it were deleted, a waiting process and a new one would lock different
    files. It does not lie beside the results, so that these are all that a finished round leaves.

    Raises:
        OutputError: when the lock cannot be taken, for instance because it is another user's.
    """
    name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]
    lock = FileLock(Path(tempfile.gettempdir()) / f"pairedge-{name}.lock")
    try:
        lock.acquire()
    except OSError as error:
        raise OutputError(
            f"{path}: cannot lock it by {lock.lock_file}: {(error.strerror or str(error)).lower()}"
        ) from error
    try:
        yield
    finally:
        lock.release()
