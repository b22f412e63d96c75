"""Adds the C of a model to its graphs: written from them, proven, and named in parity.json and the card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pairedge.graph import CONTRACTS, open_graph
from pairedge_export.c.proof import builds, c_checks
from pairedge_export.c.writing import c_files
from pairedge_export.card import card
from pairedge_export.errors import ExportError
from pairedge_export.parity import Check, Parity, require_passed
from pairedge_train.files import write_all


def c_files_with_proof(
    graphs: Mapping[str, bytes], tiles: NDArray[np.uint8]
) -> tuple[dict[str, bytes], list[Check]]:
    """Write a model in C and prove it.

    Args:
        graphs: ONNX graphs by kind.
        tiles: test tiles, uint8 (M, 14, 14), 0 to 255.

    Returns:
        `pairedge.h` and `pairedge.c`, and the checks that they passed.

    Raises:
        ExportError: when the graphs cannot be written in C, no compiler is installed, or the C does not
            compute what the graphs do.
    """
    files = c_files(graphs)
    checks = c_checks(graphs, files, tiles, builds())
    require_passed(Parity(checks), "the C does not compute what the graphs do")
    return files, checks


def add_c(folder: Path, tiles: NDArray[np.uint8]) -> Parity:
    """Add the C to a folder that pairedge-export has written, and update its parity.json and card.md.

    Args:
        folder: with graphs and parity.json.
        tiles: test tiles, uint8 (M, 14, 14), 0 to 255.

    Returns:
        The whole proof of the model.

    Raises:
        GraphError: when a graph is damaged or breaks its contract; nothing is written then.
        ExportError: as `c_files_with_proof`, and when the folder is not an export; nothing is written then.
        OutputError: when the files cannot be written; none of them is then.
    """
    paths = {path.stem: path for path in folder.glob("*.onnx") if path.stem in CONTRACTS}
    if "pair" not in paths:
        raise ExportError(f"{folder}: has no pair.onnx")
    metadata = {kind: open_graph(path, kind).metadata for kind, path in paths.items()}
    graphs = {kind: paths[kind].read_bytes() for kind in CONTRACTS if kind in paths}
    files, checks = c_files_with_proof(graphs, tiles)
    try:
        report = json.loads((folder / "parity.json").read_bytes())
        before = Parity.from_dict(report)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ExportError(
            f"{folder / 'parity.json'}: is no proof that pairedge-export has written"
        ) from error
    parity = Parity([*(check for check in before.checks if check.kind != "c"), *checks])
    report |= {"checks": [asdict(check) for check in parity.checks]}
    contents = {path.name: path.read_bytes() for path in folder.glob("*.ort")}
    contents |= {f"{kind}.onnx": content for kind, content in graphs.items()}
    sizes = {name: len(content) for name, content in (contents | files).items()}
    files["parity.json"] = (json.dumps(report, indent=1) + "\n").encode()
    files["card.md"] = card(metadata["pair"], sizes, parity).encode()
    write_all(folder, files)
    return parity
