"""Does a long-running process keep more and more memory? Answers pairs and notes its resident memory.

python -m benchmarks.no_growth MODEL ANSWERS      (Linux: memory is read from /proc)
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import click
import numpy as np

import pairedge
from benchmarks.options import HELP

NOTES = 20  # how often memory is noted after the warm-up, which is one more such part


def resident_bytes() -> int:
    """Memory that this process holds now."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@click.command(context_settings=HELP)
@click.argument("model", type=click.Path(exists=True))
@click.argument("answers", type=click.IntRange(min=1))
def main(model: str, answers: int) -> None:
    """Answer ANSWERS pairs with the graph MODEL; print the resident memory after each of 21 equal parts."""
    pair_model = pairedge.load(model)
    tiles = np.random.default_rng(0).integers(0, 256, (256, 14, 14), np.uint8)
    held = np.zeros(NOTES + 1, np.int64)  # made beforehand: a list would grow itself
    part = max(1, answers // (NOTES + 1))
    for place in range(NOTES + 1):
        for number in range(part):
            pair_model.predict(tiles[number % 256], tiles[number // 256 % 256])
        held[place] = resident_bytes()
    click.echo(json.dumps({"answers": part * (NOTES + 1), "bytes": held.tolist()}))


if __name__ == "__main__":
    main()
