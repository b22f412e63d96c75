"""Writes rows as text, JSON lines or CSV, to standard output or to a file.

A file grows under the name FILE.part and gets its own name when it is complete, so FILE is never half
written. With --resume, the complete rows of FILE.part are kept, or those of FILE where there is no FILE.part;
each is compared with the item that it answers, and the answers to the remaining items follow.
"""

from __future__ import annotations

import io
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

import click

from pairedge.classes import DIGIT_CLASSES
from pairedge.cli.shared import shown
from pairedge.cli.stream.item import Item, Row

if TYPE_CHECKING:
    from io import FileIO

Style: TypeAlias = Literal["text", "json", "csv"]

_SUFFIXES: dict[str, Style] = {".csv": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json"}
_KEYS = ("picture", "first", "second", "id")  # by which a row is known to answer an item


@dataclass(frozen=True)
class Layout:
    """How the rows of a command look.

    Attributes:
        line: gives the text of a row with an answer, one line.
        columns: of CSV, keys of a row.
        flat: gives a row those columns that its JSON object nests.
    """

    line: Callable[[Row], str]
    columns: tuple[str, ...]
    flat: Callable[[Row], Row] = lambda row: row

    def naming(self, classes: tuple[str, ...], *columns: str) -> Layout:
        """The layout with columns for the names of classes, before the confidence; as it is for digits."""
        if classes == DIGIT_CLASSES:
            return self
        place = self.columns.index("confidence")
        return replace(self, columns=(*self.columns[:place], *columns, *self.columns[place:]))

    def encode(self, row: Row, style: Style) -> str:
        """A row in a style, with the end of its line."""
        if style == "json":
            return json.dumps(row) + "\n"
        if style == "csv":
            flat = self.flat(row)
            return csv_line(flat.get(column) for column in self.columns)
        return (refused_line(row) if "error" in row else self.line(row)) + "\n"


def refused_line(row: Row) -> str:
    """The line of a row without an answer: `gone.png: no answer  unreadable`."""
    names = [shown(row[column]) for column in ("picture", "first", "second") if row.get(column)]
    return f"{', '.join(names)}: no answer  {row['status']}"


@dataclass
class Rows:
    """An open output: writes rows one by one, and counts them by status.

    Attributes:
        write_text: takes what is to be written.
        layout: of the rows.
        style: of the rows.
        statuses: of all rows, those that were there before included.
    """

    write_text: Callable[[str], object]
    layout: Layout
    style: Style
    statuses: Counter[str] = field(default_factory=Counter)

    def write(self, row: Row) -> None:
        """Write a row."""
        self.write_text(self.layout.encode(row, self.style))
        self.statuses[row["status"]] += 1


@dataclass(frozen=True)
class Output:
    """Where rows go, and in which style.

    Attributes:
        style: None for that of the file's suffix, or else "text".
        path: of the file; None for standard output.
        resume: whether to continue a file that was cut off.
        resumable: whether the command can.
    """

    style: Style | None = None
    path: str | None = None
    resume: bool = False
    resumable: bool = True

    def __post_init__(self) -> None:
        if self.resume and (self.path is None or self.format == "text"):
            raise click.UsageError("--resume continues a file of -o, written as --json or --csv")

    @property
    def format(self) -> Style:
        """The style of the rows."""
        return self.style or _SUFFIXES.get(os.path.splitext(self.path or "")[1].lower(), "text")

    def write(self, text: str) -> None:
        """Write a whole text, which is no rows."""
        if self.path is None:
            _echo(text)
            return
        with whole_file(self.path) as file:
            write_all(file, text)

    @contextmanager
    def open(self, layout: Layout, items: Iterator[Item]) -> Iterator[Rows]:
        """Open the output, and take from `items` those whose rows it has already.

        Raises:
            click.ClickException: when the file cannot be written, or has the rows of other items.
        """
        header = csv_line(layout.columns) if self.format == "csv" else ""
        if self.path is None:
            _echo(header)
            yield Rows(_echo, layout, self.format)
            return
        with whole_file(self.path, self.resume) as file:
            rows = Rows(partial(write_all, file), layout, self.format)
            if not self.resume or keep_complete_rows(file, rows, header, items) == 0:
                write_all(file, header)
            try:
                yield rows
            except BaseException:
                if self.resumable and self.format != "text":
                    click.echo(f"{file.name} keeps {rows.statuses.total():,} rows for --resume", err=True)
                raise


@contextmanager
def whole_file(path: str, resume: bool = False) -> Iterator[FileIO]:
    """A file that is called FILE.part until it is complete, which it is when the block ends without an error.

    Args:
        path: of the file. One that is no regular file, such as /dev/null, is written as it is.
        resume: whether to begin with what FILE.part holds, or else FILE.

    Raises:
        click.ClickException: when it cannot be written, or another process writes it.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        with _opened(path, "wb") as file:
            yield file
        return
    path = os.path.realpath(path)  # a link stays one
    part = f"{path}.part"
    if resume and os.path.exists(path) and not os.path.exists(part):
        import shutil  # here, because it would cost start-up time

        with named_errors(part):
            shutil.copyfile(path, part)
    with _opened(part, "a+b") as file:
        _lock(file)
        if not resume:
            file.truncate(0)
        yield file
        with named_errors(part):
            os.fsync(file.fileno())
    with named_errors(path):
        os.replace(part, path)


def _opened(path: str, mode: Literal["wb", "a+b"]) -> FileIO:
    with named_errors(path):
        return open(path, mode, buffering=0)


def write_all(file: FileIO, text: str) -> None:
    """Write a text at once, so that it outlives this process."""
    rest = memoryview(_as_bytes(text))
    with named_errors(str(file.name)):
        while rest:
            rest = rest[file.write(rest) :]


@contextmanager
def named_errors(path: str) -> Iterator[None]:
    """Turn an error of the system into one sentence that names the file, and exit code 1."""
    try:
        yield
    except OSError as error:
        raise click.ClickException(f"{path}: {(error.strerror or str(error)).lower()}") from error


def keep_complete_rows(file: FileIO, rows: Rows, header: str, items: Iterator[Item]) -> int:
    """Count the rows that a file begins with, take the items that they answer, and cut off what is torn.

    Returns:
        The number of bytes that were kept.

    Raises:
        click.ClickException: when a row does not answer its item.
    """
    end = 0
    for number, (row, end) in enumerate(_complete_rows(file.name, rows.style, rows.layout.columns)):  # noqa: B007 (used below)
        if header and number == 0:
            same = csv_line(row.values()) == header
        else:
            item = next(items, None)
            same = item is not None and _key(item.heading()) == _key(row)
            rows.statuses[row.get("status", "")] += same
        if not same:
            raise click.ClickException(
                f"{file.name}: line {number + 1} does not belong to this command and its inputs; without "
                "--resume, all is answered anew"
            )
    file.truncate(end)
    return end


def csv_line(cells: Iterable[object]) -> str:
    """One line of CSV. None is an empty cell, a truth value true or false."""
    import csv  # here, because it would cost start-up time

    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(
        str(cell).lower() if isinstance(cell, bool) else cell for cell in cells
    )
    return line.getvalue()


def _complete_rows(path: str, style: Style, columns: tuple[str, ...]) -> Iterator[tuple[Row, int]]:
    """The rows of a file up to one that is torn, a header too, each with the position of its end."""
    end = 0

    def lines() -> Iterator[str]:
        nonlocal end
        with open(path, "rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    return
                end += len(line)
                yield line.decode(errors="surrogateescape")

    if style == "json":
        for line in lines():
            yield _json_object(line), end
        return
    import csv  # here, because it would cost start-up time

    with suppress(csv.Error):  # strict, so that a row that ends inside of quotation marks is one
        for cells in csv.reader(lines(), strict=True):
            yield dict(zip(columns, cells, strict=False)), end


def _json_object(line: str) -> Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):  # or nested without end
        return {}
    return row if isinstance(row, dict) else {}


def _key(row: Row) -> list[str]:
    return [str(value) if (value := row.get(key)) is not None else "" for key in _KEYS]


def _lock(file: FileIO) -> None:
    """Let no second process write the same file, where the system can tell."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise click.ClickException(f"{file.name}: another process writes it") from error


def _as_bytes(text: str) -> bytes:
    """UTF-8; a file name that is no text keeps its bytes."""
    return text.encode(errors="surrogateescape")


def _echo(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:  # a file name that is no text: kept for the program that reads it
        click.echo(_as_bytes(text), nl=False)
    else:
        click.echo(text, nl=False)
