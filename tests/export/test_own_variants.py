"""A variant of one's own is trained, exported and answers, with no clone edited."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pairedge.cli import main as pairedge
from pairedge_train.cli.train import main as train
from pairedge_train.networks import variants as registry
from pairedge_train.networks.variants import variants

ROOT = Path(__file__).parents[2]
EXPORT = "from pairedge_export.cli import main; main()"


@pytest.fixture(scope="module")
def example() -> str:
    """The example of CONTRIBUTING."""
    page = (ROOT / "CONTRIBUTING.md").read_text()
    [code] = re.findall(r"```python\n# my_nets.py\n(.*?)```", page, re.DOTALL)
    return str(code)


@pytest.mark.slow
def test_the_example_is_exported_in_a_fresh_process_and_answers_without_its_code(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for names in ("_OWN", "_LOADED"):
        monkeypatch.setattr(registry, names, {})
    Path("my_nets.py").write_text(example)
    quick = ("--dataset", "uci", "--pairs", "100", "--epochs", "1")
    trained = CliRunner().invoke(train, ["--variant", "my_nets:my_net", *quick])
    assert trained.exit_code == 0, trained.output
    del sys.modules["my_nets"]
    [words] = re.findall(r"Next: pairedge-export (.+)", trained.stdout)
    assert words.startswith("--variant=my_nets:my_net runs/my_nets.my_net-")
    # -P: as in an installed program, the current folder is not on the path.
    exported = subprocess.run(
        [sys.executable, "-P", "-c", EXPORT, *words.split()], capture_output=True, text=True, check=False
    )
    assert exported.returncode == 0, exported.stderr
    Path("my_nets.py").unlink()
    [words] = re.findall(r"Next: pairedge (.+)", exported.stdout)
    answered = CliRunner().invoke(pairedge, words.split())
    assert answered.exit_code == 0, answered.output
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
