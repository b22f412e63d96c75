"""The same graph in other inference engines, on one thread: latency, and agreement with onnxruntime.

python -m benchmarks.engines [MODEL] [--quick]      (needs benchmarks/requirements.txt)

OpenVINO reads the ONNX file itself, ncnn the output of its own converter, pnnx. ncnn has neither batches nor
bytes: the digit graph reads each tile of a pair, the compare graph compares. Engines that are not installed
are left out. Each is timed for a while by itself, in several turns, so that no engine pays for another's use
of the caches. All of them are compared on the same pairs of test tiles.
"""

from __future__ import annotations

import importlib.metadata
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import numpy as np
import onnx
from numpy.typing import NDArray

import pairedge
from benchmarks.options import HELP, model_argument, quick_option
from benchmarks.records import EngineRow, EnginesRecord, keep, latency
from pairedge.bench import Calls, interleaved, machine
from pairedge.graph import open_graph
from pairedge_export.eager import torch_eager
from pairedge_train.data.loading import load_data
from pairedge_train.experiments.recipe import Recipe

Array = NDArray[Any]
BATCH = 1024


@dataclass(frozen=True)
class Engine:
    """An inference engine with the graph loaded.

    Attributes:
        name: and version.
        one: from one pair, uint8 (1, 2, 14, 14), to P(first <= second), float32 (1,).
        many: the same for a batch; None for an engine without batches.
    """

    name: str
    one: Callable[[Array], Array]
    many: Callable[[Array], Array] | None


def engines(model: Path, folder: Path) -> Iterator[Engine]:
    """Every engine that is installed here, onnxruntime first.

    Args:
        model: a folder with pair.onnx, digit.onnx and compare.onnx.
        folder: for what converters write.
    """
    yield onnxruntime(model)
    for package, make in (("openvino", openvino), ("ncnn", ncnn)):
        try:
            version = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            click.echo(f"{package} is not installed and is left out", err=True)
            continue
        try:
            yield make(model, folder, version)
        except UnreadableError as error:
            click.echo(f"{package} is left out: {error}", err=True)


class UnreadableError(Exception):
    """An engine or its converter cannot read the graphs."""


def onnxruntime(model: Path) -> Engine:
    """The engine that pairedge uses, as pairedge opens it."""
    import onnxruntime as package

    run = open_graph(model / "pair.onnx", "pair").session.run

    def answer(pairs: Array) -> Array:
        leq: Array = run(["leq"], {"images": pairs})[0]
        return leq

    return Engine(f"onnxruntime {package.__version__}", answer, answer)


