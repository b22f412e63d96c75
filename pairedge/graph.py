"""The contract of an exported graph: what it must be called, take, give and say before pairedge uses it.

The exporter writes graphs to this contract and the runtime refuses graphs that break it, so a graph
made by another tool works exactly when `differences` finds nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# Official Linux builds since onnxruntime 1.29 send telemetry unless this is set before the import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort

from pairedge.errors import GraphError
from pairedge.image.tile import TILE_SIDE

SCHEMA = 1  # raised when a graph of this version could not be used by the version before
METADATA_KEY = "pairedge"
DIGITS = 10

Axis = int | str  # a number is required as it is; a name stands for any size, the same wherever it stands


@dataclass(frozen=True)
class TensorSpec:
    """One input or output: its element type as onnxruntime spells it, and its axes."""

    dtype: str
    axes: tuple[Axis, ...]
    optional: bool = False

    def __str__(self) -> str:
        return f"{self.dtype} ({', '.join(map(str, self.axes))})"


@dataclass(frozen=True)
class Contract:
    """What one kind of graph takes and gives, by name."""

    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]


_UINT8, _FLOAT = "tensor(uint8)", "tensor(float)"
CONTRACTS = {
    # Pairs of tiles, raw grey levels -> P(first <= second), and each tile's digit posterior.
    "pair": Contract(
        inputs={"images": TensorSpec(_UINT8, ("N", 2, TILE_SIDE, TILE_SIDE))},
        outputs={
            "leq": TensorSpec(_FLOAT, ("N",)),
            "digits": TensorSpec(_FLOAT, ("N", 2, DIGITS), optional=True),
        },
    ),
    # Tiles -> digit posterior and the embedding that `compare` takes.
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

    `metadata` is what the exporter wrote: schema, graph (the kind), variant, recipe, labels, metrics, …
    It is read as JSON and never evaluated.
    """

    session: ort.InferenceSession
    metadata: dict[str, Any]
    outputs: tuple[str, ...]
    path: str | None  # absolute; None when the graph was given as bytes
    threads: int


def open_graph(source: str | os.PathLike[str] | bytes, kind: str, *, threads: int = 1) -> Graph:
    """Open an ONNX file, or its bytes, as a graph of `kind`: "pair", "digit" or "compare".

    Args:
        source: path of the file, or its whole content.
        kind: which of CONTRACTS it must meet.
        threads: how many threads one run may use. One is fastest on graphs this small.

    Raises:
        GraphError: with one sentence, when the file is missing, corrupt, not ours, or newer than this code.
    """
    name, content = read_content(source)
    session = start_session(content, name, threads=threads)
    metadata = read_metadata(session, name)
    if metadata["graph"] != kind:
        raise GraphError(f"{name}: holds the {metadata['graph']!r} graph of a model, not its {kind!r} graph")
    found = "; ".join(differences(session, CONTRACTS[kind]))
    if found:
        raise GraphError(f"{name}: breaks the contract of a {kind!r} graph: {found}")
    outputs = tuple(output.name for output in session.get_outputs())
    path = None if isinstance(source, bytes) else os.path.abspath(source)  # noqa: PTH100 (start-up time)
    return Graph(session, metadata, outputs, path, threads)


def read_content(source: str | os.PathLike[str] | bytes) -> tuple[str, bytes]:
    """What to call a graph in messages, and its bytes.

    Raises:
        GraphError: when the file cannot be read.
    """
    if isinstance(source, bytes):
        return "graph", source
    name = os.fspath(source)
    try:
        with open(source, "rb") as file:  # noqa: PTH123 (pathlib would cost start-up time)
            return name, file.read()
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise GraphError(f"{name}: {reason.lower()}") from error


def start_session(content: bytes, name: str, *, threads: int = 1) -> ort.InferenceSession:
    """A session on the CPU, of any graph that onnxruntime can load.

    Raises:
        GraphError: when onnxruntime cannot load it.
    """
    if threads < 1:
        raise ValueError(f"threads must be at least 1, not {threads}")
    try:
        return ort.InferenceSession(content, session_options(threads), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no base class but Exception
        raise GraphError(f"{name}: not an ONNX graph that onnxruntime {ort.__version__} can load") from error


def session_options(threads: int) -> ort.SessionOptions:
    """Options for a graph this small: no thread pool to wake, no memory arena to keep, silent logs."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # costs no time here and saves memory
    options.log_severity_level = 4  # a refusal is told once, by GraphError
    # A graph is one file. Weights that it keeps elsewhere would be read from the working directory, even of
    # a graph given as bytes; they are looked for where nothing is. (Unknown, and ignored, before 1.21.)
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    return options


def read_metadata(session: ort.InferenceSession, name: str) -> dict[str, Any]:
    """The JSON that the exporter stored in the graph.

    Raises:
        GraphError: when there is none, or it is of a schema that this version does not know.
    """
    try:
        text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY, "null")
        metadata = json.loads(text)
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or nested without end
        raise GraphError(f"{name}: its {METADATA_KEY!r} metadata cannot be read") from error
    if metadata is None:
        raise GraphError(f"{name}: has no {METADATA_KEY!r} metadata; was it written by pairedge-export?")
    schema = metadata.get("schema") if isinstance(metadata, dict) else None
    if not isinstance(schema, int):
        raise GraphError(f"{name}: its {METADATA_KEY!r} metadata gives no version of the contract")
    if schema > SCHEMA:
        raise GraphError(
            f"{name}: its contract is version {schema}, and this pairedge knows up to {SCHEMA}; "
            "update pairedge"
        )
    kind = metadata.get("graph")
    if kind not in tuple(CONTRACTS):  # JSON may hold what cannot be a key
        raise GraphError(f"{name}: unknown kind of graph {kind!r}")
    return dict(metadata)


def differences(session: ort.InferenceSession, contract: Contract) -> Iterator[str]:
    """Each way in which a session's inputs and outputs break the contract, as one phrase."""
    sizes: dict[str, Any] = {}
    for role, specs, found in (
        ("input", contract.inputs, session.get_inputs()),
        ("output", contract.outputs, session.get_outputs()),
    ):
        by_name = {node.name: node for node in found}
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
    """The element type and the axes of an input or output of a session, as `TensorSpec` writes them."""
    axes = ", ".join("any" if axis is None else str(axis) for axis in node.shape)
    return f"{node.type} ({axes})"


def _axes_agree(shape: Sequence[int | str | None], axes: tuple[Axis, ...], sizes: dict[str, Any]) -> bool:
    """Whether a shape fits: fixed sizes equal, the batch `N` left open, other names equal to themselves."""
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
