"""PairModel: compares, classifies and ranks pictures with one onnxruntime session."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pairedge.confidence import Thresholds, check_min_confidence, read_thresholds
from pairedge.graph import Graph, open_graph
from pairedge.image.decode import Picture
from pairedge.image.tile import TILE_SIDE, to_tile
from pairedge.results import Classification, Prediction, PredictionBatch
from pairedge.shipped import shipped_graph

if TYPE_CHECKING:
    from pairedge.ranking import AllPairs, Encoder, Ranking

# The activations of one pair take about 40 kB, so those of a batch this large stay in the processor's cache.
# That is faster than larger batches, and bounds the memory of a call.
_LARGEST_BATCH = 128


class PairModel:
    """A model that compares pictures of digits. Create one with `load`; it is safe to share between threads.

    A picture may be a path, the bytes of a file, a PIL image or an array. A uint8 array of shape (14, 14) is
    a tile already (0 background, 255 ink) and is used unchanged. A picture without a digit raises NoInkError,
    one with several digits SeveralDigitsError; both are subclasses of ImageError.

    Attributes:
        metadata: what the exporter stored in the graph.
        thresholds: the confidence below which an answer is uncertain, for pairs and for single tiles.
        variant: the name of the network's architecture.
        has_digits: whether the model has a digit head, and so can classify.
    """

    def __init__(self, graph: Graph, min_confidence: float | None = None) -> None:
        self.metadata = graph.metadata
        if min_confidence is None:
            self.thresholds = read_thresholds(graph.metadata, graph.path or "graph")
        else:
            check_min_confidence(min_confidence)
            self.thresholds = Thresholds(pair=min_confidence, digit=min_confidence)
        self.variant = str(graph.metadata.get("variant", "unknown"))
        self.has_digits = "digits" in graph.outputs
        self._graph = graph
        self._encoder: Encoder | None = None  # opened when it is first needed
        self._session = graph.session
        self._outputs = ["leq", "digits"] if self.has_digits else ["leq"]

    def predict(self, first: Picture, second: Picture) -> Prediction:
        """Compare two pictures.

        Args:
            first: a picture, or a tile as a uint8 array (14, 14), 0 to 255.
            second: the same.

        Raises:
            ImageError: when a picture cannot be read.
            NoInkError: when a picture shows no digit.
            SeveralDigitsError: when a picture shows more than one digit.
        """
        images = np.empty((1, 2, TILE_SIDE, TILE_SIDE), np.uint8)
        images[0, 0] = to_tile(first)
        images[0, 1] = to_tile(second)
        leq, *digits = self._session.run(self._outputs, {"images": images})
        return Prediction(float(leq[0]), digits[0][0] if digits else None, self.thresholds.pair)

    def predict_batch(self, pairs: NDArray[np.uint8] | Iterable[tuple[Picture, Picture]]) -> PredictionBatch:
        """Compare many pairs.

        Args:
            pairs: tiles as a uint8 array (N, 2, 14, 14), 0 to 255, or an iterable of pairs of pictures.

        Raises:
            ImageError: when a picture cannot be read.
            NoInkError: when a picture shows no digit.
            SeveralDigitsError: when a picture shows more than one digit.
            ValueError: when an array has another dtype or shape.
        """
        if isinstance(pairs, np.ndarray):
            images = _checked(pairs, (2, TILE_SIDE, TILE_SIDE), "pairs")
        else:
            tiles = [to_tile(picture) for pair in pairs for picture in _couple(pair)]
            images = np.asarray(tiles, np.uint8).reshape(-1, 2, TILE_SIDE, TILE_SIDE)
        return self._run(images)

    def classify(self, images: NDArray[np.uint8] | Iterable[Picture]) -> list[Classification]:
        """Classify the digit in each picture.

        Args:
            images: tiles as a uint8 array (N, 14, 14), 0 to 255, or an iterable of pictures.

        Raises:
            ImageError: when a picture cannot be read.
            NoInkError: when a picture shows no digit.
            SeveralDigitsError: when a picture shows more than one digit.
            ValueError: when an array has another dtype or shape, or the model has no digit head.
        """
        if not self.has_digits:
            raise ValueError(
                f"the model {self.variant!r} has no digit head: it can compare, but not classify"
            )
        tiles = _tiles(images, "classify")
        count = len(tiles)
        # Two tiles per pair: each tile goes through a branch once, and the digit graph is not needed.
        pairs = np.zeros(((count + 1) // 2, 2, TILE_SIDE, TILE_SIDE), np.uint8)
        pairs.reshape(-1, TILE_SIDE, TILE_SIDE)[:count] = tiles
        digits = self._run(pairs).digit_probabilities
        assert digits is not None  # has_digits
        posteriors = digits.reshape(-1, digits.shape[2])[:count]
        return [Classification(posterior, self.thresholds.digit) for posterior in posteriors]

    def rank(self, images: NDArray[np.uint8] | Iterable[Picture]) -> Ranking:
        """Sort pictures by digit. The network encodes each picture once.

        Args:
            images: tiles as a uint8 array (N, 14, 14), 0 to 255, or an iterable of pictures.

        Raises:
            ImageError: when a picture cannot be read.
            NoInkError: when a picture shows no digit.
            SeveralDigitsError: when a picture shows more than one digit.
            ValueError: when an array has another dtype or shape.
            GraphError: when the `digit` and `compare` graphs are not beside the model's `pair` graph.
        """
        return self._open_encoder().encode(_tiles(images, "rank")).rank()

    def compare_all(self, images: NDArray[np.uint8] | Iterable[Picture]) -> AllPairs:
        """Compare every picture with every other. The network encodes each picture once.

        Args:
            images: tiles as a uint8 array (N, 14, 14), 0 to 255, or an iterable of pictures.

        Raises:
            ImageError: when a picture cannot be read.
            NoInkError: when a picture shows no digit.
            SeveralDigitsError: when a picture shows more than one digit.
            ValueError: when an array has another dtype or shape.
            GraphError: when the `digit` and `compare` graphs are not beside the model's `pair` graph.
        """
        return self._open_encoder().encode(_tiles(images, "compare_all")).compare_all()

    def _open_encoder(self) -> Encoder:
        if self._encoder is None:  # two threads may both open it, which is harmless
            from pairedge.ranking import open_encoder

            self._encoder = open_encoder(self._graph)
        return self._encoder

    def _run(self, images: NDArray[np.uint8]) -> PredictionBatch:
        """Run the graph on (N, 2, 14, 14) tiles, at most _LARGEST_BATCH pairs at a time."""
        if len(images) <= _LARGEST_BATCH:
            leq, *digits = self._session.run(self._outputs, {"images": images})
            return PredictionBatch(leq, digits[0] if digits else None, self.thresholds.pair)
        parts = [self._run(images[i : i + _LARGEST_BATCH]) for i in range(0, len(images), _LARGEST_BATCH)]
        posteriors = [part.digit_probabilities for part in parts if part.digit_probabilities is not None]
        return PredictionBatch(
            np.concatenate([part.probability for part in parts]),
            np.concatenate(posteriors) if posteriors else None,
            self.thresholds.pair,
        )


def load(
    model: str | os.PathLike[str] | bytes | None = None,
    *,
    threads: int = 1,
    min_confidence: float | None = None,
) -> PairModel:
    """Load the shipped model, or the `pair` graph in a file (or its bytes).

    Args:
        model: path or content of a `pair` graph written by pairedge-export; None for the shipped model.
        threads: number of threads per run. One is fastest for graphs this small.
        min_confidence: the confidence, 0 to 1, below which an answer is `uncertain`, for pairs and for single
            tiles; None for the thresholds in the graph's metadata, which were fitted in training.

    Raises:
        GraphError: when the file is missing, corrupt, not a `pair` graph, or of another schema version.
        ValueError: when an option is out of range.
    """
    graph = open_graph(shipped_graph("pair") if model is None else model, "pair", threads=threads)
    return PairModel(graph, min_confidence)


def _checked(array: NDArray[Any], shape: tuple[int, ...], name: str) -> NDArray[np.uint8]:
    if array.dtype != np.uint8 or array.shape[1:] != shape:
        expected = ", ".join(map(str, ("N", *shape)))
        raise ValueError(f"{name} must be a uint8 array ({expected}), not {array.dtype} {array.shape}")
    return array


def _tiles(images: NDArray[np.uint8] | Iterable[Picture], method: str) -> NDArray[np.uint8]:
    """The tiles of several pictures, uint8 (N, 14, 14), 0 to 255."""
    if isinstance(images, np.ndarray):
        return _checked(images, (TILE_SIDE, TILE_SIDE), "images")
    if isinstance(images, str | bytes):  # also iterable, character by character
        raise TypeError(f"{method} takes several pictures; for one, write {method}([picture])")
    return np.asarray([to_tile(picture) for picture in images], np.uint8).reshape(-1, TILE_SIDE, TILE_SIDE)


def _couple(pair: tuple[Picture, Picture]) -> Iterator[Picture]:
    first, second = pair
    yield first
    yield second
