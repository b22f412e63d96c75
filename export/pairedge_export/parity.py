"""Parity: the exported graph and the torch network give the same numbers and the same decisions.

Checked on the bytes that are going to be the file, by the runtime's own way of opening them, at the
optimisation level that users run: names, axes and dtypes (the contract), then shapes and values at several
batch sizes on real tiles and on extremes, then the decisions on every test tile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from pairedge.errors import GraphError
from pairedge.graph import open_graph
from pairedge_export.graphs import TorchGraph

BATCHES = (1, 2, 7, 64)
TOLERANCE = 1e-5
Array = NDArray[Any]


@dataclass(frozen=True)
class Check:
    """One line of the proof.

    Attributes:
        graph: "pair", "digit" or "compare".
        name: what was checked.
        passed: whether it held.
        detail: what was found, in words.
        difference: the largest difference found where numbers were compared.
    """

    graph: str
    name: str
    passed: bool
    detail: str
    difference: float | None = None


@dataclass(frozen=True)
class Parity:
    """The proof of one model: all its checks, and what they were made with."""

    checks: list[Check]

    @property
    def passed(self) -> bool:
        """Whether every check held."""
        return all(check.passed for check in self.checks)

    def difference(self) -> float:
        """The largest difference between torch and onnxruntime in any output, in units of its scale."""
        return max(check.difference for check in self.checks if check.difference is not None)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "passed": self.passed,
            "largest_difference": self.difference(),
            "tolerance": TOLERANCE,
            "torch": torch.__version__,
            "onnxruntime": onnxruntime.__version__,
            "checks": [asdict(check) for check in self.checks],
        }


def check_parity(graphs: list[tuple[TorchGraph, bytes]], tiles: NDArray[np.uint8]) -> Parity:
    """Compare every graph of a model with the torch module that it was made from.

    Args:
        graphs: each graph and the bytes that it was exported to.
        tiles: real test tiles, uint8 (M, 14, 14); every one takes part in the comparison of decisions.
    """
    checks: list[Check] = []
    for graph, content in graphs:
        try:
            session = open_graph(content, graph.kind).session
        except GraphError as error:
            checks.append(Check(graph.kind, "contract", False, str(error)))
            continue
        checks.append(Check(graph.kind, "contract", True, "names, axes and dtypes as agreed"))
        names = [node.name for node in session.get_inputs()]
        embed = next((other.run for other, _ in graphs if other.kind == "digit"), None)
        for what, inputs in probes(graph.kind, tiles, embed):
            found = session.run(list(graph.outputs), dict(zip(names, inputs, strict=True)))
            wanted = [value.numpy() for value in graph.run(*map(torch.from_numpy, inputs))]
            checks.append(compare_values(graph.kind, graph.outputs, what, wanted, found))
            if len(inputs[0]) == len(tiles):
                checks.append(compare_decisions(graph.kind, graph.outputs, what, wanted, found))
    return Parity(checks)


def probes(kind: str, tiles: NDArray[np.uint8], embed: Any) -> list[tuple[str, tuple[Array, ...]]]:
    """Inputs to try, with a name each: extremes, real tiles at each batch size, and all real tiles.

    Every tile of `tiles` is paired with the one half the list away, once as first and once as second.
    """
    sources = {"extremes": extremes(), **{f"batch {size}": tiles[: size + 1] for size in BATCHES}}
    sources[f"all {len(tiles)} tiles"] = tiles
    found: list[tuple[str, tuple[Array, ...]]] = []
    for name, some in sources.items():
        count = len(some) - name.startswith("batch")  # one tile more than the batch, so that pairs differ
        first, second = some[:count], np.roll(some, len(some) // 2, axis=0)[:count]
        if kind == "pair":
            inputs: tuple[Array, ...] = (np.stack([first, second], axis=1),)
        elif kind == "digit":
            inputs = (np.ascontiguousarray(first),)
        else:
            inputs = tuple(
                embed(torch.from_numpy(np.ascontiguousarray(side)))[1].numpy() for side in (first, second)
            )
        found.append((name, inputs))
    return found


def real_inputs(kind: str, graphs: Mapping[str, bytes], tiles: NDArray[np.uint8]) -> dict[str, Array]:
    """What a graph of `kind` takes of tiles, uint8 (M, 14, 14): each with its neighbour in a pair.

    Args:
        kind: "pair", "digit" or "compare".
        graphs: the model's graphs by kind; for "compare" its "digit" graph makes the embeddings.
        tiles: any tiles.
    """
    neighbours = np.roll(tiles, 1, axis=0)
    if kind == "pair":
        return {"images": np.stack([tiles, neighbours], axis=1)}
    if kind == "digit":
        return {"tiles": tiles}
    embed = open_graph(graphs["digit"], "digit").session
    return {
        name: embed.run(["embedding"], {"tiles": side})[0]
        for name, side in (("first", tiles), ("second", neighbours))
    }


def extremes() -> NDArray[np.uint8]:
    """Tiles as no digit is: black, white, chequered, one lit pixel, and noise; uint8 (5, 14, 14)."""
    tiles = np.zeros((5, 14, 14), np.uint8)
    tiles[1] = 255
    tiles[2, ::2, ::2] = tiles[2, 1::2, 1::2] = 255
    tiles[3, 7, 7] = 255
    tiles[4] = np.random.default_rng(0).integers(0, 256, (14, 14))
    return tiles


def compare_values(
    kind: str, outputs: Sequence[str], what: str, wanted: list[Array], found: list[Array]
) -> Check:
    """Shapes alike and values within TOLERANCE, relative to the largest value where that exceeds 1.

    Probabilities never exceed 1, so for them the difference is absolute; embeddings have their own scale.
    """
    largest = 0.0
    for name, want, have in zip(outputs, wanted, found, strict=True):
        if want.shape != have.shape or want.dtype != have.dtype:
            detail = f"{name} is {have.dtype} {have.shape} in place of {want.dtype} {want.shape}"
            return Check(kind, f"values, {what}", False, detail)
        scale = max(1.0, float(np.abs(want).max()))
        difference = np.abs(want.astype(np.float64) - have).max() / scale
        largest = max(largest, float(difference) if np.isfinite(difference) else float("inf"))
    return Check(kind, f"values, {what}", largest <= TOLERANCE, f"largest difference {largest:.1e}", largest)


def compare_decisions(
    kind: str, outputs: Sequence[str], what: str, wanted: list[Array], found: list[Array]
) -> Check:
    """Every comparison and every most probable digit the same."""
    differing = total = 0
    for name, want, have in zip(outputs, wanted, found, strict=True):
        if name == "embedding":
            continue
        ours, theirs = (side >= 0.5 if name == "leq" else side.argmax(-1) for side in (want, have))
        differing += int((ours != theirs).sum())
        total += ours.size
    return Check(kind, f"decisions, {what}", differing == 0, f"{differing} of {total} differ")
