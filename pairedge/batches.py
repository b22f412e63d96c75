"""The answers of a model for many pictures: sequences of answers, stored as arrays, a column a field.

Each has `to_dict()`, the columns of its answers' own `to_dict()`, so that `pandas.DataFrame(batch.to_dict())`
is a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from pairedge.classes import DIGIT_CLASSES, named_classes
from pairedge.confidence import digit_confidence, pair_confidence, refusal_status
from pairedge.errors import ImageError
from pairedge.results import Classification, Comparison, Prediction


class ComparisonBatch(Sequence[Comparison]):
    """The answers for N pairs, of any model; indexing gives a `Comparison`.

    Attributes:
        probability: float32 (N,), P(first <= second), 0 to 1.
        digit_probabilities: float32 (N, 2, 10), the posterior of each tile's digit, 0 to 1; None when the
            model has no digit head.
        min_confidence: the threshold for pairs, 0 to 1: a confidence below it is uncertain.
        classes: the names of the model's ten classes, in ascending order.
    """

    __slots__ = ("classes", "digit_probabilities", "min_confidence", "probability")

    def __init__(
        self,
        probability: NDArray[np.float32],
        digit_probabilities: NDArray[np.float32] | None,
        min_confidence: float,
        classes: tuple[str, ...] = DIGIT_CLASSES,
    ) -> None:
        self.probability = probability
        self.digit_probabilities = digit_probabilities
        self.min_confidence = min_confidence
        self.classes = classes

    @property
    def leq(self) -> NDArray[np.bool_]:
        """Bool (N,): whether each first digit is less than or equal to the second: probability >= 0.5."""
        return self.probability >= np.float32(0.5)

    @property
    def digits(self) -> NDArray[np.int64] | None:
        """Int64 (N, 2): the most probable digit of each tile, 0 to 9; None without a digit head."""
        return None

    @property
    def names(self) -> NDArray[np.str_] | None:
        """Str (N, 2): the names of these digits; None without a digit head."""
        return None

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Float64 (N,), 0 to 1: the least probability among the decision and the two digits of each pair."""
        return pair_confidence(self.probability, self.digit_probabilities)

    @property
    def uncertain(self) -> NDArray[np.bool_]:
        """Bool (N,): whether the confidence of each answer is below `min_confidence`."""
        return self.confidence < self.min_confidence

    def to_dict(self) -> dict[str, list[Any]]:
        """The columns of the answers as lists of N plain Python values."""
        nothing = [None] * len(self)
        named = {} if self.names is None else named_classes(self.classes, names=self.names.tolist())
        return {
            "status": _statuses(self.uncertain),
            "confidence": self.confidence.tolist(),
            "leq": self.leq.tolist(),
            "probability": self.probability.tolist(),
            "digits": nothing if self.digits is None else self.digits.tolist(),
            **named,
            "digit_probabilities": (
                nothing if self.digit_probabilities is None else self.digit_probabilities.tolist()
            ),
        }

    def __len__(self) -> int:
        return len(self.probability)

    @overload
    def __getitem__(self, index: int) -> Comparison: ...
    @overload
    def __getitem__(self, index: slice) -> ComparisonBatch: ...
    def __getitem__(self, index: int | slice) -> Comparison | ComparisonBatch:
        if isinstance(index, slice):
            return ComparisonBatch(self.probability[index], None, self.min_confidence, self.classes)
        return Comparison(float(self.probability[index]), None, self.min_confidence, self.classes)

    def __repr__(self) -> str:
        counts = f"{int(self.leq.sum()):,} with first <= second, {int(self.uncertain.sum()):,} uncertain"
        return f"<{type(self).__name__} of {len(self):,} pairs: {counts}>"


class PredictionBatch(ComparisonBatch, Sequence[Prediction]):
    """The answers for N pairs, of a model with a digit head; indexing gives a `Prediction`.

    Attributes:
        digit_probabilities: float32 (N, 2, 10), the posterior of each tile's digit, 0 to 1.
    """

    __slots__ = ()

    digit_probabilities: NDArray[np.float32]

    @property
    def digits(self) -> NDArray[np.int64]:
        """Int64 (N, 2): the most probable digit of each tile, 0 to 9."""
        most_probable: NDArray[np.int64] = self.digit_probabilities.argmax(axis=2)
        return most_probable

    @property
    def names(self) -> NDArray[np.str_]:
        """Str (N, 2): the names of these digits: "3", or that of a class of the model's own."""
        return np.array(self.classes)[self.digits]

    @overload
    def __getitem__(self, index: int) -> Prediction: ...
    @overload
    def __getitem__(self, index: slice) -> PredictionBatch: ...
    def __getitem__(self, index: int | slice) -> Prediction | PredictionBatch:
        digits = self.digit_probabilities[index]
        if isinstance(index, slice):
            return PredictionBatch(self.probability[index], digits, self.min_confidence, self.classes)
        return Prediction(float(self.probability[index]), digits, self.min_confidence, self.classes)


