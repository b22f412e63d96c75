"""Strict pyright accepts what a customer writes, and nothing else; `make check` has mypy do the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CUSTOMER = Path(__file__).parent / "customer.py"

MISTAKE = """

def mistake() -> tuple[int, int]:
    return pairedge.load(digits=False).predict("a.png", "b.png").digits
"""


def test_pyright_finds_the_mistake_that_was_put_into_a_customers_code_and_no_other(tmp_path: Path) -> None:
    settings = {"typeCheckingMode": "strict", "extraPaths": [str(ROOT)], "pythonVersion": "3.11"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    (tmp_path / "customer.py").write_text(CUSTOMER.read_text() + MISTAKE)
    # basedpyright is pyright with an engine for its JavaScript; the package named pyright downloads one.
    pyright = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(pyright, capture_output=True, text=True, cwd=tmp_path, check=False)
    [found] = json.loads(done.stdout)["generalDiagnostics"]
    assert found["rule"] == "reportReturnType"
    assert found["range"]["start"]["line"] == len(CUSTOMER.read_text().splitlines()) + 3
