"""Rows reach their file whole, or the file is continued without losing or doubling one."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pairedge.cli.stream.item import Item, Row
from pairedge.cli.stream.outputs import Layout, Output, Style, whole_file, write_all

NAMES = ["a.png", 'with,"quotes"\nand lines.png', "c\udcff.png", "", "=1+1", "a.png", "八.png"]
ITEMS = [Item((name,), id=number) for number, name in enumerate(NAMES)]
LAYOUT = Layout(lambda row: row["picture"], ("picture", "status", "leq", "error", "id"))


def row_of(item: Item) -> Row:
    return {**item.heading(), "status": "ok" if item.names[0] else "unreadable", "leq": True, "error": None}


def write(
    path: Path, style: Style, items: list[Item], *, resume: bool = False, stop: int | None = None
) -> int:
    """Write the rows of items, all or up to a stop that an error brings; count those that were made."""
    rest: Iterator[Item] = iter(items)
    made = 0
    with Output(style, str(path), resume).open(LAYOUT, rest) as rows:
        for item in rest:
            if made == stop:
                raise KeyboardInterrupt
            rows.write(row_of(item))
            made += 1
    assert rows.statuses == {"ok": len(items) - 1, "unreadable": 1}
    return made


def test_csv_and_json_hold_every_row(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "csv", ITEMS)
    content = (tmp_path / "a.csv").read_bytes()
    rows = list(csv.DictReader(io.StringIO(content.decode(errors="surrogateescape"), newline="")))
    assert [row["picture"] for row in rows] == NAMES
    assert {(row["leq"], row["error"]) for row in rows} == {("true", "")}
    assert [row["id"] for row in rows] == list("0123456")
    write(tmp_path / "a.jsonl", "json", ITEMS)
    assert [json.loads(line) for line in (tmp_path / "a.jsonl").read_bytes().splitlines()] == [
        row_of(item) for item in ITEMS
    ]


@pytest.mark.parametrize("style", ["csv", "json"])
def test_a_file_cut_off_anywhere_is_continued_to_the_same_bytes(
    tmp_path: Path, style: Style, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # slow, and no power fails here
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    write(whole, style, ITEMS[:4])
    content = whole.read_bytes()
    ends = [length for length in range(1, len(content) + 1) if content[length - 1 : length] == b"\n"]
    near_ends = {end + distance for end in ends[:-1] for distance in (-1, 0, 1)}
    complete = 0
    for length in sorted({*range(0, len(content), 9), *near_ends, len(content)}):
        for name in (f"{torn}.part", torn):  # what a killed run leaves, and what a shell's > would
            Path(name).write_bytes(content[:length])
            made = write(torn, style, ITEMS[:4], resume=True)
            assert torn.read_bytes() == content
            assert not Path(f"{torn}.part").exists()
        complete += made == 0
    assert complete == 1  # only the whole file lacks no row


@pytest.mark.parametrize("style", ["csv", "json"])
def test_an_interrupted_run_leaves_no_file_and_is_continued(
    tmp_path: Path, style: Style, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        write(path, style, ITEMS, stop=3)
    assert not path.exists()
    assert capsys.readouterr().err == f"{path}.part keeps 3 rows for --resume\n"
    assert write(path, style, ITEMS, resume=True) == len(ITEMS) - 3
    again = tmp_path / "again"
    write(again, style, ITEMS)
    assert path.read_bytes() == again.read_bytes()


def test_without_resume_what_was_cut_off_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        write(path, "csv", ITEMS[::-1], stop=3)
    assert write(path, "csv", ITEMS) == len(ITEMS)


def test_a_list_that_has_grown_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "out"
    write(path, "json", ITEMS[:5])
    assert write(path, "json", ITEMS, resume=True) == 2


@pytest.mark.parametrize("style", ["csv", "json"])
@pytest.mark.parametrize(
    "content",
    [
        b"x",
        b"a,b,c\n1,2,3\n",
        b'{"picture": "z.png", "status": "ok"}\n',
        b'{"status": "ok"}\n',
        b"[]\n",
        b"{\n",
        b"[" * 9000 + b"\n",
    ],
)
def test_a_file_of_something_else_is_not_continued_and_not_touched(
    tmp_path: Path, style: Style, content: bytes
) -> None:
    path = tmp_path / "out"
    path.write_bytes(content)
    if content == b"x":  # a torn first row, which may be anybody's
        write(path, style, ITEMS, resume=True)
        return
    with pytest.raises(click.ClickException, match="line 1 does not belong to this command and its inputs"):
        write(path, style, ITEMS, resume=True)
    assert path.read_bytes() == content


def test_a_file_with_more_rows_than_inputs_is_not_continued(tmp_path: Path) -> None:
    path = tmp_path / "out"
    write(path, "json", ITEMS)
    with pytest.raises(click.ClickException, match="line 6 does not belong"):
        write(path, "json", ITEMS[:5], resume=True)


@pytest.mark.parametrize(
    ("name", "style", "expected"),
    [
        ("a.csv", None, "csv"),
        ("a.JSONL", None, "json"),
        ("a.json", None, "json"),
        ("a.txt", None, "text"),
        ("a.csv", "json", "json"),
    ],
)
def test_the_suffix_of_a_file_is_its_style_unless_told_otherwise(
    name: str, style: Style | None, expected: Style
) -> None:
    assert Output(style, name).format == expected


@pytest.mark.parametrize("output", [(None, None), (None, "a.txt"), ("text", "a.csv"), ("csv", None)])
def test_only_rows_of_a_file_can_be_resumed(output: tuple[Style | None, str | None]) -> None:
    with pytest.raises(click.UsageError, match="--resume continues a file of -o"):
        Output(*output, resume=True)


def test_an_error_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("old")

    def write_half() -> None:
        with whole_file(str(path)) as file:
            write_all(file, "half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_text() == "old"


@pytest.mark.parametrize("name", ["missing/out.csv", "."])
def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(click.ClickException, match=r": (no such file or directory|is a directory)$"):
        write(tmp_path / name, "csv", ITEMS)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_sentence() -> None:
    with pytest.raises(click.ClickException, match="/dev/full: no space left on device"):
        write(Path("/dev/full"), "csv", ITEMS)
    assert Path("/dev/full").is_char_device()


@pytest.mark.skipif(os.name == "nt", reason="needs the locks of POSIX")
def test_two_processes_do_not_write_one_file(tmp_path: Path) -> None:
    path = str(tmp_path / "out")
    with whole_file(path) as file:
        write_all(file, "first")
        with pytest.raises(click.ClickException, match="another process writes it"), whole_file(path):
            pass
    assert Path(path).read_bytes() == b"first"


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_link_to_a_file_stays_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write(tmp_path / "link", "csv", ITEMS)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").is_file()
