"""A server under everything at once, for long: no wrong answer, no 5xx but 503, and memory that is flat.

Connections send good requests, bad, huge and slow ones, and leave in the middle of some, at random. Each good
answer is compared with the library's own.

python -m benchmarks.soak [--seconds 600] [--connections 64]
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import click
import numpy as np
from PIL import Image

import pairedge
from benchmarks.options import HELP
from benchmarks.records import ROOT, SoakRecord, keep
from benchmarks.server_process import SERVE, started
from pairedge.bench import machine
from pairedge.errors import PairedgeError
from pairedge.server_load import read_leq, request_for

PAIRS = 16
TIMEOUT = 5.0  # seconds, of the server: short, so that slow clients are dropped soon
_TOLERANCE = 1e-5
_PATIENCE = 30.0  # seconds that an answer may take
_EXAMPLES = {"zero": 0, "three": 3, "five": 5, "seven": 7, "eight": 8, "nine": 9}

Answer = tuple[int, dict[str, str], bytes]  # status, headers, body
Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Soak:
    """What a server was asked, and what came of it.

    Attributes:
        port: of the server.
        leq: P(first <= second) of each pair of `request_for`, 0 to 1, as the library answers.
        until: when to stop, by the monotonic clock.
        statuses: how often each kind of request was answered with each status, "dropped" without an answer.
        wrong: sentences that say what was wrong.
    """

    port: int
    leq: list[float]
    until: float
    statuses: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    wrong: list[str] = field(default_factory=list)

    async def ask_until_the_end(self, seed: int) -> None:
        """Send one request after the other, of a random kind."""
        chance = random.Random(seed)
        kinds, weights = zip(*KINDS, strict=True)
        client: Client | None = None
        while time.monotonic() < self.until:
            [kind] = chance.choices(kinds, weights)
            client = await self.ask(kind, chance, client)
        if client is not None:
            client[1].close()

    async def ask(self, kind: Kind, chance: random.Random, client: Client | None) -> Client | None:
        """Send one request, over an open connection if there is one; give what may be used again."""
        name = kind.__name__.removeprefix("send_")
        check, answer = None, None
        try:
            client = client or await asyncio.open_connection("127.0.0.1", self.port)
            async with asyncio.timeout(_PATIENCE):
                check = await kind(self, chance, client)
                answer = None if check is None else await read_answer(client[0])
        except TimeoutError:
            self.wrong.append(f"{name}: no answer in {_PATIENCE:g} seconds")
        except (OSError, asyncio.IncompleteReadError):
            pass  # the server cut the connection: counted as dropped
        self.statuses[name]["dropped" if answer is None else str(answer[0])] += 1
        if client is None:
            return None
        if check is None or answer is None:
            client[1].transport.abort()
            return None
        if answer[0] != 503 and (sentence := check(answer)):
            self.wrong.append(f"{name}: {sentence}")
        if answer[1].get("connection") == "close":
            client[1].close()
            return None
        return client


Check = Callable[[Answer], str]  # what is wrong with an answer, in words; nothing when it is right
Kind = Callable[[Soak, random.Random, Client], Awaitable[Check | None]]


async def send_pair(soak: Soak, chance: random.Random, client: Client) -> Check:
    """A good pair of tiles, in either encoding."""
    index = chance.randrange(PAIRS)
    client[1].write(request_for(index, chance.choice(("binary", "JSON")), "localhost"))

    def check(answer: Answer) -> str:
        status, headers, body = answer
        length = headers.get("inference-header-content-length")
        leq = read_leq(int(length) if length else None, body)
        good = status == 200 and abs(leq - soak.leq[index]) <= _TOLERANCE
        return "" if good else f"{status}, {leq} instead of {soak.leq[index]}"

    return check


async def send_picture(soak: Soak, chance: random.Random, client: Client) -> Check:  # noqa: ARG001 (as all)
    """A good picture."""
    name, digit = chance.choice(list(_EXAMPLES.items()))
    post(client, "/classify", (ROOT / "examples" / f"{name}.png").read_bytes())

    def check(answer: Answer) -> str:
        good = answer[0] == 200 and json.loads(answer[2])["digit"] == digit
        return "" if good else f"{answer[0]}, {answer[2][:200]!r} instead of {digit}"

    return check


async def send_bad(soak: Soak, chance: random.Random, client: Client) -> Check:  # noqa: ARG001 (as all)
    """What the client got wrong: no picture, no JSON, another shape, an unknown path or encoding."""
    request = request_for(0, "JSON", "localhost")
    path, body, more = chance.choice(
        [
            ("/classify", chance.randbytes(300), ""),
            ("/classify", (ROOT / "examples" / "seven.png").read_bytes()[:300], ""),
            ("/classify", b"x", "Content-Encoding: gzip\r\n"),
            ("/predict", b"x", ""),
            ("/nowhere", b"x", ""),
            ("/v2/models/pairedge/infer", chance.randbytes(300), ""),
            ("/v2/models/pairedge/infer", request.partition(b"\r\n\r\n")[2].replace(b"14", b"15", 1), ""),
            ("/v2/models/pairedge/infer", b"[" * 100_000, ""),
            ("/v2/models/other/infer", b"{}", ""),
        ]
    )
    post(client, path, body, more)
    return refused


async def send_huge(soak: Soak, chance: random.Random, client: Client) -> Check:  # noqa: ARG001 (as all)
    """More than the server takes: bytes, pixels, or bytes after decompression."""
    which = chance.randrange(3)
    if which == 0:
        post(client, "/classify", b"", "Connection: close\r\n", length=10**9)  # refused by its length alone
    elif which == 1:
        post(client, "/classify", HUGE_PICTURE)
    else:
        post(client, "/classify", BOMB, "Content-Encoding: gzip\r\n")
    return refused


async def send_large(soak: Soak, chance: random.Random, client: Client) -> Check:  # noqa: ARG001 (as all)
    """As much as the server takes: a large picture of paper, and bytes that are no picture."""
    post(client, "/classify", LARGE_PICTURE if chance.random() < 0.5 else bytes(3_000_000))
    await client[1].drain()
    return refused


async def send_slowly(soak: Soak, chance: random.Random, client: Client) -> Check | None:
    """A request that does not come to its end in time: its head, or its body."""
    request = request_for(0, "binary", "localhost")
    half = request[: chance.choice((30, len(request) - 50))]
    for part in (half[:20], half[20:]):
        client[1].write(part)
        await asyncio.sleep(0.2)
    rest = await client[0].read()  # 408 or nothing, and the end
    if rest and not rest.startswith((b"HTTP/1.1 408 ", b"HTTP/1.1 503 ")):
        soak.wrong.append(f"slowly: {rest[:100]!r}")
    return None


async def send_half(soak: Soak, chance: random.Random, client: Client) -> Check | None:  # noqa: ARG001 (as the others)
    """A part of a request, and the client is gone."""
    request = request_for(0, "binary", "localhost")
    client[1].write(request[: chance.randrange(1, len(request))])
    await client[1].drain()
    return None


# Each kind of request with its share of all.
KINDS: tuple[tuple[Kind, float], ...] = (
    (send_pair, 0.60),
    (send_picture, 0.15),
    (send_bad, 0.15),
    (send_half, 0.05),
    (send_huge, 0.02),
    (send_large, 0.01),
    (send_slowly, 0.02),
)


def refused(answer: Answer) -> str:
    """What is wrong with an answer that has to be 4xx with a sentence, or rows of them."""
    status, _, body = answer
    good = 400 <= status < 500 and json.loads(body)["error"]
    return "" if good else f"{status}, {body[:200]!r}"


def blank(side: int) -> bytes:
    """A picture of paper, that many pixels square."""
    stream = BytesIO()
    Image.new("RGB", (side, side), "white").save(stream, "PNG")
    return stream.getvalue()


LARGE_PICTURE, HUGE_PICTURE = blank(3900), blank(4100)  # the server's limit is 4000 squared
BOMB = gzip.compress(bytes(50_000_000))


def post(client: Client, path: str, body: bytes, more: str = "", length: int | None = None) -> None:
    """Write a request."""
    size = len(body) if length is None else length
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n{more}"
    client[1].write(f"{head}Content-Length: {size}\r\n\r\n".encode() + body)


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """The next answer of a connection."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    return int(lines[0].split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


