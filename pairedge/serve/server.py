"""Runs the application on uvicorn, from the bound socket to a clean end."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import signal
import socket
from pathlib import Path
from typing import Any

import uvicorn

from pairedge.errors import PairedgeError
from pairedge.serve.application import Application
from pairedge.serve.connections import WatchedConnection
from pairedge.serve.logs import LogHandler

_BACKLOG = 512  # connections that the kernel holds until they are accepted


def serve(application: Application, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; what was asked before is still answered. SIGHUP reads the model again.

    Args:
        application: with its model open.
        host: to listen at.
        port: of that host; 0 for any free one. The first log line names it.

    Raises:
        PairedgeError: when the address cannot be had.
    """
    listener = listen(host, port)
    logger = logging.getLogger("uvicorn.error")
    logger.propagate = False
    logger.addHandler(LogHandler(application.lines))
    # uvicorn calls this as it would call a class.
    connection: Any = functools.partial(WatchedConnection, application.watch)
    timeout = max(1, round(application.limits.timeout))
    config = uvicorn.Config(
        application,
        http=connection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=timeout,
        timeout_graceful_shutdown=timeout,
    )
    # uvicorn raises the signal that ended it once more; it has been obeyed by then.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_run(uvicorn.Server(config), application, listener))


async def _run(server: uvicorn.Server, application: Application, listener: socket.socket) -> None:
    if hasattr(signal, "SIGHUP"):  # not on Windows
        loop = asyncio.get_running_loop()
        reloads: set[asyncio.Task[None]] = set()  # the loop itself keeps no tasks alive

        def reload() -> None:
            task = loop.create_task(application.reload())
            reloads.add(task)
            task.add_done_callback(reloads.discard)

        loop.add_signal_handler(signal.SIGHUP, reload)
    host, port = listener.getsockname()[:2]
    application.lines.log("start", host=host, port=port, model=application.served.model.variant)
    await server.serve(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at an address.

    Raises:
        PairedgeError: when the address cannot be had.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise PairedgeError(f"{host}:{port}: {str(reason).lower()}") from error
    # The same socket with its protocol named: asyncio sets TCP_NODELAY only on connections of such a one, and
    # without it each answer would wait 40 ms for the client's delayed acknowledgment.
    return socket.socket(family, listener.type, socket.IPPROTO_TCP, listener.detach())


def read_token(path: Path) -> str:
    """The token in a file, without the line's end.

    Raises:
        PairedgeError: when it cannot be read, or is empty.
    """
    try:
        token = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not text"
        raise PairedgeError(f"{path}: {reason.lower()}") from error
    if not token:
        raise PairedgeError(f"{path}: holds no token")
    return token
