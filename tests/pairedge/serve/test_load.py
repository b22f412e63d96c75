"""`pairedge bench --server` measures a server, counts what fails, and finds wrong answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from PIL import Image

from pairedge.server_load import CONNECTIONS, ENCODINGS, ServerError, address, measure, read_leq, request_for

from .server_process import Server

Command = Callable[..., CompletedProcess[str]]
LEQ = {
    "model_name": "pairedge",
    "outputs": [{"name": "leq", "shape": [1], "datatype": "FP32", "data": [0.25]}],
}


class QuietServer(ThreadingHTTPServer):
    """Takes many connections at once, and says nothing when they are cut."""

    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, *_: object) -> None: ...


@contextmanager
def answering(answer: Callable[[int], tuple[int, float]], *, chunked: bool = False) -> Iterator[str]:
    """A server that gives the n-th request a status and a probability; its URL."""
    count = iter(range(1_000_000))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, leq = answer(next(count))
            body = json.dumps(
                {"outputs": [{"name": "other", "data": [1]}, {"name": "leq", "data": [leq]}]}
            ).encode()
            self.send_response(status)
            if chunked:
                self.send_header("Transfer-Encoding", "chunked")
                body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:], b""))
            else:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = QuietServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_each_encoding_is_measured_at_each_number_of_connections(
    server: Server, command: Command, tmp_path: Path
) -> None:
    url, drawing = f"http://127.0.0.1:{server.port}", tmp_path / "load.png"
    done = command("bench", "--server", url, "--seconds", "1.2", "--json", "--show", drawing)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["server"] == url
    assert [(load["encoding"], load["connections"]) for load in result["loads"]] == [
        (encoding, count) for encoding in ENCODINGS for count in CONNECTIONS
    ]
    for load in result["loads"]:
        assert load["requests_per_second"] > 0
        assert load["latency_microseconds"]["p50"] <= load["latency_microseconds"]["p99"]
        assert (load["failures"], load["wrong"]) == ({}, 0)
    with Image.open(drawing) as image:
        assert image.width > image.height > 200


def test_the_table_has_a_line_for_each_load(server: Server, command: Command) -> None:
    lines = command(
        "bench", "--server", f"http://127.0.0.1:{server.port}", "--seconds", "0.6"
    ).stdout.splitlines()
    assert lines[0].split() == [
        *("encoding", "connections", "requests/s", "p50", "ms", "p95", "ms", "p99", "ms", "failed", "wrong")
    ]
    assert [line.split()[:2] for line in lines[1:]] == [
        [encoding, str(count)] for encoding in ENCODINGS for count in CONNECTIONS
    ]


@pytest.mark.parametrize("chunked", [False, True])
def test_failures_and_wrong_answers_are_counted(chunked: bool) -> None:
    # The first 16 requests ask for each pair alone; from then on every fourth answer fails or is wrong.
    def answer(number: int) -> tuple[int, float]:
        if number < 16 or number % 4 > 1:
            return 200, 0.25
        return (503, 0.25) if number % 4 else (200, 0.26)

    with answering(answer, chunked=chunked) as url:
        loads = list(measure(url, 0.6))
    assert sum(load.wrong for load in loads) > 0
    assert sum(load.failures.get("503", 0) for load in loads) > 0
    assert all(set(load.failures) <= {"503"} for load in loads)


def test_the_command_fails_when_an_answer_does(command: Command) -> None:
    with answering(lambda number: (200 if number < 16 else 503, 0.25)) as url:
        done = command("bench", "--server", url, "--seconds", "0.3")
    assert done.returncode == 1
    assert done.stdout.splitlines()[1].split()[2:6] == ["0", "-", "-", "-"]


def test_a_server_that_cannot_be_measured_is_said(command: Command) -> None:
    for url, sentence in (
        ("http://127.0.0.1:1", "http://127.0.0.1:1: cannot be reached"),
        ("127.0.0.1:8000", "127.0.0.1:8000: expected http://HOST:PORT"),
        ("https://127.0.0.1", "https://127.0.0.1: expected http://HOST:PORT"),
        ("http://127.0.0.1:99999", "http://127.0.0.1:99999: "),
    ):
        done = command("bench", "--server", url)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"Error: {sentence}")
    with answering(lambda _: (404, 0.0)) as url:
        done = command("bench", "--server", url)
    assert done.stderr == f"Error: {url}: answers a pair as binary with 404\n"


@pytest.mark.parametrize(
    "options",
    [["--server", "http://x", "a.onnx"], ["--server", "http://x", "--compare"], ["--show", "x.png"]],
)
def test_options_that_do_not_fit_are_wrong_usage(command: Command, options: list[str]) -> None:
    assert command("bench", *options).returncode == 2


def test_a_port_may_be_left_out() -> None:
    assert address("http://localhost") == ("localhost", 80)
    with pytest.raises(ServerError):
        address("http://")


def test_the_probability_is_found_in_each_encoding() -> None:
    assert read_leq(None, json.dumps(LEQ).encode()) == 0.25
    outputs = [
        {"name": "digits", "parameters": {"binary_data_size": 8}},
        {"name": "leq", "parameters": {"binary_data_size": 4}},
    ]
    head = json.dumps({"outputs": outputs}).encode()
    assert read_leq(len(head), head + bytes(8) + b"\0\0\x80\x3e") == 0.25
    for text in (b"", b"[]", b"{}", b'{"outputs": [{}]}', b'{"outputs": [{"name": "leq"}]}'):
        assert read_leq(None, text) != read_leq(None, text)  # NaN


def test_each_pair_has_a_request_of_its_own() -> None:
    requests = {request_for(index, encoding, "x") for index in range(16) for encoding in ENCODINGS}
    assert len(requests) == 32
