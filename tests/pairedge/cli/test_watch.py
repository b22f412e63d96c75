"""`pairedge watch`: each picture that arrives is answered once it is whole, and a signal ends it cleanly."""

from __future__ import annotations

import csv
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from threading import Timer

import click
import pytest
from watchfiles import Change

from pairedge.cli.stream.inputs import Inputs
from pairedge.cli.watch import arrivals

Command = Callable[..., CompletedProcess[str]]

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_a_file_is_read_when_it_has_not_changed_for_a_while(tmp_path: Path, clock: list[float]) -> None:
    path = tmp_path / "a.png"
    seen: list[tuple[float, str]] = []

    def changes() -> Iterator[set[tuple[Change, str]]]:
        for second in range(10):
            clock[0] = second
            if second in (1, 2, 3):  # three parts of a file, of which the last is not told of
                path.write_bytes(b"x" * second)
            yield {(Change.modified, str(path))} if second in (1, 2) else set()

    for name in arrivals(str(tmp_path), changes(), settle=2):
        seen.append((clock[0], name))
    assert seen == [(5, str(path))]


def test_only_pictures_that_stay_arrive(tmp_path: Path, clock: list[float]) -> None:
    (tmp_path / ".hidden").mkdir()
    for name in ("notes.txt", ".a.png", ".hidden/b.png", "old.png", "new.png"):
        (tmp_path / name).touch()
    changed = {
        (Change.added, str(tmp_path / name)) for name in ("notes.txt", ".a.png", ".hidden/b.png", "gone.png")
    }
    looks = [changed | {(Change.added, str(tmp_path / "new.png"))}, set(), set()]
    before = Inputs(("picture",), (str(tmp_path),), None, False)
    assert sorted(arrivals(str(tmp_path), looks, 0, before)) == [
        str(tmp_path / "new.png"),
        str(tmp_path / "old.png"),
    ]
    assert list(arrivals(str(tmp_path), looks, 0)) == [str(tmp_path / "new.png")]


def test_a_folder_that_is_removed_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match="was removed"):
        list(arrivals(str(tmp_path / "gone"), [set()], 0))


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--polling"]], ids=" ".join)
def test_pictures_are_answered_as_they_arrive_until_a_signal(tmp_path: Path, options: list[str]) -> None:
    shutil.copy(EXAMPLES / "five.png", tmp_path)
    command = [sys.executable, "-m", "pairedge", "watch", "--existing", "--csv", "--settle", "0", *options]
    with subprocess.Popen(
        [*command, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        rescue = Timer(60, program.kill)  # a test must not wait for ever
        rescue.start()
        assert program.stdout is not None
        lines = [program.stdout.readline() for _ in range(2)]
        shutil.copy(EXAMPLES / "eight.png", tmp_path / ".part")
        (tmp_path / ".part").replace(tmp_path / "eight.png")
        lines.append(program.stdout.readline())
        program.send_signal(signal.SIGTERM)
        rest, errors = program.communicate()
        rescue.cancel()
    assert [Path(row["picture"]).name for row in csv.DictReader(lines)] == ["five.png", "eight.png"]
    assert [row["digit"] for row in csv.DictReader(lines)] == ["5", "8"]
    assert (program.returncode, rest, errors) == (0, "", "Stopped after 2 pictures\n")


def test_without_its_library_one_sentence_says_what_to_install(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    answer = command("watch", tmp_path)
    assert answer.returncode == 1
    assert answer.stderr == "Error: watch needs watchfiles: pip install 'pairedge[watch]'\n"
