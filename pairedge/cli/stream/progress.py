"""The progress line on standard error: rows done, rate, refused, time left. For a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType

_EVERY = 0.2  # seconds between two lines: as often as one can read


class Progress:
    """Counts rows, and says how far they are.

    Args:
        shown: whether to show a line.
        total: gives the number of rows, as far as it is known; called only if there is a line to show.
        before: the number of rows that were there already.
    """

    def __init__(self, shown: bool, total: Callable[[], int | None], before: int = 0) -> None:
        self._shown = shown
        self._total = total() if shown else None
        self._before = self._done = before
        self._refused = 0
        self._start = self._last = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def step(self, refused: bool) -> None:
        """Count one row."""
        self._done += 1
        self._refused += refused
        if self._shown and (now := time.monotonic()) - self._last >= _EVERY:
            self._last = now
            self._write(self.line(now))

    def line(self, now: float) -> str:
        """The line at a time of the monotonic clock."""
        rate = (self._done - self._before) / max(now - self._start, 1e-9)
        parts = [f"{self._done:,}", f"{rate:,.0f} a second", f"{self._refused:,} refused"]
        if self._total is not None:
            parts[0] += f" of {self._total:,}"
            left = max(self._total - self._done, 0) / max(rate, 1e-9)
            minutes, seconds = divmod(round(left), 60)
            parts.append(f"{minutes // 60}:{minutes % 60:02}:{seconds:02} left")
        return ", ".join(parts)

    def clear(self) -> None:
        """Remove the line, for something else to be written."""
        if self._shown:
            self._write("")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r{text}\x1b[K")  # to the start of the line, and erase what was longer
        sys.stderr.flush()
