"""Every reader of what others wrote: what it may raise, and input from which mutations start."""

from __future__ import annotations

import asyncio
import json
import struct
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
import numpy as np
import onnx
from numpy.typing import NDArray

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


def read_npz(content: bytes) -> None:
    """From an NPZ file, and one with the content as its pictures, to pictures, or one of our errors."""
    zipped = BytesIO()
    with zipfile.ZipFile(zipped, "w") as file:
        file.writestr("images.npy", content)
        file.writestr("labels.npy", _npy(np.arange(2)))
    for whole in (content, zipped.getvalue()):
        _read_data(whole, "mine.npz")


def read_idx(content: bytes) -> None:
    """From an IDX file of pictures, with two labels beside it, to pictures, or one of our errors."""
    labels = bytes([0, 0, 8, 1, 0, 0, 0, 2, 3, 4])
    _read_data(content, "images-idx3-ubyte", {"labels-idx1-ubyte": labels})


def read_csv(content: bytes) -> None:
    """From a CSV file with pictures to pictures, or one of our errors."""
    _read_data(content, "mine.csv")


def _read_data(content: bytes, name: str, beside: Mapping[str, bytes] = MappingProxyType({})) -> None:
    from pairedge_train.data.own.reading import read_own

    with tempfile.TemporaryDirectory() as folder, suppress(PairedgeError):
        for each, text in {name: content, **beside}.items():
            (Path(folder) / each).write_bytes(text)
        assert read_own(Path(folder) / name).tiles.dtype == np.uint8


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


def _npz_seeds() -> list[bytes]:
    fields, names = _fields(), np.array(list("0123456789"))
    whole = BytesIO()
    np.savez_compressed(whole, images=fields, labels=np.arange(2), classes=names)
    nested = b"{'descr': " + b"(" * 5000
    header = b"\x93NUMPY\x01\0" + struct.pack("<H", len(nested)) + nested
    return [whole.getvalue(), _npy(fields), _npy(fields / 255), header]


def _idx_seeds() -> list[bytes]:
    fields = _fields()
    return [bytes([0, 0, 8, 3]) + struct.pack(">3I", *fields.shape) + fields.tobytes()]


def _csv_seeds() -> list[bytes]:
    rows = [",".join(map(str, (label, *tile.ravel()))) for label, tile in enumerate(_fields()[:, ::2, ::2])]
    header = ",".join(("label", "split", *(f"level{place}" for place in range(196))))
    return ["\n".join(rows).encode(), f"{header}\n{rows[0].replace(',', ',train,', 1)}\n".encode()]


def _fields() -> NDArray[np.uint8]:
    fields = np.zeros((2, 28, 28), np.uint8)
    fields[:, 8:20, 13:15] = 255
    return fields


def _npy(array: NDArray[Any]) -> bytes:
    content = BytesIO()
    np.save(content, array)
    return content.getvalue()


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
        Reader("NPZ file to pictures", read_npz, _npz_seeds),
        Reader("IDX file to pictures", read_idx, _idx_seeds),
        Reader("CSV file to pictures", read_csv, _csv_seeds),
        Reader("checkpoint to network", read_checkpoint, _checkpoint_seeds, _repair_checkpoint),
        Reader("list of pictures to items", read_picture_list, _list_seeds),
        Reader("form to pictures", read_form_body, _form_seeds),
        Reader("inference request to answer", read_inference_body, _inference_seeds),
    )
}
