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
from pairedge_export.page.proof import page_checks
from pairedge_export.parity import Parity, require_passed
from pairedge_train.files import write_all

_STATIC = Path(__file__).parent / "static"
# As main.js lists them.
_PICTURES = [Path(shipped_example(name)) for name in ("three", "seven", "five", "eight", "zero", "nine")]
_OFFLINE = "offline.js"
_EMPTY = b"const FILES = {};"  # in offline.js, where the digests of the files go


def write_page(model: Path, folder: Path) -> tuple[dict[str, bytes], Parity]:
    """Write the page of a model to a folder, all of its files or none, once its WebAssembly is proven.

    Args:
        model: folder of graphs that pairedge-export has written.
        folder: where the page goes; it is created if missing.

    Returns:
        The files by name, and the proof.

    Raises:
        ExportError: as `page_files`; when the model's folder has no graphs; when the WebAssembly does not
            compute what the graphs do, or there is no engine to run it.
        GraphError: when a graph is damaged or breaks its contract.
        OutputError: when the files cannot be written.
    """
    paths = {kind: model / f"{kind}.onnx" for kind in CONTRACTS if (model / f"{kind}.onnx").exists()}
    if "pair" not in paths:
        raise ExportError(f"{model}: no folder that pairedge-export has written: pair.onnx is missing")
    for kind, path in paths.items():
        open_graph(path, kind)
    graphs = {kind: path.read_bytes() for kind, path in paths.items()}
    files = page_files(graphs)
    proof = Parity(page_checks(graphs, files[WASM], _PICTURES))
    require_passed(proof, "the WebAssembly does not compute what the graphs do")
    write_all(folder, files)
    return files, proof


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
    files = {path.name: path.read_bytes() for path in (*_STATIC.iterdir(), *_PICTURES)}
    files[WASM] = webassembly(c_files(graphs))
    script = files.pop(_OFFLINE)
    digests = json.dumps({name: integrity(content) for name, content in sorted(files.items())}, indent=2)
    return {**files, _OFFLINE: script.replace(_EMPTY, f"const FILES = {digests};".encode())}


def integrity(content: bytes) -> str:
    """The digest of a file as browsers compare it: SHA-256 in base 64."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}"
