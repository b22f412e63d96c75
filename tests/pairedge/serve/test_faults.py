"""What goes wrong around a server does not make an answer wrong: kills, replaced models, overload."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import socket
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import pairedge
from pairedge.shipped import shipped_graph

from .conftest import StartServer
from .server_process import EXAMPLES, Server, png

INFER = "/v2/models/pairedge/infer"
GRAPHS = Path(__file__).parents[1] / "graphs"
SEVEN = (EXAMPLES / "seven.png").read_bytes()


def request(pairs: NDArray[np.uint8], identity: str) -> bytes:
    entry = {"name": "images", "shape": list(pairs.shape), "datatype": "UINT8", "data": pairs.tolist()}
    return json.dumps({"id": identity, "inputs": [entry]}).encode()


class Asker(threading.Thread):
    """Asks for pairs, one after the other, again on a new connection when one is lost; keeps every answer."""

    def __init__(self, port: int, name: str, pairs: NDArray[np.uint8], stop: threading.Event) -> None:
        super().__init__()
        self.port, self.title, self.pairs, self.stop = port, name, pairs, stop
        self.answers: list[tuple[str, int, Any]] = []  # id asked for, index of the pair, answer
        self.lost = 0

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        number = 0
        while not self.stop.is_set():
            index, identity = number % len(self.pairs), f"{self.title}-{number}"
            try:
                connection.request("POST", INFER, request(self.pairs[index : index + 1], identity))
                response = connection.getresponse()
                self.answers.append((identity, index, (response.status, json.loads(response.read()))))
                number += 1
            except (OSError, http.client.HTTPException, ValueError):
                self.lost += 1
                connection.close()
                time.sleep(0.05)
        connection.close()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_server_killed_under_load_and_restarted_answers_nothing_twice_or_wrongly(
    start_server: StartServer, model: pairedge.PairModel, pairs: NDArray[np.uint8]
) -> None:
    expected = model.predict_batch(pairs[:40]).probability
    port, stop = free_port(), threading.Event()
    server = start_server("--port", str(port)).wait()
    askers = [Asker(port, str(name), pairs[:40], stop) for name in range(4)]
    for asker in askers:
        asker.start()
    time.sleep(0.4)
    server.stop(signal.SIGKILL)
    start_server("--port", str(port)).wait()
    time.sleep(0.4)
    stop.set()
    for asker in askers:
        asker.join()
    answers = [answer for asker in askers for answer in asker.answers]
    assert sum(asker.lost for asker in askers) >= 4  # each had a request or a connection cut
    assert max(Counter(identity for identity, _, _ in answers).values()) == 1
    for identity, index, (status, answer) in answers:
        assert (status, answer["id"]) == (200, identity)
        assert answer["outputs"][0]["data"] == pytest.approx([expected[index]], abs=1e-6)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the shipped graphs."""
    for kind in ("pair", "digit", "compare"):
        shutil.copy(shipped_graph(kind), tmp_path / f"{kind}.onnx")
    return tmp_path


