"""`pairedge check`: is this installation sound? One line per check, and an exit code for scripts."""

from __future__ import annotations

from collections.abc import Callable

import click

_TIMED = 200  # calls, whose median is the latency
_EXTRAS = {"heic": "pillow_heif", "scale": "distributed", "serve": "uvicorn", "watch": "watchfiles"}


class Unsound(Exception):  # noqa: N818 (a finding, not a fault of this program)
    """What a check found wrong, in one sentence."""


@click.command("check")
def command() -> None:
    """Check this installation: packages, processor, the model that ships, an answer, and its time.

    Prints one line per check.

    Exit code 1 if one fails.
    """
    failed = False
    for name, check in CHECKS.items():
        try:
            verdict, finding = "ok", check()
        except Exception as error:  # whatever is wrong here is what was asked for
            verdict, finding = "FAILED", str(error) or type(error).__name__
            failed = True
        click.echo(f"{verdict:<7} {name:<13} {' '.join(finding.splitlines())}")
    if failed:
        raise SystemExit(1)


def packages() -> str:
    """The versions of what pairedge needs, each new enough."""
    from importlib.metadata import PackageNotFoundError, requires, version

    from packaging.requirements import Requirement  # a dependency of onnxruntime

    versions = []
    try:
        needed = [Requirement(line) for line in requires("pairedge") or ()]
    except PackageNotFoundError:
        raise Unsound("pairedge is not installed: pip install pairedge") from None
    for requirement in needed:
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        there = version(requirement.name)
        if not requirement.specifier.contains(there, prereleases=True):
            raise Unsound(f"{requirement.name} {there} is installed, but {requirement} is needed")
        versions.append(f"{requirement.name} {there}")
    return f"pairedge {version('pairedge')}, {', '.join(versions)}"


def system() -> str:
    """Python, the processor and its cores."""
    import platform

    from pairedge.machine import cores, cpu_model

    return f"Python {platform.python_version()}, {cpu_model()}, cores: {cores()}"


def graphs() -> str:
    """The graphs that ship, which are compared with their digests as they are opened."""
    from pairedge.graph import CONTRACTS, open_graph
    from pairedge.shipped import shipped_graph

    for kind in CONTRACTS:
        open_graph(shipped_graph(kind), kind)
    return f"{', '.join(CONTRACTS)}: the files that ship, by their digests"


def answer() -> str:
    """The answer for a pair of example pictures, which is known."""
    from pairedge.model import load
    from pairedge.shipped import shipped_example, shipped_graph

    three, seven = shipped_example("three"), shipped_example("seven")
    prediction = load(shipped_graph("pair")).predict(three, seven)
    if prediction.digits != (3, 7) or prediction.probability < 0.99:
        raise Unsound(f"for pictures of a 3 and a 7, the answer is {prediction}")
    return str(prediction)


def start_up() -> str:
    """The time from the start of a process to its first answer."""
    import subprocess
    import sys
    import time

    from pairedge.shipped import shipped_graph

    start = time.perf_counter()
    process = [sys.executable, "-m", "pairedge.cold_start", shipped_graph("pair")]
    done = subprocess.run(process, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unsound(f"a process of its own fails: {done.stderr.strip().rpartition(chr(10))[2]}")
    return f"{1000 * (time.perf_counter() - start):.0f} ms until a new process has answered"


def latency() -> str:
    """The median time of one answer."""
    import numpy as np

    from pairedge.image.tile import TILE_SIDE
    from pairedge.model import load
    from pairedge.shipped import shipped_example, shipped_graph

    model = load(shipped_graph("pair"))
    tile = np.zeros((TILE_SIDE, TILE_SIDE), np.uint8)
    picture = shipped_example("eight")
    pair = median_seconds(lambda: model.predict(tile, tile))
    read = median_seconds(lambda: model.classify(picture))
    return f"{1e6 * pair:.0f} us for a pair of tiles, {1000 * read:.1f} ms for a small picture"


def median_seconds(call: Callable[[], object]) -> float:
    """The median time of a call."""
    import statistics
    import time

    seconds = []
    for _ in range(_TIMED):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def extras() -> str:
    """Which optional packages are there; none of them is missed."""
    from importlib.util import find_spec

    states = {
        extra: "installed" if find_spec(module) else "not installed" for extra, module in _EXTRAS.items()
    }
    return ", ".join(f"{extra} {state}" for extra, state in states.items())


CHECKS: dict[str, Callable[[], str]] = {
    "packages": packages,
    "system": system,
    "graphs": graphs,
    "known answer": answer,
    "start-up": start_up,
    "latency": latency,
    "extras": extras,
}
