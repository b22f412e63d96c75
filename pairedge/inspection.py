"""Inspects a graph: its inputs and outputs, its card, and a check of every part of the contract."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from pairedge.answers import wrong_answer
from pairedge.classes import read_classes
from pairedge.confidence import read_thresholds
from pairedge.digest import read_digest
from pairedge.errors import GraphError
from pairedge.graph import (
    CONTRACTS,
    DIGITS,
    SCHEMA,
    check_digest_kept,
    differences,
    read_content,
    read_metadata,
    signature,
    start_session,
)
from pairedge.shipped import check_shipped

_CARD = (
    "variant",
    "parameters",
    "labels",
    "metrics",
    "confidence",
    "recipe",
    "seed",
    "license",
    "training_sha256",
    "weights_sha256",
)
_BATCHES = (1, 2, 7)


@dataclass(frozen=True, slots=True)
class Inspection:
    """The result of inspecting one graph.

    Attributes:
        file: path of the graph, as given.
        size: bytes of the file.
        sha256: of the file.
        digest: that the graph carries of its own content; None when it carries none, as the graphs of other
            tools, or one that does not fit.
        kind: "pair", "digit" or "compare", as its metadata says; without usable metadata, the kind whose
            contract it differs from the least.
        inputs: element type and axes of each input, by name.
        outputs: element type and axes of each output, by name.
        metadata: what the exporter stored; empty when it cannot be used.
        checks: the differences from the contract that each check yields; empty where it passed.
    """

    file: str
    size: int
    sha256: str
    digest: str | None
    kind: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    metadata: dict[str, Any]
    checks: dict[str, list[str]]

    @property
    def differences(self) -> list[str]:
        """Every way in which the graph breaks the contract; empty when pairedge can use it."""
        return [difference for differences in self.checks.values() for difference in differences]

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain Python values, ready for JSON."""
        return {
            "file": self.file,
            "bytes": self.size,
            "sha256": self.sha256,
            "digest": self.digest,
            "graph": self.kind,
            "contract": {"schema": SCHEMA, "inputs": self.inputs, "outputs": self.outputs},
            "card": {name: self.metadata.get(name) for name in _CARD},
            "checks": {name: not differences for name, differences in self.checks.items()},
            "differences": self.differences,
        }


def inspect_graph(path: str | os.PathLike[str]) -> Inspection:
    """Inspect a graph and run every check, without stopping at the first difference.

    Raises:
        GraphError: when the file cannot be read, or onnxruntime cannot load it.
    """
    name, content = read_content(path)
    return inspect_content(name, content)


def inspect_content(name: str, content: bytes) -> Inspection:
    """Inspect the bytes of a graph, which messages call `name`.

    Raises:
        GraphError: when onnxruntime cannot load it.
    """
    session = start_session(content, name)
    metadata, problems = _metadata(session, name)
    digest, damage = _digest(content, name, metadata)
    kind = metadata.get("graph") or min(CONTRACTS, key=lambda kind: len(_differences(session, kind)))
    signatures = _differences(session, kind)
    checks = {f"loads in onnxruntime {ort.__version__}": [], "metadata": problems, "signatures": signatures}
    if digest is not None or damage:
        checks["digest"] = damage
    if not signatures:  # otherwise the inputs would not fit
        checks["answers"] = list(_wrong_answers(session, kind))
    return Inspection(
        file=name,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        digest=digest,
        kind=kind,
        inputs={node.name: signature(node) for node in session.get_inputs()},
        outputs={node.name: signature(node) for node in session.get_outputs()},
        metadata=metadata,
        checks=checks,
    )


def accuracies(metadata: dict[str, Any]) -> dict[str, tuple[float, int]]:
    """The accuracies in a graph's metadata, by what was measured: each 0 to 1, and the sample size."""
    metrics = metadata.get("metrics")
    stated = {}
    for name, metric in metrics.items() if isinstance(metrics, dict) else ():
        accuracy, n = (metric.get("accuracy"), metric.get("n")) if isinstance(metric, dict) else (None, None)
        if isinstance(accuracy, float | int) and 0 <= accuracy <= 1 and isinstance(n, int):
            stated[name] = (float(accuracy), n)
    return stated


def _metadata(session: ort.InferenceSession, name: str) -> tuple[dict[str, Any], list[str]]:
    """A graph's metadata, empty when they cannot be used, and what is wrong with them."""
    metadata: dict[str, Any] = {}
    try:
        metadata = read_metadata(session, name)
        read_thresholds(metadata, name)
        read_classes(metadata, name)
    except GraphError as error:
        return metadata, [str(error).removeprefix(f"{name}: ")]
    return metadata, []


def _digest(content: bytes, name: str, metadata: dict[str, Any]) -> tuple[str | None, list[str]]:
    """The digest that a graph carries, None without one, and what is wrong with it."""
    try:
        check_shipped(name, content)
        digest = read_digest(content, name)
        check_digest_kept(metadata, digest, name)
    except GraphError as error:
        return None, [str(error).removeprefix(f"{name}: ")]
    return digest, []


def _differences(session: ort.InferenceSession, kind: str) -> list[str]:
    return list(differences(session, CONTRACTS[kind]))


def _wrong_answers(session: ort.InferenceSession, kind: str) -> Iterator[str]:
    """Yield each way in which a graph fails on batches of several sizes, as one phrase."""
    outputs = [node.name for node in session.get_outputs()]
    for batch in _BATCHES:
        try:
            answers = session.run(outputs, _inputs(session, kind, batch))
        except Exception:  # onnxruntime's exceptions share no base class but Exception
            yield f"a batch of {batch} cannot be run"
            continue
        for name, answer in zip(outputs, answers, strict=True):
            reason = wrong_answer(name, answer, batch)
            if reason is not None:
                yield f"output {name!r} of a batch of {batch} {reason}"


def _inputs(session: ort.InferenceSession, kind: str, batch: int) -> dict[str, NDArray[Any]]:
    """Random inputs in the shapes of the contract; dynamic axes other than the batch have size 10.

    An embedding may be a posterior, so those for `compare` sum to 1.
    """
    random = np.random.default_rng(batch)
    inputs: dict[str, NDArray[Any]] = {}
    for node in session.get_inputs():
        shape = [batch, *(size if isinstance(size, int) else DIGITS for size in node.shape[1:])]
        noise = random.integers(0, 256, shape)
        if kind == "compare":
            inputs[node.name] = (noise / noise.sum(axis=1, keepdims=True)).astype(np.float32)
        else:
            inputs[node.name] = noise.astype(np.uint8)
    return inputs
