"""What ships: where the graphs of the model and the example pictures lie, and the digests of the graphs.

`python -m tools.reexport` writes the digests here.
"""

from __future__ import annotations

import hashlib
import os

from pairedge.errors import GraphError

# SHA-256 of each whole file, by kind of graph.
DIGESTS = {
    "pair": "b1512d4f73212701d3671f32faf2f78e22303e87149d322a784a19eecf390550",
    "digit": "0d8ee27bd57991ad0b78db3688f7a569858add8703914bebddbf980af5600c0d",
    "compare": "16bdc01aabb119577069e04713168e189cf5b27b81005b02b5d5a8fbe8f41c64",
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
