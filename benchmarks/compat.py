"""Every exported graph in old and new onnxruntimes, each in its own environment, and in ONNX's evaluator.

The answers to agree with are those of the onnxruntime that runs this program; the reference evaluator, which
shares no code with it, is held against them too.

python benchmarks/compat.py [--short] [--environments FOLDER]

--short, for every push: only the graphs under artifacts/, in the oldest onnxruntime, this one and the
evaluator; nothing is kept. Exit code 1 when a graph does not load or differs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from compat_check import Run, Tensors, check, session
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from side_by_side import ROOT, keep

from pairedge.image.tile import to_tile
from pairedge_export.parity import TOLERANCE, extremes, real_inputs

OLDEST, NEWEST = "==1.15.1", ""
VERSIONS = (OLDEST, "==1.17.*", "==1.20.*", "==1.22.*", NEWEST)
BATCHES = (1, 2, 7, 64)
_LARGEST_OF_THE_EVALUATOR = 7  # it computes in Python
Found = dict[str, Any]


def tiles() -> NDArray[np.uint8]:
    """Tiles to try, uint8 (64, 14, 14): the example pictures, extremes, and noise."""
    pictures = [to_tile(path) for path in sorted((ROOT / "examples").glob("*.png"))]
    known = np.stack([*pictures, *extremes()])
    noise = np.random.default_rng(0).integers(0, 256, (max(BATCHES) - len(known), 14, 14), np.uint8)
    return np.concatenate([known, noise])


def collect(fresh: bool) -> dict[str, dict[str, bytes]]:
    """Graphs of models by kind: every folder of artifacts/ that has some, and fresh ones of each family."""
    models = {
        folder.name: {path.stem: path.read_bytes() for path in sorted(folder.glob("*.onnx"))}
        for folder in sorted((ROOT / "artifacts").iterdir())
        if (folder / "pair.onnx").is_file()
    }
    if fresh:
        from fresh_graphs import fresh_graphs, one_of_each_family

        models |= {f"{name} (fresh)": fresh_graphs(name) for name in one_of_each_family()}
    return models


def prepare(folder: Path, models: Mapping[str, Mapping[str, bytes]]) -> None:
    """Write each graph, what it is given at each batch size, and what this onnxruntime answers."""
    for model, graphs in models.items():
        for kind, content in graphs.items():
            path = folder / f"{model} {kind}.onnx"
            path.write_bytes(content)
            names = [output.name for output in onnx.load_from_string(content).graph.output]
            run, whole = session(path), real_inputs(kind, graphs, tiles())
            cases: Tensors = {}
            for batch in BATCHES:
                inputs = {name: value[:batch] for name, value in whole.items()}
                cases |= {f"{batch}/in/{name}": value for name, value in inputs.items()}
                answers = zip(names, run(names, inputs), strict=True)
                cases |= {f"{batch}/out/{name}": value for name, value in answers}
            np.savez(path.with_suffix(".npz"), **cases)


def in_environment(requirement: str, environments: Path, folder: Path) -> Found:
    """Check in an onnxruntime of its own, made when it is not there yet."""
    named = requirement.strip("=").replace("*", "x") or "newest"
    environment = environments / named
    python = environment / "bin" / "python"
    if not (environment / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True)
        # Packages built for NumPy 1 need it, and do not say so.
        old = requirement and tuple(map(int, requirement[2:].split(".")[:2])) < (1, 19)
        packages = [f"onnxruntime{requirement}", "numpy<2" if old else "numpy"]
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
        (environment / "done").touch()
    program = Path(__file__).with_name("compat_check.py")
    done = subprocess.run([str(python), str(program), str(folder)], check=True, stdout=subprocess.PIPE)
    found: Found = json.loads(done.stdout)
    return {"engine": f"onnxruntime {found['onnxruntime']}", **found}


def in_this_one(folder: Path) -> Found:
    """Check in the onnxruntime that runs this program."""
    import onnxruntime

    return {"engine": f"onnxruntime {onnxruntime.__version__}", "graphs": check(folder, session)}


def in_the_evaluator(folder: Path) -> Found:
    """Check in ONNX's reference evaluator, with batches small enough for it."""

    def start(path: Path) -> Run:
        evaluator = ReferenceEvaluator(str(path))

        def run(names: list[str], inputs: Tensors) -> list[Any]:
            return [np.asarray(answer) for answer in evaluator.run(names, inputs)]

        return run

    small = {str(batch) for batch in BATCHES if batch <= _LARGEST_OF_THE_EVALUATOR}
    return {"engine": f"onnx.reference {onnx.__version__}", "graphs": check(folder, start, small)}


def failures(found: Found) -> list[str]:
    """Each graph that failed in one engine, as a sentence."""
    sentences = []
    for graph, result in found["graphs"].items():
        if "error" in result:
            sentences.append(f"{found['engine']}: {graph}: {result['error']}")
        elif not result["largest_difference"] <= TOLERANCE or result["decisions_differ"]:
            sentences.append(
                f"{found['engine']}: {graph}: differs by {result['largest_difference']:.1e} and in "
                f"{result['decisions_differ']} of {result['decisions']} decisions"
            )
    return sentences


def main(short: bool, environments: Path) -> int:
    """Check everywhere, tell each engine in a line, and keep a long run's figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, collect(fresh=not short))
        engines: list[Callable[[], Found]] = [
            (lambda version=version: in_environment(version, environments, folder))  # type: ignore[misc]  # the default binds it now
            for version in ((OLDEST,) if short else VERSIONS)
        ]
        engines += [lambda: in_this_one(folder)] * short
        engines += [lambda: in_the_evaluator(folder)]
        found = []
        for engine in engines:
            found.append(engine())
            largest = max(
                each.get("largest_difference", float("inf")) for each in found[-1]["graphs"].values()
            )
            sys.stdout.write(
                f"{found[-1]['engine']}: {len(found[-1]['graphs'])} graphs, "
                f"largest difference {largest:.1e}\n"
            )
    wrong = [sentence for each in found for sentence in failures(each)]
    sys.stderr.write("".join(f"Error: {sentence}\n" for sentence in wrong))
    if not short and not wrong:
        keep("compat", {"tolerance": TOLERANCE, "batches": BATCHES, "engines": found})
    return bool(wrong)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--short", action="store_true", help="for every push")
    parser.add_argument(
        "--environments", type=Path, default=ROOT / ".venv-compat", help="where they are kept"
    )
    options = parser.parse_args()
    sys.exit(main(options.short, options.environments))
