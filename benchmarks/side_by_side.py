"""Whole commands timed in turn, A B A B ..., so that a noisy machine slows both alike.

The ratio of a pair of runs is what counts: its median is quoted, and every run is kept.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class CommandTimes:
    """Wall seconds of commands that ran in turn.

    Attributes:
        runs: of each command.
        median_seconds: by command.
        median_ratios: to the command "baseline", run by run.
        seconds: every run, by command.
    """

    runs: int
    median_seconds: dict[str, float]
    median_ratios: dict[str, float]
    seconds: dict[str, list[float]]


def compare_commands(commands: dict[str, list[str]], runs: int) -> CommandTimes:
    """Run commands in turn, one of them named "baseline"."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for run in range(runs + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            if run:  # the first fills the disk cache
                seconds[name].append(time.perf_counter() - start)
    return CommandTimes(
        runs=runs,
        median_seconds={name: statistics.median(values) for name, values in seconds.items()},
        median_ratios={
            name: statistics.median(a / b for a, b in zip(values, seconds["baseline"], strict=True))
            for name, values in seconds.items()
        },
        seconds=seconds,
    )
