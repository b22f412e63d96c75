"""A variant of one's own is trained, exported and answers, each in a fresh process, with no clone edited."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pairedge_train.networks import variants as registry
from pairedge_train.networks.variants import variants

ROOT = Path(__file__).parents[2]
PROGRAMS = {
    "pairedge-train": "from pairedge_train.cli.train import main; main()",
    "pairedge-export": "from pairedge_export.cli import main; main()",
    "pairedge": "from pairedge.cli import run; run()",
}


@pytest.fixture(scope="module")
def example() -> str:
    """The example of CONTRIBUTING."""
    page = (ROOT / "CONTRIBUTING.md").read_text()
    [code] = re.findall(r"```python\n# my_nets.py\n(.*?)```", page, re.DOTALL)
    return str(code)


def run(folder: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    # -P: as of an installed program, the current folder is not on its path.
    command = [sys.executable, "-P", "-c", PROGRAMS[program], *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_example_is_trained_exported_and_answers_in_fresh_processes(example: str, tmp_path: Path) -> None:
    (tmp_path / "my_nets.py").write_text(example)
    quick = ("--dataset", "uci", "--pairs", "100", "--epochs", "1")
    trained = run(tmp_path, "pairedge-train", "--variant", "my_nets:my_net", *quick)
    assert trained.returncode == 0, trained.stderr
    [words] = re.findall(r"Next: pairedge-export (.+)", trained.stdout)
    named, checkpoint = words.split()
    assert named == "--variant=my_nets:my_net"

    unnamed = run(tmp_path, "pairedge-export", checkpoint)
    assert unnamed.returncode == 1
    assert unnamed.stderr == (
        f"Error: {checkpoint}: variant 'my_nets:my_net' is code of your own, which is not imported; "
        "say --variant my_nets:my_net\n"
    )
    assert not (tmp_path / "exports").exists()

    exported = run(tmp_path, "pairedge-export", named, checkpoint)
    assert exported.returncode == 0, exported.stderr
    assert "✗" not in exported.stdout
    [words] = re.findall(r"Next: pairedge (.+)", exported.stdout)
    (tmp_path / "my_nets.py").unlink()  # a graph needs no code
    answered = run(tmp_path, "pairedge", *words.split())
    assert answered.returncode == 0, answered.stderr
    assert "P(first <= second) = " in answered.stdout


def test_the_example_is_complete_in_the_folder_of_variants_too(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_example.py").write_text(example)
    monkeypatch.setattr(registry, "__path__", [*registry.__path__, str(tmp_path)])
    monkeypatch.setattr(registry, "_SHIPPED", dict(variants()))
    try:
        added = variants()["my_net"]
    finally:
        sys.modules.pop(f"{registry.__name__}.my_example", None)
    assert added.summary == "One convolution and one branch, comparison and digit losses."
    assert sum(parameter.numel() for parameter in added.build().parameters()) == added.parameters