def openvino(model: Path, folder: Path, version: str) -> Engine:  # noqa: ARG001 (it writes nothing)
    """OpenVINO on one thread, tuned for latency, in single precision; shapes as exported, so any batch."""
    package: Any = importlib.import_module("openvino")
    settings = {
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # on a busy core it would wait where others move on
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    compiled = package.Core().compile_model(str(model / "pair.onnx"), "CPU", settings)
    request, place = compiled.create_infer_request(), compiled.output("leq")

    def answer(pairs: Array) -> Array:
        leq: Array = request.infer({"images": pairs}, share_inputs=True, share_outputs=True)[place]
        return leq

    return Engine(f"OpenVINO {version}", answer, answer)


def ncnn(model: Path, folder: Path, version: str) -> Engine:
    """Build ncnn's digit and compare networks by its converter."""
    package: Any = importlib.import_module("ncnn")
    width = embedding_width(model)
    digit = ncnn_network(package, convert(model / "digit.onnx", "[1,14,14]u8", folder))
    compare = ncnn_network(package, convert(model / "compare.onnx", f"[1,{width}]f32,[1,{width}]f32", folder))

    def embed(tile: Array) -> Any:
        run = digit.create_extractor()
        # A copy: its own memory, where ncnn would otherwise look into an array that is gone by then.
        run.input("in0", package.Mat(tile.astype(np.float32)).clone())
        return run.extract("out0")[1]

    def answer(pairs: Array) -> Array:
        first, second = (embed(tile) for tile in pairs[0])
        run = compare.create_extractor()
        run.input("in0", first)
        run.input("in1", second)
        return np.array(run.extract("out0")[1]).reshape(-1)

    return Engine(f"ncnn {version}", answer, None)


def embedding_width(model: Path) -> int:
    """The length of an embedding of this model."""
    session = open_graph(model / "digit.onnx", "digit").session
    [embedding] = session.run(["embedding"], {"tiles": np.zeros((1, 14, 14), np.uint8)})
    return int(embedding.shape[1])


def convert(graph: Path, shapes: str, folder: Path) -> Path:
    """Convert a graph to ncnn's two files by pnnx; the path of the first.

    Raises:
        UnreadableError: when pnnx fails, or leaves an operator that ncnn does not have.
    """
    copy = folder / graph.name
    copy.write_bytes(last_output_alone(graph.read_bytes()))
    program = Path(sys.executable).with_name("pnnx")
    done = subprocess.run(
        [str(program), copy.name, f"inputshape={shapes}"], cwd=folder, capture_output=True, check=False
    )
    written = copy.with_suffix(".ncnn.param")
    if done.returncode or not written.exists():
        raise UnreadableError(f"pnnx cannot convert {graph.name}")
    # The cast from bytes to float is done outside: ncnn has no bytes.
    lines = [line.replace("Tensor.to ", "Noop      ", 1) for line in written.read_text().splitlines()]
    unknown = sorted(
        {line.split()[0] for line in lines[2:] if "." in line.split()[0] or "::" in line.split()[0]}
    )
    if unknown:
        raise UnreadableError(f"of {graph.name}, ncnn lacks {', '.join(unknown)}")
    written.write_text("\n".join(line for line in lines) + "\n")
    return written


def last_output_alone(content: bytes) -> bytes:
    """A graph with its last output only: pnnx fails where two outputs are one tensor."""
    model = onnx.load_from_string(content)
    del model.graph.output[:-1]
    shortened: bytes = model.SerializeToString()
    return shortened


def ncnn_network(package: ModuleType | Any, parameters: Path) -> Any:
    """An ncnn network on one thread, in single precision like the others."""
    network = package.Net()
    network.opt.num_threads = 1
    network.opt.use_fp16_storage = network.opt.use_fp16_arithmetic = network.opt.use_fp16_packed = False
    network.opt.use_bf16_storage = False
    if network.load_param(str(parameters)) or network.load_model(str(parameters.with_suffix(".bin"))):
        raise UnreadableError(f"ncnn cannot load {parameters.name}")
    return network


def probabilities(engine: Engine, pairs: Array) -> Array:
    """P(first <= second) of every pair, float32 (N,), of pairs, uint8 (N, 2, 14, 14)."""
    size = BATCH if engine.many else 1
    answer = engine.many or engine.one
    # Copied: an engine may reuse the memory of its outputs.
    return np.concatenate(
        [answer(pairs[start : start + size]).copy() for start in range(0, len(pairs), size)]
    )


def engine_row(name: str, times: dict[str, list[float]], agreement: dict[str, Any]) -> EngineRow:
    """An engine's latencies beside how far it agrees with onnxruntime."""
    batch = times.get(f"{BATCH} {name}")
    return EngineRow(
        engine=name,
        one_pair_microseconds=latency(times[f"1 {name}"]),
        batch_microseconds_per_pair=1e6 * statistics.median(batch) / BATCH if batch else None,
        **agreement,
    )


def agreement_of(answers: Array, reference: Array) -> dict[str, Any]:
    """How many decisions are onnxruntime's, and how far the probabilities differ."""
    return {
        "decisions": len(answers),
        "agreeing": int(((answers >= 0.5) == (reference >= 0.5)).sum()),
        "largest_difference": float(np.abs(answers - reference).max()),
    }


@click.command(context_settings=HELP)
@model_argument
@quick_option
def main(model: Path, quick: bool) -> None:
    """Measure the graphs in the folder MODEL in every installed engine; store the results of a full run."""
    seconds, count = (2, 500) if quick else (60, 10_000)
    recipe = Recipe.from_dict(pairedge.load(model / "pair.onnx").metadata["recipe"])
    tiles = load_data(recipe.data).test.tiles[:count]
    pairs = np.stack([tiles, np.roll(tiles, len(tiles) // 2, axis=0)], axis=1)
    one, many = pairs[:1], pairs[:BATCH]
    with tempfile.TemporaryDirectory() as name, torch_eager(str(model / "pair.onnx")) as torch_answer:
        installed = list(engines(model, Path(name)))
        groups: list[Calls] = [
            {f"1 {engine.name}": (lambda run=engine.one: run(one))}  # type: ignore[misc]  # the default binds it now
            for engine in installed
        ]
        groups += [
            {f"{BATCH} {engine.name}": (lambda run=engine.many: run(many))}  # type: ignore[misc]  # the default binds it now
            for engine in installed
            if engine.many
        ]
        eager = f"torch {importlib.metadata.version('torch')}, eager"
        if torch_answer:
            groups += [
                {f"1 {eager}": lambda: torch_answer(one)},
                {f"{BATCH} {eager}": lambda: torch_answer(many)},
            ]
        times = interleaved(groups, seconds)
        reference = probabilities(installed[0], pairs)
        rows = [
            engine_row(engine.name, times, agreement_of(probabilities(engine, pairs), reference))
            for engine in installed
        ]
    if torch_answer:
        rows.append(engine_row(eager, times, {}))
    for row in rows:
        click.echo(row)
    if not quick:
        weights = pairedge.load(model / "pair.onnx").metadata["weights_sha256"]
        record = EnginesRecord(
            machine=machine(), weights_sha256=weights, batch=BATCH, threads=1, engines=rows
        )
        keep("engines", record)


if __name__ == "__main__":
    main()
