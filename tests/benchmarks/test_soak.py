"""The soak, in short: every kind of request is sent, and nothing is wrong. The kept one was long."""

from __future__ import annotations

from benchmarks import soak
from benchmarks.records import RESULTS, SoakRecord, read_record


def test_a_short_soak_finds_nothing_wrong() -> None:
    record = soak.run(seconds=3, connections=16, timeout=1)
    assert (record.wrong, record.server_errors) == ([], 0)
    assert record.statuses["pair"]["200"] > 0
    assert set(record.statuses) <= {kind.__name__.removeprefix("send_") for kind, _ in soak.KINDS}
    assert set(record.statuses["bad"]) <= {"400", "404", "422", "503", "dropped"}


def test_the_kept_soak_was_long_and_found_nothing_wrong() -> None:
    record = read_record(RESULTS / "soak.json", SoakRecord)
    assert (record.seconds, record.connections) == (600, 64)
    assert (record.wrong, record.server_errors) == ([], 0)
    assert set(record.statuses) == {kind.__name__.removeprefix("send_") for kind, _ in soak.KINDS}
    assert record.last_quarter_bytes <= record.second_quarter_bytes + 2_000_000


def test_a_refusal_is_4xx_with_a_sentence() -> None:
    assert soak.refused((400, {}, b'{"error": "x"}')) == ""
    assert soak.refused((500, {}, b'{"error": "x"}')) == '500, b\'{"error": "x"}\''
    assert soak.refused((200, {}, b'{"digit": 7}')) == "200, b'{\"digit\": 7}'"


def test_memory_is_compared_after_the_first_quarter() -> None:
    asked = soak.Soak(0, [], 0.0)
    asked.statuses["pair"].update({"200": 5, "503": 2, "500": 1})
    record = soak.record_of(asked, [90, 91, 100, 101, 100, 150, 102, 103], connections=4, seconds=8)
    assert (record.second_quarter_bytes, record.last_quarter_bytes, record.peak_bytes) == (100, 102, 150)
    assert (record.server_errors, record.statuses) == (1, {"pair": {"200": 5, "500": 1, "503": 2}})
