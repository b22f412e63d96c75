"""The torch network of an exported graph, rebuilt from its weights and held to its answers."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pairedge.classes import read_classes
from pairedge.graph import open_graph
from pairedge_train.errors import CheckpointError
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.networks.network import Network, build_network
from pairedge_train.networks.output import Output, leq_probability
from pairedge_train.training.checkpoint import Checkpoint
from pairedge_train.training.evaluate import decide

if TYPE_CHECKING:
    import onnx

_ROOT = "network."  # the prefix of its weights' names in the graph
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_TOLERANCE = 1e-5  # of P(first <= second): float32, and another order of sums


def checkpoint_of(source: Path | bytes) -> Checkpoint:
    """The checkpoint that a `pair` graph was exported from, as far as the graph tells.

    Its weights are those of the graph, in which batch normalization is folded into the layers before it; of
    the round's metrics it has the confidence thresholds.

    Args:
        source: the graph's file, or its content.

    Raises:
        CheckpointError: when the graph names no recipe, its weights do not fit the recipe's network, or the
            network does not compute what the graph does; or when onnx is not installed.
        GraphError: when it is no `pair` graph.
        RecipeError: when its recipe or variant is not of this version.
    """
    graph = open_graph(source, "pair")
    content = source if isinstance(source, bytes) else source.read_bytes()
    metadata = graph.metadata
    if not isinstance(metadata.get("recipe"), dict):
        raise CheckpointError(f"{graph.name}: names no recipe, and so no network")
    recipe = Recipe.from_dict(metadata["recipe"])
    network = build_network(recipe.network).eval()
    try:
        fill(network, _parsed(content))
    except (AttributeError, KeyError, RuntimeError) as error:
        raise CheckpointError(f"{graph.name}: its weights do not fit the network of its recipe") from error
    images = np.random.default_rng(0).integers(0, 256, (8, 2, 14, 14), np.uint8)
    [expected] = graph.session.run(["leq"], {"images": images})
    if not np.abs(_leq(network, images) - expected).max() <= _TOLERANCE:
        raise CheckpointError(f"{graph.name}: the network of its recipe does not compute what it does")
    thresholds = {f"{name}_threshold": value for name, value in metadata.get("confidence", {}).items()}
    return Checkpoint(
        network,
        recipe,
        metadata["seed"],
        None,
        metadata["training_sha256"],
        thresholds,
        metadata.get("machine"),
        read_classes(metadata, graph.name),
    )


@torch.no_grad()
def fill(network: Network, graph: onnx.GraphProto) -> None:
    """Copy a graph's weights, which keep their names, into a network.

    The converter folds batch normalization into the layer before it. The folded weights stay in that layer,
    and the normalization adds the bias where the layer has none, at its usual run time.

    Args:
        network: of the architecture that was exported; changed in place.
        graph: the exported graph.

    Raises:
        AttributeError: when a layer of the graph is not in the network.
        RuntimeError: when it has another shape there.
    """
    from onnx import numpy_helper

    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for name in ("mean", "std"):
        if f"{_ROOT}{name}" in constants:  # else they are 0 and 1, which the converter leaves out
            getattr(network, name).copy_(torch.from_numpy(constants[f"{_ROOT}{name}"].copy()))
    for module in network.modules():
        if isinstance(module, _NORMS):
            module.reset_parameters()  # mean 0, variance 1, factor 1
            # It divides by the root of variance + eps, which has to be 1 exactly.
            module.get_buffer("running_var").sub_(module.eps)
    norms = norms_after(network)
    for node in graph.node:
        _, weight, bias = [*node.input, "", "", ""][:3]
        if weight.startswith(_ROOT) and weight.endswith(".weight"):
            path = weight.removeprefix(_ROOT).removesuffix(".weight")
            layer = network.get_submodule(path)
            layer.get_parameter("weight").copy_(torch.from_numpy(constants[weight].copy()))
            biased = layer if layer.bias is not None else norms[path]
            if bias:  # the converter leaves out one that is zero
                biased.get_parameter("bias").copy_(torch.from_numpy(constants[bias].copy()))
            else:
                biased.get_parameter("bias").zero_()


def norms_after(network: Network) -> dict[str, nn.Module]:
    """Each batch normalization by the path of the layer before it."""
    layers = [
        (path, module)
        for path, module in network.named_modules()
        if isinstance(module, (nn.Conv2d, nn.Linear, *_NORMS))
    ]
    return {path: after for (path, _), (_, after) in pairwise(layers) if isinstance(after, _NORMS)}


def _parsed(content: bytes) -> onnx.GraphProto:
    try:
        import onnx
    except ImportError as error:
        raise CheckpointError(
            "to start from an exported graph, training needs onnx: pip install 'pairedge[export]'"
        ) from error
    return onnx.load_from_string(content).graph


@torch.no_grad()
def _leq(network: Network, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """P(first <= second), float32 (N,), of pairs, uint8 (N, 2, 14, 14), 0 to 255, as the graph gives it."""
    output: Output = network(torch.from_numpy(images).float())
    comparison = None if output.comparison is None else leq_probability(output.comparison)
    leq: NDArray[np.float32] = (
        decide(None, output.digits).float() if comparison is None else comparison
    ).numpy()
    return leq
