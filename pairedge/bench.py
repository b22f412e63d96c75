"""Measures a model on this machine: start-up time, latency, throughput, memory and installed size.

Calls that are compared are interleaved, A B C A B C, so that a machine that slows down slows all alike.
"""

from __future__ import annotations

import json
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from importlib.metadata import Distribution, PackageNotFoundError, distribution, entry_points
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import PIL
from numpy.typing import NDArray

import pairedge
from pairedge.graph import CONTRACTS, open_graph, start_session
from pairedge.image.tile import TILE_SIDE
from pairedge.inspection import accuracies
from pairedge.machine import cores, cpu_model
from pairedge.model import AnyModel, load, model_of
from pairedge.shipped import shipped_graph

Calls = Mapping[str, Callable[[], object]]
Answer = Callable[[NDArray[np.uint8]], object]  # takes pairs of tiles, uint8 (N, 2, 14, 14)

DEPENDENCIES = ("numpy", "onnxruntime", "pillow", "click")
_NAME = re.compile(r"[\w.-]+")

STARTS = 5  # fresh processes; their median is reported
PASSES = 5  # rounds over all groups of calls
BATCHES = (1, 8, 64, 1024)
LARGEST = BATCHES[-1]

# The entry point group of baselines, which other packages provide: functions from the path of a graph to a
# context manager, which gives an `Answer`, or None for a graph that they cannot run.
BASELINES = "pairedge.baselines"

# A graph that returns its input: the latency of a call that computes nothing. A copy of
# tests/pairedge/graphs/identity.onnx, which tests/pairedge/make_graphs.py writes.
FLOOR = (
    b'\x08\x08:e\n\x18\n\x06images\x12\x04copy"\x08Identity\x12\x05floo'
    b"rZ!\n\x06images\x12\x17\n\x15\x08\x02\x12\x11\n\x03\x12\x01N\n\x02\x08\x02\n\x02\x08\x0e\n\x02\x08\x0e"
    b"b\x1f\n\x04copy\x12\x17\n\x15\x08\x02\x12\x11\n\x03\x12\x01N\n\x02\x08\x02\n\x02\x08\x0e\n\x02\x08\x0eB\x04\n"
    b"\x00\x10\x12"
)


def benchmark(path: str, seconds: float) -> dict[str, Any]:
    """Measure one `pair` graph for about `seconds`, and its start-up in STARTS fresh processes.

    Raises:
        GraphError: when the file is not a `pair` graph.
    """
    graph = open_graph(path, "pair")
    model, outputs = model_of(graph), list(graph.outputs)
    floor = start_session(FLOOR, "floor")
    pairs = _noise()
    one = pairs[:1]
    threads = {count: load(path, digits=False, threads=count) for count in sorted({1, 2, cores()})}
    with ExitStack() as context:
        others = {
            name: answer
            for name, enter in baselines()
            if (answer := context.enter_context(enter(path))) is not None
        }
        singles: list[Calls] = [
            {
                "predict": _one(model, pairs),
                "session.run": lambda: graph.session.run(outputs, {"images": one}),
                "floor": lambda: floor.run(["copy"], {"images": one}),
            },
            *({name: _answer(answer, one)} for name, answer in others.items()),
        ]
        batches: list[Calls] = [
            {
                "predict_batch": _batch(model, LARGEST),
                "session.run of a batch": lambda: graph.session.run(outputs, {"images": pairs}),
            },
            *({f"{name} of a batch": _answer(answer, pairs)} for name, answer in others.items()),
        ]
        # One group per call: threads that wait for work spin for a while, and would slow the next call.
        rates: list[Calls] = [
            {f"{count} {size}": _batch(threaded, size)}
            for size in BATCHES
            for count, threaded in threads.items()
        ]
        times = interleaved([*singles, *batches, *rates], seconds)
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        "machine": machine(),
        "graph": facts(path, model),
        "start": cold_starts(path),
        "one_pair_microseconds": {name: percentiles(times[name]) for group in singles for name in group},
        "pairs_per_second": [
            {"threads": count, "batch": size, "pairs_per_second": size / medians[f"{count} {size}"]}
            for size in BATCHES
            for count in threads
        ],
        "ratios": {
            "predict": medians["predict"] / medians["session.run"],
            "predict_batch": medians["predict_batch"] / medians["session.run of a batch"],
        },
        "speedups": {
            name: {
                "one pair": medians[name] / medians["predict"],
                f"batch {LARGEST}": medians[f"{name} of a batch"] / medians["predict_batch"],
            }
            for name in others
        },
        "installed_bytes": installed_bytes(),
        "installed_bytes_with_dependencies": installed_bytes() + installed_bytes_of(DEPENDENCIES),
    }


def compare(models: Mapping[str, AnyModel], seconds: float) -> list[dict[str, Any]]:
    """Measure several models, interleaved, for about `seconds`: one row per model, keyed by its path."""
    pairs = _noise()
    groups: list[Calls] = [
        {f"1 {path}": _one(model, pairs) for path, model in models.items()},
        {f"{LARGEST} {path}": _batch(model, LARGEST) for path, model in models.items()},
    ]
    times = interleaved(groups, seconds)
    return [
        {
            **facts(path, model),
            "one_pair_microseconds": 1e6 * statistics.median(times[f"1 {path}"]),
            "batch_microseconds_per_pair": 1e6 * statistics.median(times[f"{LARGEST} {path}"]) / LARGEST,
        }
        for path, model in models.items()
    ]


