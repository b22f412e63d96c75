"""The C of a model beside onnxruntime, on one thread: latency, agreement, size, and time to the first answer.

    python -m benchmarks.plain_c [MODEL] [--emx PROGRAM] [--quick]

Compiled by GCC and Clang with the flags of docs/c.md, and for a Cortex-M4 where its compiler is installed;
what is missing is left out. All are called from Python: onnxruntime by `session.run`, C through ctypes. The
same graphs in int8 take their turns beside them.
emx-onnx-cgen also writes C from ONNX graphs and is an independent check; it wants an environment
of its own.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

import pairedge
from benchmarks.engines import BATCH, Array, Engine, agreement_of, engine_row, onnxruntime, probabilities
from benchmarks.options import HELP, model_argument, quick_option
from benchmarks.records import ROOT, CRecord, EngineRow, Int8CRow, StartRow, keep
from pairedge.bench import interleaved, machine
from pairedge.graph import CONTRACTS
from pairedge_export.c.proof import FAST, Build, builds, compile_driver
from pairedge_export.c.static_graph import read_graph
from pairedge_export.c.writing import HEADER, SOURCE, c_files
from pairedge_export.precision import reduce_precision
from pairedge_train.data.loading import load_data
from pairedge_train.experiments.recipe import Recipe


def in_c(model: Path, build: Build, folder: Path) -> Engine:
    """A model's C as a library that one build made."""
    library = folder / f"{build.compiler}-{model.name}.so"
    compile_library(build.compiler, model / SOURCE, library)
    function = ctypes.CDLL(str(library)).pairedge_pair
    function.argtypes = (ctypes.c_size_t, *[ctypes.c_void_p] * 3)
    leq, digits = (ctypes.c_float * BATCH)(), (ctypes.c_float * (20 * BATCH))()
    kept: Array = np.ctypeslib.as_array(leq)

    def answer(pairs: Array) -> Array:
        function(len(pairs), pairs.ctypes.data, leq, digits)
        return kept[: len(pairs)]

    return Engine(f"C, {build.name}", answer, answer)


