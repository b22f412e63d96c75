"""`POST /predict` and `/classify` answer with the very rows of the command line."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import jsonschema
import pytest

import pairedge
from pairedge.serve.openapi import document

from .server_process import EXAMPLES, Reply, Server, png

Command = Callable[..., CompletedProcess[str]]


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, Path]:
    """A picture for each status, by that status, and two that are answered."""
    (tmp_path / "blank.png").write_bytes(png(40, 40))
    (tmp_path / "damaged.png").write_bytes((EXAMPLES / "three.png").read_bytes()[:200])
    return {
        "three": EXAMPLES / "three.png",
        "seven": EXAMPLES / "seven.png",
        "no-ink": tmp_path / "blank.png",
        "unreadable": tmp_path / "damaged.png",
    }


def rows(reply: Reply) -> list[dict[str, Any]]:
    return [json.loads(line) for line in reply.body.decode().splitlines()]


def rows_of(command: Command, name: str, files: list[Path]) -> list[dict[str, Any]]:
    """What the command line says of the files, named without their folders, as a form names them."""
    text = command(name, "--json", *files).stdout
    for file in files:
        text = text.replace(f"{file.parent}/", "")
    return [json.loads(line) for line in text.splitlines()]


def agree(ours: Any, theirs: Any) -> bool:
    """Whether two rows are equal; numbers to the last bits, which differ between sizes of a batch."""
    match ours, theirs:
        case dict(), dict():
            return list(ours) == list(theirs) and all(agree(ours[key], theirs[key]) for key in ours)
        case list(), list():
            return len(ours) == len(theirs) and all(map(agree, ours, theirs))
        case float(), float():
            return ours == pytest.approx(theirs, abs=1e-6)
    return bool(ours == theirs)


@pytest.mark.parametrize(
    ("names", "status"),
    [
        (["three", "seven"], 200),
        (["seven", "three"], 200),
        (["three", "no-ink"], 422),
        (["unreadable", "no-ink"], 422),
        (["three", "seven", "no-ink", "seven", "seven", "three"], 200),
    ],
)
def test_predict_answers_as_the_command_does(
    server: Server,
    command: Command,
    pictures: dict[str, Path],
    names: list[str],
    status: int,
) -> None:
    files = [pictures[name] for name in names]
    reply = server.post_files("/predict", *files)
    assert reply.status == status
    assert agree(rows(reply), rows_of(command, "predict", files))
    assert reply.headers["content-type"] == ("application/json" if len(names) == 2 else "application/jsonl")


@pytest.mark.parametrize(
    "names", [["seven"], ["no-ink"], ["three", "unreadable", "no-ink", "seven"]], ids=" ".join
)
def test_classify_answers_as_the_command_does(
    server: Server, command: Command, pictures: dict[str, Path], names: list[str]
) -> None:
    files = [pictures[name] for name in names]
    reply = server.post_files("/classify", *files)
    assert reply.status == (422 if names == ["no-ink"] else 200)
    assert agree(rows(reply), rows_of(command, "classify", files))


def test_a_body_may_be_one_picture(server: Server) -> None:
    reply = server.post("/classify", (EXAMPLES / "seven.png").read_bytes())
    assert (reply.status, reply.json["picture"], reply.json["digit"]) == (200, "-", 7)


@pytest.mark.parametrize(("encoding", "bits"), [("gzip", 31), ("deflate", 15)])
def test_bodies_and_answers_may_be_compressed(server: Server, encoding: str, bits: int) -> None:
    compressor = zlib.compressobj(wbits=bits)
    body = compressor.compress((EXAMPLES / "seven.png").read_bytes()) + compressor.flush()
    assert server.post("/classify", body, **{"content-encoding": encoding}).json["digit"] == 7
    reply = server.get("/openapi.json", **{"accept-encoding": encoding})
    assert reply.headers["content-encoding"] == encoding
    assert json.loads(zlib.decompress(reply.body, bits)) == document()


def test_answers_are_what_openapi_says(server: Server, pictures: dict[str, Path]) -> None:
    operations = {"/predict": 2, "/classify": 1}
    for path, count in operations.items():
        for name in ("seven", "no-ink"):
            reply = server.post_files(path, *[pictures[name]] * count)
            said = document()["paths"][path]["post"]["responses"][str(reply.status)]
            schema = said["content"][reply.headers["content-type"]]["schema"]
            jsonschema.validate(reply.json, {**schema, "components": document()["components"]})


@pytest.mark.parametrize(
    ("path", "body", "kind", "status", "sentence"),
    [
        ("/classify", b"", "image/png", 422, "the file is empty"),
        (
            "/classify",
            b"x",
            "image/png",
            422,
            "not a PNG, JPEG, BMP, GIF, WebP, TIFF, PNM, AVIF or HEIC picture",
        ),
        ("/predict", b"x", "image/png", 400, "expected pairs of pictures, but got an odd number: 1"),
        ("/classify", b"{}", "application/json", 415, "not application/json"),
        ("/classify", b"x", "", 415, "not a body without content type"),
        ("/classify", b"x", "multipart/form-data", 400, "the form cannot be read: "),
        ("/classify", b"x", "multipart/form-data; boundary=y", 400, "the form cannot be read: "),
        ("/classify", b"--y--\r\n", "multipart/form-data; boundary=y", 400, "the form holds no file"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_sentence(
    server: Server, path: str, body: bytes, kind: str, status: int, sentence: str
) -> None:
    reply = server.post(path, body, kind)
    assert reply.status == status
    assert sentence in reply.json["error"]


def test_a_body_that_is_not_what_its_encoding_says_is_refused(server: Server) -> None:
    whole = gzip.compress(b"x" * 100)
    for body, encoding, status, sentence in (
        (b"x", "gzip", 400, "the body is not gzip: "),
        (whole[:-4], "gzip", 400, "the body is not gzip: it ends too early"),
        (whole, "br", 415, "the content encoding 'br' is not gzip or deflate"),
        (gzip.compress(bytes(30_000_000)), "gzip", 413, "larger than 20,000,000 bytes"),
    ):
        reply = server.post("/classify", body, **{"content-encoding": encoding})
        assert reply.status == status
        assert sentence in reply.error


def test_rows_of_a_model_of_other_classes_keep_the_schema() -> None:
    graph = Path(__file__).parents[1] / "graphs" / "with_classes.onnx"
    model = pairedge.load(graph)
    three, seven = EXAMPLES / "three.png", EXAMPLES / "seven.png"
    rows = {
        "Prediction": {"first": "a", "second": "b", **model.predict(three, seven).to_dict()},
        "Classification": {"picture": "a", **model.classify(three).to_dict()},
    }
    for name, row in rows.items():
        assert "size 0" in json.dumps(row)
        jsonschema.validate(row, document()["components"]["schemas"][name])
