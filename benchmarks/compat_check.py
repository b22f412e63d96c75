"""Do graphs answer here as they did where the answers were taken? Needs numpy and some onnxruntime, no more.

compat.py runs this in each environment that it makes:  python compat_check.py FOLDER

FOLDER holds NAME.onnx and NAME.npz side by side; in the latter, `CASE/in/TENSOR` and `CASE/out/TENSOR`. What
was found is printed as JSON.
"""

from __future__ import annotations

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
    """Hold a graph's answers against those that were taken elsewhere.

    Args:
        run: from names of outputs and inputs by name to outputs.
        cases: arrays by `CASE/in/TENSOR` or `CASE/out/TENSOR`.

    Returns:
        The largest difference, in units of the largest value where that exceeds 1, and how many decisions
        differ of how many.
    """
    largest, differing, decided = 0.0, 0, 0
    for case in sorted({key.split("/")[0] for key in cases}):
        inputs, wanted = (
            {key.split("/")[2]: cases[key] for key in cases if key.startswith(f"{case}/{side}/")}
            for side in ("in", "out")
        )
        for name, have in zip(wanted, run(list(wanted), inputs), strict=True):
            want = wanted[name]
            difference = float(np.abs(want.astype(np.float64) - have).max() / max(1.0, np.abs(want).max()))
            largest = max(largest, difference if np.isfinite(difference) else float("inf"))
            if name != "embedding":
                ours, theirs = (side >= 0.5 if name == "leq" else side.argmax(-1) for side in (want, have))
                differing += int((ours != theirs).sum())
                decided += ours.size
    return {"largest_difference": largest, "decisions_differ": differing, "decisions": decided}


def session(path: Path) -> Run:
    """A graph in this environment's onnxruntime, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    run: Run = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]).run
    return run


def check(
    folder: Path, start: Callable[[Path], Run], cases: Container[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Judge each graph of a folder; one that fails to load or run is told with the error's first line.

    Args:
        folder: graphs and their cases.
        start: from a graph's file to what runs it.
        cases: the cases to try; None for all.
    """
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.onnx")):
        try:
            with np.load(path.with_suffix(".npz")) as stored:
                chosen = {key: stored[key] for key in stored if not cases or key.split("/")[0] in cases}
            found[path.stem] = judge(start(path), chosen)
        except Exception as error:  # whatever an engine raises is a finding
            found[path.stem] = {"error": str(error).partition("\n")[0]}
    return found


if __name__ == "__main__":
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    versions = {
        "onnxruntime": onnxruntime.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    json.dump({**versions, "graphs": check(Path(sys.argv[1]), session)}, sys.stdout)
