"""Connections with deadlines: slow and half-open clients are dropped, and no client sends an endless head."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pairedge.serve.limits import Limits
from pairedge.serve.messages import RequestError, busy
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


class JoinedWrites:
    """A transport that sends what is written in one pass of the event loop at once.

    uvicorn writes an answer's head and body one after the other. Each write is a call of the system, and
    wakes the client: together they take more time than all else that is done for a small request.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send soon."""
        if not self._parts:
            self._loop.call_soon(self._send)
        self._parts.append(data)

    def _send(self) -> None:
        if self._parts:
            parts, self._parts = self._parts, []
            self._transport.write(b"".join(parts))

    def close(self) -> None:
        """Send what was written, and close."""
        self._send()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:  # all else is the transport's own
        return getattr(self._transport, name)


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
        super().connection_made(cast(asyncio.Transport, JoinedWrites(transport, self.loop)))
        self._expect_within(self._timeout)
        if len(self._watch.open) >= self._watch.limits.max_connections:
            self._refuse(busy("the server has no more connections"), "full")
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
                reason = f"the head of the request has more than {_LARGEST_HEAD:,} bytes"
                self._refuse(RequestError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, reason), "head")

    def on_message_begin(self) -> None:
        """A request's first byte is here."""
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0
        self._expect_within(self._timeout)

    def on_headers_complete(self) -> None:
        """A request's head is here; its body, the work on it and the sending of the answer follow."""
        self._in_head = False
        self._expect_within(3 * self._timeout)
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """An answer is on its way."""
        self._expect_within(self._timeout)
        super().on_response_complete()

    def _expect_within(self, seconds: float) -> None:
        self.deadline = self.loop.time() + seconds

    def _refuse(self, error: RequestError, metric: str) -> None:
        """Answer without a request, and close."""
        answer = error.answer()
        headers = {
            "Content-Type": answer.content_type,
            "Content-Length": str(len(answer.body)),
            "Connection": "close",
            **answer.headers,
        }
        lines = [f"HTTP/1.1 {error.status.value} {error.status.phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + answer.body)
        self.transport.close()
        self._watch.metrics.dropped.labels(metric).inc()
