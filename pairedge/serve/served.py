"""The model that a server answers with: its graphs, each behind a batcher, opened only if they answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pairedge.graph import Graph, open_graph
from pairedge.image.tile import TILE_SIDE
from pairedge.location import locate_pair
from pairedge.model import AnyModel, PairModel, model_of
from pairedge.ranking import open_encoder
from pairedge.serve.batching import Arrays, Batcher
from pairedge.serve.limits import Limits

Observe = Callable[[str, int], object]  # is told the graph and the number of rows of each run


@dataclass(frozen=True)
class Served:
    """A model, as a whole: a request keeps the one that it began with while another replaces it.

    Attributes:
        model: the model; its thresholds make an answer `uncertain`.
        pairs: pairs of tiles, uint8 (N, 2, 14, 14), 0 to 255, to `leq`, float32 (N,), and, with a digit head,
            `digits`, float32 (N, 2, 10), both 0 to 1.
        tiles: tiles, uint8 (N, 14, 14), 0 to 255, to posteriors, float32 (N, 10), 0 to 1; None without a
            digit head.
        digit: the `digit` graph: tiles to `posterior` and `embedding`; None where it is not beside the model.
        compare: the `compare` graph: two float32 (N, E) to `leq`, float32 (N,), 0 to 1; None like `digit`.
        embedding: E, the length of an embedding; None like `digit`.
    """

    model: AnyModel
    pairs: Batcher
    tiles: Batcher | None
    digit: Batcher | None
    compare: Batcher | None
    embedding: int | None


def open_served(
    path: str | None,
    limits: Limits,
    min_confidence: float | None = None,
    observe: Observe = lambda _graph, _rows: None,
) -> Served:
    """Open a model, and have each of its graphs give an answer first.

    Args:
        path: as `pairedge.load` takes it.
        limits: of the batchers.
        min_confidence: as `pairedge.load` takes it.
        observe: is told the graph and the number of rows of each run.

    Raises:
        GraphError: when a graph cannot be used, or its first answer is no probability.
    """
    graph = open_graph(locate_pair(path), "pair")
    model = model_of(graph, min_confidence)

    def batcher(name: str, run: Callable[..., Arrays]) -> Batcher:
        return Batcher(run, limits, lambda rows: observe(name, rows))

    def run_pairs(images: NDArray[np.uint8]) -> Arrays:
        answers = model.predict_batch(images)
        posteriors = answers.digit_probabilities
        return (answers.probability,) if posteriors is None else (answers.probability, posteriors)

    # Two ones: a pair for the first answers. All are checked when a graph is run; what cannot be answered
    # raises here.
    pair = np.zeros((1, 2, TILE_SIDE, TILE_SIDE), np.uint8)
    pair[0, :, 3:11, 6:8] = 255
    run_pairs(pair)
    tiles = digit = compare = width = None
    if isinstance(model, PairModel):
        classify = model.classify_batch
        tiles = batcher("tiles", lambda tiles: (classify(tiles).probabilities,))
    if _has_encoder(graph):
        encoder = open_encoder(graph)

        def run_digit(tiles: NDArray[np.uint8]) -> Arrays:
            return tuple(encoder.digit.run(["posterior", "embedding"], {"tiles": tiles}))

        def run_compare(first: NDArray[np.float32], second: NDArray[np.float32]) -> Arrays:
            # The session's answers, unchecked: embeddings may come from anywhere, and those of one request
            # must not fail the others of its batch. Each request's answer is checked on its own.
            return tuple(encoder.compare.session.run(["leq"], {"first": first, "second": second}))

        _, embedding = run_digit(pair[0])
        encoder.compare.run(["leq"], {"first": embedding[:1], "second": embedding[1:]})
        width = embedding.shape[1]
        digit, compare = batcher("digit", run_digit), batcher("compare", run_compare)
    return Served(model, batcher("pair", run_pairs), tiles, digit, compare, width)


def _has_encoder(pair: Graph) -> bool:
    """Whether the `digit` and `compare` graphs lie beside a `pair` graph."""
    return pair.path is not None and all(
        Path(pair.path).with_name(f"{kind}.onnx").exists() for kind in ("digit", "compare")
    )
