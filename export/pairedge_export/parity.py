"""Parity: the exported graph and the torch network compute the same values and take the same decisions.

Checked on the bytes that will be the file, opened as the runtime opens them, at the optimization level that
users run: names, axes and dtypes (the contract), then shapes and values at several batch sizes on real tiles
and on extremes, then the decisions on every test tile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from pairedge.errors import GraphError
from pairedge.graph import open_graph
from pairedge_export.errors import ExportError
from pairedge_export.graphs import TorchGraph

BATCHES = (1, 2, 7, 64)
TOLERANCE = 1e-5
Array = NDArray[Any]
# Against torch: the graph's signature, its values, its decisions. Against the fp32 graphs: those of reduced
# precision. Against the graphs: .ort files, C and WebAssembly.
CheckKind: TypeAlias = Literal["contract", "values", "decisions", "precision", "mobile", "c", "web"]


@dataclass(frozen=True)
class Check:
    """One check of one graph.

    Attributes:
        graph: "pair", "digit" or "compare"; "reading" where pictures were read.
        kind: which part of the proof it belongs to.
        name: what was checked, for a reader.
        passed: whether it held.
        detail: what was measured, in words.
        difference: the largest difference where values were compared, 0 up; None elsewhere.
        agreement: the share that is the same, 0 to 1, where not everything has to be; None elsewhere.
    """

    graph: str
    kind: CheckKind
    name: str
    passed: bool
    detail: str
    difference: float | None = None
    agreement: float | None = None


@dataclass(frozen=True)
class Parity:
    """The proof of one model: all its checks."""

    checks: list[Check]

    @property
    def passed(self) -> bool:
        """Whether every check held."""
        return all(check.passed for check in self.checks)

    def difference(self, kind: CheckKind = "values") -> float:
        """The largest difference of any output in the checks of a kind, in units of the output's scale."""
        return max(check.difference for check in self.of_kind(kind) if check.difference is not None)

    def of_kind(self, *kinds: CheckKind) -> list[Check]:
        """The checks of these kinds."""
        return [check for check in self.checks if check.kind in kinds]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Parity:
        """The proof that `to_dict` gave."""
        return cls([Check(**check) for check in values["checks"]])

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


def require_passed(parity: Parity, sentence: str) -> None:
    """Stop before anything is written when a check failed.

    Raises:
        ExportError: naming every failed check.
    """
    failed = "; ".join(
        f"{check.graph}: {check.name}: {check.detail}" for check in parity.checks if not check.passed
    )
    if failed:
        raise ExportError(f"{sentence}, nothing was written: {failed}")


def check_parity(graphs: list[tuple[TorchGraph, bytes]], tiles: NDArray[np.uint8]) -> Parity:
    """Compare every graph of a model with the torch module that it was made from.

    Args:
        graphs: each graph and the bytes that it was exported to.
        tiles: real test tiles, uint8 (M, 14, 14), 0 to 255; the decisions on every one are compared.
    """
    checks: list[Check] = []
    for graph, content in graphs:
        try:
            session = open_graph(content, graph.kind).session
        except GraphError as error:
            checks.append(Check(graph.kind, "contract", "contract", False, str(error)))
            continue
        checks.append(Check(graph.kind, "contract", "contract", True, "names, axes and dtypes as agreed"))
        names = [node.name for node in session.get_inputs()]
        embed = next((other.run for other, _ in graphs if other.kind == "digit"), None)
        for name, inputs in probes(graph.kind, tiles, embed):
            actual = session.run(list(graph.outputs), dict(zip(names, inputs, strict=True)))
            expected = [value.numpy() for value in graph.run(*map(torch.from_numpy, inputs))]
            checks.append(compare_values(graph.kind, graph.outputs, name, expected, actual))
            if len(inputs[0]) == len(tiles):
                checks.append(compare_decisions(graph.kind, graph.outputs, name, expected, actual))
    return Parity(checks)


