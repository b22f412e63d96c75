"""Runs that are killed and resumed end in the bytes of an undisturbed one; the page says what was found."""

from __future__ import annotations

import pytest

from benchmarks.many_pictures import kill_and_resume
from benchmarks.many_pictures_page import throughput
from benchmarks.records import ThroughputRecord, ThroughputRow


@pytest.mark.campaign
@pytest.mark.slow
def test_what_was_killed_and_resumed_equals_the_undisturbed_output() -> None:
    record = kill_and_resume(needed=3, rows=500, seed=1)
    assert record.kills == len(record.kept) == 3
    assert record.equal == record.runs >= 1


def row(processes: int, ratio: float, seconds: float) -> ThroughputRow:
    return ThroughputRow(
        processes=processes,
        median_ratio=ratio,
        cpu_seconds=[seconds],
        reading_cpu_seconds=[seconds / ratio],
    )


def test_the_page_says_how_many_targets_are_met() -> None:
    record = ThroughputRecord(
        machine={},
        pictures=1_000,
        picture_bytes=300_000,
        row_bytes=50_000,
        runs=1,
        rows=[row(1, 1.1, 1.0), row(2, 1.2, 1.25)],
    )
    text = "\n".join(throughput(record))
    assert "1 of 2 met" in text
    assert "| 2 | 1.200 x | 800 |" in text
