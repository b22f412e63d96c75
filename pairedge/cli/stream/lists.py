"""The lists that `--from` reads, one row at a time: paths, CSV or JSON lines, told apart by their first line.

- A first line that is a JSON object begins JSON lines.
- A first line with the column `picture`, or `first` and `second`, is the header of a CSV file, separated by
  commas, semicolons or tabs.
- Anything else is one path a line.

Empty lines are skipped. A row that names no picture, such as invalid JSON, becomes an item with an error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from itertools import chain, count
from pathlib import Path
from typing import Any

import click

from pairedge.cli.stream.item import STANDARD_INPUT, Item, in_pairs

_SEPARATORS = ",;\t"


def read_list(path: str, columns: tuple[str, ...]) -> Iterator[Item]:
    """The items of a list; its first line is read at once, the rest as it is needed.

    Args:
        path: of the list; `-` is standard input.
        columns: of the pictures that the command needs: `picture`, or `first` and `second`.

    Raises:
        click.UsageError: when the list has other columns, or is no text in UTF-8.
    """
    lines = _lines(path)
    first = next(lines, "")
    title = "standard input" if path == STANDARD_INPUT else path
    if first.lstrip().startswith("{"):
        return _json_items(chain([first], lines), title, columns)
    separator = next((s for s in _SEPARATORS if _names_pictures(_fields(first, s))), ",")
    header = _fields(first, separator)
    if set(columns) <= set(header):
        return _csv_items(lines, title, header, separator, columns)
    if _names_pictures(header) or path.lower().endswith(".csv"):
        needed = " and ".join(map(repr, columns))
        raise click.UsageError(
            f"{title}: its first line must name the column{'s' * (len(columns) > 1)} {needed}, "
            f"but has {', '.join(map(repr, header))}"
        )
    items = (Item((line.rstrip("\r\n"),)) for line in chain([first], lines))
    pictures = (item for item in items if item.names[0])
    return in_pairs(pictures) if len(columns) == 2 else pictures


def count_rows(path: str) -> int | None:
    """About how many rows a list has, for the progress line; None for what cannot be read twice."""
    if not Path(path).is_file():
        return None
    with Path(path).open("rb") as file:
        return sum(part.count(b"\n") for part in iter(lambda: file.read(1 << 20), b""))


def _lines(path: str) -> Iterator[str]:
    """The lines that are not empty. Bytes that are no text are kept as they are: they may name a file."""
    with nullcontext(sys.stdin.buffer) if path == STANDARD_INPUT else Path(path).open("rb") as file:
        for number, line in enumerate(file):
            if number == 0 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
                raise click.UsageError(f"{path}: is UTF-16; a list must be UTF-8")
            text = line.decode("utf-8-sig" if number == 0 else "utf-8", "surrogateescape")
            if text.strip():
                yield text


def _fields(line: str, separator: str) -> list[str]:
    return [field.strip().strip('"').lower() for field in line.split(separator)]


def _names_pictures(header: Iterable[str]) -> bool:
    return bool({"picture", "first", "second"} & set(header))


def _csv_items(
    lines: Iterator[str], title: str, header: list[str], separator: str, columns: tuple[str, ...]
) -> Iterator[Item]:
    import csv  # here, because it would cost start-up time

    rows = csv.reader(lines, delimiter=separator)
    for number in count(1):
        try:
            fields = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield _item({}, columns, f"{title}: row {number}: {error}")
        else:
            yield _item(dict(zip(header, fields, strict=False)), columns, f"{title}: row {number}")


def _json_items(lines: Iterable[str], title: str, columns: tuple[str, ...]) -> Iterator[Item]:
    for number, line in enumerate(lines, 1):
        place = f"{title}: row {number}"
        try:
            row = json.loads(line)
            # What cannot be written back, such as NaN or half a surrogate pair, is no JSON, nor what nests
            # without end.
            json.dumps(row, allow_nan=False, ensure_ascii=False).encode(errors="surrogateescape")
        except (ValueError, RecursionError) as error:
            yield _item({}, columns, f"{place}: not JSON: {error}")
        else:
            yield _item(row if isinstance(row, dict) else {}, columns, place)


def _item(row: Mapping[str, Any], columns: tuple[str, ...], place: str) -> Item:
    """The item of one row, which `place` names if it has to be refused."""
    names = [name if isinstance(name := row.get(column), str) else "" for column in columns]
    missing = [column for column, name in zip(columns, names, strict=True) if not name]
    error = f"{place}: names no {' and no '.join(missing)}" if missing else None
    id_, label = row.get("id"), row.get("label")
    scalar = id_ if isinstance(id_, str | int | float | None) else json.dumps(id_)
    return Item(tuple(names), error=error, id=scalar, label=None if label is None else str(label))
