"""The table of faults applies to the code as it is, its tests exist, and an unnoticed fault is seen."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from reliability.noticed import Fault, read_faults
from reliability.trees import ROOT

FAULTS = read_faults()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_applies_and_its_tests_exist(fault: Fault) -> None:
    changed = fault.applied_to((ROOT / fault.file).read_text())
    compile(changed, fault.file, "exec")
    for test in fault.tests:
        path, _, name = test.partition("::")
        text = (ROOT / path).read_text()
        assert not name or re.search(rf"^def {re.escape(name.partition('[')[0])}\(", text, re.MULTILINE)


def test_no_fault_stands_there_twice() -> None:
    assert len(FAULTS) == len({fault.name for fault in FAULTS})
    assert len(FAULTS) == len({(fault.file, fault.old, fault.new) for fault in FAULTS})


def test_a_fault_that_no_longer_applies_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"no longer applies: .* has its text 0 times"):
        FAULTS[0].applied_to("")
    with pytest.raises(ValueError, match="has its text 2 times"):
        FAULTS[0].applied_to(2 * FAULTS[0].old)


STATISTICS = """
file = "train/pairedge_train/reports/statistics.py"
tests = ["tests/train/reports/test_statistics.py"]
"""


@pytest.mark.campaign
@pytest.mark.slow
def test_a_fault_is_noticed_or_not(tmp_path: Path) -> None:
    changes = {
        "biased": ("statistics.stdev(values) if", "statistics.pstdev(values) if"),
        "none": ("SIGNIFICANT = 0.05", "SIGNIFICANT = 5e-2"),
    }
    entries = [
        f"[[fault]]\nname = {name!r}\nold = {old!r}\nnew = {new!r}\n{STATISTICS}"
        for name, (old, new) in changes.items()
    ]
    table = tmp_path / "faults.toml"
    table.write_text("".join(entries))
    command = [sys.executable, "-m", "reliability.noticed", "--table", str(table)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    expected = ["noticed   biased", "UNNOTICED none", "1 of 2 faults are noticed"]
    assert done.stdout.splitlines() == expected
