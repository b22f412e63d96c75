"""The files of a model's page: its WebAssembly, the page around it, and their digests."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from pairedge.graph import CONTRACTS, open_graph
from pairedge.shipped import shipped_example
from pairedge_export.c.writing import c_files
from pairedge_export.errors import ExportError
from pairedge_export.page.compiler import WASM, webassembly
from pairedge_train.files import write_all

_STATIC = Path(__file__).parent / "static"
_EXAMPLES = ("three", "seven", "five", "eight", "zero", "nine")  # as main.js lists them
_OFFLINE = "offline.js"
_EMPTY = b"const FILES = {};"  # in offline.js, where the digests of the files go


def write_page(model: Path, folder: Path) -> dict[str, bytes]:
    """Write the page of a model to a folder, all of its files or none; gives them by name.

    Args:
        model: folder of graphs that pairedge-export has written.
        folder: where the page goes; it is created if missing.

    Raises:
        ExportError: as `page_files`, and when the model's folder has no graphs.
        GraphError: when a graph is damaged or breaks its contract.
        OutputError: when the files cannot be written.
    """
    paths = {kind: model / f"{kind}.onnx" for kind in CONTRACTS if (model / f"{kind}.onnx").exists()}
    if "pair" not in paths:
        raise ExportError(f"{model}: no folder that pairedge-export has written: pair.onnx is missing")
    for kind, path in paths.items():
        open_graph(path, kind)
    files = page_files({kind: path.read_bytes() for kind, path in paths.items()})
    write_all(folder, files)
    return files


def page_files(graphs: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a model's page by name; the same graphs and compiler give the same bytes.

    Args:
        graphs: ONNX graphs by kind.

    Raises:
        ExportError: when the model has no `digit` graph, cannot be written in C, or cannot be compiled.
    """
    if "digit" not in graphs:
        raise ExportError(
            "a page shows the digits too: it needs a model with shared weights and a digit head"
        )
    pictures = [Path(shipped_example(name)) for name in _EXAMPLES]
    files = {path.name: path.read_bytes() for path in (*_STATIC.iterdir(), *pictures)}
    files[WASM] = webassembly(c_files(graphs))
    script = files.pop(_OFFLINE)
    digests = json.dumps({name: integrity(content) for name, content in sorted(files.items())}, indent=2)
    return {**files, _OFFLINE: script.replace(_EMPTY, f"const FILES = {digests};".encode())}


def integrity(content: bytes) -> str:
    """The digest of a file as browsers compare it: SHA-256 in base 64."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}"
