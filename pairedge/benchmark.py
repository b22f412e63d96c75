"""What a model costs on this machine: to start, to answer, and to keep.

Calls that are compared are made in turn, A B C A B C, so that a machine that slows down slows all alike.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import PIL
from numpy.typing import NDArray

import pairedge
from pairedge.graph import CONTRACTS, open_graph, start_session
from pairedge.image import TILE_SIDE
from pairedge.inspection import accuracies
from pairedge.model import PairModel, load, shipped_graph

Calls = Mapping[str, Callable[[], object]]

STARTS = 5  # fresh processes, of which the median counts
PASSES = 5  # turns through all groups of calls
BATCHES = (1, 8, 64, 1024)
LARGEST = BATCHES[-1]

# A graph that answers pairs with themselves: what a call costs that computes nothing. It is
# tests/pairedge/graphs/identity.onnx, which make_graphs.py there writes.
FLOOR = (
    b'\x08\x08:e\n\x18\n\x06images\x12\x04copy"\x08Identity\x12\x05floo'
    b"rZ!\n\x06images\x12\x17\n\x15\x08\x02\x12\x11\n\x03\x12\x01N\n\x02\x08\x02\n\x02\x08\x0e\n\x02\x08\x0e"
    b"b\x1f\n\x04copy\x12\x17\n\x15\x08\x02\x12\x11\n\x03\x12\x01N\n\x02\x08\x02\n\x02\x08\x0e\n\x02\x08\x0eB\x04\n"
    b"\x00\x10\x12"
)


def benchmark(path: str, seconds: float) -> dict[str, Any]:
    """Measure one `pair` graph, for about so many seconds and as long as STARTS processes take.

    Raises:
        GraphError: when the file is not a `pair` graph.
    """
    graph = open_graph(path, "pair")
    model, outputs = PairModel(graph), list(graph.outputs)
    floor = start_session(FLOOR, "floor")
    pairs = _noise()
    one = pairs[:1]
    threads = {count: load(path, threads=count) for count in sorted({1, 2, cores()})}
    groups: list[Calls] = [
        {
            "predict": _one(model, pairs),
            "session.run": lambda: graph.session.run(outputs, {"images": one}),
            "floor": lambda: floor.run(["copy"], {"images": one}),
        },
        {
            "predict_batch": _batch(model, LARGEST),
            "session.run of a batch": lambda: graph.session.run(outputs, {"images": pairs}),
        },
        # Each in a group of its own: threads that wait for work keep a processor busy for a while.
        *(
            {f"{count} {size}": _batch(threaded, size)}
            for size in BATCHES
            for count, threaded in threads.items()
        ),
    ]
    times = interleaved(groups, seconds)
    middle = {name: statistics.median(values) for name, values in times.items()}
    return {
        "machine": machine(),
        "graph": facts(path, model),
        "start": cold_starts(path),
        "one_pair_microseconds": {name: percentiles(times[name]) for name in groups[0]},
        "pairs_per_second": [
            {"threads": count, "batch": size, "pairs_per_second": size / middle[f"{count} {size}"]}
            for size in BATCHES
            for count in threads
        ],
        "ratios": {
            "predict": middle["predict"] / middle["session.run"],
            "predict_batch": middle["predict_batch"] / middle["session.run of a batch"],
        },
        "installed_bytes": installed_bytes(),
    }


def compare(models: Mapping[str, PairModel], seconds: float) -> list[dict[str, Any]]:
    """Measure several models in turn, for about so many seconds: one row for each, by its path."""
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
    """Seconds of every call. Calls of one group are made in turn, and groups of calls too, several times."""
    times: dict[str, list[float]] = {name: [] for group in groups for name in group}
    share = seconds / PASSES / len(groups)
    for _ in range(PASSES):
        for group in groups:
            for call in group.values():  # not counted: caches hold what the group before left there
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
    """The middle and the tail of some calls, in microseconds, and how many calls there were."""
    p50, p95, p99 = np.percentile(np.array(seconds) * 1e6, [50, 95, 99]).tolist()
    return {"p50": p50, "p95": p95, "p99": p99, "n": len(seconds)}


def cold_starts(path: str) -> dict[str, Any]:
    """Medians over fresh processes: milliseconds to import, to load and to answer, and bytes of memory."""
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


def facts(path: str, model: PairModel) -> dict[str, Any]:
    """What is known of a graph without running it; its accuracy over all pairs, or else over some."""
    claims = accuracies(model.metadata)
    on = next((name for name in ("all_pairs", "round") if name in claims), None)
    return {
        "file": path,
        "variant": model.variant,
        "bytes": Path(path).stat().st_size,
        "accuracy": None if on is None else {"on": on, "value": claims[on][0], "n": claims[on][1]},
    }


def machine() -> dict[str, Any]:
    """Versions and processor."""
    return {
        "python": platform.python_version(),
        "onnxruntime": ort.__version__,
        "numpy": np.__version__,
        "pillow": PIL.__version__,
        "pairedge": pairedge.__version__,
        "cpu": cpu_model(),
        "cores": cores(),
    }


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def cpu_model() -> str:
    """The processor's name, as far as the system gives one."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def installed_bytes() -> int:
    """What pairedge itself takes on the disk, the shipped model included, and the byte code left out."""
    files = {path for path in Path(pairedge.__file__).parent.rglob("*") if path.is_file()}
    shipped = {Path(shipped_graph(kind)) for kind in CONTRACTS}
    return sum(path.stat().st_size for path in files | shipped if path.suffix != ".pyc")


def _noise() -> NDArray[np.uint8]:
    """Pairs of tiles, uint8 (LARGEST, 2, 14, 14); what they show does not change what they cost."""
    return np.random.default_rng(0).integers(0, 256, (LARGEST, 2, TILE_SIDE, TILE_SIDE), np.uint8)


def _one(model: PairModel, pairs: NDArray[np.uint8]) -> Callable[[], object]:
    first, second = pairs[0]
    return lambda: model.predict(first, second)


def _batch(model: PairModel, size: int) -> Callable[[], object]:
    pairs = _noise()[:size]
    return lambda: model.predict_batch(pairs)
