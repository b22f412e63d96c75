"""What a file holds: a graph's inputs and outputs, its card, and each check of the contract."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from pairedge.errors import GraphError
from pairedge.graph import (
    CONTRACTS,
    DIGITS,
    SCHEMA,
    differences,
    read_content,
    read_metadata,
    signature,
    start_session,
)

_CARD = ("variant", "parameters", "metrics", "recipe", "seed", "license", "training_sha256", "weights_sha256")
_BATCHES = (1, 2, 7)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is known of one graph.

    Attributes:
        file: its path, as given.
        size: bytes.
        sha256: of the whole file.
        kind: "pair", "digit" or "compare", as its metadata say; without usable metadata, the kind whose
            contract it comes nearest to.
        inputs: element type and axes of each input, by name.
        outputs: the same of each output.
        metadata: what its maker wrote; empty when it cannot be used.
        checks: each check's differences from the contract; none where it passed.
    """

    file: str
    size: int
    sha256: str
    kind: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    metadata: dict[str, Any]
    checks: dict[str, list[str]]

    @property
    def differences(self) -> list[str]:
        """Every way in which the graph breaks the contract; empty when pairedge can use it."""
        return [difference for found in self.checks.values() for difference in found]

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for JSON."""
        return {
            "file": self.file,
            "bytes": self.size,
            "sha256": self.sha256,
            "graph": self.kind,
            "contract": {"schema": SCHEMA, "inputs": self.inputs, "outputs": self.outputs},
            "card": {name: self.metadata.get(name) for name in _CARD},
            "checks": {name: not found for name, found in self.checks.items()},
            "differences": self.differences,
        }


def inspect_graph(path: str | os.PathLike[str]) -> Inspection:
    """Read a graph and check all that pairedge asks of it, without stopping at the first difference.

    Raises:
        GraphError: when the file cannot be read, or is no graph that onnxruntime can load.
    """
    name, content = read_content(path)
    session = start_session(content, name)
    metadata, problems = _metadata(session, name)
    kind = metadata.get("graph") or min(CONTRACTS, key=lambda one: len(_differences(session, one)))
    signatures = _differences(session, kind)
    checks = {f"loads in onnxruntime {ort.__version__}": [], "metadata": problems, "signatures": signatures}
    if not signatures:  # else there is nothing to give it
        checks["answers"] = list(_wrong_answers(session, kind))
    return Inspection(
        file=name,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        kind=kind,
        inputs={node.name: signature(node) for node in session.get_inputs()},
        outputs={node.name: signature(node) for node in session.get_outputs()},
        metadata=metadata,
        checks=checks,
    )


def accuracies(metadata: dict[str, Any]) -> dict[str, tuple[float, int]]:
    """The metadata's claims: what share is right, 0 to 1, and of how many, by what was measured."""
    metrics = metadata.get("metrics")
    found = {}
    for name, metric in metrics.items() if isinstance(metrics, dict) else ():
        accuracy, n = (metric.get("accuracy"), metric.get("n")) if isinstance(metric, dict) else (None, None)
        if isinstance(accuracy, float | int) and 0 <= accuracy <= 1 and isinstance(n, int):
            found[name] = (float(accuracy), n)
    return found


def _metadata(session: ort.InferenceSession, name: str) -> tuple[dict[str, Any], list[str]]:
    try:
        return read_metadata(session, name), []
    except GraphError as error:
        return {}, [str(error).removeprefix(f"{name}: ")]


def _differences(session: ort.InferenceSession, kind: str) -> list[str]:
    return list(differences(session, CONTRACTS[kind]))


def _wrong_answers(session: ort.InferenceSession, kind: str) -> Iterator[str]:
    """Each way in which a graph fails on batches of several sizes, as one phrase."""
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
    """Noise in the shapes of the contract; a width that the graph leaves open must do with ten.

    An embedding may be a posterior, so that of `compare` is noise that sums to one.
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


def wrong_answer(name: str, answer: NDArray[np.float32], batch: int) -> str | None:
    """What is wrong with an answer: its length, that it is not finite, or that it is no probability."""
    if len(answer) != batch:
        return f"has {len(answer)} answers"
    if not np.isfinite(answer).all():
        return "is not finite"
    if name == "embedding":
        return None
    if answer.min() < 0 or answer.max() > 1 + 1e-5:
        return "is no probability"
    if name != "leq" and abs(answer.sum(axis=-1) - 1).max() > 1e-3:
        return "is no distribution over the digits"
    return None
