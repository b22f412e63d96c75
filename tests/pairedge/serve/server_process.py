"""A server in a process of its own, and what tests send to it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

EXAMPLES = Path(__file__).parents[3] / "examples"
_PATIENCE = 20.0  # seconds that a server has to start or to end


@dataclass(frozen=True)
class Reply:
    """The answer to a request."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The sentence of an error, which is all that its body holds."""
        assert list(self.json) == ["error"]
        return str(self.json["error"])


class Server:
    """`pairedge serve` in a process of its own."""

    def __init__(self, folder: Path, *options: str | Path, log: Path | None = None, **env: str) -> None:
        self.log = log or folder / "log.jsonl"
        command = [sys.executable, "-c", "from pairedge.cli import run; run()", "serve", "--port", "0"]
        with self.log.open("ab") as stream:
            self.process = subprocess.Popen(
                [*command, *map(str, options)], stderr=stream, env={**os.environ, **env}
            )

    def wait(self) -> Server:
        """Wait until the server says where it listens."""
        self.port = int(self.event("start")["port"])
        return self

    def events(self) -> list[dict[str, Any]]:
        """Its log so far."""
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]  # no line of a traceback does

    def event(self, name: str, count: int = 1) -> dict[str, Any]:
        """The count-th log line of an event, waited for."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            lines = [line for line in self.events() if line["event"] == name]
            if len(lines) >= count:
                return lines[count - 1]
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.02)
        raise AssertionError(f"no event {name!r}: {self.log.read_text()}")

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Reply(
                response.status,
                {name.lower(): value for name, value in response.getheaders()},
                response.read(),
            )
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, body: bytes, kind: str = "image/png", **headers: str) -> Reply:
        return self.ask("POST", path, body, {"content-type": kind, **headers})

    def post_files(self, path: str, *files: Path | tuple[str, bytes]) -> Reply:
        """Post pictures as a form, as a browser does."""
        parts = [(file.name, file.read_bytes()) if isinstance(file, Path) else file for file in files]
        disposition = 'Content-Disposition: form-data; name="picture"; filename='
        body = b"".join(
            f'--tests\r\n{disposition}"{name}"\r\n\r\n'.encode() + content + b"\r\n"
            for name, content in parts
        )
        return self.post(path, body + b"--tests--\r\n", "multipart/form-data; boundary=tests")

    def connect(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE)

    def metric(self, name: str, **headers: str) -> float:
        """The value of a metric, by its name with labels; 0 when it was never counted."""
        for line in self.get("/metrics", **headers).body.decode().splitlines():
            if line.rpartition(" ")[0] == name:
                return float(line.rpartition(" ")[2])
        return 0.0

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the server; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(_PATIENCE)


def received(connection: socket.socket) -> bytes:
    """All that the server sends until it closes; a reset counts as closing."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def png(width: int, height: int) -> bytes:
    """A blank picture."""
    stream = BytesIO()
    Image.new("L", (width, height), 255).save(stream, "PNG")
    return stream.getvalue()
