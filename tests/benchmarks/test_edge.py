"""Targets are met or missed as their bounds say, and a long-running process does not grow."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.edge import QUICK, TARGETS, Effort, Measurement, no_growth
from benchmarks.records import RESULTS, EdgeRecord, read_record
from pairedge.shipped import shipped_graph


def test_every_target_has_a_name_of_its_own_and_a_bound() -> None:
    assert len({target.name for target in TARGETS}) == len(TARGETS) == 12
    assert all(target.bound > 0 and target.unit in ("x", "MB") for target in TARGETS)


@pytest.mark.parametrize(("name", "met", "missed"), [("predict", 1.25, 1.26), ("torch_one", 10, 9.9)])
def test_a_ratio_is_compared_with_its_bound(name: str, met: float, missed: float) -> None:
    [target] = [target for target in TARGETS if target.name == name]
    assert target.met(met)
    assert not target.met(missed)


def test_the_kept_figures_are_those_of_these_targets() -> None:
    kept = read_record(RESULTS / "edge.json", EdgeRecord).targets
    assert kept == [
        target.row(Measurement(row.measured, row.raw, row.floor))
        for target, row in zip(TARGETS, kept, strict=True)
    ]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_memory_is_flat_over_many_answers() -> None:
    growth = no_growth(Path(shipped_graph("pair")).parent, QUICK)
    assert growth.raw["answers"] == Effort(answers=21_000).answers
    assert len(growth.raw["bytes"]) == 21
    [target] = [target for target in TARGETS if target.name == "growth"]
    assert target.met(growth.value)
