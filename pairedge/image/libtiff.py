"""Keeps libtiff, which Pillow carries, from writing what it finds wrong with a file to standard error."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import PIL


@cache
def silence() -> None:
    """Take away libtiff's handler of errors, for the whole process: Pillow raises an exception anyway.

    Where its library is not a file of its own, as on Windows, it goes on writing.
    """
    for path in _libraries():
        import ctypes

        try:
            ctypes.CDLL(path).TIFFSetErrorHandler(None)
        except (OSError, AttributeError):
            continue


def _libraries() -> set[str]:
    """The paths of the libtiff in this process."""
    if sys.platform == "darwin":
        return {str(path) for path in Path(PIL.__file__).parent.glob(".dylibs/libtiff*")}
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return set()
    return {line.split(maxsplit=5)[5] for line in lines if "/libtiff" in line}
