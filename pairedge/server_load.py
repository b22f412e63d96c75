"""Measures a server of the Open Inference Protocol: requests per second and latency under load.

Each request holds one pair of random tiles out of PAIRS different ones, so that an answer that was meant for
another request shows. Every answer is compared with the one that the server gave to that pair alone.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from pairedge.bench import percentiles
from pairedge.errors import PairedgeError
from pairedge.image.tile import TILE_SIDE

PAIRS = 16
CONNECTIONS = (1, 16, 64)
ENCODINGS = ("binary", "JSON")
_WARM_UP = 0.2  # of a measurement's seconds: connections are opened, caches and code get warm
_TOLERANCE = 1e-5  # P(first <= second) of a pair alone and in a batch differs in its last bits
_PATIENCE = 10.0  # seconds that a first answer may take

_STATUS = re.compile(rb"HTTP/1\.[01] (\d+)")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_JSON_LENGTH = re.compile(rb"\r\ninference-header-content-length: *(\d+)", re.IGNORECASE)


class ServerError(PairedgeError):
    """A server that cannot be measured: it is not there, or does not answer a pair."""


@dataclass(frozen=True)
class Load:
    """How a server answered under load.

    Attributes:
        encoding: of requests and answers: binary tensors, or JSON alone.
        connections: that asked at the same time, each for its next answer after the last.
        requests_per_second: answered with 200.
        latency_microseconds: its percentiles `p50`, `p95` and `p99`, and their number `n`.
        failures: answers by status other than 200, and lost connections as "lost".
        wrong: answers that differ from the one to the same pair alone.
    """

    encoding: str
    connections: int
    requests_per_second: float
    latency_microseconds: dict[str, float]
    failures: dict[str, int]
    wrong: int

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain Python values, ready for JSON."""
        return asdict(self)


def measure(url: str, seconds: float) -> Iterator[Load]:
    """Measure a server for about `seconds`, with each encoding that it takes.

    Args:
        url: of the server, `http://HOST:PORT`; it serves the model `pairedge`.
        seconds: for all measurements together.

    Raises:
        ServerError: when the server is not there, or takes neither encoding.
    """
    host, port = address(url)
    refusals = []
    for encoding in ENCODINGS:
        try:
            target = asyncio.run(Target.probe(host, port, encoding))
        except ServerError as error:
            refusals.append(error)
            continue
        for connections in CONNECTIONS:
            yield target.load(connections, seconds / len(ENCODINGS) / len(CONNECTIONS))
    if len(refusals) == len(ENCODINGS):
        raise refusals[0]


def address(url: str) -> tuple[str, int]:
    """Host and port of a URL.

    Raises:
        ServerError: when it is not `http://HOST:PORT`.
    """
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port or 80
    except ValueError as error:
        raise ServerError(f"{url}: {error}") from error
    if parts.scheme != "http" or host is None:
        raise ServerError(f"{url}: expected http://HOST:PORT")
    return host, port


@dataclass(frozen=True)
class Target:
    """A server that answers, and what it answers to each pair alone.

    Attributes:
        requests: one for each pair.
        leq: P(first <= second) of each pair, 0 to 1.
    """

    host: str
    port: int
    encoding: str
    requests: list[bytes]
    leq: list[float]

    @classmethod
    async def probe(cls, host: str, port: int, encoding: str) -> Target:
        """Ask for each pair alone.

        Raises:
            ServerError: when an answer does not come, or is not one.
        """
        requests = [request_for(index, encoding, host) for index in range(PAIRS)]
        try:
            session = await _ask(host, port, requests, 1, answers=PAIRS)
        except OSError as error:
            raise ServerError(f"http://{host}:{port}: cannot be reached") from error
        leq = {index: read_leq(head, body) for index, head, body in session.answers}
        if len(leq) < PAIRS:
            status = next(iter(session.failures), "nothing in time")
            raise ServerError(f"http://{host}:{port}: answers a pair as {encoding} with {status}")
        return cls(host, port, encoding, requests, [leq[index] for index in range(PAIRS)])

    def load(self, connections: int, seconds: float) -> Load:
        """Ask over several connections for some seconds."""
        session = asyncio.run(_ask(self.host, self.port, self.requests, connections, seconds=seconds))
        wrong = sum(
            count
            for (index, head, body), count in session.answers.items()
            if not abs(read_leq(head, body) - self.leq[index]) <= _TOLERANCE
        )
        return Load(
            self.encoding,
            connections,
            len(session.times) / session.seconds,
            percentiles(session.times) if session.times else {},
            dict(session.failures),
            wrong,
        )


