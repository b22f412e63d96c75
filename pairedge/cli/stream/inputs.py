"""The inputs of a command: files, folders and patterns that it names, or the list of --from, as items.

Everything comes in the order in which it was named; the files of a folder or pattern are sorted by name.
Paths are handled by `os`, since pathlib would cost start-up time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import click

from pairedge.cli.stream.item import STANDARD_INPUT, Item, in_pairs

# Files in a folder that are taken for pictures. How one is decoded depends on its content alone.
SUFFIXES = frozenset(
    (
        ".png",
        ".jpg",
        ".jpeg",
        ".bmp",
        ".gif",
        ".webp",
        ".tif",
        ".tiff",
        ".pbm",
        ".pgm",
        ".ppm",
        ".pnm",
        ".avif",
        ".heic",
        ".heif",
    )
)
_MAGIC = frozenset("*?[")  # what makes a name that does not exist a pattern


@dataclass
class Inputs:
    """What a command line asks to be answered.

    Attributes:
        columns: what an item consists of: `picture`, or `first` and `second`.
        names: of files, folders and patterns; `-` is a picture from standard input.
        list_file: the list of `--from`; `-` is standard input.
        recursive: whether the subfolders of folders are read, too.
        left_out: the files of folders that are not read, and why, as far as the folders were listed.
    """

    columns: tuple[str, ...]
    names: tuple[str, ...]
    list_file: str | None = None
    recursive: bool = False
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if bool(self.names) == (self.list_file is not None):
            raise click.UsageError(
                "pictures are named either by arguments or by --from"
                if self.names
                else "Missing argument: name files, folders or patterns, or a list of them with --from"
            )
        if self.names.count(STANDARD_INPUT) > 1:
            raise click.UsageError("only one picture can be read from standard input")

    def items(self) -> Iterator[Item]:
        """All items: the rows of the list, or else the pictures, one by one or two by two."""
        if self.list_file is not None:
            from pairedge.cli.stream.lists import read_list

            return read_list(self.list_file, self.columns)
        return self._named() if len(self.columns) == 1 else in_pairs(self._named())

    def count(self) -> int | None:
        """About how many items there are; None where that is not known beforehand."""
        if self.list_file is not None:
            from pairedge.cli.stream.lists import count_rows

            return count_rows(self.list_file)
        files = (name for name in self.names if name != STANDARD_INPUT)
        pictures = self.names.count(STANDARD_INPUT) + sum(1 for name in files for _ in self._expand(name, []))
        return -(-pictures // len(self.columns))

    def countable(self) -> bool:
        """Whether each argument names one picture, so that their number shows without a look into folders."""
        return self.list_file is None and not any(
            os.path.isdir(name) or _is_pattern(name) for name in self.names
        )

    def _named(self) -> Iterator[Item]:
        for name in self.names:
            yield from self._expand(name, self.left_out)

    def _expand(self, name: str, left_out: list[tuple[str, str]]) -> Iterator[Item]:
        """The pictures that one argument names; what names none becomes an item with an error."""
        if name == STANDARD_INPUT:
            from pairedge.image.limits import LARGEST_FILE

            yield Item((name,), content=sys.stdin.buffer.read(LARGEST_FILE + 1))
        elif os.path.isdir(name):
            yield from self._folder(name, left_out)
        elif _is_pattern(name):
            import glob  # here, because it would cost start-up time

            matches = sorted(glob.glob(name, recursive=True))
            for match in matches:
                yield from self._expand(match, left_out)
            if not matches:
                yield Item((name,), error=f"{name}: no file matches")
        else:
            yield Item((name,))

    def _folder(self, folder: str, left_out: list[tuple[str, str]]) -> Iterator[Item]:
        empty = True
        for path in _files(folder, self.recursive, left_out):
            empty = False
            yield Item((path,))
        if empty:
            hint = "" if self.recursive else "; --recursive reads its subfolders"
            yield Item((folder,), error=f"{folder}: contains no pictures{hint}")


def _is_pattern(name: str) -> bool:
    return bool(_MAGIC & set(name)) and not os.path.exists(name)


def _files(folder: str, recursive: bool, left_out: list[tuple[str, str]]) -> Iterator[str]:
    """The paths of the pictures in a folder, sorted; a folder comes where its name stands."""
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        left_out.append((folder, (error.strerror or str(error)).lower()))
        return
    for entry in entries:
        suffix = os.path.splitext(entry.name)[1].lower()
        if entry.name.startswith("."):
            left_out.append((entry.path, "hidden"))
        elif entry.is_dir():
            if not recursive:
                left_out.append((entry.path, "a subfolder; --recursive reads it"))
            elif entry.is_symlink():
                left_out.append((entry.path, "a link to a folder"))  # it might lead back here
            else:
                yield from _files(entry.path, recursive, left_out)
        elif suffix not in SUFFIXES:
            left_out.append(
                (entry.path, f"not a picture by its suffix {suffix!r}" if suffix else "no suffix")
            )
        else:
            yield entry.path
