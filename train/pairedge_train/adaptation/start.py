"""What to adapt: the model that ships, a checkpoint, or an exported graph."""

from __future__ import annotations

from pathlib import Path

import torch

from pairedge.shipped import shipped_graph
from pairedge_train.errors import CheckpointError
from pairedge_train.training.checkpoint import Checkpoint, load_checkpoint
from pairedge_train.training.exported import checkpoint_of

SHIPPED = "shipped"


def load_start(name: str) -> Checkpoint:
    """Load a network with a digit head, which is what one's own labeled pictures can teach.

    Args:
        name: SHIPPED, or the path of a checkpoint or of a `pair.onnx`.

    Raises:
        CheckpointError: when it cannot be used as a checkpoint, or has no digit head.
        GraphError: when it is an ONNX file, but no `pair` graph.
        RecipeError: when the recipe in a graph is not of this version.
    """
    path = shipped_start() if name == SHIPPED else Path(name)
    checkpoint = checkpoint_of(path) if path.suffix == ".onnx" else load_checkpoint(path)
    with torch.inference_mode():
        output = checkpoint.network(torch.zeros(1, 2, 14, 14))
    if output.digits is None:
        raise CheckpointError(f"{path}: has no digit head, which adapting needs")
    return checkpoint


def shipped_start() -> Path:
    """The checkpoint beside the graphs that ship; where there is none, the graph that has its weights."""
    graph = Path(shipped_graph("pair"))
    return next(iter(sorted(graph.parent.glob("*.safetensors"))), graph)
