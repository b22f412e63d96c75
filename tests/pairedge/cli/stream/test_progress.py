"""The progress line: rows done, rate, refused, time left; where nobody looks, none."""

from __future__ import annotations

import pytest

from pairedge.cli.stream.progress import Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that the test sets."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_the_line_says_how_far_a_run_is(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(True, lambda: 10_000, before=1_000) as progress:
        for number in range(1_000):
            progress.step(refused=number % 10 == 0)
        assert capsys.readouterr().err == ""  # no time has passed
        clock[0] += 2
        progress.step(refused=False)
        assert capsys.readouterr().err == "\r2,001 of 10,000, 500 a second, 100 refused, 0:00:16 left\x1b[K"
    assert capsys.readouterr().err == "\r\x1b[K"


def test_hours_are_hours_and_an_unknown_number_has_no_end(clock: list[float]) -> None:
    progress = Progress(True, lambda: 10_000_000)
    progress.step(refused=True)
    clock[0] += 1
    assert progress.line(clock[0]).endswith("1 a second, 1 refused, 2777:46:39 left")
    progress = Progress(True, lambda: None)
    assert progress.line(clock[0]) == "0, 0 a second, 0 refused"


def test_where_no_line_is_shown_nothing_is_counted_beforehand(capsys: pytest.CaptureFixture[str]) -> None:
    def total() -> int:
        raise AssertionError

    with Progress(False, total) as progress:
        progress.step(refused=False)
        progress.clear()
    assert capsys.readouterr().err == ""
