"""Measures the start of a fresh process up to its first answer: `python -m pairedge.cold_start FILE`.

A program of its own, which `pairedge.bench` runs in a new interpreter. It imports little before the clock
starts.
"""

from __future__ import annotations

import json
import sys
import time


def peak_memory() -> int | None:
    """The peak memory of this process in bytes; None where the system does not report it."""
    if sys.platform == "win32":
        return None
    try:
        # On Linux, getrusage includes the parent's memory at the time of the fork; VmHWM does not.
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 (pathlib's import would be measured)
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main(path: str) -> None:
    """Print the seconds for import, load and first answer, and the peak memory, as JSON."""
    start = time.perf_counter()
    from pairedge.model import load

    imported = time.perf_counter()
    model = load(path, digits=False)
    loaded = time.perf_counter()

    import numpy as np

    tile = np.zeros((14, 14), np.uint8)
    ready = time.perf_counter()
    model.predict(tile, tile)
    answered = time.perf_counter()
    seconds = {"import": imported - start, "load": loaded - imported, "first_answer": answered - ready}
    sys.stdout.write(json.dumps({"seconds": seconds, "peak_bytes": peak_memory()}))


if __name__ == "__main__":
    main(sys.argv[1])
