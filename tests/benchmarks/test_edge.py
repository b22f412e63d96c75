"""The targets of the edge are met or missed as their bounds say, and a process that answers does not grow."""

from __future__ import annotations

from pathlib import Path

import pytest
from edge import QUICK, TARGETS, Effort, no_growth
from pareto import mark_front

from pairedge.model import shipped_graph


def test_every_target_has_a_name_of_its_own_and_a_bound() -> None:
    assert len({target.name for target in TARGETS}) == len(TARGETS) == 12
    assert all(target.bound > 0 and target.unit in ("x", "MB") for target in TARGETS)


@pytest.mark.parametrize(("name", "met", "missed"), [("predict", 1.25, 1.26), ("torch_one", 10, 9.9)])
def test_a_ratio_is_held_against_its_bound(name: str, met: float, missed: float) -> None:
    [target] = [target for target in TARGETS if target.name == name]
    assert target.met(met)
    assert not target.met(missed)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_memory_is_flat_over_many_answers() -> None:
    found = no_growth(Path(shipped_graph("pair")).parent, QUICK)
    assert found["answers"] == Effort(answers=21_000).answers
    assert len(found["bytes"]) == 21
    [target] = [target for target in TARGETS if target.name == "growth"]
    assert target.met(found["found"])


def test_the_front_is_what_none_is_both_as_fast_and_as_right_as() -> None:
    points = [{"accuracy": accuracy} for accuracy in (0.9, 0.8, 0.95, 0.95)]  # the fastest first
    assert [point["front"] for point in mark_front(points)] == [True, False, True, False]
