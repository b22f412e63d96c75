"""Proof that the C computes what its graphs do: compiled by GCC and Clang, with sanitizers and for speed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairedge.graph import CONTRACTS, open_graph
from pairedge_export.c.static_graph import Array, StaticGraph, read_graph
from pairedge_export.c.tensors import TYPES
from pairedge_export.c.writing import SOURCE
from pairedge_export.errors import ExportError
from pairedge_export.parity import Check, compare_decisions, compare_values, extremes, real_inputs
from pairedge_export.precision import AGREEMENT

COMPILERS = ("gcc", "clang")
_STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror")
# What users compile with for speed. In ISO C, GCC multiplies and adds in one step only when it is allowed to.
FAST = ("-O3", "-march=native", "-ffp-contract=fast")
SANITIZED = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@dataclass(frozen=True)
class Build:
    """A compiler with its flags.

    Attributes:
        compiler: the program.
        name: what to call it in a report.
        flags: beside those that forbid warnings.
    """

    compiler: str
    name: str
    flags: tuple[str, ...]


def builds(compilers: Sequence[str] = COMPILERS) -> list[Build]:
    """Every compiler that is installed, once with sanitizers and once for speed.

    Raises:
        ExportError: when none is installed.
    """
    installed = [compiler for compiler in compilers if shutil.which(compiler)]
    if not installed:
        raise ExportError(f"the C is proven by compiling it: install {' or '.join(compilers)}")
    return [
        Build(compiler, f"{compiler} {version(compiler)}, {words}", flags)
        for compiler in installed
        for words, flags in (("sanitizers", SANITIZED), (" ".join(FAST), FAST))
    ]


def version(compiler: str) -> str:
    """The version of a compiler."""
    return subprocess.run(
        [compiler, "-dumpfullversion", "-dumpversion"], capture_output=True, text=True, check=True
    ).stdout.strip()


def c_checks(
    graphs: Mapping[str, bytes],
    files: Mapping[str, bytes],
    tiles: NDArray[np.uint8],
    builds: Iterable[Build],
) -> list[Check]:
    """Check that every build computes the values and takes the decisions of the graphs.

    Args:
        graphs: ONNX graphs by kind.
        files: `pairedge.h` and `pairedge.c`, as `c_files` wrote them.
        tiles: test tiles, uint8 (M, 14, 14), 0 to 255; extremes are added.
        builds: how to compile.

    Raises:
        ExportError: when the C does not compile without a warning, or a sanitizer stops it.
    """
    tiles = np.concatenate([extremes(), tiles])
    static = {kind: read_graph(kind, content) for kind, content in graphs.items()}
    expected = {}
    for kind, content in graphs.items():
        graph, inputs = open_graph(content, kind), real_inputs(kind, graphs, tiles)
        expected[kind] = inputs, graph.session.run(list(static[kind].outputs), inputs)
    least = least_agreement(static["pair"].metadata)
    checks = []
    for build in builds:
        with tempfile.TemporaryDirectory() as folder:
            program = compile_driver(static, files, build, Path(folder))
            for kind, (inputs, outputs) in expected.items():
                actual = run(program, static[kind], inputs)
                checks += [
                    compare(kind, static[kind].outputs, f"as C, {build.name}", outputs, actual, "c", least)
                    for compare in (compare_values, compare_decisions)
                ]
    return checks


def least_agreement(metadata: Mapping[str, Any]) -> float:
    """Which share of a model's values and decisions another engine must have in common with onnxruntime.

    In int8 a sum may lie on the border of two integers. Engines that add in another order may round it to one
    or the other, as onnxruntime itself does with and without its optimizations.

    Args:
        metadata: of the model's graphs.
    """
    return AGREEMENT if metadata.get("precision") == "int8" else 1.0


def compile_driver(
    graphs: Mapping[str, StaticGraph], files: Mapping[str, bytes], build: Build, folder: Path
) -> Path:
    """Compile the C with a program that runs its functions.

    Args:
        graphs: by kind.
        files: `pairedge.h` and `pairedge.c`.
        build: how to compile.
        folder: for the files and the program.

    Raises:
        ExportError: when the compiler refuses the C, or warns.
    """
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "driver.c").write_text("\n".join(driver(graphs.values())) + "\n")
    command = [build.compiler, *_STRICT, *build.flags, SOURCE, "driver.c", "-o", "driver", "-lm"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        first = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip())
        raise ExportError(f"{build.name} does not compile the C: {first}")
    return folder / "driver"


def run(program: Path, graph: StaticGraph, inputs: Mapping[str, Array]) -> list[Array]:
    """Run a graph's function on a batch.

    Args:
        program: what `compile_driver` made.
        graph: whose function to run.
        inputs: of N pairs, tiles or embeddings, by name, uint8 or float32 (N, ...).

    Returns:
        The outputs of the graph, float32 (N, ...).

    Raises:
        ExportError: when a sanitizer stops the program.
    """
    count = len(next(iter(inputs.values())))
    data = b"".join(np.ascontiguousarray(inputs[name]).tobytes() for name in graph.inputs)
    done = subprocess.run([program, graph.kind, str(count)], input=data, capture_output=True, check=False)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").splitlines()
        reason = next(
            (line for line in lines if "ERROR" in line or "error" in line), f"exit {done.returncode}"
        )
        raise ExportError(f"pairedge_{graph.kind} was stopped: {reason}")
    results = np.frombuffer(done.stdout, np.float32)
    sizes = [count * prod(graph.shapes[name]) for name in graph.outputs]
    parts = np.split(results, np.cumsum(sizes)[:-1])
    return [
        part.reshape(count, *graph.shapes[name][1:]) for name, part in zip(graph.outputs, parts, strict=True)
    ]


def driver(graphs: Iterable[StaticGraph]) -> Iterator[str]:
    """A program that runs one function, `driver KIND N`, on inputs from its standard input.

    Its arrays lie on the heap and are not longer than they must be, so that a sanitizer sees a step too far.
    """
    yield from (f"#include <{name}.h>" for name in ("stdio", "stdlib", "string"))
    yield '#include "pairedge.h"'
    yield "int main(int count, char **words)"
    yield "{"
    yield "    const size_t n = count == 3 ? strtoul(words[2], NULL, 10) : 0;"
    for graph in graphs:
        yield f'    if (n && !strcmp(words[1], "{graph.kind}")) {{'
        specs = CONTRACTS[graph.kind].inputs
        kinds = {**{name: TYPES[specs[name].dtype] for name in graph.inputs}}
        kinds |= dict.fromkeys(graph.outputs, "float")
        sizes = {name: f"n * {prod(graph.shapes[name])}" for name in kinds}
        for name, kind in kinds.items():
            yield f"        {kind} *{name} = malloc({sizes[name]} * sizeof *{name});"
        for name in graph.inputs:
            read = f"fread({name}, sizeof *{name}, {sizes[name]}, stdin)"
            yield f"        if ({read} != {sizes[name]}) return 1;"
        yield f"        pairedge_{graph.kind}(n, {', '.join(kinds)});"
        for name in graph.outputs:
            yield f"        fwrite({name}, sizeof *{name}, {sizes[name]}, stdout);"
        yield from (f"        free({name});" for name in kinds)
        yield "        return 0;"
        yield "    }"
    yield "    return 2;"
    yield "}"