async def soak(process: int, port: int, connections: int, seconds: float) -> tuple[Soak, list[int]]:
    """Ask a server for some seconds; what came of it, and the server's memory in bytes, second by second."""
    leq = [read_leq_of_library(index) for index in range(PAIRS)]
    asked = Soak(port, leq, time.monotonic() + seconds)
    clients = asyncio.gather(*(asked.ask_until_the_end(seed) for seed in range(connections)))
    memory = []
    while not clients.done():
        memory.append(resident_bytes(process))
        await asyncio.wait([clients], timeout=1)
    await clients
    return asked, memory


def read_leq_of_library(index: int) -> float:
    """P(first <= second) of a pair of `request_for`, 0 to 1, by the model that ships."""
    content = json.loads(request_for(index, "JSON", "localhost").partition(b"\r\n\r\n")[2])
    [entry] = content["inputs"]
    tiles = np.array(entry["data"], np.uint8).reshape(entry["shape"])
    return float(pairedge.load().predict_batch(tiles).probability[0])


def resident_bytes(process: int) -> int:
    """The memory of a process; Linux only."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * 4096


def record_of(asked: Soak, memory: list[int], connections: int, seconds: float) -> SoakRecord:
    """The record of a soak."""
    quarter = max(1, len(memory) // 4)
    statuses = {name: dict(sorted(counts.items())) for name, counts in sorted(asked.statuses.items())}
    return SoakRecord(
        machine=machine(),
        seconds=seconds,
        connections=connections,
        statuses=statuses,
        server_errors=sum(
            count
            for counts in statuses.values()
            for status, count in counts.items()
            if status.startswith("5") and status != "503"
        ),
        wrong=asked.wrong,
        # The first quarter warms up: threads are started, and the largest pictures seen for the first time.
        # The least of a quarter is what is held when no large picture or body is at work.
        second_quarter_bytes=min(memory[quarter : 2 * quarter] or memory),
        last_quarter_bytes=min(memory[-quarter:]),
        peak_bytes=max(memory),
    )


def run(seconds: float, connections: int, timeout: float = TIMEOUT) -> SoakRecord:
    """Start a server with that timeout, soak it, and end it.

    Raises:
        PairedgeError: when it does not start, or does not end cleanly.
    """
    with started(lambda port: [*SERVE, "--port", str(port), "--timeout", str(timeout)]) as server:
        asked, memory = asyncio.run(soak(server.process.pid, server.port, connections, seconds))
    if server.process.returncode:
        raise PairedgeError(f"the server ended with {server.process.returncode}")
    return record_of(asked, memory, connections, seconds)


@click.command(context_settings=HELP)
@click.option("--seconds", type=float, default=600, show_default=True)
@click.option("--connections", type=int, default=64, show_default=True)
@click.option("--keep", "keeping", is_flag=True, help="Keep the figures in results/.")
def main(seconds: float, connections: int, keeping: bool) -> None:
    """Soak a server, and print what came of it; exit code 1 if anything was wrong."""
    record = run(seconds, connections)
    for name, counts in record.statuses.items():
        click.echo(f"{name}: {counts}")
    click.echo(
        f"memory: {record.second_quarter_bytes / 1e6:.1f} MB in the second quarter, "
        f"{record.last_quarter_bytes / 1e6:.1f} in the last, at most {record.peak_bytes / 1e6:.1f}"
    )
    for sentence in record.wrong[:20]:
        click.echo(f"wrong: {sentence}")
    if keeping:
        keep("soak", record)
    if record.wrong or record.server_errors:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
