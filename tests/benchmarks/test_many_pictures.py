"""Runs that are killed and resumed end in the bytes of an undisturbed one; the page says what was found."""

from __future__ import annotations

import pytest

from benchmarks.many_pictures import kill_and_resume
from benchmarks.many_pictures_page import core_hours, size, storage, throughput
from benchmarks.records import ThroughputRecord, ThroughputRow, Way


@pytest.mark.campaign
@pytest.mark.slow
def test_what_was_killed_and_resumed_equals_the_undisturbed_output() -> None:
    record = kill_and_resume(needed=3, rows=500, seed=1)
    assert record.kills == len(record.kept) == 3
    assert record.equal == record.runs >= 1


def row(way: Way, ratio: float, seconds: float) -> ThroughputRow:
    return ThroughputRow(
        kind="drawing",
        way=way,
        pictures=1_000,
        picture_bytes=300_000,
        row_bytes=50_000,
        median_ratio=ratio,
        cpu_seconds=[seconds],
        reading_cpu_seconds=[seconds / ratio],
    )


RECORD = ThroughputRecord(
    machine={}, rows=[row("1 process", 1.1, 1.0), row("2 processes", 1.2, 1.25), row("2 Dask workers", 2, 2)]
)


def test_the_page_says_how_many_targets_are_met() -> None:
    text = "\n".join(throughput(RECORD))
    assert "1 of 2 met" in text
    assert "| 2 processes | 1 | 1.200 x | 800 |" in text


def test_costs_follow_from_the_measured_rate_and_sizes() -> None:
    # 1,000 pictures a second are 3.6 million an hour; a file has 300 bytes and takes 4,096, a row has 50.
    assert "| PNG of 28x28 pixels | 1 process | 1,000 | 300 kB | 91 % | 3 | 278 |\n" in core_hours(RECORD)
    assert "| PNG of 28x28 pixels | 41 GB | 500 MB | 4.1 TB | 50 GB |\n" in storage(RECORD)
    assert [size(count) for count in (999, 999_600, 1e15)] == ["1 kB", "1 MB", "1,000 TB"]
