"""What ships: where the graphs of the model and the example pictures lie, and the digests of the graphs.

`python -m tools.reexport` writes the digests here.
"""

from __future__ import annotations

import hashlib
import os

from pairedge.errors import GraphError

# SHA-256 of each whole file, by kind of graph.
DIGESTS = {
    "pair": "3a415743bd3d4e2f12aa9f4465773b9081014b75f49092b3386a5fe5e94b5480",
    "digit": "69e7f1f28c91b08bd43a7e2281b447d7a2aab42d42021f90e9ecb24941bf07ed",
    "compare": "580d4a29ffe29bb4e20755a94224cc866afed7a2c6a2dfb299d9446bfceb4327",
}


def shipped_graph(kind: str) -> str:
    """Path of the shipped model's graph of `kind`: in a checkout's artifacts/, else inside the wheel."""
    package = os.path.dirname(__file__)  # noqa: PTH120 (pathlib would cost start-up time)
    checkout = f"{os.path.dirname(package)}/artifacts/aux_ws/{kind}.onnx"  # noqa: PTH120 (as above)
    # The checkout's own file comes first: a copy inside the package could only be stale there.
    return checkout if os.path.exists(checkout) else f"{package}/shipped/{kind}.onnx"  # noqa: PTH110 (as above)


def shipped_example(name: str) -> str:
    """Path of an example picture, such as "three": in a checkout's examples/, else inside the wheel."""
    package = os.path.dirname(__file__)  # noqa: PTH120 (pathlib would cost start-up time)
    checkout = f"{os.path.dirname(package)}/examples/{name}.png"  # noqa: PTH120 (as above)
    return checkout if os.path.exists(checkout) else f"{package}/examples/{name}.png"  # noqa: PTH110 (as above)


def check_shipped(path: str, content: bytes) -> None:
    """Check that a file that lies where a shipped graph lies is that graph; any other path passes.

    Raises:
        GraphError: when its digest is not the one in DIGESTS.
    """
    for kind, digest in DIGESTS.items():
        if path == shipped_graph(kind) and hashlib.sha256(content).hexdigest() != digest:
            raise GraphError(f"{path}: is not the graph that this pairedge ships; install pairedge again")
