"""Writes exported graphs as `pairedge.h` and `pairedge.c`."""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from math import prod
from pathlib import Path
from string import Template
from typing import Any

import pairedge
from pairedge.confidence import read_thresholds
from pairedge.graph import CONTRACTS, DIGITS
from pairedge.image.tile import TILE_SIDE
from pairedge_export.c.constants import Constants
from pairedge_export.c.function import Function, offsets
from pairedge_export.c.operators import translate
from pairedge_export.c.quantized_layers import with_quantized_layers
from pairedge_export.c.static_graph import StaticGraph, read_graph
from pairedge_export.c.tensors import FLOAT, INT8, TYPES
from pairedge_export.card import summary
from pairedge_export.doc_strings import GRAPHS, TENSORS
from pairedge_export.errors import ExportError

HEADER, SOURCE = "pairedge.h", "pairedge.c"
MOST_WEIGHTS = 2_000_000  # the C of a model with more would be hundreds of megabytes
_HERE = Path(__file__).parent


def c_files(graphs: Mapping[str, bytes]) -> dict[str, bytes]:
    """Write a model in C; the same graphs give the same bytes.

    Args:
        graphs: ONNX graphs by kind.

    Returns:
        `pairedge.h` and `pairedge.c`.

    Raises:
        ExportError: when a graph has an operator that is not written in C, or the model is too large.
    """
    static = {kind: with_quantized_layers(read_graph(kind, content)) for kind, content in graphs.items()}
    weights = static["pair"].metadata["parameters"]
    if weights > MOST_WEIGHTS:
        raise ExportError(f"a model of {weights:,} weights is not written in C, only one of {MOST_WEIGHTS:,}")
    constants = Constants()
    functions = {kind: translate(graph, constants) for kind, graph in static.items()}
    digests = {kind: hashlib.sha256(content).hexdigest() for kind, content in graphs.items()}
    source = "\n".join(source_lines(static, functions, constants)) + "\n"
    return {HEADER: header(static, functions, constants, digests).encode(), SOURCE: source.encode()}


def header(
    graphs: Mapping[str, StaticGraph],
    functions: Mapping[str, Function],
    constants: Constants,
    digests: Mapping[str, str],
) -> str:
    """`pairedge.h`: what a program that uses the model needs to know.

    Args:
        graphs: of the model, by kind.
        functions: their translations, by kind.
        constants: of the model.
        digests: SHA-256 of each graph's file, by kind.
    """
    metadata = graphs["pair"].metadata
    thresholds = read_thresholds(dict(metadata), "pair.onnx")
    facts: dict[str, Any] = {
        "VERSION": quoted(pairedge.__version__),
        "VARIANT": quoted(metadata["variant"]),
        "PRECISION": quoted(metadata.get("precision", "fp32")),
        "WEIGHTS_SHA256": quoted(metadata["weights_sha256"]),
        **{f"{kind.upper()}_SHA256": quoted(digest) for kind, digest in digests.items()},
        "TILE_SIDE": TILE_SIDE,
    }
    if "digits" in graphs["pair"].outputs:
        facts["DIGITS"] = DIGITS
    if "digit" in graphs:
        facts["EMBEDDING"] = graphs["digit"].shapes["embedding"][1]
    return Template((_HERE / "pairedge.h.template").read_text()).substitute(
        files=", ".join(f"{kind}.onnx" for kind in graphs),
        facts="\n".join(f"#define PAIREDGE_{name} {value}" for name, value in facts.items()),
        pair_confidence=thresholds.pair,
        digit_confidence=thresholds.digit,
        stack=4 * max(offsets(function)[1] for function in functions.values()),
        constants=constants.bytes,
        functions="\n\n".join(declaration(graph) for graph in graphs.values()),
    )


def declaration(graph: StaticGraph) -> str:
    """A graph's function with what it does, its inputs and its outputs in words."""
    lines = textwrap.wrap(GRAPHS[graph.kind], 113)
    for name in (*graph.inputs, *graph.outputs):
        lines += textwrap.wrap(f"{name}: {TENSORS[name]}", 113, initial_indent="  ", subsequent_indent="    ")
    text = "\n   ".join(lines)
    return f"/* {text} */\n{signature(graph)};"


def signature(graph: StaticGraph) -> str:
    """The head of a graph's function."""
    inputs = CONTRACTS[graph.kind].inputs
    parameters = [f"const {TYPES[inputs[name].dtype]} *{name}" for name in graph.inputs]
    parameters += [f"float *{name}" for name in graph.outputs]
    return f"void pairedge_{graph.kind}(size_t n, {', '.join(parameters)})"


def source_lines(
    graphs: Mapping[str, StaticGraph], functions: Mapping[str, Function], constants: Constants
) -> Iterator[str]:
    """`pairedge.c`: kernels, constants, and a function for each graph."""
    bodies = [line for kind, graph in graphs.items() for line in definition(graph, functions[kind])]
    yield "/* Written by pairedge-export; pairedge.h says what it is. */"
    yield f'#include "{HEADER}"'
    yield ""
    yield "#include <math.h>"
    yield "#include <string.h>"
    for kernel in ("common", *called_kernels(bodies)):
        yield ""
        yield from kernel_lines(kernel)
    yield from constants.lines()
    yield ""
    yield "const char pairedge_card[] ="
    *lines, last = summary(graphs["pair"].metadata)
    yield from ("    " + quoted(line + "\n") for line in lines)
    yield f"    {quoted(last)};"
    yield from bodies


def called_kernels(lines: Iterable[str]) -> list[str]:
    """The kernels that lines of C call, by name."""
    called = set(re.findall(r"(\w+)\(", "\n".join(lines)))
    known = {path.stem for path in (_HERE / "kernels").glob("*.c")}
    return sorted(name for name in called if name.removesuffix(f"_{INT8}") in known)


def kernel_lines(name: str) -> list[str]:
    """The function of a kernel; `NAME_int8_t` is `NAME` with elements of this type."""
    kernel = name.removesuffix(f"_{INT8}")
    text = (_HERE / "kernels" / f"{kernel}.c").read_text()
    return (text if kernel == name else text.replace(FLOAT, INT8).replace(kernel, name)).splitlines()


def definition(graph: StaticGraph, function: Function) -> Iterator[str]:
    """A graph's function."""
    places, size = offsets(function)
    yield ""
    yield signature(graph)
    yield "{"
    yield f"    ALIGNED float memory[{size}];"
    for name, offset in places.items():
        array = function.arrays[name]
        address = f"memory + {offset}" if array.type == FLOAT else f"({array.type} *)(memory + {offset})"
        yield f"    {array.type} *const {name} = {address};"
    yield "    for (; n > 0; n--) {"
    for statement in function.statements:
        yield from (f"        {line}" for line in statement.lines)
    for name in (*graph.inputs, *graph.outputs):
        yield f"        {name} += {prod(graph.shapes[name])};"
    yield "    }"
    yield "}"


_ESCAPES = {"\n": "\\n", '"': '\\"', "\\": "\\\\"}


def quoted(text: str) -> str:
    """A C string, in ASCII: other characters are spelled as their bytes in UTF-8."""
    characters = (
        _ESCAPES.get(chr(byte), chr(byte)) if byte < 128 else f"\\{byte:03o}" for byte in text.encode()
    )
    return f'"{"".join(characters)}"'
