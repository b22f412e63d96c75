"""Logs as JSON lines on standard error, written in the background: no request ever waits for a log."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

_PERIOD = 0.1  # seconds between writes
_LONGEST = 10_000  # lines that wait while a write is stuck; newer ones are lost
_PATIENCE = 1.0  # seconds that closing waits for the last write


class JsonLines:
    """Collects lines and writes them to a file descriptor ten times a second.

    A full disk, a closed pipe or a reader that stopped reading loses lines and nothing else; `lost` is told
    how many.
    """

    def __init__(self, descriptor: int, lost: Callable[[int], object]) -> None:
        self._descriptor = descriptor
        self._lost = lost
        self._lines: list[str] = []
        self._torn = False  # whether the last line that was written is incomplete
        self._writer = ThreadPoolExecutor(1, "log")
        self._write: asyncio.Future[int] | None = None

    def log(self, event: str, **fields: Any) -> None:
        """Add a line: the time in UTC, by the wall clock, the event and its fields."""
        if len(self._lines) >= _LONGEST:
            self._lost(1)
            return
        now = time.time()
        stamp = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1000):03}Z"
        self._lines.append(json.dumps({"time": stamp, "event": event, **fields}))

    async def run(self) -> None:
        """Write what comes in, until cancelled."""
        while True:
            await asyncio.sleep(_PERIOD)
            await self._flush()

    async def close(self) -> None:
        """Write what is left, unless the reader is stuck."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._flush()
        self._writer.shutdown(wait=False, cancel_futures=True)

    async def _flush(self) -> None:
        if self._write is not None and not self._write.done():
            await asyncio.shield(self._write)
        if self._lines:
            lines, self._lines = self._lines, []
            loop = asyncio.get_running_loop()
            self._write = loop.run_in_executor(self._writer, self._write_lines, lines)
            self._lost(await asyncio.shield(self._write))

    def _write_lines(self, lines: list[str]) -> int:
        """Write lines; how many were lost."""
        data = ("\n" if self._torn else "").encode() + "".join(f"{line}\n" for line in lines).encode()
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError:
            self._torn = self._torn if written == 0 else data[written - 1 : written] != b"\n"
            return len(lines) - data[:written].count(b"\n")
        self._torn = False
        return 0


class LogHandler(logging.Handler):
    """Hands what uvicorn logs on as JSON lines."""

    def __init__(self, lines: JsonLines) -> None:
        super().__init__(logging.WARNING)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """Add a line with the message, and the error if there is one."""
        error = {"error": repr(record.exc_info[1])} if record.exc_info else {}
        self._lines.log("server", level=record.levelname.lower(), message=record.getMessage(), **error)