def emx_onnx_cgen(program: str, model: Path, folder: Path) -> Engine:
    """The C that emx-onnx-cgen writes from the same graph, which takes one pair at a time."""
    source = folder / "emx.c"
    options = ["--input-dim", "N=1", "--large-weight-threshold", "0", "--large-temp-threshold", "0"]
    command = [program, "compile", *options, "--model-name", "pair", str(model / "pair.onnx"), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    compile_library("gcc", source, folder / "emx.so")
    function = ctypes.CDLL(str(folder / "emx.so")).pair
    function.argtypes = (ctypes.c_void_p,) * 3
    leq, digits = (ctypes.c_float * 1)(), (ctypes.c_float * 20)()
    kept: Array = np.ctypeslib.as_array(leq)

    def answer(pairs: Array) -> Array:
        function(pairs.ctypes.data, leq, digits)
        return kept

    return Engine("emx-onnx-cgen, gcc", answer, None)


def compile_library(compiler: str, source: Path, library: Path) -> None:
    """Compile a C file for this machine, as fast as it gets."""
    command = [compiler, "-std=c99", *FAST, "-shared", "-fPIC", str(source), "-o", str(library), "-lm"]
    subprocess.run(command, check=True, capture_output=True)


def in_int8(model: Path, training: NDArray[np.uint8], folder: Path) -> Path:
    """Write a model's graphs in int8, and their C, to a folder; calibrated on uint8 (M, 14, 14), 0 to 255."""
    fp32 = {kind: (model / f"{kind}.onnx").read_bytes() for kind in CONTRACTS}
    graphs = reduce_precision(fp32, "int8", training)
    folder.mkdir()
    for name, content in {**{f"{kind}.onnx": graphs[kind] for kind in graphs}, **c_files(graphs)}.items():
        (folder / name).write_bytes(content)
    return folder


def object_bytes(model: Path, build: Build, folder: Path) -> int:
    """Bytes of code and constants of a model's C."""
    command = [build.compiler, "-std=c99", *build.flags, "-c", str(model / SOURCE), "-o", "model.o"]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return sum(sizes_of("size", folder / "model.o")[:2])


def sizes_of(program: str, path: Path) -> tuple[int, int, int]:
    """Bytes of code with constants, of values with a start, and of zeros, as `size` prints them."""
    done = subprocess.run([program, str(path)], check=True, capture_output=True, text=True)
    text, data, zeros = map(int, done.stdout.splitlines()[1].split()[:3])
    return text, data, zeros


def cortex_m(model: Path, folder: Path) -> dict[str, int] | None:
    """Bytes of flash and memory of examples/c/ on a Cortex-M4; None without its compiler."""
    if shutil.which("arm-none-eabi-gcc") is None:
        return None
    copy = Path(shutil.copytree(ROOT / "examples" / "c", folder / f"c-{model.name}"))
    command = ["make", "cortex_m.elf", f"MODEL={model.absolute()}"]
    subprocess.run(command, check=True, capture_output=True, cwd=copy)
    text, data, zeros = sizes_of("arm-none-eabi-size", copy / "cortex_m.elf")
    stack = re.search(r"PAIREDGE_STACK (\d+)", (model / HEADER).read_text())
    assert stack is not None
    return {"flash": text + data, "static_memory": data + zeros, "stack": int(stack[1])}


def rows(engines: Sequence[Engine], times: dict[str, list[float]], pairs: Array) -> list[EngineRow]:
    """What was measured of engines, each compared with the first on pairs, uint8 (N, 2, 14, 14), 0 to 255."""
    reference = probabilities(engines[0], pairs)
    return [
        engine_row(each.name, times, agreement_of(probabilities(each, pairs), reference)) for each in engines
    ]


def starts(model: Path, build: Build, folder: Path, pair: Array, count: int) -> list[StartRow]:
    """From the start to the end of a program that gives one answer, and of one that does nothing."""
    graphs = {"pair": read_graph("pair", (model / "pair.onnx").read_bytes())}
    files = {name: (model / name).read_bytes() for name in (HEADER, SOURCE)}
    program = compile_driver(graphs, files, build, folder)
    (folder / "nothing.c").write_text("int main(void) { return 0; }\n")
    subprocess.run([build.compiler, "nothing.c", "-o", "nothing"], check=True, cwd=folder)
    data = pair.tobytes()
    commands = {
        "one answer": [str(program), "pair", "1"],
        "a program that does nothing": [str(folder / "nothing")],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(count):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, input=data, stdout=subprocess.DEVNULL, check=True)
            times[name].append(1e3 * (time.perf_counter() - start))
    return [
        StartRow(program=name, p50=float(np.median(each)), least=min(each), n=count)
        for name, each in times.items()
    ]


@click.command(context_settings=HELP)
@model_argument
@click.option("--emx", help="The program emx-onnx-cgen, of an environment of its own.")
@quick_option
def main(model: Path, emx: str | None, quick: bool) -> None:
    """Measure the C in the folder MODEL; store the results of a full run."""
    seconds, count, runs = (2, 200, 5) if quick else (40, 10_000, 300)
    metadata = pairedge.load(model / "pair.onnx").metadata
    data = load_data(Recipe.from_dict(metadata["recipe"]).data)
    tiles = data.test.tiles[:count]
    pairs = np.stack([tiles, np.roll(tiles, len(tiles) // 2, axis=0)], axis=1)
    fast = [build for build in builds() if build.flags == FAST]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engines = [onnxruntime(model), *(in_c(model, build, folder) for build in fast)]
        if emx:
            engines.append(emx_onnx_cgen(emx, model, folder))
        int8 = in_int8(model, data.training.tiles, folder / "int8")
        of_int8 = [onnxruntime(int8), *(in_c(int8, build, folder) for build in fast)]
        of_int8 = [replace(each, name=f"{each.name}, int8") for each in of_int8]
        one, many = pairs[:1], pairs[:BATCH]
        times = interleaved(
            [
                {f"1 {each.name}": (lambda run=each.one: run(one)) for each in (*engines, *of_int8)},  # type: ignore[misc]  # no type for a default
                {
                    f"{BATCH} {each.name}": (lambda run=each.many: run(many))  # type: ignore[misc]  # no type for a default
                    for each in (*engines, *of_int8)
                    if each.many
                },
            ],
            seconds,
        )
        record = CRecord(
            machine=machine(),
            weights_sha256=metadata["weights_sha256"],
            batch=BATCH,
            flags=" ".join(FAST),
            engines=rows(engines, times, pairs),
            object_bytes={build.name: object_bytes(model, build, folder) for build in fast},
            starts=starts(model, fast[0], folder, one, runs),
            cortex_m=cortex_m(model, folder),
            int8=Int8CRow(
                engines=rows(of_int8, times, pairs),
                object_bytes={f"{build.name}, int8": object_bytes(int8, build, folder) for build in fast},
                cortex_m=cortex_m(int8, folder),
            ),
        )
    click.echo(record)
    if not quick:
        keep("plain_c", record)


if __name__ == "__main__":
    main()
