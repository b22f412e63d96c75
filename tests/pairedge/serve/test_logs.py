"""Log lines are whole, or lost and counted; nobody waits for them."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

from pairedge.serve.logs import JsonLines


def test_a_reader_that_stopped_reading_stops_nobody() -> None:
    read, write = os.pipe()
    lost: list[int] = []
    lines = JsonLines(write, lost.append)

    async def log() -> None:
        for number in range(12_000):  # far more than a pipe holds
            lines.log("test", number=number)
        await lines.close()

    asyncio.run(log())
    assert sum(lost) == 2_000  # of 10,000 that may wait, the write is stuck
    os.close(read)  # which ends it
    os.close(write)


def test_lines_after_a_torn_one_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    lost: list[int] = []
    lines = JsonLines(descriptor, lost.append)
    os.write(descriptor, b'{"event": "torn')
    lines._torn = True  # as after a disk that was full in the middle of a line

    async def log() -> None:
        lines.log("whole")
        await lines.close()

    asyncio.run(log())
    os.close(descriptor)
    assert json.loads(path.read_text().splitlines()[1])["event"] == "whole"
    assert sum(lost) == 0
