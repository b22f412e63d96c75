"""`python -m pairedge.cold_start FILE`: what the first answer costs a process that has only just begun."""

from __future__ import annotations

import json
import sys
import time


def peak_memory() -> int | None:
    """Bytes of memory that this process held at most; None where the system does not say."""
    if sys.platform == "win32":
        return None
    try:
        # Linux's getrusage would count what the parent held when it started this process; this does not.
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 (its import would be measured)
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main(path: str) -> None:
    """Print the seconds of importing, loading and the first answer, and the peak of memory, as JSON."""
    start = time.perf_counter()
    from pairedge.model import load

    imported = time.perf_counter()
    model = load(path)
    loaded = time.perf_counter()

    import numpy as np

    tile = np.zeros((14, 14), np.uint8)
    asked = time.perf_counter()
    model.predict(tile, tile)
    answered = time.perf_counter()
    seconds = {"import": imported - start, "load": loaded - imported, "first_answer": answered - asked}
    sys.stdout.write(json.dumps({"seconds": seconds, "peak_bytes": peak_memory()}))


if __name__ == "__main__":
    main(sys.argv[1])
