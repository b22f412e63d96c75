"""No client takes more of the server than its limits: of bytes, pixels, time and connections."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from .server_process import EXAMPLES, Server, png, received

TOKEN = {"authorization": "Bearer secret"}
HEAD = b"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nAuthorization: Bearer secret\r\n"


def test_a_large_body_is_refused_before_it_is_sent_and_while_it_comes(strict: Server) -> None:
    with strict.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 20001\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")

    def parts() -> Iterator[bytes]:
        for _ in range(30):
            yield bytes(1000)

    reply = strict.ask("POST", "/classify", parts(), {"content-type": "image/png", **TOKEN})
    assert reply.status == 413
    assert reply.error == "the body is larger than 20,000 bytes, the server's limit"


def test_a_picture_of_many_pixels_is_not_decoded(strict: Server) -> None:
    assert strict.post("/classify", png(300, 300), **TOKEN).json["status"] == "no-ink"
    reply = strict.post("/classify", png(301, 300), **TOKEN)
    assert (reply.status, reply.json["status"]) == (422, "unreadable")
    assert reply.json["error"] == "301 x 300 pixels: this server reads pictures of at most 90,000"


def test_a_slow_body_is_answered_with_408(strict: Server) -> None:
    with strict.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n" + bytes(10))
        assert b"the body did not arrive within 0.6 seconds" in received(connection)


@pytest.mark.parametrize("sent", [b"", b"POST /cla", HEAD], ids=["nothing", "half a line", "half a head"])
def test_a_client_that_does_not_finish_its_head_is_dropped(strict: Server, sent: bytes) -> None:
    before = strict.metric('pairedge_dropped_connections_total{reason="slow"}', **TOKEN)
    with strict.connect() as connection:
        connection.sendall(sent)
        assert received(connection) == b""
    assert strict.metric('pairedge_dropped_connections_total{reason="slow"}', **TOKEN) == before + 1


def test_a_client_that_sends_its_head_byte_by_byte_is_dropped(strict: Server) -> None:
    with strict.connect() as connection, pytest.raises(ConnectionError):  # noqa: PT012 (it breaks at any time)
        for byte in HEAD:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)
        raise AssertionError("the server took the whole head")


def test_a_client_that_does_not_read_its_answer_is_dropped(strict: Server) -> None:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    with connection:
        connection.connect(("127.0.0.1", strict.port))
        request = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\n\r\n"
        with pytest.raises(ConnectionError):  # noqa: PT012 (it breaks at any time)
            for _ in range(10_000):
                connection.sendall(request * 50)
        assert strict.get("/v2/health/live").status == 200


def test_a_head_without_end_is_refused(strict: Server) -> None:
    with strict.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + b"X-Filler: 0123456789\r\n" * 3000)
        assert received(connection).startswith(b"HTTP/1.1 431 ")


def test_a_connection_too_many_is_answered_with_503(strict: Server) -> None:
    time.sleep(1.3)  # until the connections of other tests are gone
    connections = [strict.connect() for _ in range(8)]
    with strict.connect() as one_more:
        answer = received(one_more)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: 1\r\n" in answer
    for connection in connections:
        connection.close()
    until = time.monotonic() + 5
    while strict.get("/v2/health/live").status == 503:
        assert time.monotonic() < until


def test_what_is_no_http_is_refused(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(b"\x16\x03\x01 this is no request\r\n\r\n")
        assert received(connection).startswith(b"HTTP/1.1 400 ")


def test_a_client_that_leaves_disturbs_nobody(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(b"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + bytes(10))
    assert server.post("/classify", (EXAMPLES / "seven.png").read_bytes()).json["digit"] == 7
    until = time.monotonic() + 5
    while not any(line.get("status") == 499 for line in server.events()):
        assert time.monotonic() < until
        time.sleep(0.05)
