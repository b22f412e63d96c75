"""Layers between DequantizeLinear and QuantizeLinear as layers of integers.

The graph says: integers to floats, a layer of floats, floats to integers. The sum of the products of the
integers themselves, scaled once, is the same but for the rounding of floats. onnxruntime computes it so, too.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pairedge_export.c.static_graph import Array, Node, Quantization, StaticGraph

_LAYERS = ("Conv", "Gemm", "MatMul")
# Operators whose outputs are some of their inputs; rounding before or after them is the same.
_PICKING = ("MaxPool", "Reshape", "Squeeze", "Unsqueeze")


def with_quantized_layers(graph: StaticGraph) -> StaticGraph:
    """The same graph, in which what lies between integers computes with integers.

    Raises:
        ExportError: when a layer has weights of integers in a form that is not written in C.
    """
    while (earlier := quantize_earlier(graph)) is not graph:
        graph = earlier
    makers = {output: node for node in graph.nodes for output in node.outputs}
    nodes = [
        quantized_layer(graph, node, makers)
        if node.operator in _LAYERS and is_dequantized(node.inputs[1], makers)
        else node
        for node in graph.nodes
    ]
    made_anew = {output for node in nodes if node.quantization for output in node.outputs}
    nodes = [
        node
        for node in nodes
        if node.quantization or node.operator != "QuantizeLinear" or node.outputs[0] not in made_anew
    ]
    return replace(graph, nodes=read_by_others(nodes, graph.outputs))


def quantize_earlier(graph: StaticGraph) -> StaticGraph:
    """Let one operator that only picks values come after their rounding; the same graph if there is none."""
    for picking in graph.nodes:
        readers = graph.readers(picking.outputs[0])
        if picking.operator in _PICKING and [node.operator for node in readers] == ["QuantizeLinear"]:
            [quantize] = readers
            [values, *others], [picked] = picking.inputs, picking.outputs
            rounded = f"{picked}_rounded_before"
            earlier = replace(quantize, inputs=(values, *quantize.inputs[1:]), outputs=(rounded,))
            later = replace(picking, inputs=(rounded, *others), outputs=quantize.outputs)
            at = graph.nodes.index(picking)
            rest = tuple(node for node in graph.nodes[at + 1 :] if node is not quantize)
            return replace(
                graph,
                nodes=(*graph.nodes[:at], earlier, later, *rest),
                shapes={**graph.shapes, rounded: graph.shapes[values]},
            )
    return graph


def is_dequantized(name: str, makers: dict[str, Node]) -> bool:
    """Whether a tensor was converted from integers."""
    return name in makers and makers[name].operator == "DequantizeLinear"


def quantized_layer(graph: StaticGraph, layer: Node, makers: dict[str, Node]) -> Node:
    """A layer with the conversions before and after it as one node: integers in, integers out."""
    readers = graph.readers(layer.outputs[0])
    if not is_dequantized(layer.inputs[0], makers) or [each.operator for each in readers] != [
        "QuantizeLinear"
    ]:
        raise graph.refusal(f"{layer.operator} of integers but from int8 to int8")
    before, weights, *biases = (makers[name] for name in layer.inputs)
    [after] = readers
    scale, zero = scale_and_zero(graph, before)
    step, offset = scale_and_zero(graph, after)
    weight_scales, weight_zeros = (graph.constants[name] for name in weights.inputs[1:])
    bias_scales = [graph.constants[bias.inputs[1]] for bias in biases]
    if weight_zeros.any() or not all(
        np.allclose(each, scale * weight_scales, 1e-5, 0) for each in bias_scales
    ):
        raise graph.refusal(f"{layer.operator} of integers with zero points or scales of its own")
    channels = graph.shapes[layer.outputs[0]][1]
    scales = np.broadcast_to(scale * weight_scales / step, channels)
    return replace(
        layer,
        inputs=tuple(each.inputs[0] for each in (before, weights, *biases)),
        outputs=after.outputs,
        quantization=Quantization(int(zero), scales, int(offset)),
    )


def scale_and_zero(graph: StaticGraph, node: Node) -> tuple[Array, Array]:
    """The scale of all values that a node converts, and the integer that stands for 0.

    Returns:
        A scalar, float32, above 0; and another, int8, -128 to 127.

    Raises:
        ExportError: when channels have scales of their own, or the integers are not int8.
    """
    scale, zero = (graph.constants[name] for name in node.inputs[1:])
    if scale.size != 1 or zero.dtype != np.int8:
        raise graph.refusal(f"{node.operator} but of int8 with one scale")
    return scale, zero


def read_by_others(nodes: list[Node], outputs: tuple[str, ...]) -> tuple[Node, ...]:
    """The nodes without those that nothing needs any more."""
    needed, kept = set(outputs), []
    for node in reversed(nodes):
        if needed.intersection(node.outputs):
            needed.update(node.inputs)
            kept.append(node)
    return tuple(reversed(kept))
