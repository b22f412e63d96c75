"""PairModel: one onnxruntime session that compares and classifies tiles, one pair or many at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from pairedge.confidence import Status, check_min_confidence, read_threshold
from pairedge.graph import Graph, open_graph
from pairedge.image.tile import TILE_SIDE, to_tile
from pairedge.image.decode import Picture

if TYPE_CHECKING:
    from pairedge.ranking import AllPairs, Encoder, Ranking

# Activations of one pair take about 40 kB: those of so many stay in a processor's cache, which is faster than
# larger batches, and the memory of any call is bounded.
_LARGEST_BATCH = 128


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What the model says of one pair.

    Attributes:
        probability: P(first <= second), 0 to 1.
        digit_probabilities: float32 (2, 10), the posterior of each tile's digit; None when the model
            has no digit head.
        min_confidence: the confidence below which the answer is uncertain, 0 to 1.
    """

    probability: float
    digit_probabilities: NDArray[np.float32] | None
    min_confidence: float

    @property
    def leq(self) -> bool:
        """Whether the first digit is less than or equal to the second, as the model decides."""
        return self.probability >= 0.5

    @property
    def digits(self) -> tuple[int, int] | None:
        """The most probable digit of each tile, or None when the model has no digit head."""
        if self.digit_probabilities is None:
            return None
        first, second = self.digit_probabilities.argmax(axis=1)
        return int(first), int(second)

    @property
    def confidence(self) -> float:
        """The least probable of what is answered, 0 to 1: the decision, and the digit of each tile."""
        decision = max(self.probability, 1 - self.probability)
        if self.digit_probabilities is None:
            return decision
        return min(decision, float(self.digit_probabilities.max(axis=1).min()))

    @property
    def status(self) -> Status:
        """`uncertain` when the confidence is below `min_confidence`, else `ok`."""
        return "uncertain" if self.confidence < self.min_confidence else "ok"

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for JSON."""
        posteriors = self.digit_probabilities
        return {
            "status": self.status,
            "confidence": self.confidence,
            "leq": self.leq,
            "probability": self.probability,
            "digits": None if self.digits is None else list(self.digits),
            "digit_probabilities": None if posteriors is None else posteriors.tolist(),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Classification:
    """What the model says of one tile.

    Attributes:
        probabilities: float32 (10,), the posterior over the digits 0 to 9.
        min_confidence: the confidence below which the answer is uncertain, 0 to 1.
    """

    probabilities: NDArray[np.float32]
    min_confidence: float

    @property
    def digit(self) -> int:
        """The most probable digit."""
        return int(self.probabilities.argmax())

    @property
    def probability(self) -> float:
        """The probability of that digit, 0 to 1."""
        return float(self.probabilities.max())

    @property
    def confidence(self) -> float:
        """The probability of that digit: all that is answered."""
        return self.probability

    @property
    def status(self) -> Status:
        """`uncertain` when the confidence is below `min_confidence`, else `ok`."""
        return "uncertain" if self.confidence < self.min_confidence else "ok"

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for JSON."""
        return {
            "status": self.status,
            "confidence": self.confidence,
            "digit": self.digit,
            "probability": self.probability,
            "probabilities": self.probabilities.tolist(),
        }


class PredictionBatch(Sequence[Prediction]):
    """Predictions of N pairs, kept as arrays and handed out one by one on demand.

    Attributes:
        probability: float32 (N,), P(first <= second).
        digit_probabilities: float32 (N, 2, 10), or None when the model has no digit head.
        min_confidence: the confidence below which an answer is uncertain, 0 to 1.
    """

    __slots__ = ("digit_probabilities", "min_confidence", "probability")

    def __init__(
        self,
        probability: NDArray[np.float32],
        digit_probabilities: NDArray[np.float32] | None,
        min_confidence: float,
    ) -> None:
        self.probability = probability
        self.digit_probabilities = digit_probabilities
        self.min_confidence = min_confidence

    @property
    def leq(self) -> NDArray[np.bool_]:
        """Bool (N,): the decision for each pair."""
        return self.probability >= np.float32(0.5)

    @property
    def digits(self) -> NDArray[np.int64] | None:
        """Int64 (N, 2): the most probable digits, or None when the model has no digit head."""
        return None if self.digit_probabilities is None else self.digit_probabilities.argmax(axis=2)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Float64 (N,): the least probable of what is answered, as `Prediction.confidence`."""
        leq = self.probability.astype(np.float64)  # as exact as the single answer's
        decision: NDArray[np.float64] = np.maximum(leq, 1 - leq)
        if self.digit_probabilities is None:
            return decision
        digits = self.digit_probabilities.max(axis=2).min(axis=1)
        least: NDArray[np.float64] = np.minimum(decision, digits)
        return least

    @property
    def uncertain(self) -> NDArray[np.bool_]:
        """Bool (N,): the answers whose confidence is below `min_confidence`."""
        return self.confidence < self.min_confidence

    def __len__(self) -> int:
        return len(self.probability)

    @overload
    def __getitem__(self, index: int) -> Prediction: ...
    @overload
    def __getitem__(self, index: slice) -> PredictionBatch: ...
    def __getitem__(self, index: int | slice) -> Prediction | PredictionBatch:
        digits = None if self.digit_probabilities is None else self.digit_probabilities[index]
        if isinstance(index, slice):
            return PredictionBatch(self.probability[index], digits, self.min_confidence)
        return Prediction(float(self.probability[index]), digits, self.min_confidence)


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
    """Where the shipped model's graph of `kind` lies: inside the wheel, or in a checkout's artifacts/."""
    package = os.path.dirname(__file__)  # noqa: PTH120 (pathlib would cost start-up time)
    installed = f"{package}/shipped/{kind}.onnx"
    if os.path.exists(installed):  # noqa: PTH110 (as above)
        return installed
    return f"{os.path.dirname(package)}/artifacts/aux_ws/{kind}.onnx"  # noqa: PTH120 (as above)


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
