"""Reads whole files, within a limit: a device, a pipe or a file without end is refused before it is read."""

from __future__ import annotations

import os
import stat


def read_file(path: str | os.PathLike[str], largest: int) -> bytes:
    """Read a regular file of at most `largest` bytes.

    Raises:
        OSError: when it cannot be read.
        ValueError: when it is no regular file, or larger, or the path has a null character.
    """
    status = os.stat(path)  # noqa: PTH116 (pathlib would cost start-up time)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError("is a directory")
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for who writes to it
        raise ValueError("is not a regular file")
    check_size(status.st_size, largest)
    with open(path, "rb") as file:  # noqa: PTH123 (as above)
        content = file.read(largest + 1)
    check_size(len(content), largest)  # it may have grown
    return content


def check_size(size: int, largest: int) -> None:
    """Refuse so many bytes if they are more than the largest file has.

    Raises:
        ValueError: then.
    """
    if size > largest:
        raise ValueError(f"is larger than {largest // 1_000_000:,} MB")


def reason(error: OSError | ValueError) -> str:
    """Why a file could not be read, in the words of the system, for the end of a sentence."""
    return (getattr(error, "strerror", None) or str(error)).lower()
