"""A Dask cluster of separate processes on this machine, to be killed, halted and restarted."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path


class Dask:
    """A `dask scheduler` or `dask worker` process, killed with all its children at the end."""

    def __init__(self, *arguments: str) -> None:
        self.command = [sys.executable, "-m", f"distributed.cli.dask_{arguments[0]}", *arguments[1:]]

    def __enter__(self) -> Dask:
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        return self

    def kill(self) -> None:
        """End it as a machine that loses power does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def halt(self) -> None:
        """Halt it, as a machine that swaps: it keeps its connections and does nothing."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        os.killpg(self.process.pid, signal.SIGCONT)

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()


def scheduler_at(address: str) -> Dask:
    """A scheduler at an address, tcp://HOST:PORT."""
    return Dask("scheduler", "--host", "127.0.0.1", "--port", address.rpartition(":")[2], "--no-dashboard")


def worker(address: str) -> Dask:
    """A worker of the scheduler at an address, with one thread."""
    return Dask("worker", address, "--nworkers", "1", "--nthreads", "1", "--no-dashboard", "--no-nanny")


def free_address() -> str:
    """An address of this machine at which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{listener.getsockname()[1]}"


def wait_for(address: str, scheduler: Dask) -> None:
    """Wait until a scheduler listens: on a busy machine its imports take longer than a client waits.

    Raises:
        RuntimeError: when it ends before.
    """
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    while True:
        if scheduler.process.poll() is not None:
            raise RuntimeError(f"the scheduler at {address} does not start")
        with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            return
        time.sleep(0.1)


def rows_in(path: Path) -> int:
    """The number of lines of a file; 0 where there is none."""
    return path.read_bytes().count(b"\n") if path.exists() else 0
