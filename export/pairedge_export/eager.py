"""A backend of `pairedge bench` where torch is installed: the graph's network, with the graph's weights.

The entry point `pairedge.baselines` registers it, so that the runtime does not depend on torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pairedge.errors import PairedgeError
from pairedge_export.graphs import PairGraph
from pairedge_train.training.exported import checkpoint_of

Pairs = NDArray[np.uint8]


@contextmanager
def torch_eager(path: str) -> Iterator[Callable[[Pairs], object] | None]:
    """A function that runs the graph's network in torch on one thread; None for a graph of another origin.

    It takes pairs, uint8 (N, 2, 14, 14), 0 to 255.

    Args:
        path: of a `pair` graph.
    """
    try:
        graph = PairGraph(checkpoint_of(Path(path).read_bytes()).network)
    except PairedgeError:
        yield None
        return

    def answer(pairs: Pairs) -> object:
        with torch.inference_mode():
            return graph(torch.from_numpy(pairs))

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield answer
    finally:
        torch.set_num_threads(threads)
