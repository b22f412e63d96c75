"""Whole commands timed in turn, A B A B ..., so that a noisy machine slows both alike.

The ratio of a pair of runs is what counts: its median is quoted, and every run is kept.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from pairedge.benchmark import machine
from pairedge.model import shipped_graph
from pairedge_train.files import write_atomically

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"


def arguments(about: str | None) -> argparse.ArgumentParser:
    """What the programs that measure a model take: its folder, and whether to be quick.

    Args:
        about: the program's docstring, of which the first line is shown.
    """
    parser = argparse.ArgumentParser(description=(about or "").split("\n")[0])
    parser.add_argument("model", type=Path, nargs="?", default=Path(shipped_graph("pair")).parent)
    parser.add_argument("--quick", action="store_true", help="see that all of it runs; nothing is kept")
    return parser


def compare_commands(ours: list[str], theirs: list[str], runs: int) -> dict[str, Any]:
    """Run two commands in turn; wall seconds of each run and the median of the ratios ours / theirs."""
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    for run in range(runs + 1):
        for name, command in (("ours", ours), ("theirs", theirs)):
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            if run:  # the first fills the disk cache
                seconds[name].append(time.perf_counter() - start)
    ratios = [a / b for a, b in zip(seconds["ours"], seconds["theirs"], strict=True)]
    return {
        "runs": runs,
        "median_seconds": {name: statistics.median(values) for name, values in seconds.items()},
        "median_ratio": statistics.median(ratios),
        "seconds": seconds,
    }


def keep(name: str, result: dict[str, Any]) -> None:
    """Write a result with the machine beside it."""
    content = json.dumps({"machine": machine(), **result}, indent=1) + "\n"
    write_atomically(RESULTS / f"{name}.json", content.encode())
    if "median_ratio" in result:
        sys.stdout.write(
            f"{name}: median ratio {result['median_ratio']:.2f} (n = {result['runs']} pairs of runs)\n"
        )
