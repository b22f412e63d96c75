"""Every reader of what others wrote: what it may raise, and input from which mutations start."""

from __future__ import annotations

import asyncio
import json
import struct
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
import numpy as np
import onnx

from pairedge.cli.info import page
from pairedge.cli.stream.lists import read_list
from pairedge.errors import GraphError, ImageError, PairedgeError
from pairedge.graph import METADATA_KEY, open_graph
from pairedge.image.tile import to_tile
from pairedge.inspection import inspect_content
from pairedge.serve.limits import Limits
from pairedge.serve.messages import Request, RequestError
from pairedge.serve.pictures import read_pictures
from pairedge.serve.protocol_v2 import HEADER_LENGTH, MODELS, infer
from pairedge.serve.served import Served, open_served
from reliability.picture_seeds import SEEDS, repair_png

ROOT = Path(__file__).parent.parent
_BASE = ROOT / "tests" / "pairedge" / "graphs" / "base.onnx"
_NESTED = b"[" * 5000  # deeper than Python's parsers go
_METADATA = {"schema": 2, "graph": "pair", "variant": "base", "parameters": 1, "metrics": {"r": [1]}}


@dataclass(frozen=True)
class Reader:
    """One way in.

    Attributes:
        name: what is read, and what it becomes.
        read: reads some bytes; raises nothing, unless it raises what it does not document.
        seeds: gives input from which mutations start: good, and what mutations hardly reach.
        repair: makes mutated input pass the first checks, so that more is reached.
    """

    name: str
    read: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]
    repair: Callable[[bytes], bytes] = bytes


def read_picture(content: bytes) -> None:
    """From the bytes of a picture to a tile, or an ImageError."""
    with suppress(ImageError):
        tile = to_tile(content)
        assert tile.shape == (14, 14)
        assert tile.dtype == np.uint8


def read_graph(content: bytes) -> None:
    """From the bytes of a graph to answers that are probabilities, or a GraphError."""
    with suppress(GraphError):
        graph = open_graph(content, "pair")
        [leq] = graph.run(["leq"], {"images": np.zeros((2, 2, 14, 14), np.uint8)})
        assert ((leq >= 0) & (leq < 1.001)).all()


def read_metadata(text: bytes) -> None:
    """From a graph's metadata to the page that `pairedge info` prints, or a GraphError."""
    marker = json.dumps(_METADATA).encode()
    with suppress(GraphError):
        content = _with_metadata(marker.ljust(len(text)).decode()).replace(marker.ljust(len(text)), text)
        inspection = inspect_content("graph", content)
        json.dumps(inspection.to_dict(), allow_nan=False)
        assert all(line.isprintable() for line in page(inspection))


def _with_metadata(text: str) -> bytes:
    model = onnx.load(_BASE)
    onnx.helper.set_model_props(model, {METADATA_KEY: text})
    return bytes(model.SerializeToString())


def read_recipe_file(content: bytes) -> None:
    """From a recipe file to a recipe, or one of our errors."""
    from pairedge_train.experiments.recipe import read_recipe

    _read_file(read_recipe, ".toml", content)


def read_row_file(content: bytes) -> None:
    """From a file of rows to rows, or one of our errors."""
    from pairedge_train.rows import read_rows

    _read_file(read_rows, ".jsonl", content)


def _read_file(read: Callable[[Path], object], suffix: str, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=suffix) as file:
        file.write(content)
        file.flush()
        with suppress(PairedgeError):
            read(Path(file.name))


def read_checkpoint(content: bytes) -> None:
    """From a checkpoint to a network that answers, or one of our errors."""
    import torch

    from pairedge_train.training.checkpoint import load_checkpoint

    with tempfile.NamedTemporaryFile() as file, suppress(PairedgeError):
        file.write(content)
        file.flush()
        network = load_checkpoint(Path(file.name)).network
        network(torch.zeros(1, 2, 14, 14))


def read_picture_list(content: bytes) -> None:
    """From a list for `--from` to items that can be written as rows, or a usage error."""
    for columns in (("picture",), ("first", "second")):
        with tempfile.NamedTemporaryFile() as file, suppress(click.UsageError):
            file.write(content)
            file.flush()
            for item in read_list(file.name, columns):
                row = [*item.names, item.id, item.label, item.error]
                json.dumps(row, allow_nan=False, ensure_ascii=False).encode(errors="surrogateescape")


def read_form_body(content: bytes) -> None:
    """From the body of a form to pictures, or an error that the client is told."""
    with suppress(RequestError):
        read_pictures(Request({"content-type": "multipart/form-data; boundary=b"}, content))


