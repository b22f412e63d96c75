"""Models: compare, classify and rank pictures with one onnxruntime session."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from pairedge.batches import BatchWithErrors, ClassificationBatch, ComparisonBatch, PredictionBatch
from pairedge.classes import read_classes
from pairedge.confidence import Thresholds, check_min_confidence, read_thresholds
from pairedge.errors import GraphError
from pairedge.gather import Errors, Pairs, Pictures, Tiles, gather_pairs, gather_pictures
from pairedge.graph import Graph, open_graph
from pairedge.image.decode import Picture
from pairedge.image.tile import TILE_SIDE, to_tile
from pairedge.location import SHIPPED, locate_pair
from pairedge.results import Classification, Comparison, Prediction
from pairedge.shipped import shipped_graph

if TYPE_CHECKING:
    from pairedge.ranking import AllPairs, Encoder, Ranking

One = TypeVar("One", bound=Comparison, covariant=True)
Many = TypeVar("Many", bound=ComparisonBatch, covariant=True)

# The activations of one pair take about 40 kB, so those of a batch this large stay in the processor's cache.
# That is faster than larger batches, and bounds the memory of a call.
_LARGEST_BATCH = 128


class Model(ABC, Generic[One, Many]):
    """What models with and without a digit head have in common; `load` gives one.

    It is safe to share between threads, and pickles as the place and digest of its graph.

    A picture may be a path, the bytes of a file or an open file, a PIL image, an array or a tensor:
    `pairedge.image.to_tile` says which. A uint8 array of shape (14, 14) is a tile already (0 background, 255
    ink) and is used unchanged.

    Attributes:
        metadata: what the exporter stored in the graph.
        thresholds: the confidence below which an answer is uncertain, for pairs and for single tiles.
        variant: the name of the network's architecture.
        classes: the names of the ten classes, in ascending order: the digits, as a rule.
    """

    _outputs: ClassVar[list[str]]  # of the graph, in the order in which the methods below take them

    def __init__(self, graph: Graph, min_confidence: float | None = None) -> None:
        self.metadata = graph.metadata
        if min_confidence is None:
            self.thresholds = read_thresholds(graph.metadata, graph.path or "graph")
        else:
            check_min_confidence(min_confidence)
            self.thresholds = Thresholds(pair=min_confidence, digit=min_confidence)
        self.variant = str(graph.metadata.get("variant", "unknown"))
        self.classes = read_classes(graph.metadata, graph.path or "graph")
        self._graph = graph
        self._min_confidence = min_confidence

    @abstractmethod
    def _one(self, leq: NDArray[np.float32], *digits: NDArray[np.float32]) -> One:
        """The answer for the only pair of a run."""

    @abstractmethod
    def answers(self, leq: NDArray[np.float32], *digits: NDArray[np.float32]) -> Many:
        """The answers that the outputs of the `pair` graph stand for.

        Args:
            leq: float32 (N,), 0 to 1.
            digits: of a model with a digit head, one array, float32 (N, 2, 10), 0 to 1.
        """

    def predict(self, first: Picture, second: Picture) -> One:
        """Compare two pictures.

        Args:
            first: a picture, or a tile as a uint8 array (14, 14), 0 to 255.
            second: the same.

        Raises:
            ImageError: when a picture cannot be read.
            NoInkError: when a picture shows no digit.
            SeveralDigitsError: when a picture shows more than one digit.
            GraphError: when what the graph gives is no answer; so of every method.
        """
        images = np.empty((1, 2, TILE_SIDE, TILE_SIDE), np.uint8)
        images[0, 0] = to_tile(first)
        images[0, 1] = to_tile(second)
        return self._one(*self._graph.run(self._outputs, {"images": images}))

    @overload
    def predict_batch(self, pairs: Pairs, *, errors: Literal["raise"] = "raise") -> Many: ...
    @overload
    def predict_batch(self, pairs: Pairs, *, errors: Literal["return"]) -> BatchWithErrors[Many, One]: ...
    def predict_batch(self, pairs: Pairs, *, errors: Errors = "raise") -> Many | BatchWithErrors[Many, One]:
        """Compare many pairs.

        Args:
            pairs: tiles as a uint8 array (N, 2, 14, 14), 0 to 255, or an iterable of pairs of pictures.
            errors: "raise" the error of the first picture that is refused, or "return" all errors, each in
                the place of its pair.

        Raises:
            ImageError: when a picture cannot be read; it names the picture's index.
            NoInkError: when a picture shows no digit.
            SeveralDigitsError: when a picture shows more than one digit.
            ValueError: when an array has another dtype or shape.
        """
        tiles, refused = gather_pairs(pairs, errors)
        answers = self.answers(*self._run(tiles))
        return answers if errors == "raise" else BatchWithErrors(answers, refused)

    def _run(self, images: Tiles) -> list[NDArray[np.float32]]:
        """The outputs for tiles (N, 2, 14, 14), run at most _LARGEST_BATCH pairs at a time."""
        starts = range(0, max(1, len(images)), _LARGEST_BATCH)
        runs = [
            self._graph.run(self._outputs, {"images": images[start : start + _LARGEST_BATCH]})
            for start in starts
        ]
        return runs[0] if len(runs) == 1 else [np.concatenate(parts) for parts in zip(*runs, strict=True)]

    def __reduce__(self) -> tuple[Callable[..., AnyModel], tuple[object, ...]]:
        graph = self._graph
        if graph.path is None or graph.digest is None:
            lacks = "was loaded from bytes" if graph.path is None else "carries no digest"
            raise GraphError(f"a model pickles as the place and digest of its graph, but {self!r} {lacks}")
        # Where the model that ships lies differs from machine to machine.
        place = SHIPPED if graph.path == shipped_graph("pair") else graph.path
        return _reopen, (place, graph.digest, graph.threads, self._min_confidence)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.variant!r} of {self._graph.path or 'bytes'}>"


class ComparisonModel(Model[Comparison, ComparisonBatch]):
    """A model without a digit head: it compares pictures, but neither classifies nor ranks them."""

    _outputs = ["leq"]  # noqa: RUF012 (onnxruntime takes a list)

    def _one(self, leq: NDArray[np.float32], *_: NDArray[np.float32]) -> Comparison:
        return Comparison(float(leq[0]), None, self.thresholds.pair, self.classes)

    def answers(self, leq: NDArray[np.float32], *_: NDArray[np.float32]) -> ComparisonBatch:
        """The answers for the output `leq`, float32 (N,), 0 to 1."""
        return ComparisonBatch(leq, None, self.thresholds.pair, self.classes)


class PairModel(Model[Prediction, PredictionBatch]):
    """A model with a digit head: it compares, classifies and ranks pictures."""

    _outputs = ["leq", "digits"]  # noqa: RUF012 (onnxruntime takes a list)
    _encoder: Encoder | None = None  # opened when it is first needed

    def classify(self, picture: Picture) -> Classification:
        """Classify the digit in a picture.

        Args:
            picture: a picture, or a tile as a uint8 array (14, 14), 0 to 255.

        Raises:
            ImageError: when the picture cannot be read.
            NoInkError: when it shows no digit.
            SeveralDigitsError: when it shows more than one digit.
        """
        if isinstance(picture, list | tuple):
            raise TypeError("classify takes one picture; for several, write classify_batch(pictures)")
        return self._classify(to_tile(picture)[None])[0]

    @overload
    def classify_batch(
        self, pictures: Pictures, *, errors: Literal["raise"] = "raise"
    ) -> ClassificationBatch: ...
    @overload
    def classify_batch(
        self, pictures: Pictures, *, errors: Literal["return"]
    ) -> BatchWithErrors[ClassificationBatch, Classification]: ...
    def classify_batch(
        self, pictures: Pictures, *, errors: Errors = "raise"
    ) -> ClassificationBatch | BatchWithErrors[ClassificationBatch, Classification]:
        """Classify the digit in each picture.

        Args:
            pictures: tiles as a uint8 array (N, 14, 14), 0 to 255, or an iterable of pictures.
            errors: "raise" the error of the first picture that is refused, or "return" all errors, each in
                the place of its picture.

        Raises:
            ImageError: when a picture cannot be read; it names the picture's index.
            NoInkError: when a picture shows no digit.
            SeveralDigitsError: when a picture shows more than one digit.
            ValueError: when an array has another dtype or shape.
        """
        tiles, refused = gather_pictures(pictures, errors)
        answers = self._classify(tiles)
        return answers if errors == "raise" else BatchWithErrors(answers, refused)

    def rank(self, pictures: Pictures) -> Ranking:
        """Sort pictures by digit. The network encodes each picture once.

        Args:
            pictures: tiles as a uint8 array (N, 14, 14), 0 to 255, or an iterable of pictures.

        Raises:
            ImageError: when a picture cannot be read; it names the picture's index.
            NoInkError: when a picture shows no digit.
            SeveralDigitsError: when a picture shows more than one digit.
            ValueError: when an array has another dtype or shape.
            GraphError: when the `digit` and `compare` graphs are not beside the model's `pair` graph.
        """
        tiles, _ = gather_pictures(pictures, "raise")
        return self._open_encoder().encode(tiles).rank()

    def compare_all(self, pictures: Pictures) -> AllPairs:
        """Compare every picture with every other. The network encodes each picture once.

        Args:
            pictures: tiles as a uint8 array (N, 14, 14), 0 to 255, or an iterable of pictures.

        Raises:
            ImageError: when a picture cannot be read; it names the picture's index.
            NoInkError: when a picture shows no digit.
            SeveralDigitsError: when a picture shows more than one digit.
            ValueError: when an array has another dtype or shape.
            GraphError: when the `digit` and `compare` graphs are not beside the model's `pair` graph.
        """
        tiles, _ = gather_pictures(pictures, "raise")
        return self._open_encoder().encode(tiles).compare_all()

    def _open_encoder(self) -> Encoder:
        if self._encoder is None:  # two threads may both open it, which is harmless
            from pairedge.ranking import open_encoder

            self._encoder = open_encoder(self._graph)
        return self._encoder

    def _classify(self, tiles: Tiles) -> ClassificationBatch:
        count = len(tiles)
        # Two tiles per pair: each tile goes through a branch once, and the digit graph is not needed.
        pairs = np.zeros(((count + 1) // 2, 2, TILE_SIDE, TILE_SIDE), np.uint8)
        pairs.reshape(-1, TILE_SIDE, TILE_SIDE)[:count] = tiles
        _, digits = self._run(pairs)
        posteriors = digits.reshape(-1, digits.shape[2])[:count]
        return ClassificationBatch(posteriors, self.thresholds.digit, self.classes)

    def _one(self, leq: NDArray[np.float32], *digits: NDArray[np.float32]) -> Prediction:
        return Prediction(float(leq[0]), digits[0][0], self.thresholds.pair, self.classes)

    def answers(self, leq: NDArray[np.float32], *digits: NDArray[np.float32]) -> PredictionBatch:
        """The answers for the outputs `leq`, float32 (N,), and `digits`, float32 (N, 2, 10), 0 to 1."""
        return PredictionBatch(leq, digits[0], self.thresholds.pair, self.classes)


AnyModel: TypeAlias = PairModel | ComparisonModel


@overload
def load(
    model: str | os.PathLike[str] | bytes | None = None,
    *,
    digits: Literal[True] = True,
    threads: int = 1,
    min_confidence: float | None = None,
) -> PairModel: ...
@overload
def load(
    model: str | os.PathLike[str] | bytes | None = None,
    *,
    digits: bool,
    threads: int = 1,
    min_confidence: float | None = None,
) -> AnyModel: ...
def load(
    model: str | os.PathLike[str] | bytes | None = None,
    *,
    digits: bool = True,
    threads: int = 1,
    min_confidence: float | None = None,
) -> AnyModel:
    """Load a model; nothing is downloaded.

    Args:
        model: path or content of a `pair` graph written by pairedge-export, or the folder that it wrote;
            "aux_ws", the model that ships; None for what the environment variable PAIREDGE_MODEL says, or for
            the model that ships.
        digits: whether the model must have a digit head, which says what digits the pictures show. With
            False, a graph without one is a `ComparisonModel`.
        threads: number of threads per run. One is fastest for graphs this small.
        min_confidence: the confidence, 0 to 1, below which an answer is `uncertain`, for pairs and for single
            tiles; None for the thresholds in the graph's metadata, which were fitted in training.

    Raises:
        GraphError: when the file is missing, corrupt, not a `pair` graph, of another schema version, or
            without the digit head that is asked for.
        ValueError: when an option is out of range.
    """
    graph = open_graph(model if isinstance(model, bytes) else locate_pair(model), "pair", threads=threads)
    loaded = model_of(graph, min_confidence)
    if digits and not isinstance(loaded, PairModel):
        raise GraphError(
            f"{graph.path or 'graph'}: the model {loaded.variant!r} has no digit head: it can compare, "
            "but neither classify nor rank; load it with digits=False"
        )
    return loaded


def model_of(graph: Graph, min_confidence: float | None = None) -> AnyModel:
    """The model of an open `pair` graph, with or without a digit head; `min_confidence` as for `load`."""
    return (PairModel if "digits" in graph.outputs else ComparisonModel)(graph, min_confidence)


def _reopen(place: str, digest: str, threads: int, min_confidence: float | None) -> AnyModel:
    """The model that was pickled, possibly by another process on another machine."""
    graph = open_graph(locate_pair(place), "pair", threads=threads)
    if graph.digest != digest:
        raise GraphError(f"{graph.path}: is not the graph of the model that was pickled: its digest differs")
    return model_of(graph, min_confidence)
