"""The contract of an exported graph: the inputs, outputs and metadata that pairedge requires of it.

The exporter writes graphs that meet the contract and the runtime refuses all others, so a graph made by
another tool works exactly when `differences` yields nothing.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# Official Linux builds since onnxruntime 1.29 send telemetry unless this is set before the import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from pairedge.answers import is_valid, is_valid_pair, wrong_answer
from pairedge.digest import read_digest
from pairedge.errors import GraphError
from pairedge.files import read_file, reason
from pairedge.image.tile import TILE_SIDE
from pairedge.shipped import check_shipped

# The version of the contract, increased when graphs and runtimes of two versions do not fit each other.
# Schema 2: `confidence` has a threshold for pairs and one for single tiles; `recipe` is nested by section.
SCHEMA = 2
METADATA_KEY = "pairedge"
EXPORTER = "pairedge"  # the metadata's entry that names the version that exported the graph
DIGITS = 10
LARGEST_GRAPH = 1_000_000_000  # bytes of a file: thousands of times those of the model that ships

Axis = int | str  # a number is a fixed size; a name is any size, equal wherever the name occurs


@dataclass(frozen=True)
class TensorSpec:
    """The element type, as onnxruntime spells it, and the axes of one input or output."""

    dtype: str
    axes: tuple[Axis, ...]
    optional: bool = False

    def __str__(self) -> str:
        return f"{self.dtype} ({', '.join(map(str, self.axes))})"


@dataclass(frozen=True)
class Contract:
    """The inputs and outputs of one kind of graph, by name."""

    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]


_UINT8, _FLOAT = "tensor(uint8)", "tensor(float)"
CONTRACTS = {
    # Pairs of tiles, gray levels 0 to 255 -> P(first <= second), and each tile's digit posterior.
    "pair": Contract(
        inputs={"images": TensorSpec(_UINT8, ("N", 2, TILE_SIDE, TILE_SIDE))},
        outputs={
            "leq": TensorSpec(_FLOAT, ("N",)),
            "digits": TensorSpec(_FLOAT, ("N", 2, DIGITS), optional=True),
        },
    ),
    # Tiles, gray levels 0 to 255 -> digit posterior and the embedding that `compare` takes.
    "digit": Contract(
        inputs={"tiles": TensorSpec(_UINT8, ("N", TILE_SIDE, TILE_SIDE))},
        outputs={
            "posterior": TensorSpec(_FLOAT, ("N", DIGITS)),
            "embedding": TensorSpec(_FLOAT, ("N", "E")),
        },
    ),
    # Embeddings of first and second tiles -> P(first <= second).
    "compare": Contract(
        inputs={"first": TensorSpec(_FLOAT, ("N", "E")), "second": TensorSpec(_FLOAT, ("N", "E"))},
        outputs={"leq": TensorSpec(_FLOAT, ("N",))},
    ),
}


@dataclass(frozen=True)
class Graph:
    """A session whose graph meets its contract.

    Attributes:
        name: what to call it in messages: its path as given, or "graph".
        session: runs the graph on the CPU.
        metadata: what the exporter stored as JSON: schema, graph (the kind), variant, recipe, metrics, …
        outputs: the names of the graph's outputs.
        path: of the file, absolute; None when the graph was given as bytes.
        threads: number of threads per run.
        digest: the SHA-256 that the graph carries over its own content; None for one of another tool.
    """

    name: str
    session: ort.InferenceSession
    metadata: dict[str, Any]
    outputs: tuple[str, ...]
    path: str | None
    threads: int
    digest: str | None

    def run(self, outputs: list[str], inputs: dict[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Compute outputs, and check them: a graph may state one shape and give another, or NaN.

        Args:
            outputs: their names, in the order in which they are wanted.
            inputs: by name, of the dtypes and axes of the contract, all with the same N.

        Returns:
            The outputs of the contract, float32 (N, ...); probabilities are 0 to 1 up to rounding.

        Raises:
            GraphError: when the graph cannot be run, or its answers are not what the contract says.
        """
        batch = len(next(iter(inputs.values())))
        try:
            answers: list[NDArray[np.float32]] = self.session.run(outputs, inputs)
        except Exception as error:  # onnxruntime's exceptions share no base class but Exception
            raise GraphError(f"{self.name}: cannot be run on a batch of {batch}") from error
        if batch == 1 and is_valid_pair(*answers[:2]):
            return answers
        for name, answer in zip(outputs, answers, strict=True):
            if not is_valid(name, answer, batch):
                wrong = wrong_answer(name, answer, batch)
                raise GraphError(f"{self.name}: its output {name!r} for a batch of {batch} {wrong}")
        return answers


def open_graph(source: str | os.PathLike[str] | bytes, kind: str, *, threads: int = 1) -> Graph:
    """Open an ONNX file, or its bytes, as a graph of `kind`: "pair", "digit" or "compare".

    Args:
        source: path of the file, or its content.
        kind: which of CONTRACTS the graph must meet.
        threads: number of threads per run. One is fastest for graphs this small.

    Raises:
        GraphError: when the file is missing, corrupt, of another schema version, breaks the contract, or is
            not what its digest, or pairedge's own for a graph that ships, was made of.
    """
    name, content = read_content(source)
    check_shipped(name, content)
    digest = read_digest(content, name)
    session = start_session(content, name, threads=threads)
    metadata = read_metadata(session, name)
    check_digest_kept(metadata, digest, name)
    if metadata["graph"] != kind:
        raise GraphError(f"{name}: is a {metadata['graph']!r} graph, not a {kind!r} graph")
    problems = "; ".join(differences(session, CONTRACTS[kind]))
    if problems:
        raise GraphError(f"{name}: breaks the contract of a {kind!r} graph: {problems}")
    outputs = tuple(output.name for output in session.get_outputs())
    path = None if isinstance(source, bytes) else os.path.abspath(source)  # noqa: PTH100 (start-up time)
    return Graph(name, session, metadata, outputs, path, threads, digest)


