"""Which file a model is: one that is named, in a folder, shipped, or the default; nothing is downloaded."""

from __future__ import annotations

import os

from pairedge.errors import GraphError
from pairedge.shipped import shipped_graph

DEFAULT_MODEL = "PAIREDGE_MODEL"  # the environment variable
SHIPPED = "aux_ws"  # the name of the model that ships


def locate_pair(model: str | os.PathLike[str] | None) -> str:
    """The path of a model's `pair` graph.

    Args:
        model: a file; a folder with `pair.onnx`; "aux_ws", the name of the model that ships, unless there is
            a file or folder of that name; None for what the environment variable PAIREDGE_MODEL says, or for
            the model that ships.

    Raises:
        GraphError: when there is no such file, folder or model.
    """
    source = ""
    if model is None:
        model = os.environ.get(DEFAULT_MODEL) or None
        if model is None:
            return shipped_graph("pair")
        source = f"{DEFAULT_MODEL}: "
    path = os.fspath(model)
    if os.path.isdir(path):  # noqa: PTH112 (pathlib would cost start-up time)
        return os.path.join(path, "pair.onnx")  # noqa: PTH118 (as above)
    if os.path.exists(path):  # noqa: PTH110 (as above)
        return path
    if path == SHIPPED:
        return shipped_graph("pair")
    raise GraphError(f"{source}{path}: no such file or directory, nor is it {SHIPPED!r}, which ships")
