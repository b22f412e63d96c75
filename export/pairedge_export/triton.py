"""A model repository for Triton: each graph as `model.onnx` beside a configuration that states its contract.

The models have the names, inputs, outputs and shapes that `pairedge serve` gives them, so that a client of
one is a client of the other. Therefore Triton must not batch requests itself (`max_batch_size` is 0): it
would take the first axis for its own, and `leq` would come back as (N, 1). The first axis is dynamic instead.
"""

from __future__ import annotations

from pathlib import Path

from onnxruntime import NodeArg

from pairedge.graph import Graph, open_graph
from pairedge.serve.protocol_v2 import MODELS
from pairedge_export.errors import ExportError
from pairedge_train.files import write_atomically

NAMES = {kind: name for name, kind in MODELS.items()}
_DATA_TYPES = {"tensor(uint8)": "TYPE_UINT8", "tensor(float)": "TYPE_FP32"}


def write_model_repository(graphs: Path, repository: Path) -> list[Path]:
    """Write the graphs of a folder as a model repository.

    Args:
        graphs: folder with `pair.onnx`, and perhaps `digit.onnx` and `compare.onnx`.
        repository: folder to write to; other models in it are left alone.

    Returns:
        The folders of the models.

    Raises:
        GraphError: when a graph breaks its contract, or there is no `pair.onnx`.
        ExportError: when the files cannot be written.
    """
    kinds = [kind for kind in NAMES if kind == "pair" or (graphs / f"{kind}.onnx").exists()]
    opened = {kind: open_graph(graphs / f"{kind}.onnx", kind) for kind in kinds}
    folders = []
    try:
        for kind, graph in opened.items():
            folder = repository / NAMES[kind]
            (folder / "1").mkdir(parents=True, exist_ok=True)
            write_atomically(folder / "1" / "model.onnx", (graphs / f"{kind}.onnx").read_bytes())
            write_atomically(folder / "config.pbtxt", config(kind, graph).encode())
            folders.append(folder)
    except OSError as error:
        raise ExportError(f"{error.filename}: {(error.strerror or str(error)).lower()}") from error
    return folders


def config(kind: str, graph: Graph) -> str:
    """Triton's configuration of a model, in the text format of its protobuf."""
    lines = [
        f'name: "{NAMES[kind]}"',
        'backend: "onnxruntime"',
        "max_batch_size: 0",
        *(tensor("input", node) for node in graph.session.get_inputs()),
        *(tensor("output", node) for node in graph.session.get_outputs()),
        "instance_group { kind: KIND_CPU }",
        # The graph is small: one thread answers a request fastest, and requests run beside each other.
        'parameters { key: "intra_op_thread_count" value { string_value: "1" } }',
        'parameters { key: "inter_op_thread_count" value { string_value: "1" } }',
    ]
    return "\n".join(lines) + "\n"


def tensor(role: str, node: NodeArg) -> str:
    """The line of an input or output; -1 stands for an axis of any size."""
    dims = ", ".join(str(size) if isinstance(size, int) else "-1" for size in node.shape)
    return f'{role} {{ name: "{node.name}" data_type: {_DATA_TYPES[node.type]} dims: [ {dims} ] }}'