def read_content(source: str | os.PathLike[str] | bytes) -> tuple[str, bytes]:
    """Read a graph: what to call it in messages, and its bytes.

    Raises:
        GraphError: when the file cannot be read.
    """
    if isinstance(source, bytes):
        return "graph", source
    name = os.fspath(source)
    try:
        return name, read_file(source, LARGEST_GRAPH)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise GraphError(f"{name}: {reason(error)}") from error


def start_session(content: bytes, name: str, *, threads: int = 1) -> ort.InferenceSession:
    """Start a session on the CPU, of any graph that onnxruntime can load.

    Raises:
        GraphError: when onnxruntime cannot load it.
    """
    if threads < 1:
        raise ValueError(f"threads must be at least 1, not {threads}")
    try:
        return Session(content, session_options(threads), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no base class but Exception
        raise GraphError(f"{name}: not an ONNX graph that onnxruntime {ort.__version__} can load") from error


class Session(ort.InferenceSession):  # type: ignore[misc] # onnxruntime publishes no types
    """A session that has no other providers to fall back on: trying them is told on standard output."""

    @property
    def _enable_fallback(self) -> bool:
        return False

    @_enable_fallback.setter
    def _enable_fallback(self, value: bool) -> None:
        """Stay without: the base class sets it in its constructor, some versions whatever they are told."""


def session_options(threads: int) -> ort.SessionOptions:
    """Session options for a small graph: few threads, no memory arena, no logs."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # saves memory, and is as fast here
    options.log_severity_level = 4  # GraphError reports failures
    # A graph must be a single file. onnxruntime would read external weights from the working directory, even
    # for a graph given as bytes, so point it where there are none. (Unknown, and ignored, before 1.21.)
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    return options


def read_metadata(session: ort.InferenceSession, name: str) -> dict[str, Any]:
    """Read the metadata that the exporter stored in a graph as JSON.

    Raises:
        GraphError: when there are none, or their schema is not the one that this version reads.
    """
    try:
        text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY, "null")
        # NaN and infinity are no JSON, though Python reads them, and 1e999 as infinity.
        metadata = json.loads(text, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or nested without end
        raise GraphError(f"{name}: its {METADATA_KEY!r} metadata cannot be read") from error
    if metadata is None:
        raise GraphError(f"{name}: has no {METADATA_KEY!r} metadata; was it written by pairedge-export?")
    schema = metadata.get("schema") if isinstance(metadata, dict) else None
    if not isinstance(schema, int):
        raise GraphError(f"{name}: its {METADATA_KEY!r} metadata has no schema version")
    if schema != SCHEMA:
        remedy = "update pairedge" if schema > SCHEMA else "export it again"
        raise GraphError(f"{name}: has schema {schema}, but this pairedge reads schema {SCHEMA}; {remedy}")
    kind = metadata.get("graph")
    if kind not in tuple(CONTRACTS):  # a tuple, because JSON values may be unhashable
        raise GraphError(f"{name}: unknown graph kind {kind!r}")
    return dict(metadata)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no number of JSON")
    return value


def check_digest_kept(metadata: dict[str, Any], digest: str | None, name: str) -> None:
    """Check that a graph that names the pairedge that exported it still carries its digest.

    A graph of another tool names none, and is used without a digest.

    Raises:
        GraphError: when it has lost it.
    """
    if digest is None and EXPORTER in metadata:
        raise GraphError(f"{name}: was exported with a digest and has lost it; export it again")


def differences(session: ort.InferenceSession, contract: Contract) -> Iterator[str]:
    """Yield each way in which a session's inputs and outputs break the contract, as one phrase."""
    sizes: dict[str, Any] = {}
    for role, specs, nodes in (
        ("input", contract.inputs, session.get_inputs()),
        ("output", contract.outputs, session.get_outputs()),
    ):
        by_name = {node.name: node for node in nodes}
        for name, spec in specs.items():
            node = by_name.pop(name, None)
            if node is None:
                if not spec.optional:
                    yield f"{role} {name!r} is missing"
            elif node.type != spec.dtype or not _axes_agree(node.shape, spec.axes, sizes):
                yield f"{role} {name!r} is {signature(node)}, not {spec}"
        for name in by_name:
            yield f"{role} {name!r} is unknown"


def signature(node: ort.NodeArg) -> str:
    """The element type and axes of an input or output of a session, formatted like a `TensorSpec`."""
    axes = ", ".join("any" if axis is None else str(axis) for axis in node.shape)
    return f"{node.type} ({axes})"


def _axes_agree(shape: Sequence[int | str | None], axes: tuple[Axis, ...], sizes: dict[str, Any]) -> bool:
    """Whether a shape fits: fixed sizes match, the batch `N` is dynamic, and equal names have equal sizes."""
    if len(shape) != len(axes):
        return False
    for size, axis in zip(shape, axes, strict=True):
        if axis == "N":
            if isinstance(size, int):
                return False
        elif isinstance(axis, int):
            if size != axis:
                return False
        elif sizes.setdefault(axis, size) != size:
            return False
    return True
