"""The server as a program: what it serves, whom, what it logs, and how it starts and ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from openapi_spec_validator import validate

from pairedge.cli import main
from pairedge.serve.openapi import document
from pairedge.serve.page import shipped_page

from .conftest import StartServer
from .server_process import EXAMPLES, Server, received

ROOT = EXAMPLES.parent
SEVEN = (EXAMPLES / "seven.png").read_bytes()
TOKEN = {"authorization": "Bearer secret"}


def test_the_probes_answer(server: Server) -> None:
    for path in ("/v2/health/live", "/v2/health/ready"):
        assert (server.get(path).status, server.get(path).body) == (200, b"")
        assert server.ask("HEAD", path).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "sentence"),
    [
        ("GET", "/nowhere", 404, "there is nothing at /nowhere"),
        ("GET", "/predict", 405, "/predict takes POST, not GET"),
        ("DELETE", "/metrics", 405, "/metrics takes GET, not DELETE"),
    ],
)
def test_an_unknown_path_or_method_is_refused(
    server: Server, method: str, path: str, status: int, sentence: str
) -> None:
    reply = server.ask(method, path)
    assert (reply.status, reply.error) == (status, sentence)


def test_a_token_is_asked_for_everywhere_but_for_probes_and_the_page(strict: Server) -> None:
    assert strict.get("/v2/health/ready").status == 200
    assert strict.get("/").status == 200
    for path in ("/metrics", "/openapi.json"):
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "secret"}):
            reply = strict.get(path, **headers)
            assert (reply.status, reply.headers["www-authenticate"]) == (401, "Bearer")
        assert strict.get(path, **TOKEN).status == 200
    assert strict.post("/classify", SEVEN).status == 401
    assert strict.post("/classify", SEVEN, **TOKEN).json["digit"] == 7


def test_the_page_is_the_files_that_lie_in_its_folder(strict: Server) -> None:
    assert strict.get("/").body == strict.get("/index.html").body != b""
    module = strict.get("/parts/net.wasm")
    assert (module.body, module.headers["content-type"]) == (b"\0asm", "application/wasm")
    assert "default-src 'self'" in module.headers["content-security-policy"]
    for path in ("/notes.secret", "/../token", "/%2e%2e/token", "/parts/../../token", "//etc/passwd"):
        assert strict.get(path, **TOKEN).status == 404


def test_the_page_that_ships_is_served_whole(server: Server) -> None:
    page = shipped_page()
    assert page is not None
    assert server.get("/").body == (page / "index.html").read_bytes()
    for path in page.rglob("*.*"):  # none of its files is of a kind that is left out
        assert server.get(f"/{path.relative_to(page).as_posix()}").body == path.read_bytes()


def test_openapi_in_the_docs_is_the_servers_and_valid(server: Server) -> None:
    text = (ROOT / "docs" / "openapi.json").read_text()
    assert json.loads(text) == document(), "run `make openapi`"
    assert server.get("/openapi.json").json == document()
    validate(document())


def test_openapi_lists_every_route(server: Server) -> None:
    for path, operations in document()["paths"].items():
        path = re.sub(r"\{model\}", "pairedge", path)
        for method in operations:
            assert server.ask(method.upper(), path).status not in (404, 405), path


def test_metrics_count_requests_and_pictures(server: Server) -> None:
    names = (
        'pairedge_requests_total{route="/classify",status="200"}',
        'pairedge_pictures_total{status="ok"}',
        'pairedge_batch_rows_count{graph="tiles"}',
    )
    before = [server.metric(name) for name in names]
    server.post("/classify", SEVEN)
    assert [server.metric(name) for name in names] == [count + 1 for count in before]
    assert server.metric("process_resident_memory_bytes") > 10_000_000
    assert server.metric("pairedge_held_bytes") == 0


def test_each_request_is_a_line_of_json(server: Server) -> None:
    server.get("/a-path-for-this-test")
    until = time.monotonic() + 5
    while not (lines := [line for line in server.events() if line.get("path") == "/a-path-for-this-test"]):
        assert time.monotonic() < until
        time.sleep(0.02)
    [line] = lines
    assert [line[key] for key in ("event", "method", "status", "client")] == [
        "request",
        "GET",
        404,
        "127.0.0.1",
    ]
    assert line["error"] == "there is nothing at /a-path-for-this-test"
    assert abs((datetime.now(UTC) - datetime.fromisoformat(line["time"])).total_seconds()) < 60


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_ends_after_what_it_was_asked_before(start_server: StartServer, number: int) -> None:
    server = start_server().wait()
    with server.connect() as connection:
        head = b"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
        connection.sendall(head + f"Content-Length: {len(SEVEN)}\r\n\r\n".encode() + SEVEN[:100])
        time.sleep(0.2)
        server.process.send_signal(number)
        time.sleep(0.3)
        with pytest.raises(ConnectionRefusedError):
            server.connect()
        connection.sendall(SEVEN[100:])
        assert b'"digit": 7' in received(connection)
    assert server.stop() == 0
    assert [line["event"] for line in server.events()] == ["start", "request", "stop"]


def test_a_full_disk_for_logs_stops_no_answer(start_server: StartServer, tmp_path: Path) -> None:
    # /dev/full fails each write as a full disk does. No log can name the port, so it is chosen here.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = start_server("--port", str(port), log=Path("/dev/full"))
    server.port = port
    until = time.monotonic() + 20
    while True:
        try:
            server.connect().close()
            break
        except ConnectionRefusedError:
            assert time.monotonic() < until
            time.sleep(0.05)
    for _ in range(5):
        assert server.post("/classify", SEVEN).json["digit"] == 7
        time.sleep(0.1)
    assert server.metric("pairedge_log_lines_lost_total") >= 5
    assert server.stop() == 0


def test_a_clock_that_goes_backwards_changes_no_deadline(start_server: StartServer, tmp_path: Path) -> None:
    # Python runs this module at its start: each look at the wall clock is an hour before the last one.
    (tmp_path / "sitecustomize.py").write_text(
        "import itertools, time\nhours = itertools.count()\ntime.time = lambda: 2e9 - 3600 * next(hours)\n"
    )
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    server = start_server("--timeout", "0.5", PYTHONPATH=paths).wait()
    assert server.post("/classify", SEVEN).json["digit"] == 7
    with server.connect() as idle:
        idle.sendall(b"GET ")
        assert idle.recv(1) == b""  # dropped in time, by the clock that cannot go back
    assert server.metric('pairedge_request_seconds_sum{route="/classify"}') >= 0
    assert server.stop() == 0
    stamps = [line["time"] for line in server.events()]
    assert stamps == sorted(stamps, reverse=True)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--model", "nowhere.onnx"], "nowhere.onnx: no such file or directory"),
        (["--host", "256.0.0.1"], "256.0.0.1:8000: "),
        (["--page", "."], ".: has no index.html"),
        (["--token-file", "empty"], "empty: holds no token"),
    ],
)
def test_a_server_that_cannot_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").touch()
    result = CliRunner().invoke(main, ["serve", *options])
    assert result.exit_code == 1
    assert sentence in result.output


def test_a_taken_port_is_said(server: Server) -> None:
    result = CliRunner().invoke(main, ["serve", "--port", str(server.port)])
    assert (result.exit_code, result.output.strip()) == (
        1,
        f"Error: 127.0.0.1:{server.port}: address already in use",
    )


def test_serving_says_what_to_install(interpreter: Callable[..., str]) -> None:
    code = """
import sys
from click.testing import CliRunner
sys.modules["uvicorn"] = None
from pairedge.cli import main
print(CliRunner().invoke(main, ["serve"]).output, end="")
"""
    assert interpreter(code) == "Error: serving needs uvicorn: pip install 'pairedge[serve]'\n"


def test_predict_imports_nothing_of_the_server(interpreter: Callable[..., str]) -> None:
    code = """
import sys
from pairedge.cli import main
main(["predict", *sys.argv[1:]], standalone_mode=False)
print([name for name in sys.modules if name.startswith(("pairedge.serve", "asyncio", "uvicorn"))])
"""
    assert interpreter(code, EXAMPLES / "three.png", EXAMPLES / "seven.png").endswith("[]\n")
