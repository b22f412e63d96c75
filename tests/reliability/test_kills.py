"""Short forms of the campaigns: a training that is disturbed, a cluster that fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reliability.rows import KillRow, SoakRow, read_campaign
from reliability.trees import ROOT


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"reliability.{module}", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.campaign
@pytest.mark.slow
def test_a_disturbed_training_loses_nothing(tmp_path: Path) -> None:
    rows = tmp_path / "kills.jsonl"
    done = run("kills", "train", "--count", "1", "--rows", str(rows))
    assert done.returncode == 0, done.stdout + done.stderr
    found = read_campaign(KillRow, rows)
    assert [row.disturbance for row in found] == ["SIGKILL", "SIGINT", "SIGTERM", "full disk", "two at once"]
    assert all(row.sound for row in found)
    again = run("kills", "train", "--count", "1", "--rows", str(rows))
    assert (again.returncode, again.stdout) == (0, "")


@pytest.mark.campaign
@pytest.mark.slow
def test_a_cluster_that_fails_trains_every_round_once(tmp_path: Path) -> None:
    rows = tmp_path / "soak.jsonl"
    done = run("soak", "--rounds", "12", "--rows", str(rows))
    assert done.returncode == 0, done.stdout + done.stderr
    [row] = read_campaign(SoakRow, rows)
    assert row.rows == row.distinct == 12
    assert row.killed + row.halted + row.restarted
