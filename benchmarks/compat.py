"""Every exported graph in old and new onnxruntimes, each in its own environment, and in ONNX's evaluator.

The reference outputs are those of the onnxruntime that runs this program; ONNX's reference evaluator, which
shares no code with it, is compared with them too.

python -m benchmarks.compat [--short] [--environments FOLDER]

--short, for every push: only the graphs under artifacts/, in the oldest onnxruntime, this one and the
evaluator; nothing is stored. Exit code 1 when a graph does not load or differs.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from benchmarks.compat_check import Run, Tensors, check, session
from benchmarks.environments import environment
from benchmarks.options import HELP
from benchmarks.records import ROOT, CompatRecord, CompatRow, GraphAgreement, GraphFailure, keep
from pairedge.bench import machine
from pairedge.image.tile import to_tile
from pairedge_export.parity import TOLERANCE, extremes, real_inputs

OLDEST, NEWEST = "==1.15.1", ""
VERSIONS = (OLDEST, "==1.17.*", "==1.20.*", "==1.22.*", NEWEST)
BATCHES = (1, 2, 7, 64)
_LARGEST_OF_THE_EVALUATOR = 7  # it computes in Python


def tiles() -> NDArray[np.uint8]:
    """Tiles to try, uint8 (64, 14, 14): the example pictures, extremes, and noise."""
    pictures = [to_tile(path) for path in sorted((ROOT / "examples").glob("*.png"))]
    known = np.stack([*pictures, *extremes()])
    noise = np.random.default_rng(0).integers(0, 256, (max(BATCHES) - len(known), 14, 14), np.uint8)
    return np.concatenate([known, noise])


def collect(fresh: bool) -> dict[str, dict[str, bytes]]:
    """Graphs by model and kind: those in artifacts/, and if `fresh`, one with random weights per family."""
    models = {
        folder.name: {path.stem: path.read_bytes() for path in sorted(folder.glob("*.onnx"))}
        for folder in sorted((ROOT / "artifacts").iterdir())
        if (folder / "pair.onnx").is_file()
    }
    if fresh:
        from benchmarks.fresh_graphs import fresh_graphs, one_of_each_family

        models |= {f"{name} (fresh)": fresh_graphs(name) for name in one_of_each_family()}
    return models


def prepare(folder: Path, models: Mapping[str, Mapping[str, bytes]]) -> None:
    """Write each graph with its inputs and this onnxruntime's outputs at each batch size."""
    for model, graphs in models.items():
        for kind, content in graphs.items():
            path = folder / f"{model} {kind}.onnx"
            path.write_bytes(content)
            names = [output.name for output in onnx.load_from_string(content).graph.output]
            run, all_inputs = session(path), real_inputs(kind, graphs, tiles())
            cases: Tensors = {}
            for batch in BATCHES:
                inputs = {name: value[:batch] for name, value in all_inputs.items()}
                cases |= {f"{batch}/in/{name}": value for name, value in inputs.items()}
                answers = zip(names, run(names, inputs), strict=True)
                cases |= {f"{batch}/out/{name}": value for name, value in answers}
            np.savez(path.with_suffix(".npz"), **cases)


def in_environment(requirement: str, environments: Path, folder: Path) -> CompatRow:
    """Check in an onnxruntime of its own, made when it is not there yet."""
    named = requirement.strip("=").replace("*", "x") or "newest"
    # Packages built for NumPy 1 need it, and do not say so.
    old = requirement and tuple(map(int, requirement[2:].split(".")[:2])) < (1, 19)
    numpy = "numpy<2" if old else "numpy"
    python = environment(environments / named, f"onnxruntime{requirement}", numpy)
    program = Path(__file__).with_name("compat_check.py")
    done = subprocess.run([str(python), str(program), str(folder)], check=True, stdout=subprocess.PIPE)
    result = json.loads(done.stdout)
    graphs = result.pop("graphs")
    return compat_row(f"onnxruntime {result['onnxruntime']}", graphs, **result)


def in_this_one(folder: Path) -> CompatRow:
    """Check in the onnxruntime that runs this program."""
    import onnxruntime

    return compat_row(f"onnxruntime {onnxruntime.__version__}", check(folder, session))


def in_the_evaluator(folder: Path) -> CompatRow:
    """Check in ONNX's reference evaluator, with batches small enough for it."""

    def start(path: Path) -> Run:
        evaluator = ReferenceEvaluator(str(path))

        def run(names: list[str], inputs: Tensors) -> list[Any]:
            return [np.asarray(answer) for answer in evaluator.run(names, inputs)]

        return run

    small = {str(batch) for batch in BATCHES if batch <= _LARGEST_OF_THE_EVALUATOR}
    return compat_row(f"onnx.reference {onnx.__version__}", check(folder, start, small))


def compat_row(engine: str, graphs: Mapping[str, Mapping[str, Any]], **versions: str) -> CompatRow:
    """One engine's results, from what `check` gives."""
    results = {
        name: GraphFailure(**result) if "error" in result else GraphAgreement(**result)
        for name, result in graphs.items()
    }
    return CompatRow(engine=engine, graphs=results, **versions)


def failures(row: CompatRow) -> list[str]:
    """Each graph that failed in one engine, as a sentence."""
    sentences = []
    for graph, result in row.graphs.items():
        if isinstance(result, GraphFailure):
            sentences.append(f"{row.engine}: {graph}: {result.error}")
        elif not result.largest_difference <= TOLERANCE or result.decisions_differ:
            sentences.append(
                f"{row.engine}: {graph}: differs by {result.largest_difference:.1e} and in "
                f"{result.decisions_differ} of {result.decisions} decisions"
            )
    return sentences


def largest_difference(row: CompatRow) -> float:
    """The largest difference of any graph in one engine; infinite where a graph failed."""
    return max(
        float("inf") if isinstance(result, GraphFailure) else result.largest_difference
        for result in row.graphs.values()
    )


@click.command(context_settings=HELP)
@click.option(
    "--short",
    is_flag=True,
    help="For every push: the graphs in artifacts/, in the oldest and the installed onnxruntime.",
)
@click.option(
    "--environments",
    type=click.Path(path_type=Path),
    default=ROOT / ".venv-compat",
    show_default=".venv-compat",
    help="Folder of the environments, which later runs use again.",
)
def main(short: bool, environments: Path) -> None:
    """Check every exported graph in each engine; store the results of a full run without failures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, collect(fresh=not short))
        engines: list[Callable[[], CompatRow]] = [
            (lambda version=version: in_environment(version, environments, folder))  # type: ignore[misc]  # the default binds it now
            for version in ((OLDEST,) if short else VERSIONS)
        ]
        engines += [lambda: in_this_one(folder)] * short
        engines += [lambda: in_the_evaluator(folder)]
        rows = []
        for engine in engines:
            row = engine()
            rows.append(row)
            click.echo(
                f"{row.engine}: {len(row.graphs)} graphs, largest difference {largest_difference(row):.1e}"
            )
    failed = [sentence for row in rows for sentence in failures(row)]
    for sentence in failed:
        click.echo(f"Error: {sentence}", err=True)
    if failed:
        raise SystemExit(1)
    if not short:
        record = CompatRecord(machine=machine(), tolerance=TOLERANCE, batches=list(BATCHES), engines=rows)
        keep("compat", record)


if __name__ == "__main__":
    main()