def interleaved(groups: Sequence[Calls], seconds: float) -> dict[str, list[float]]:
    """The seconds of every call, by name. Calls of a group are interleaved, and so are the groups."""
    times: dict[str, list[float]] = {name: [] for group in groups for name in group}
    share = seconds / PASSES / len(groups)
    for _ in range(PASSES):
        for group in groups:
            for call in group.values():  # warm-up: caches still hold the data of the previous group
                call()
            end = time.perf_counter() + share
            while True:
                for name, call in group.items():
                    start = time.perf_counter()
                    call()
                    now = time.perf_counter()
                    times[name].append(now - start)
                if now >= end:
                    break
    return times


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Median and tail latency in microseconds, and the number of calls."""
    p50, p95, p99 = np.percentile(np.array(seconds) * 1e6, [50, 95, 99]).tolist()
    return {"p50": p50, "p95": p95, "p99": p99, "n": len(seconds)}


def cold_starts(path: str) -> dict[str, Any]:
    """Medians over fresh processes: milliseconds to import, load and answer, and peak memory in bytes."""
    runs = []
    for _ in range(STARTS):
        command = [sys.executable, "-m", "pairedge.cold_start", path]
        runs.append(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))
    peaks = [run["peak_bytes"] for run in runs]
    return {
        "milliseconds": {
            step: 1e3 * statistics.median(run["seconds"][step] for run in runs) for step in runs[0]["seconds"]
        },
        "peak_bytes": None if None in peaks else statistics.median(peaks),
        "n": STARTS,
    }


def facts(path: str, model: AnyModel) -> dict[str, Any]:
    """File, variant, size and accuracy of a graph, over all pairs if its metadata has that."""
    stated = accuracies(model.metadata)
    on = next((name for name in ("all_pairs", "pairs", "round") if name in stated), None)
    return {
        "file": path,
        "variant": model.variant,
        "bytes": Path(path).stat().st_size,
        "accuracy": None if on is None else {"on": on, "value": stated[on][0], "n": stated[on][1]},
    }


def machine() -> dict[str, Any]:
    """Package versions and the processor."""
    return {
        "python": platform.python_version(),
        "onnxruntime": ort.__version__,
        "numpy": np.__version__,
        "pillow": PIL.__version__,
        "pairedge": pairedge.__version__,
        "cpu": cpu_model(),
        "cores": cores(),
    }


def installed_bytes() -> int:
    """The bytes of pairedge on disk, with the shipped model and without byte code."""
    files = {path for path in Path(pairedge.__file__).parent.rglob("*") if path.is_file()}
    shipped = {Path(shipped_graph(kind)) for kind in CONTRACTS}
    return sum(path.stat().st_size for path in files | shipped if path.suffix != ".pyc")


def installed_bytes_of(names: Sequence[str]) -> int:
    """The bytes of packages and their dependencies on disk, without byte code.

    Args:
        names: of packages; one that is not installed counts 0.
    """
    installed: dict[str, Distribution] = {}
    pending = list(names)
    while pending:
        name = pending.pop().lower()
        if name in installed:
            continue
        try:
            installed[name] = distribution(name)
        except PackageNotFoundError:
            continue
        # "numpy>=1.24.2" is a dependency; "numpy>=2; extra == 'x'" is optional.
        pending += [
            _NAME.match(line)[0]  # type: ignore[index] # every requirement starts with a name
            for line in installed[name].requires or ()
            if "extra ==" not in line
        ]
    files = [Path(str(file.locate())) for package in installed.values() for file in package.files or ()]
    return sum(path.stat().st_size for path in files if path.suffix != ".pyc" and path.is_file())


def baselines() -> Iterator[tuple[str, Callable[[str], AbstractContextManager[Answer | None]]]]:
    """The installed baselines: the name of each and what its entry point loads."""
    for entry in entry_points(group=BASELINES):
        try:
            yield entry.name.replace("_", " "), entry.load()
        except ImportError:  # a dependency of it is not installed
            continue


def _answer(answer: Answer, pairs: NDArray[np.uint8]) -> Callable[[], object]:
    return lambda: answer(pairs)


def _noise() -> NDArray[np.uint8]:
    """Pairs of random tiles, uint8 (LARGEST, 2, 14, 14), 0 to 255; latency does not depend on content."""
    return np.random.default_rng(0).integers(0, 256, (LARGEST, 2, TILE_SIDE, TILE_SIDE), np.uint8)


def _one(model: AnyModel, pairs: NDArray[np.uint8]) -> Callable[[], object]:
    first, second = pairs[0]
    return lambda: model.predict(first, second)


def _batch(model: AnyModel, size: int) -> Callable[[], object]:
    pairs = _noise()[:size]
    return lambda: model.predict_batch(pairs)
