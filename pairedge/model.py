"""PairModel: one onnxruntime session that compares and classifies tiles, one pair or many at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pairedge.confidence import check_min_confidence, read_threshold
from pairedge.graph import Graph, open_graph
from pairedge.image.decode import Picture
from pairedge.image.tile import TILE_SIDE, to_tile
from pairedge.results import Classification, Prediction, PredictionBatch

if TYPE_CHECKING:
    from pairedge.ranking import AllPairs, Encoder, Ranking

# Activations of one pair take about 40 kB: those of so many stay in a processor's cache, which is faster than
# larger batches, and the memory of any call is bounded.
_LARGEST_BATCH = 128


class PairModel:
    """Answers for pairs of pictures. Make one with `load`; it may be used from several threads.

    Wherever a picture is asked for, a path, the bytes of a file, a PIL image or an array will do;
    a uint8 array of shape (14, 14) is taken as a tile and used as it is. A picture without a digit raises
    NoInkError and one with several SeveralDigitsError; both are ImageErrors.
    """

    def __init__(self, graph: Graph, min_confidence: float | None = None) -> None:
        self.metadata = graph.metadata
        if min_confidence is None:
            min_confidence = read_threshold(graph.metadata, graph.path or "graph")
        self.min_confidence = check_min_confidence(min_confidence)
        self.variant = str(graph.metadata.get("variant", "unknown"))
        self.has_digits = "digits" in graph.outputs
        self._graph = graph
        self._encoder: Encoder | None = None  # opened when it is first needed
        self._session = graph.session
        self._outputs = ["leq", "digits"] if self.has_digits else ["leq"]

    def predict(self, first: Picture, second: Picture) -> Prediction:
        """Compare two pictures.

        Raises:
            ImageError: when a picture cannot be read.
            NoInkError: when a picture shows no digit.
            SeveralDigitsError: when a picture shows more than one.
        """
        images = np.empty((1, 2, TILE_SIDE, TILE_SIDE), np.uint8)
        images[0, 0] = to_tile(first)
        images[0, 1] = to_tile(second)
        leq, *digits = self._session.run(self._outputs, {"images": images})
        return Prediction(float(leq[0]), digits[0][0] if digits else None, self.min_confidence)

    def predict_batch(self, pairs: NDArray[np.uint8] | Iterable[tuple[Picture, Picture]]) -> PredictionBatch:
        """Compare many pairs.

        Args:
            pairs: tiles as a uint8 array (N, 2, 14, 14), or any iterable of (first, second) pictures.

        Raises:
            ImageError: when a picture cannot be read.
            NoInkError: when a picture shows no digit.
            SeveralDigitsError: when a picture shows more than one.
            ValueError: when an array is of another dtype or shape.
        """
        if isinstance(pairs, np.ndarray):
            images = _checked(pairs, (2, TILE_SIDE, TILE_SIDE), "pairs")
        else:
            tiles = [to_tile(picture) for pair in pairs for picture in _couple(pair)]
            images = np.asarray(tiles, np.uint8).reshape(-1, 2, TILE_SIDE, TILE_SIDE)
        return self._run(images)

    def classify(self, images: NDArray[np.uint8] | Iterable[Picture]) -> list[Classification]:
        """Say which digit each picture shows.

        Args:
            images: tiles as a uint8 array (N, 14, 14), or any iterable of pictures.

        Raises:
            ImageError: when a picture cannot be read.
            NoInkError: when a picture shows no digit.
            SeveralDigitsError: when a picture shows more than one.
            ValueError: when an array is of another dtype or shape, or the model has no digit head.
        """
        if not self.has_digits:
            raise ValueError(
                f"the model {self.variant!r} has no digit head: it compares, but cannot classify"
            )
        tiles = _tiles(images, "classify")
        count = len(tiles)
        # Two tiles to a pair: the branches then run once for each tile, and no second graph is needed.
        pairs = np.zeros(((count + 1) // 2, 2, TILE_SIDE, TILE_SIDE), np.uint8)
        pairs.reshape(-1, TILE_SIDE, TILE_SIDE)[:count] = tiles
        digits = self._run(pairs).digit_probabilities
        assert digits is not None  # has_digits
        posteriors = digits.reshape(-1, digits.shape[2])[:count]
        return [Classification(posterior, self.min_confidence) for posterior in posteriors]

    def rank(self, images: NDArray[np.uint8] | Iterable[Picture]) -> Ranking:
        """Put pictures in order of their digits; each is read by the network once.

        Args:
            images: tiles as a uint8 array (N, 14, 14), or any iterable of pictures.

        Raises:
            ImageError: when a picture cannot be read.
            NoInkError: when a picture shows no digit.
            SeveralDigitsError: when a picture shows more than one.
            ValueError: when an array is of another dtype or shape.
            GraphError: when the model's `digit` and `compare` graphs do not lie beside its `pair` graph.
        """
        return self._open_encoder().encode(_tiles(images, "rank")).rank()

    def compare_all(self, images: NDArray[np.uint8] | Iterable[Picture]) -> AllPairs:
        """Compare every picture with every other; each is read by the network once.

        Args:
            images: tiles as a uint8 array (N, 14, 14), or any iterable of pictures.

        Raises:
            ImageError: when a picture cannot be read.
            NoInkError: when a picture shows no digit.
            SeveralDigitsError: when a picture shows more than one.
            ValueError: when an array is of another dtype or shape.
            GraphError: when the model's `digit` and `compare` graphs do not lie beside its `pair` graph.
        """
        return self._open_encoder().encode(_tiles(images, "compare_all")).compare_all()

    def _open_encoder(self) -> Encoder:
        if self._encoder is None:  # threads that come together open it twice, which does no harm
            from pairedge.ranking import open_encoder

            self._encoder = open_encoder(self._graph)
        return self._encoder

    def _run(self, images: NDArray[np.uint8]) -> PredictionBatch:
        """Run the graph on (N, 2, 14, 14) tiles, at most _LARGEST_BATCH pairs at a time."""
        if len(images) <= _LARGEST_BATCH:
            leq, *digits = self._session.run(self._outputs, {"images": images})
            return PredictionBatch(leq, digits[0] if digits else None, self.min_confidence)
        parts = [self._run(images[i : i + _LARGEST_BATCH]) for i in range(0, len(images), _LARGEST_BATCH)]
        posteriors = [part.digit_probabilities for part in parts if part.digit_probabilities is not None]
        return PredictionBatch(
            np.concatenate([part.probability for part in parts]),
            np.concatenate(posteriors) if posteriors else None,
            self.min_confidence,
        )


def load(
    model: str | os.PathLike[str] | bytes | None = None,
    *,
    threads: int = 1,
    min_confidence: float | None = None,
) -> PairModel:
    """Load a model: the one that ships, or the `pair` graph in a file (or its bytes).

    Args:
        model: path or content of a `pair` graph written by pairedge-export; None for the model that ships.
        threads: how many threads one run may use. One is fastest on graphs this small.
        min_confidence: the confidence, 0 to 1, below which an answer's status is `uncertain`; None for
            the threshold that the model's maker measured and stored in its metadata.

    Raises:
        GraphError: when the file is missing, corrupt, not ours, or newer than this code.
        ValueError: when an option is out of its range.
    """
    graph = open_graph(shipped_graph("pair") if model is None else model, "pair", threads=threads)
    return PairModel(graph, min_confidence)


def shipped_graph(kind: str) -> str:
    """Path of the shipped model's graph of `kind`: in a checkout's artifacts/, else inside the wheel."""
    package = os.path.dirname(__file__)  # noqa: PTH120 (pathlib would cost start-up time)
    checkout = f"{os.path.dirname(package)}/artifacts/aux_ws/{kind}.onnx"  # noqa: PTH120 (as above)
    # The checkout's own file comes first: a copy inside the package could only be stale there.
    return checkout if os.path.exists(checkout) else f"{package}/shipped/{kind}.onnx"  # noqa: PTH110 (as above)


def _checked(array: NDArray[Any], shape: tuple[int, ...], name: str) -> NDArray[np.uint8]:
    if array.dtype != np.uint8 or array.shape[1:] != shape:
        expected = ", ".join(map(str, ("N", *shape)))
        raise ValueError(f"{name} must be a uint8 array ({expected}), not {array.dtype} {array.shape}")
    return array


def _tiles(images: NDArray[np.uint8] | Iterable[Picture], verb: str) -> NDArray[np.uint8]:
    """Tiles, uint8 (N, 14, 14), of several pictures."""
    if isinstance(images, np.ndarray):
        return _checked(images, (TILE_SIDE, TILE_SIDE), "images")
    if isinstance(images, str | bytes):  # iterable too, letter by letter
        raise TypeError(f"{verb} takes several pictures; for one, write {verb}([picture])")
    return np.asarray([to_tile(picture) for picture in images], np.uint8).reshape(-1, TILE_SIDE, TILE_SIDE)


def _couple(pair: tuple[Picture, Picture]) -> Iterator[Picture]:
    first, second = pair
    yield first
    yield second
