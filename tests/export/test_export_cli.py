"""`pairedge-export` as a user meets it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pairedge_export import cli


def export(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, arguments)


def test_the_newest_checkpoint_is_exported(
    checkpoint_files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for age, variant in enumerate(("ws", "base")):
        folder = tmp_path / "runs" / f"{variant}-x"
        folder.mkdir(parents=True)
        copied = shutil.copy(checkpoint_files[variant], folder / "seed-2021.safetensors")
        os.utime(copied, (1_000_000 - age, 1_000_000 - age))
    result = export()
    assert result.exit_code == 0, result.output
    assert re.search(r"✓ pair +decisions, all 500 tiles +0 of 500 differ", result.stdout)
    assert "Next: pairedge predict --model exports/ws-x/seed-2021/pair.onnx" in result.stdout
    assert (tmp_path / "exports" / "ws-x" / "seed-2021" / "card.md").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["nothing.safetensors"], 1, r"nothing.safetensors: no such checkpoint"),
        (["--runs", "empty"], 1, r"empty: no checkpoint there; train one with pairedge-train"),
        (["a", "b", "--out", "c"], 2, "--out is for one checkpoint"),
    ],
)
def test_wrong_use_is_one_sentence(
    arguments: list[str], code: int, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = export(*arguments)
    assert result.exit_code == code
    assert re.search(sentence, result.stderr.splitlines()[-1])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", ["torch", "onnx"])
def test_a_missing_package_names_the_extra(missing: str) -> None:
    program = (
        f"import sys; sys.modules[{missing!r}] = None; from pairedge_export.cli import main; main(['x'])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == f"Error: exporting needs {missing}: pip install 'pairedge[export]'\n"


def test_an_unwritable_folder_is_one_sentence(checkpoint_files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file in the way")
    result = export(str(checkpoint_files["ws"]), "--out", str(tmp_path / "out"))
    assert result.exit_code == 1
    assert re.search(r"out: cannot write pair.onnx, parity.json, card.md: ", result.stderr.splitlines()[-1])
    assert (tmp_path / "out").read_text() == "a file in the way"