def request_for(index: int, encoding: str, host: str) -> bytes:
    """The HTTP request for one pair of random tiles; latency does not depend on what they show."""
    tiles = np.random.default_rng(index).integers(0, 256, (1, 2, TILE_SIDE, TILE_SIDE), np.uint8)
    entry: dict[str, Any] = {"name": "images", "shape": list(tiles.shape), "datatype": "UINT8"}
    content: dict[str, Any] = {"id": str(index), "inputs": [entry]}
    if encoding == "JSON":
        entry["data"] = tiles.ravel().tolist()
        head, body = "Content-Type: application/json\r\n", json.dumps(content).encode()
    else:
        entry["parameters"] = {"binary_data_size": tiles.size}
        content["parameters"] = {"binary_data_output": True}
        text = json.dumps(content).encode()
        kind = "Content-Type: application/octet-stream\r\n"
        head, body = f"{kind}Inference-Header-Content-Length: {len(text)}\r\n", text + tiles.tobytes()
    start = f"POST /v2/models/pairedge/infer HTTP/1.1\r\nHost: {host}\r\n"
    return f"{start}{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def read_leq(json_length: int | None, body: bytes) -> float:
    """P(first <= second) in an answer for one pair; NaN when it is not there."""
    try:
        outputs = json.loads(body[:json_length])["outputs"]
        start = json_length or 0
        for output in outputs:
            size = output.get("parameters", {}).get("binary_data_size", 0)
            if output["name"] == "leq":
                values = np.frombuffer(body[start : start + size], "<f4") if size else output["data"]
                return float(values[0])
            start += size
    except (ValueError, LookupError, TypeError, AttributeError):
        pass
    return float("nan")


@dataclass
class _Session:
    """What some connections ask, and what they are answered.

    Attributes:
        left: answers that are waited for; then `done`.
        times: seconds of each answer with 200.
        answers: how often each answer came: the number of its pair, the length of its JSON, its body.
        started: answers before are not counted.
    """

    requests: list[bytes]
    done: asyncio.Future[None]
    left: float = float("inf")
    started: float = 0.0
    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    answers: Counter[tuple[int, int | None, bytes]] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    turn: int = 0

    def next_request(self) -> int:
        """The number of the next pair to ask for."""
        self.turn += 1
        return self.turn % len(self.requests)

    def count(self, index: int, asked: float, status: bytes, json_length: int | None, body: bytes) -> None:
        """Count an answer."""
        now = time.perf_counter()
        if now < self.started:
            return
        if status == b"200":
            self.times.append(now - asked)
            self.answers[index, json_length, body] += 1
        else:
            self.failures[status.decode()] += 1
        self.left -= 1
        if self.left <= 0:
            self.finish()

    def finish(self) -> None:
        """Stop waiting."""
        if not self.done.done():
            self.done.set_result(None)


def _body(buffer: bytes, head: int) -> tuple[bytes, int] | None:
    """The body after a head of so many bytes, and where it ends in the buffer; None while it is not whole."""
    length = _LENGTH.search(buffer, 0, head)
    if length:
        end = head + int(length[1])
        return (buffer[head:end], end) if len(buffer) >= end else None
    parts: list[bytes] = []  # in chunks, each with its size before it; the last is empty
    while (line := buffer.find(b"\r\n", head)) >= 0:
        size = int(buffer[head:line], 16)
        head = line + 2 + size + 2
        if len(buffer) < head:
            break
        if size == 0:
            return b"".join(parts), head
        parts.append(buffer[line + 2 : line + 2 + size])
    return None


class _Client(asyncio.Protocol):
    """A connection that asks, waits for the whole answer, and asks again."""

    def __init__(self, session: _Session) -> None:
        self._session = session
        self._buffer = b""
        self._open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._ask()

    def _ask(self) -> None:
        self._index = self._session.next_request()
        self._asked = time.perf_counter()
        self.transport.write(self._session.requests[self._index])

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n") + 4
        whole = _body(self._buffer, head) if head >= 4 else None
        if whole is None:
            return
        body, end = whole
        status = _STATUS.match(self._buffer)
        json_length = _JSON_LENGTH.search(self._buffer, 0, head)
        self._session.count(
            self._index,
            self._asked,
            status[1] if status else b"no HTTP",
            int(json_length[1]) if json_length else None,
            body,
        )
        self._buffer = self._buffer[end:]
        if self._open:
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        if self._open:
            self._session.failures["lost"] += 1
            self._session.finish()

    def close(self) -> None:
        self._open = False
        self.transport.abort()


async def _ask(
    host: str, port: int, requests: list[bytes], connections: int, *, seconds: float = 0, answers: int = 0
) -> _Session:
    """Ask for some seconds, or for a number of answers."""
    loop = asyncio.get_running_loop()
    session = _Session(requests, loop.create_future(), left=answers or float("inf"))
    session.started = time.perf_counter() + seconds * _WARM_UP
    opened = [
        await loop.create_connection(lambda: _Client(session), host, port)  # at once, one after the other
        for _ in range(connections)
    ]
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds or _PATIENCE):
            await session.done
    session.seconds = time.perf_counter() - session.started
    for _, client in opened:
        client.close()
    return session
