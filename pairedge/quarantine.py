"""Inspects a graph in a process of its own, of limited memory and time: `python -m pairedge.quarantine FILE`.

A graph is a program, which may ask for all memory, never end, or crash onnxruntime.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from pairedge.errors import GraphError

if TYPE_CHECKING:
    from pairedge.inspection import Inspection

MEMORY = 4_000_000_000  # bytes of addresses, of which onnxruntime takes one half without any graph
SECONDS = 20


def inspect_apart(path: str) -> Inspection:
    """Inspect a graph as `inspect_graph` does, whatever it does itself.

    Raises:
        GraphError: when the file cannot be read, onnxruntime cannot load it, or it breaks the limits.
    """
    from pairedge.inspection import Inspection

    command = [sys.executable, "-m", "pairedge.quarantine", path]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise GraphError(f"{path}: cannot be inspected within {SECONDS} seconds") from error
    except ValueError as error:  # a null character in the path
        raise GraphError(f"{path}: {error}") from error
    if done.returncode:
        raise GraphError(f"{path}: ends the process that inspects it, or needs more than {MEMORY:,} bytes")
    facts = json.loads(done.stdout)
    if "error" in facts:
        raise GraphError(facts["error"])
    return Inspection(**facts)


def main(path: str) -> None:
    """Print the inspection of a graph, or why there is none, as JSON."""
    _limit_memory()
    from pairedge.inspection import inspect_graph

    try:
        facts = asdict(inspect_graph(path))
    except GraphError as error:
        facts = {"error": str(error)}
    sys.stdout.write(json.dumps(facts))


def _limit_memory() -> None:
    if sys.platform == "win32":  # which has no such limit
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most)
    resource.setrlimit(resource.RLIMIT_AS, (limit, most))


if __name__ == "__main__":
    main(sys.argv[1])
