"""Does a process that answers for long keep more and more memory? It answers, and notes what it holds.

python benchmarks/no_growth.py MODEL ANSWERS      (Linux: memory is read from /proc)
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np

import pairedge

NOTES = 20  # how often memory is noted after the warm-up, which is one more such part


def resident_bytes() -> int:
    """Memory that this process holds now."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def main(path: str, answers: int) -> None:
    """Answer pair by pair; print bytes held after each part of the answers, the warm-up's first."""
    model = pairedge.load(path)
    tiles = np.random.default_rng(0).integers(0, 256, (256, 14, 14), np.uint8)
    held = np.zeros(NOTES + 1, np.int64)  # made beforehand: a list would grow itself
    part = max(1, answers // (NOTES + 1))
    for place in range(NOTES + 1):
        for number in range(part):
            model.predict(tiles[number % 256], tiles[number // 256 % 256])
        held[place] = resident_bytes()
    json.dump({"answers": part * (NOTES + 1), "bytes": held.tolist()}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