def probes(kind: str, tiles: NDArray[np.uint8], embed: Any) -> list[tuple[str, tuple[Array, ...]]]:
    """Inputs to compare on: extremes, real tiles at each batch size, and all real tiles.

    Every tile is paired with the one half the list away, once as first and once as second.

    Args:
        kind: "pair", "digit" or "compare".
        tiles: uint8 (M, 14, 14), 0 to 255.
        embed: tiles as a uint8 tensor (N, 14, 14) to posterior (N, 10) and embedding (N, E), both float32;
            needed for "compare" alone.

    Returns:
        Names, each with the inputs of a batch of N: uint8 (N, 2, 14, 14) for "pair", uint8 (N, 14, 14) for
        "digit", twice float32 (N, E), of any range, for "compare".
    """
    sources = {"extremes": extremes(), **{f"batch {size}": tiles[: size + 1] for size in BATCHES}}
    sources[f"all {len(tiles)} tiles"] = tiles
    batches: list[tuple[str, tuple[Array, ...]]] = []
    for name, source in sources.items():
        count = len(source) - name.startswith("batch")  # one tile more than the batch, so that pairs differ
        first, second = source[:count], np.roll(source, len(source) // 2, axis=0)[:count]
        if kind == "pair":
            inputs: tuple[Array, ...] = (np.stack([first, second], axis=1),)
        elif kind == "digit":
            inputs = (np.ascontiguousarray(first),)
        else:
            inputs = tuple(
                embed(torch.from_numpy(np.ascontiguousarray(side)))[1].numpy() for side in (first, second)
            )
        batches.append((name, inputs))
    return batches


def real_inputs(kind: str, graphs: Mapping[str, bytes], tiles: NDArray[np.uint8]) -> dict[str, Array]:
    """The inputs of a graph for real tiles, each tile paired with its neighbor.

    Args:
        kind: "pair", "digit" or "compare".
        graphs: the model's graphs by kind; for "compare" its "digit" graph computes the embeddings.
        tiles: uint8 (M, 14, 14), 0 to 255.

    Returns:
        By name: `images`, uint8 (M, 2, 14, 14); or `tiles`, uint8 (M, 14, 14); or `first` and `second`,
        float32 (M, E), of any range.
    """
    neighbors = np.roll(tiles, 1, axis=0)
    if kind == "pair":
        return {"images": np.stack([tiles, neighbors], axis=1)}
    if kind == "digit":
        return {"tiles": tiles}
    embed = open_graph(graphs["digit"], "digit").session
    return {
        name: embed.run(["embedding"], {"tiles": side})[0]
        for name, side in (("first", tiles), ("second", neighbors))
    }


def extremes() -> NDArray[np.uint8]:
    """Black, white, checkered, one white pixel, noise: tiles without a digit, uint8 (5, 14, 14), 0 to 255."""
    tiles = np.zeros((5, 14, 14), np.uint8)
    tiles[1] = 255
    tiles[2, ::2, ::2] = tiles[2, 1::2, 1::2] = 255
    tiles[3, 7, 7] = 255
    tiles[4] = np.random.default_rng(0).integers(0, 256, (14, 14))
    return tiles


def compare_values(
    graph: str,
    outputs: Sequence[str],
    name: str,
    expected: Sequence[Array],
    actual: Sequence[Array],
    kind: CheckKind = "values",
    least: float = 1.0,
) -> Check:
    """Compare shapes, dtypes and values, which may differ by TOLERANCE times the largest value beyond 1.

    Probabilities never exceed 1, so for them the difference is absolute; embeddings have their own scale.

    Args:
        graph: "pair", "digit" or "compare".
        outputs: names of the outputs.
        name: what they were computed on.
        expected: each output, float32 (N, ...): probabilities 0 to 1, embeddings of any range.
        actual: the same of the graph that is checked.
        kind: of the check.
        least: which share of the N must be within the tolerance, 0 to 1.
    """
    label = f"values, {name}"
    differences = np.zeros(len(expected[0]))
    for output, ours, theirs in zip(outputs, expected, actual, strict=True):
        if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
            detail = f"{output} is {theirs.dtype} {theirs.shape} instead of {ours.dtype} {ours.shape}"
            return Check(graph, kind, label, False, detail)
        scale = max(1.0, float(np.abs(ours).max()))
        apart = np.abs(ours.astype(np.float64) - theirs).reshape(len(ours), -1).max(axis=1) / scale
        differences = np.maximum(differences, np.where(np.isfinite(apart), apart, np.inf))
    largest, within = float(differences.max()), int(np.sum(differences <= TOLERANCE))
    passed = within >= least * len(differences)
    detail = f"largest difference {largest:.1e}" + ("" if passed else f", tolerance {TOLERANCE:.0e}")
    if least == 1:
        return Check(graph, kind, label, passed, detail, largest)
    detail += f"; {within} of {len(differences)} within {TOLERANCE:.0e}"
    return Check(graph, kind, label, passed, detail, largest, within / len(differences))


def compare_decisions(
    graph: str,
    outputs: Sequence[str],
    name: str,
    expected: Sequence[Array],
    actual: Sequence[Array],
    kind: CheckKind = "decisions",
    least: float = 1.0,
) -> Check:
    """Compare every decision first <= second and every most probable digit.

    Args:
        graph: "pair", "digit" or "compare".
        outputs: names of the outputs; embeddings decide nothing.
        name: what they were computed on.
        expected: each output, float32 (N, ...): probabilities 0 to 1, embeddings of any range.
        actual: the same of the graph that is checked.
        kind: of the check.
        least: which share of the decisions must be the same, 0 to 1.
    """
    differing = total = 0
    for output, ours, theirs in zip(outputs, expected, actual, strict=True):
        if output == "embedding":
            continue
        one, other = (values >= 0.5 if output == "leq" else values.argmax(-1) for values in (ours, theirs))
        differing += int((one != other).sum())
        total += one.size
    same = 1 - differing / total
    return Check(
        graph,
        kind,
        f"decisions, {name}",
        same >= least,
        f"{differing} of {total} differ",
        agreement=None if least == 1 else same,
    )
