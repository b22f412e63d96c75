"""What a client may ask of the server: sizes, times and numbers, and the reading of a body within them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pairedge.serve.messages import RequestError, busy, too_large

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

HELD_BODIES = 3  # bodies of the largest size that may be in memory at a time, of all requests together


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a server; the defaults are those of `pairedge serve`.

    Attributes:
        max_bytes: of one body, also after decompression.
        max_pixels: of one picture.
        timeout: seconds for each of: a request's head, its body, the work on it, and an idle connection. A
            connection is cut when a request and the sending of its answer take three times that.
        max_connections: open at a time; the next is answered with 503.
        max_batch: rows (pairs or tiles) that one run of a graph takes.
        max_delay: milliseconds that a request waits for others to share its run. Requests that arrive
            together share one at 0, too.
        max_queue: rows, and pictures, that may wait; the next request is answered with 503. No request may
            have more rows.
    """

    max_bytes: int = 20_000_000
    max_pixels: int = 16_000_000
    timeout: float = 10
    max_connections: int = 256
    max_batch: int = 64
    max_delay: float = 0
    max_queue: int = 1024


class ClientGoneError(Exception):
    """The client closed the connection before its request was complete."""


class Bodies:
    """Reads bodies, each within the limits, and all together within HELD_BODIES of the largest."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.held = 0  # bytes, of all requests that are being read or answered

    async def read(self, receive: Receive, declared: str | None) -> bytes:
        """Read one body, which counts as held until `release`.

        Args:
            receive: ASGI's.
            declared: the Content-Length.

        Raises:
            RequestError: 413 when it is too large, 408 when it takes too long, 503 when too much is held.
            ClientGoneError: when the connection ends before the body does.
        """
        if declared is not None and int(declared) > self._limits.max_bytes:
            raise too_large(self._limits.max_bytes)
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.timeout):
                while await self._read_part(receive, body):
                    pass
        except BaseException as error:
            self.release(body)
            if isinstance(error, TimeoutError):
                seconds = f"{self._limits.timeout:g}"
                reason = f"the body did not arrive within {seconds} seconds"
                raise RequestError(HTTPStatus.REQUEST_TIMEOUT, reason) from error
            raise
        return bytes(body)

    async def _read_part(self, receive: Receive, body: bytearray) -> bool:
        """Append the next part of a body; whether there is more."""
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        part: bytes = message.get("body", b"")
        body += part
        self.held += len(part)
        if len(body) > self._limits.max_bytes:
            raise too_large(self._limits.max_bytes)
        if self.held > HELD_BODIES * self._limits.max_bytes:
            raise busy("the server holds too many large requests")
        return bool(message.get("more_body", False))

    def release(self, body: bytes | bytearray) -> None:
        """Forget a body that was read."""
        self.held -= len(body)