class ClassificationBatch(Sequence[Classification]):
    """The answers for N pictures; indexing gives a `Classification`.

    Attributes:
        probabilities: float32 (N, 10), the posterior over the digits 0 to 9 of each picture, 0 to 1; rows
            sum to 1.
        min_confidence: the threshold for single tiles, 0 to 1: a confidence below it is uncertain.
        classes: the names of the model's ten classes, in ascending order.
    """

    __slots__ = ("classes", "min_confidence", "probabilities")

    def __init__(
        self,
        probabilities: NDArray[np.float32],
        min_confidence: float,
        classes: tuple[str, ...] = DIGIT_CLASSES,
    ) -> None:
        self.probabilities = probabilities
        self.min_confidence = min_confidence
        self.classes = classes

    @property
    def digit(self) -> NDArray[np.int64]:
        """Int64 (N,): the most probable digit of each picture, 0 to 9."""
        most_probable: NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return most_probable

    @property
    def name(self) -> NDArray[np.str_]:
        """Str (N,): the names of these digits: "3", or that of a class of the model's own."""
        return np.array(self.classes)[self.digit]

    @property
    def probability(self) -> NDArray[np.float32]:
        """Float32 (N,): the probability of that digit, 0 to 1."""
        highest: NDArray[np.float32] = self.probabilities.max(axis=1)
        return highest

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Float64 (N,): the probability of that digit, 0 to 1."""
        return digit_confidence(self.probabilities)

    @property
    def uncertain(self) -> NDArray[np.bool_]:
        """Bool (N,): whether the confidence of each answer is below `min_confidence`."""
        return self.confidence < self.min_confidence

    def to_dict(self) -> dict[str, list[Any]]:
        """The columns of the answers as lists of N plain Python values."""
        return {
            "status": _statuses(self.uncertain),
            "confidence": self.confidence.tolist(),
            "digit": self.digit.tolist(),
            **named_classes(self.classes, name=self.name.tolist()),
            "probability": self.probability.tolist(),
            "probabilities": self.probabilities.tolist(),
        }

    def __len__(self) -> int:
        return len(self.probabilities)

    @overload
    def __getitem__(self, index: int) -> Classification: ...
    @overload
    def __getitem__(self, index: slice) -> ClassificationBatch: ...
    def __getitem__(self, index: int | slice) -> Classification | ClassificationBatch:
        if isinstance(index, slice):
            return ClassificationBatch(self.probabilities[index], self.min_confidence, self.classes)
        return Classification(self.probabilities[index], self.min_confidence, self.classes)

    def __repr__(self) -> str:
        return f"<ClassificationBatch of {len(self):,} pictures: {int(self.uncertain.sum()):,} uncertain>"


Answer = TypeVar("Answer", bound=Comparison | Classification, covariant=True)


class Answers(Protocol[Answer]):
    """What the three batches above have in common."""

    def to_dict(self) -> dict[str, list[Any]]:
        """The columns of the answers as lists."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Answer: ...


Batch = TypeVar("Batch", bound=Answers[Any], covariant=True)


class BatchWithErrors(Sequence[Answer | ImageError], Generic[Batch, Answer]):
    """The answers for N pictures or pairs of which some were refused; a refusal stands in its place.

    Indexing gives an answer or the error of the picture that was refused.

    Attributes:
        answers: the batch of what was answered, M of N, in order: its arrays have M rows.
        places: int64 (M,), the place of each of these among all, 0 to N - 1, ascending.
        errors: the errors by place.
    """

    __slots__ = ("_rows", "answers", "errors", "places")

    def __init__(self, answers: Batch, errors: Mapping[int, ImageError]) -> None:
        self.answers = answers
        self.errors = errors
        count = len(answers) + len(errors)
        self.places = np.delete(np.arange(count), list(errors))
        self._rows: dict[int, int] = {int(place): row for row, place in enumerate(self.places)}

    def to_dict(self) -> dict[str, list[Any]]:
        """The columns of the answers as lists of N plain values, and a column `error`.

        A refused row has the status and the sentence of its error, and None in every other column.
        """
        columns = self.answers.to_dict()
        spread: dict[str, list[Any]] = {name: [None] * len(self) for name in [*columns, "error"]}
        for name, values in columns.items():
            for place, value in zip(self.places.tolist(), values, strict=True):
                spread[name][place] = value
        for place, error in self.errors.items():
            spread["status"][place] = refusal_status(error)
            spread["error"][place] = str(error)
        return spread

    def __len__(self) -> int:
        return len(self.answers) + len(self.errors)

    @overload
    def __getitem__(self, index: int) -> Answer | ImageError: ...
    @overload
    def __getitem__(self, index: slice) -> list[Answer | ImageError]: ...
    def __getitem__(self, index: int | slice) -> Answer | ImageError | list[Answer | ImageError]:
        place = range(len(self))[index]
        if isinstance(place, range):
            return [self._at(each) for each in place]
        return self._at(place)

    def _at(self, place: int) -> Answer | ImageError:
        row = self._rows.get(place)
        if row is None:
            return self.errors[place]
        answer: Answer = self.answers[row]
        return answer

    def __repr__(self) -> str:
        return f"<BatchWithErrors of {len(self):,}: {len(self.errors):,} refused; {self.answers!r}>"


def _statuses(uncertain: NDArray[np.bool_]) -> list[str]:
    return ["uncertain" if each else "ok" for each in uncertain.tolist()]
