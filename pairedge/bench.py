"""What a model costs on this machine: to start, to answer, and to keep.

Calls that are compared are made in turn, A B C A B C, so that a machine that slows down slows all alike.
"""

from __future__ import annotations

import json
import os
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
from pairedge.model import PairModel, load, shipped_graph

Calls = Mapping[str, Callable[[], object]]
Answer = Callable[[NDArray[np.uint8]], object]  # pairs, uint8 (N, 2, 14, 14)

NEEDED = ("numpy", "onnxruntime", "pillow", "click")
_NAME = re.compile(r"[\w.-]+")

STARTS = 5  # fresh processes, of which the median counts
PASSES = 5  # turns through all groups of calls
BATCHES = (1, 8, 64, 1024)
LARGEST = BATCHES[-1]

# Other ways to answer as a graph does, which packages that are installed beside this one may offer: functions
# from the path of a graph to a context in which it is answered, or None where they cannot.
YARDSTICKS = "pairedge.yardsticks"

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
    with ExitStack() as context:
        beside = {
            name: answer
            for name, enter in yardsticks()
            if (answer := context.enter_context(enter(path))) is not None
        }
        singles: list[Calls] = [
            {
                "predict": _one(model, pairs),
                "session.run": lambda: graph.session.run(outputs, {"images": one}),
                "floor": lambda: floor.run(["copy"], {"images": one}),
            },
            *({name: _given(answer, one)} for name, answer in beside.items()),
        ]
        batches: list[Calls] = [
            {
                "predict_batch": _batch(model, LARGEST),
                "session.run of a batch": lambda: graph.session.run(outputs, {"images": pairs}),
            },
            *({f"{name} of a batch": _given(answer, pairs)} for name, answer in beside.items()),
        ]
        # Each in a group of its own: threads that wait for work keep a processor busy for a while.
        rates: list[Calls] = [
            {f"{count} {size}": _batch(threaded, size)}
            for size in BATCHES
            for count, threaded in threads.items()
        ]
        times = interleaved([*singles, *batches, *rates], seconds)
    middle = {name: statistics.median(values) for name, values in times.items()}
    return {
        "machine": machine(),
        "graph": facts(path, model),
        "start": cold_starts(path),
        "one_pair_microseconds": {name: percentiles(times[name]) for group in singles for name in group},
        "pairs_per_second": [
            {"threads": count, "batch": size, "pairs_per_second": size / middle[f"{count} {size}"]}
            for size in BATCHES
            for count in threads
        ],
        "ratios": {
            "predict": middle["predict"] / middle["session.run"],
            "predict_batch": middle["predict_batch"] / middle["session.run of a batch"],
        },
        "times_as_fast": {
            name: {
                "one pair": middle[name] / middle["predict"],
                f"batch {LARGEST}": middle[f"{name} of a batch"] / middle["predict_batch"],
            }
            for name in beside
        },
        "installed_bytes": installed_bytes(),
        "installed_bytes_with_what_it_needs": installed_bytes() + installed_bytes_of(NEEDED),
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
    on = next((name for name in ("all_pairs", "pairs", "round") if name in claims), None)
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


def installed_bytes_of(names: Sequence[str]) -> int:
    """What packages and all that they need take on the disk, the byte code left out.

    Args:
        names: of packages; one that is not installed takes nothing.
    """
    found: dict[str, Distribution] = {}
    wanted = list(names)
    while wanted:
        name = wanted.pop().lower()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue
        # "numpy>=1.24.2" is needed here; "numpy>=2; extra == 'x'" is not.
        wanted += [
            _NAME.match(line)[0]  # type: ignore[index] # every requirement begins with a name
            for line in found[name].requires or ()
            if "extra ==" not in line
        ]
    files = [Path(str(file.locate())) for each in found.values() for file in each.files or ()]
    return sum(path.stat().st_size for path in files if path.suffix != ".pyc" and path.is_file())


def yardsticks() -> Iterator[tuple[str, Callable[[str], AbstractContextManager[Answer | None]]]]:
    """Each other way to answer that is installed: its name, and a function from a graph's path."""
    for entry in entry_points(group=YARDSTICKS):
        try:
            yield entry.name.replace("_", " "), entry.load()
        except ImportError:  # it needs what is not installed
            continue


def _given(answer: Answer, pairs: NDArray[np.uint8]) -> Callable[[], object]:
    return lambda: answer(pairs)


def _noise() -> NDArray[np.uint8]:
    """Pairs of tiles, uint8 (LARGEST, 2, 14, 14); what they show does not change what they cost."""
    return np.random.default_rng(0).integers(0, 256, (LARGEST, 2, TILE_SIDE, TILE_SIDE), np.uint8)


def _one(model: PairModel, pairs: NDArray[np.uint8]) -> Callable[[], object]:
    first, second = pairs[0]
    return lambda: model.predict(first, second)


def _batch(model: PairModel, size: int) -> Callable[[], object]:
    pairs = _noise()[:size]
    return lambda: model.predict_batch(pairs)
