"""`pairedge check` finds what is wrong with an installation; `pairedge examples` writes what can be tried."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import pairedge
from pairedge.cli import check
from pairedge.errors import GraphError
from pairedge.shipped import shipped_example

Command = Callable[..., CompletedProcess[str]]


def test_a_sound_installation_has_a_line_per_check(command: Command) -> None:
    answer = command("check")
    assert (answer.returncode, answer.stderr) == (0, "")
    lines = answer.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["ok"] * len(check.CHECKS)
    found = dict(zip(check.CHECKS, lines, strict=True))
    assert f"pairedge {pairedge.__version__}, " in found["packages"]
    assert all(f" {name} " in found["packages"] for name in ("click", "numpy", "onnxruntime", "pillow"))
    assert "pair, digit, compare" in found["graphs"]
    assert re.search(r"3 <= 7  P\(first <= second\) = (0\.99\d\d|1\.0000)$", found["known answer"])


@pytest.mark.parametrize(
    ("name", "break_it", "finding"),
    [
        (
            "packages",
            ("importlib.metadata.version", lambda name: "0.0.1"),
            r"click 0\.0\.1 is installed, but click>=",
        ),
        ("graphs", ("pairedge.graph.open_graph", GraphError), "pair.onnx"),
        (
            "known answer",
            ("pairedge.shipped.shipped_example", lambda name: shipped_example("nine")),
            "9 <= 9",
        ),
        ("start-up", ("sys.executable", "/bin/false"), "a process of its own fails"),
    ],
)
def test_what_is_wrong_fails_alone(
    name: str,
    break_it: tuple[str, object],
    finding: str,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target, replacement = break_it
    if replacement is GraphError:
        monkeypatch.setattr(target, lambda path, kind: (_ for _ in ()).throw(GraphError(path)))
    else:
        monkeypatch.setattr(target, replacement)
    monkeypatch.setattr(check, "CHECKS", {name: check.CHECKS[name], "system": check.CHECKS["system"]})
    answer = command("check")
    assert answer.returncode == 1
    failed, system = answer.stdout.splitlines()
    assert re.match(rf"FAILED  {name} .*{finding}", failed)
    assert system.startswith("ok      system ")


def test_examples_are_written_and_the_next_command_reads_them(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "new folder" / "pictures"
    answer = command("examples", folder)
    assert answer.returncode == 0
    assert len(list(folder.glob("*.png"))) == 6
    _, *words = shlex.split(answer.stdout.partition("Next: ")[2])
    assert command(*words).stdout.startswith("3 <= 7")


def test_examples_that_cannot_be_written_are_one_sentence(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = command("examples", tmp_path / "file")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == f"Error: {tmp_path / 'file'}: file exists\n"