def test_a_model_that_was_replaced_is_read_again_and_a_bad_one_is_refused(
    start_server: StartServer, folder: Path
) -> None:
    path = folder / "pair.onnx"
    good = path.read_bytes()
    server = start_server("--model", path).wait()
    server.process.send_signal(signal.SIGHUP)
    assert server.event("reload")["outcome"] == "ok"
    bad = bytearray(good)
    bad[len(bad) // 2] ^= 1  # one bit of a weight: only the digest can tell
    for count, (content, sentence) in enumerate(
        [
            (bytes(bad), f"{path}: is damaged, or was edited after its export: its digest does not fit"),
            (good[: len(good) // 2], f"{path}: not an ONNX graph"),
            (b"", f"{path}: not an ONNX graph"),
            ((folder / "digit.onnx").read_bytes(), f"{path}: is a 'digit' graph, not a 'pair' graph"),
            ((GRAPHS / "base.onnx").read_bytes(), f"{path}: has no weights_sha256"),
        ],
        start=2,
    ):
        path.write_bytes(content)
        server.process.send_signal(signal.SIGHUP)
        event = server.event("reload", count)
        assert (event["outcome"], event["error"].startswith(sentence)) == ("refused", True), event
        assert server.post("/classify", SEVEN).json["digit"] == 7
    path.unlink()
    server.process.send_signal(signal.SIGHUP)
    assert server.event("reload", 7)["error"].startswith(f"{path}: no such file or directory")
    assert server.get("/v2/health/ready").status == 200
    assert server.metric('pairedge_reloads_total{outcome="refused"}') == 6


def test_a_replaced_model_answers_from_then_on(start_server: StartServer, folder: Path) -> None:
    server = start_server("--model", folder / "pair.onnx").wait()
    # One without a digit head, and no digit and compare graphs beside it.
    shutil.copy(GRAPHS / "base.onnx", folder / "pair.onnx")
    for kind in ("digit", "compare"):
        (folder / f"{kind}.onnx").unlink()
    server.process.send_signal(signal.SIGHUP)
    assert server.event("reload")["outcome"] == "ok"
    reply = server.post("/classify", SEVEN)
    assert (reply.status, reply.error) == (404, "the model 'base' has no digit head: it can only compare")
    reply = server.get("/v2/models/digit")
    assert (reply.status, reply.error) == (404, "no digit graph lies beside the pair graph that is served")
    outputs = server.get("/v2/models/pairedge").json["outputs"]
    assert [output["name"] for output in outputs] == ["leq"]
    row = server.post_files("/predict", EXAMPLES / "three.png", EXAMPLES / "seven.png").json
    assert (row["digits"], row["digit_probabilities"]) == (None, None)


def test_a_full_queue_is_503_with_retry_after_and_nothing_else_suffers(
    start_server: StartServer, pairs: NDArray[np.uint8]
) -> None:
    server = start_server("--max-queue", "1", "--max-delay", "300", "--max-batch", "8").wait()
    replies: list[Any] = []

    def ask() -> None:
        replies.append(server.post(INFER, request(pairs[:1], "a"), "application/json"))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    assert server.get("/v2/health/ready").status == 200
    for thread in threads:
        thread.join()
    statuses = Counter(reply.status for reply in replies)
    assert set(statuses) == {200, 503}
    for reply in replies:
        if reply.status == 503:
            assert reply.headers["retry-after"] == "1"
            assert reply.error == "1 rows are waiting; try again"
    assert server.post(INFER, request(pairs[:1], "a"), "application/json").status == 200


def test_work_that_takes_too_long_is_answered_with_503(
    start_server: StartServer, pairs: NDArray[np.uint8]
) -> None:
    server = start_server("--timeout", "0.4", "--max-delay", "30000").wait()  # it waits for others too long
    reply = server.post(INFER, request(pairs[:1], "a"), "application/json")
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert reply.error == "the answer took too long; try again"


def test_many_large_bodies_at_once_are_refused_before_they_fill_the_memory(start_server: StartServer) -> None:
    server = start_server("--max-bytes", "1000000", "--timeout", "5").wait()
    head = b"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 900000\r\n\r\n"
    connections = [server.connect() for _ in range(6)]
    for connection in connections:
        connection.sendall(head + bytes(800_000))  # none of them is complete
    answers = []
    for connection in connections:
        connection.settimeout(0.3)
        try:
            answers.append(connection.recv(100))
        except TimeoutError:
            answers.append(b"")
    assert sum(answer.startswith(b"HTTP/1.1 503 ") for answer in answers) == 3
    assert server.metric("pairedge_held_bytes") <= 3_000_000
    for connection in connections:
        connection.close()
    assert server.post("/classify", SEVEN).json["digit"] == 7
    assert server.post("/classify", png(10, 10)).status == 422


def test_pictures_of_many_clients_at_once_are_each_answered_with_their_own(server: Server) -> None:
    digits = {"zero": 0, "three": 3, "five": 5, "seven": 7, "nine": 9}
    wrong: list[object] = []

    def ask(name: str, digit: int) -> None:
        picture = (f"{name}.png", (EXAMPLES / f"{name}.png").read_bytes())
        for _ in range(2):
            reply = server.post_files("/classify", picture)
            if (reply.json.get("picture"), reply.json.get("digit")) != (f"{name}.png", digit):
                wrong.append(reply)

    threads = [threading.Thread(target=ask, args=item) for item in digits.items() for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