def read_inference_body(content: bytes) -> None:
    """From a body of the inference protocol, for each model, to an answer, or an error for the client."""
    end = content.rfind(b"}") + 1
    request = Request({} if end == len(content) else {HEADER_LENGTH.lower(): str(end)}, content)
    for name in MODELS:
        with suppress(RequestError):
            answer = asyncio.run(infer(name, request, _served()))
            length = answer.headers.get(HEADER_LENGTH)
            json.loads(answer.body[: None if length is None else int(length)])


@cache
def _served() -> Served:
    """The model that ships, behind a server's batchers."""
    return open_served(None, Limits())


def _recipe_seeds() -> list[bytes]:
    return [path.read_bytes() for path in sorted((ROOT / "train" / "recipes").glob("*.toml"))] + [
        b"a = " + _NESTED
    ]


def _row_seeds() -> list[bytes]:
    lines = (ROOT / "artifacts" / "reports" / "report4.jsonl").read_bytes().splitlines(keepends=True)
    return [b"".join(lines[:2]), _NESTED]


def _checkpoint_seeds() -> list[bytes]:
    from pairedge_train.experiments.recipe import Recipe
    from pairedge_train.networks.network import build_network
    from pairedge_train.training.checkpoint import Checkpoint, save_checkpoint

    recipe = Recipe().with_({"network.variant": "conv_1"})
    metrics = {"test_accuracy": 0.75, "test_pairs": 4}
    checkpoint = Checkpoint(build_network(recipe.network), recipe, 0, None, 64 * "0", metrics)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seed.safetensors"
        save_checkpoint(path, checkpoint)
        return [path.read_bytes()]


def _repair_checkpoint(content: bytes) -> bytes:
    """The same header and weights, of the lengths that safetensors expects."""
    try:
        header, length = json.JSONDecoder().raw_decode(content[8:].decode("latin-1"))
        size = max(entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__")
        weights = content[8 + length :][:size].ljust(min(size, len(content)), b"\0")
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError):
        return content
    return struct.pack("<Q", length) + content[8 : 8 + length] + weights


def _list_seeds() -> list[bytes]:
    row = {"id": 3, "first": "a.png", "second": "b.png", "picture": "c.png", "label": 7}
    return [
        json.dumps(row).encode() + b'\n{"picture": "\\ud800", "id": NaN}\n' + _NESTED,
        b'first;second;picture;id\n"a ;.png";b.png;c.png;1\n',
        b"\xef\xbb\xbfa.png\n\nb\xff.png\n",
    ]


def _form_seeds() -> list[bytes]:
    head = b'--b\r\nContent-Disposition: form-data; name="first"; filename="a.png"\r\n'
    return [head + b"Content-Type: image/png\r\n\r\nabc\r\n" + head + b"\r\n\r\n--b--\r\n"]


def _inference_seeds() -> list[bytes]:
    images = {"name": "images", "datatype": "UINT8", "shape": [1, 2, 14, 14]}
    embeddings = [{"name": name, "datatype": "FP32", "shape": [1, 10]} for name in ("first", "second")]
    binary = {"parameters": {"binary_data_size": 392}}
    floats = {"parameters": {"binary_data_size": 40}}
    wanted = [{"name": "leq", "parameters": {"binary_data": True}}]
    return [
        json.dumps({"id": "1", "inputs": [images | {"data": [0] * 392}]}).encode(),
        json.dumps({"inputs": [images | binary], "outputs": wanted}).encode() + bytes(392),
        json.dumps({"inputs": [each | {"data": [0.5] * 10} for each in embeddings]}).encode(),
        json.dumps({"inputs": [each | floats for each in embeddings]}).encode() + bytes(80),
        b'{"inputs": ' + _NESTED,
    ]


READERS = {
    reader.name: reader
    for reader in (
        *(
            Reader(f"{kind} to tile", read_picture, seeds, repair_png if kind == "PNG" else bytes)
            for kind, seeds in SEEDS.items()
        ),
        Reader("graph to answers", read_graph, lambda: [_BASE.read_bytes()]),
        Reader("metadata to page", read_metadata, lambda: [json.dumps(_METADATA).encode(), _NESTED]),
        Reader("recipe file to recipe", read_recipe_file, _recipe_seeds),
        Reader("file of rows to rows", read_row_file, _row_seeds),
        Reader("checkpoint to network", read_checkpoint, _checkpoint_seeds, _repair_checkpoint),
        Reader("list of pictures to items", read_picture_list, _list_seeds),
        Reader("form to pictures", read_form_body, _form_seeds),
        Reader("inference request to answer", read_inference_body, _inference_seeds),
    )
}
