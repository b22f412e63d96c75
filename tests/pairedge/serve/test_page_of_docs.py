"""Every example of docs/serve.md runs against a server, and its table of limits is that of the program."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from pairedge.cli import main
from pairedge.cli.serve import command
from pairedge.serve.limits import Limits

from .server_process import EXAMPLES, Server

ROOT = EXAMPLES.parent
PAGE = (ROOT / "docs" / "serve.md").read_text()


def blocks(language: str, server: Server) -> list[str]:
    """The examples in a language, sent to this server."""
    found = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)
    here = f"127.0.0.1:{server.port}"
    return [block.replace("127.0.0.1:8000", here) for name, block in found if name == language]


def test_the_client_in_shell_works(server: Server) -> None:
    [block] = blocks("sh", server)
    predict, classify = (
        subprocess.run(
            ["curl", "-sS", *shlex.split(line)[1:]], check=True, capture_output=True, cwd=ROOT
        ).stdout
        for line in block.splitlines()
    )
    row = json.loads(predict)
    assert (row["first"], row["second"], row["digits"]) == ("three.png", "seven.png", [3, 7])
    assert json.loads(classify)["digit"] == 7


def test_the_clients_in_python_work(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    plain, protocol = blocks("python", server)
    names: dict[str, object] = {}
    exec(compile(plain, "serve.md", "exec"), names)
    row = names["row"]
    assert isinstance(row, dict)
    assert (row["status"], row["digit"]) == ("ok", 7)
    exec(compile(protocol, "serve.md", "exec"), names)
    result = names["result"]
    np.testing.assert_array_equal(result.as_numpy("digits").argmax(axis=2), [[3, 7]])  # type: ignore[attr-defined]  # it is there


def test_the_commands_are_there(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [line] = [line for line in blocks("", server)[-1].splitlines() if line.startswith("pairedge bench")]
    done = CliRunner().invoke(main, [*shlex.split(line)[1:], "--seconds", "0.6"])
    assert done.exit_code == 0, done.output
    assert Path("load.png").exists()


def test_the_limits_are_those_of_the_program() -> None:
    rows = re.findall(r"^\| `--([a-z-]+)` \| (\S+) \|", PAGE, re.MULTILINE)
    stated = {name.replace("-", "_"): float(value) for name, value in rows}
    assert stated == {name: float(value) for name, value in vars(Limits()).items()}
    assert stated.keys() <= {parameter.name for parameter in command.params}
