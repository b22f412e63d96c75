"""Whole commands timed in turn, A B A B ..., so that a noisy machine slows both alike.

The ratio of a pair of runs is what counts: its median is quoted, and every run is kept.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

from pairedge.bench import machine
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


def compare_commands(commands: dict[str, list[str]], runs: int) -> dict[str, Any]:
    """Run commands in turn, "theirs" among them: seconds of each run, and medians of ratios to theirs."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for run in range(runs + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            if run:  # the first fills the disk cache
                seconds[name].append(time.perf_counter() - start)
    return {
        "runs": runs,
        "median_seconds": {name: statistics.median(values) for name, values in seconds.items()},
        "median_ratios": {
            name: statistics.median(a / b for a, b in zip(values, seconds["theirs"], strict=True))
            for name, values in seconds.items()
        },
        "seconds": seconds,
    }


def keep(name: str, result: dict[str, Any]) -> None:
    """Write a result with the machine beside it."""
    content = json.dumps({"machine": machine(), **result}, indent=1) + "\n"
    write_atomically(RESULTS / f"{name}.json", content.encode())
