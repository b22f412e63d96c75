"""A server in a process of its own, for as long as it is measured."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pairedge.errors import PairedgeError

SERVE = (sys.executable, "-c", "from pairedge.cli import run; run()", "serve")
_PATIENCE = 60.0  # seconds that a server has to start


@dataclass(frozen=True)
class RunningServer:
    """Where a server listens, and its process."""

    port: int
    process: subprocess.Popen[bytes]


@contextmanager
def started(command: Callable[[int], list[str]], folder: Path | None = None) -> Iterator[RunningServer]:
    """Start a server, wait until it listens, and end it afterwards.

    Args:
        command: what starts it at a port.
        folder: to start it in; this one by default.

    Raises:
        PairedgeError: when it does not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    nothing = subprocess.DEVNULL
    process = subprocess.Popen(command(port), stdout=nothing, stderr=nothing, cwd=folder)
    try:
        until = time.monotonic() + _PATIENCE
        while not listens(port):
            if process.poll() is not None or time.monotonic() > until:
                raise PairedgeError(f"{' '.join(command(port))}: does not start")
            time.sleep(0.1)
        yield RunningServer(port, process)
    finally:
        process.terminate()
        process.wait()


def listens(port: int) -> bool:
    """Whether something listens at a port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
