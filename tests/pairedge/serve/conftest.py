"""Servers that the tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .server_process import Server

StartServer = Callable[..., Server]


@pytest.fixture(scope="session")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Start servers, which end with the tests."""
    servers: list[Server] = []

    def start(*options: str | Path, log: Path | None = None, **env: str) -> Server:
        servers.append(Server(tmp_path_factory.mktemp("server"), *options, log=log, **env))
        return servers[-1]

    yield start
    for server in servers:
        server.process.kill()
        server.process.wait()


@pytest.fixture(scope="session")
def server(start_server: StartServer) -> Server:
    """A server with the defaults."""
    return start_server().wait()


@pytest.fixture(scope="session")
def strict(start_server: StartServer, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A server with small limits, a token and a page."""
    folder = tmp_path_factory.mktemp("strict")
    (folder / "token").write_text("secret\n")
    (folder / "page" / "parts").mkdir(parents=True)
    (folder / "page" / "index.html").write_text("<!doctype html><title>pairedge</title>")
    (folder / "page" / "parts" / "net.wasm").write_bytes(b"\0asm")
    (folder / "page" / "notes.secret").write_text("not a part of a page")
    limits = ("--max-bytes", "20000", "--max-pixels", "90000", "--timeout", "0.6", "--max-connections", "8")
    options = ("--token-file", folder / "token", "--page", folder / "page")
    return start_server(*limits, *options).wait()
