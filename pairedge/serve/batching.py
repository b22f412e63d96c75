"""Requests that meet are run as one batch, which takes far less time than one run for each."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pairedge.serve.limits import Limits
from pairedge.serve.messages import RequestError, busy

# Arrays whose first axis is the batch, all of one length.
Arrays: TypeAlias = tuple[NDArray[Any], ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """At most max_batch rows that wait, and what tells their request of the result."""

    inputs: Arrays
    result: asyncio.Future[Arrays]

    @property
    def rows(self) -> int:
        return len(self.inputs[0])


class Batcher:
    """Collects rows of several requests and runs them at once, in the order of their arrival.

    Runs take the event loop's own thread: one of max_batch rows lasts about a millisecond, less than what
    handing each request to another thread would cost.
    """

    def __init__(
        self, run: Callable[..., Arrays], limits: Limits, observe: Callable[[int], object] = lambda _: None
    ) -> None:
        """Make a batcher.

        Args:
            run: from input arrays, (N, ...), to a tuple of output arrays, (N, ...).
            limits: max_batch, max_delay and max_queue.
            observe: is told the number of rows of each run.
        """
        self._run_graph = run
        self._limits = limits
        self._observe = observe
        self._queue: deque[_Entry] = deque()
        self._due: asyncio.Handle | None = None
        self.waiting = 0  # rows

    async def __call__(self, *inputs: NDArray[Any]) -> Arrays:
        """The outputs for some rows.

        Args:
            inputs: arrays of the graph's dtypes, each (N, ...), N at least 1.

        Returns:
            The outputs of the graph, each (N, ...).

        Raises:
            RequestError: 503 when too many rows wait already, 413 for more rows than may ever wait.
        """
        if len(inputs[0]) > self._limits.max_queue:
            reason = f"{len(inputs[0]):,} rows are more than {self._limits.max_queue:,}, the server's limit"
            raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, reason)
        if self.waiting >= self._limits.max_queue:
            raise busy(f"{self.waiting} rows are waiting")
        loop = asyncio.get_running_loop()
        size = self._limits.max_batch
        entries = [
            _Entry(tuple(array[start : start + size] for array in inputs), loop.create_future())
            for start in range(0, len(inputs[0]), size)
        ]
        self._queue.extend(entries)
        self.waiting += len(inputs[0])
        self._schedule(loop)
        parts = [await entry.result for entry in entries]
        return parts[0] if len(parts) == 1 else tuple(map(np.concatenate, zip(*parts, strict=True)))

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        """See to it that `_run` is called: soon when a batch is full, else within max_delay."""
        full = self.waiting >= self._limits.max_batch
        if self._due is not None:
            if not (full and isinstance(self._due, asyncio.TimerHandle)):
                return
            self._due.cancel()
        if full or not self._limits.max_delay:
            self._due = loop.call_soon(self._run)
        else:
            self._due = loop.call_later(self._limits.max_delay / 1000, self._run)

    def _run(self) -> None:
        """Run one batch and give each request its rows."""
        self._due = None
        batch: list[_Entry] = []
        rows = 0
        while self._queue and rows + self._queue[0].rows <= self._limits.max_batch:
            entry = self._queue.popleft()
            self.waiting -= entry.rows
            if not entry.result.done():  # else its request was given up
                batch.append(entry)
                rows += entry.rows
        if self._queue:
            self._schedule(asyncio.get_running_loop())
        if not batch:
            return
        self._observe(rows)
        try:
            outputs = self._run_graph(*map(_join, zip(*(entry.inputs for entry in batch), strict=True)))
        except Exception as error:
            for entry in batch:
                entry.result.set_exception(error)
            return
        start = 0
        for entry in batch:
            end = start + entry.rows
            entry.result.set_result(tuple(output[start:end] for output in outputs))
            start = end


def _join(arrays: Arrays) -> NDArray[Any]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
