"""Do graphs give the reference outputs in this environment? Needs numpy and an onnxruntime, nothing else.

compat.py runs this in each environment that it makes:  python compat_check.py FOLDER

FOLDER holds NAME.onnx and NAME.npz side by side; in the latter, `CASE/in/TENSOR` and `CASE/out/TENSOR`. The
results are printed as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Tensors = dict[str, Any]  # arrays by name
Run = Callable[[list[str], Tensors], list[Any]]


def judge(run: Run, cases: Mapping[str, Any]) -> dict[str, Any]:
    """Compare a graph's outputs with the reference outputs.

    Args:
        run: from names of outputs, and inputs by name, to outputs.
        cases: arrays by `CASE/in/TENSOR` or `CASE/out/TENSOR`.

    Returns:
        The largest difference, relative to the largest value where that exceeds 1, and how many of how many
        decisions differ.
    """
    largest, differing, decided = 0.0, 0, 0
    for case in sorted({key.split("/")[0] for key in cases}):
        inputs, expected = (
            {key.split("/")[2]: cases[key] for key in cases if key.startswith(f"{case}/{side}/")}
            for side in ("in", "out")
        )
        for name, output in zip(expected, run(list(expected), inputs), strict=True):
            reference = expected[name]
            scale = max(1.0, np.abs(reference).max())
            difference = float(np.abs(reference.astype(np.float64) - output).max() / scale)
            largest = max(largest, difference if np.isfinite(difference) else float("inf"))
            if name != "embedding":
                decided_here, decided_there = (
                    values >= 0.5 if name == "leq" else values.argmax(-1) for values in (output, reference)
                )
                differing += int((decided_here != decided_there).sum())
                decided += decided_there.size
    return {"largest_difference": largest, "decisions_differ": differing, "decisions": decided}


def session(path: Path) -> Run:
    """A session of a graph in this environment's onnxruntime, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    run: Run = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]).run
    return run


def check(
    folder: Path, start: Callable[[Path], Run], cases: Container[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Judge each graph of a folder; one that fails to load or run gets the error's first line.

    Args:
        folder: graphs and their cases.
        start: from a graph's file to the function that runs it.
        cases: the cases to try; None for all.
    """
    results: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.onnx")):
        try:
            with np.load(path.with_suffix(".npz")) as stored:
                chosen = {key: stored[key] for key in stored if not cases or key.split("/")[0] in cases}
            results[path.stem] = judge(start(path), chosen)
        except Exception as error:  # whatever an engine raises is a result
            results[path.stem] = {"error": str(error).partition("\n")[0]}
    return results


if __name__ == "__main__":
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])  # click is not here
    parser.add_argument("folder", type=Path, help="graphs and their cases")
    versions = {
        "onnxruntime": onnxruntime.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    json.dump({**versions, "graphs": check(parser.parse_args().folder, session)}, sys.stdout)
