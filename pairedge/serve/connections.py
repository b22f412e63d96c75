"""Connections with deadlines: slow and half-open clients are dropped, and no client sends an endless head."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pairedge.serve.limits import Limits
from pairedge.serve.metrics import Metrics

_LARGEST_HEAD = 64_000  # bytes of a request's line and headers
_PERIOD = 1.0  # seconds between two looks at all deadlines


class Watch:
    """The open connections of a server."""

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self.limits = limits
        self.metrics = metrics
        self.open: set[WatchedConnection] = set()

    async def run(self) -> None:
        """Cut each connection that missed its deadline, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(_PERIOD, self.limits.timeout / 2))
            now = loop.time()
            for connection in [each for each in self.open if each.deadline < now]:
                self.metrics.dropped.labels("slow").inc()
                connection.transport.abort()  # not `close`, which would wait for a client that reads nothing


class WatchedConnection(HttpToolsProtocol):
    """uvicorn's connection, with a deadline for whatever it waits for.

    Attributes:
        deadline: by the loop's clock, which never goes backwards: for the first byte, for the end of the
            head, for the end of the answer, or for the next request.
    """

    def __init__(self, watch: Watch, **settings: Any) -> None:
        super().__init__(**settings)
        self._watch = watch
        self._timeout = watch.limits.timeout
        self._in_head = False
        self._head_bytes = 0
        self.deadline = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Start the clock, or turn away a connection too many."""
        super().connection_made(transport)
        self._expect_within(self._timeout)
        if len(self._watch.open) >= self._watch.limits.max_connections:
            self._refuse("503 Service Unavailable", "the server has no more connections; try again", "full")
        self._watch.open.add(self)
        self._watch.metrics.connections.set(len(self._watch.open))

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        self._watch.open.discard(self)
        self._watch.metrics.connections.set(len(self._watch.open))

    def data_received(self, data: bytes) -> None:
        """Parse, and count the bytes of a head that does not end."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > _LARGEST_HEAD:
                self._refuse("431 Request Header Fields Too Large", "the head is too large", "head")

    def on_message_begin(self) -> None:
        """A request's first byte is here."""
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0
        self._expect_within(self._timeout)

    def on_headers_complete(self) -> None:
        """A request's head is here; its body, its answer and the sending of it follow."""
        self._in_head = False
        self._expect_within(2 * self._timeout)
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """An answer is on its way."""
        self._expect_within(self._timeout)
        super().on_response_complete()

    def _expect_within(self, seconds: float) -> None:
        self.deadline = self.loop.time() + seconds

    def _refuse(self, status: str, reason: str, metric: str) -> None:
        """Answer without a request, and close."""
        body = f'{{"error": "{reason}"}}'
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self.transport.write(f"{head}Retry-After: 1\r\nConnection: close\r\n\r\n{body}".encode())
        self.transport.close()
        self._watch.metrics.dropped.labels(metric).inc()
