"""The contract of docs/cli.md, for every command that answers pictures."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from pairedge.cli.classify import LAYOUT as CLASSIFY
from pairedge.cli.evaluate import LAYOUT as EVALUATE
from pairedge.cli.predict import LAYOUT as PREDICT
from pairedge.cli.rank import LAYOUT as RANK
from pairedge.cli.shared import EXIT_CODES

Command = Callable[..., CompletedProcess[str]]

EXAMPLES = Path(__file__).parents[3] / "examples"
PAGE = Path(__file__).parents[3] / "docs" / "cli.md"
LAYOUTS = {"classify": CLASSIFY, "evaluate": EVALUATE, "predict": PREDICT, "rank": RANK}
EVERY = pytest.mark.parametrize("name", LAYOUTS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `in` with six labeled pictures, two of them refused; the working directory is above it."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, digit in (("three", 3), ("seven", 7), ("nine", 9), ("zero", 0)):
        shutil.copy(EXAMPLES / f"{name}.png", folder / f"{digit}.png")
    (folder / "5.png").write_bytes(b"no picture")
    (folder / "6.png").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return folder


def expected(name: str, folder: Path) -> list[tuple[str, ...]]:
    """The pictures of each row, in order."""
    files = [f"in/{path.name}" for path in sorted(folder.iterdir())]
    refused = ["in/5.png", "in/6.png"]
    if name == "rank":
        files = [*(file for file in files if file not in refused), *refused]
    if name == "predict":
        return list(zip(files[::2], files[1::2], strict=True))
    return [(file,) for file in files]


def pictures(name: str, row: dict[str, str]) -> tuple[str, ...]:
    return (row["first"], row["second"]) if name == "predict" else (row["picture"],)


@EVERY
def test_every_input_has_one_row_in_order(name: str, command: Command, folder: Path) -> None:
    answer = command(name, "--csv", "in")
    assert answer.returncode == 1
    reader = csv.DictReader(answer.stdout.splitlines())
    rows = list(reader)
    assert tuple(reader.fieldnames or ()) == LAYOUTS[name].columns
    assert [pictures(name, row) for row in rows] == expected(name, folder)
    assert [row["status"] for row in rows if row["error"]] == ["unreadable"] * (1 + (name != "predict"))
    assert answer.stderr.count("Error: in/") == 2


@EVERY
def test_files_folders_patterns_and_lists_are_answered_alike(
    name: str, command: Command, folder: Path
) -> None:
    files = [f"in/{path.name}" for path in sorted(folder.iterdir())]
    Path("paths").write_text("\n".join(files))
    header = "first,second" if name == "predict" else "picture"
    lines = (
        [",".join(row) for row in zip(files[::2], files[1::2], strict=True)] if name == "predict" else files
    )
    Path("list.csv").write_text("\n".join([header, *lines]))
    whole = command(name, "--csv", "in")
    for arguments in (files, ["in/*.png"], ["--from", "paths"], ["--from", "list.csv"]):
        assert command(name, "--csv", *arguments).stdout == whole.stdout, arguments
    assert command(name, "--csv", "--from", "-", stdin=Path("paths").read_bytes()).stdout == whole.stdout


@EVERY
@pytest.mark.parametrize("style", ["--csv", "--json", None])
def test_a_file_gets_what_standard_output_would(
    name: str, style: str | None, command: Command, folder: Path
) -> None:
    options = [style] if style else []
    printed = command(name, *options, "in")
    written = command(name, *options, "in", "-o", "out")
    assert (written.returncode, written.stdout, written.stderr) == (printed.returncode, "", printed.stderr)
    assert Path("out").read_text() == printed.stdout
    assert sorted(path.name for path in Path().iterdir()) == ["in", "out"]


@pytest.mark.parametrize("name", ["classify", "predict", "rank"])
def test_json_has_a_row_in_a_line(name: str, command: Command, folder: Path) -> None:
    rows = [json.loads(line) for line in command(name, "--json", "in").stdout.splitlines()]
    assert [pictures(name, row) for row in rows] == expected(name, folder)
    assert all(("error" in row) == (row["status"] == "unreadable") for row in rows)


@pytest.mark.parametrize("name", ["classify", "predict", "rank"])
def test_text_has_a_row_in_a_line(name: str, command: Command, folder: Path) -> None:
    lines = command(name, "in").stdout.splitlines()
    assert len(lines) == len(expected(name, folder))
    assert sum("no answer  unreadable" in line for line in lines) == 1 + (name != "predict")


@EVERY
def test_the_ids_of_a_list_come_back(name: str, command: Command, folder: Path) -> None:
    row = {"first": "in/3.png", "second": "in/7.png", "picture": "in/3.png", "id": 17}
    Path("list.jsonl").write_text(json.dumps(row))
    [line] = csv.DictReader(command(name, "--csv", "--from", "list.jsonl").stdout.splitlines())
    assert line["id"] == "17"
    if name != "evaluate":
        assert json.loads(command(name, "--json", "--from", "list.jsonl").stdout)["id"] == 17


@pytest.mark.parametrize("name", ["classify", "predict"])
def test_a_run_that_was_cut_off_is_continued_with_the_same_exit_code(
    name: str, command: Command, folder: Path
) -> None:
    whole = command(name, "in", "-o", "whole.csv")
    rows = Path("whole.csv").read_bytes()
    Path("out.csv.part").write_bytes(rows[: rows.index(b"\n", len(rows) // 2) + 3])
    resumed = command(name, "in", "-o", "out.csv", "--resume")
    assert Path("out.csv").read_bytes() == rows
    assert resumed.returncode == whole.returncode == 1


@EVERY
def test_what_a_folder_leaves_out_is_said(name: str, command: Command, folder: Path) -> None:
    (folder / "notes.txt").touch()
    answer = command(name, "in")
    assert "in/notes.txt: not a picture by its suffix '.txt'" in answer.stdout + answer.stderr


@EVERY
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "Missing argument"),
        (["in", "--from", "paths"], "either by arguments or by --from"),
        (["--from", "gone"], "File 'gone' does not exist"),
        (["--from", "other.csv"], "its first line must name the column"),
        (["-", "-"], "only one picture can be read from standard input"),
        (["in", "--jobs", "0"], "0 is not in the range x>=1"),
        (["in", "--jobs", "2", "--dask", "tcp://127.0.0.1:1"], "exclude each other"),
    ],
)
def test_wrong_usage_answers_nothing(
    name: str, arguments: list[str], reason: str, command: Command, folder: Path
) -> None:
    Path("paths").touch()
    Path("other.csv").write_text("name\nin/3.png\n")
    answer = command(name, *arguments, "-o", "out")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert reason in answer.stderr
    assert not list(Path().glob("out*"))


@pytest.mark.slow
@EVERY
def test_several_processes_give_the_same_output(name: str, command: Command, folder: Path) -> None:
    one, two = (command(name, "--csv", "in", "--jobs", jobs) for jobs in ("1", "2"))
    assert (one.returncode, one.stdout, sorted(one.stderr)) == (
        two.returncode,
        two.stdout,
        sorted(two.stderr),
    )


def test_the_commands_of_the_page_run(command: Command, folder: Path) -> None:
    for name in ("5.png", "6.png"):
        (folder / name).unlink()
    shutil.move(folder, "photos")
    Path("list.csv").write_text("picture,id\nphotos/3.png,a\nphotos/9.png,b\n")
    Path("pairs.csv").write_text("first,second\nphotos/3.png,photos/9.png\n")
    blocks = re.findall(r"```\n(pairedge .*?)```", PAGE.read_text(), re.DOTALL)
    for line in "".join(blocks).splitlines():
        words = shlex.split(line.partition(" > ")[0], comments=True)
        answer = command(*words[1:])
        assert (answer.returncode, answer.stderr) == (0, ""), line
        assert answer.stdout or "-o" in words
    assert Path("digits.csv").read_text().count("\n") == 3


def test_the_commands_of_the_page_on_scale_run(command: Command, folder: Path) -> None:
    files = [f"in/{name}.png" for name in ("0", "3", "7", "9")]
    Path("list.txt").write_text("".join(f"{file}\n" for file in files))
    Path("list.csv").write_text("\n".join(["picture", *files]))
    page = (PAGE.parent / "scale.md").read_text()
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    commands = "".join(block for language, block in blocks if not language)
    lines = [line for line in commands.splitlines() if "--dask" not in line and "pip" not in line]
    assert len(lines) == 4
    for line in lines:
        program, *words = shlex.split(line)
        if program == "pairedge":
            assert command(*words).returncode == 0, line
        else:
            subprocess.run([program, *words], check=True)
    assert len(list(csv.DictReader(Path("digits.csv").read_text().splitlines()))) == 4
    assert [row["picture"] for row in csv.DictReader(Path("shard-00.csv").read_text().splitlines())] == files[
        :1
    ]


def test_the_page_lists_the_columns_of_every_command() -> None:
    columns = dict(re.findall(r"^\| `(\w+)` \| (`\w+`(?:, `\w+`)+) \|$", PAGE.read_text(), re.MULTILINE))
    assert {name: tuple(re.findall(r"`(\w+)`", text)) for name, text in columns.items()} == {
        name: layout.columns for name, layout in LAYOUTS.items()
    }


def test_the_page_lists_every_status() -> None:
    listed = re.findall(r"^\| `([a-z-]+)` \| (?:is|shows|cannot) ", PAGE.read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(EXIT_CODES)
