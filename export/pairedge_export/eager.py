"""A backend of `pairedge bench` where torch is installed: the graph's network, with the graph's weights.

The entry point `pairedge.baselines` registers it, so that the runtime does not depend on torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from pairedge.errors import PairedgeError
from pairedge.graph import open_graph
from pairedge_export.errors import ExportError
from pairedge_export.graphs import PairGraph
from pairedge_export.parity import TOLERANCE, extremes, real_inputs
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.networks.network import Network, build_network

Pairs = NDArray[np.uint8]
_ROOT = "network."  # the prefix of its weights' names in PairGraph
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


@contextmanager
def torch_eager(path: str) -> Iterator[Callable[[Pairs], object] | None]:
    """A function that runs the graph's network in torch on one thread; None for a graph of another origin.

    It takes pairs, uint8 (N, 2, 14, 14), 0 to 255.

    Args:
        path: of a `pair` graph.
    """
    try:
        graph = PairGraph(network_of(Path(path).read_bytes()))
    except PairedgeError:
        yield None
        return

    def answer(pairs: Pairs) -> object:
        with torch.inference_mode():
            return graph(torch.from_numpy(pairs))

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield answer
    finally:
        torch.set_num_threads(threads)


def network_of(content: bytes) -> Network:
    """Rebuild the torch network that a `pair` graph was exported from, and check that both agree.

    Args:
        content: the graph's file.

    Raises:
        ExportError: when the network of its recipe does not compute what the graph does.
        GraphError: when it is no `pair` graph.
        RecipeError: when its recipe or variant is not of this version.
    """
    graph = open_graph(content, "pair")
    if not isinstance(graph.metadata.get("recipe"), dict):
        raise ExportError("the graph names no recipe, and so no network")
    network = build_network(Recipe.from_dict(graph.metadata["recipe"]).network).eval()
    try:
        fill(network, onnx.load_from_string(content).graph)
    except (AttributeError, KeyError, RuntimeError) as error:
        raise ExportError("the graph's weights do not fit the network of its recipe") from error
    inputs = real_inputs("pair", {}, extremes())
    with torch.inference_mode():
        actual = PairGraph(network)(torch.from_numpy(inputs["images"]))[0].numpy()
    [expected] = graph.session.run(["leq"], inputs)
    if not np.abs(actual - expected).max() <= TOLERANCE:
        raise ExportError("the network of the graph's recipe does not compute what the graph does")
    return network


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
