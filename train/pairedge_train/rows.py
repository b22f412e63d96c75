"""Result rows: one JSON object per line for each finished round, added completely or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, NonNegativeFloat, NonNegativeInt, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from pairedge_train.errors import DataError
from pairedge_train.files import one_writer, write_atomically

Share = Annotated[float, Field(ge=0, le=1)]
# Of each bin: share of all cases, mean probability, observed frequency.
Diagram = tuple[tuple[Share, Share, Share], ...]


_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Paired:
    """The answers of two networks for the same digits.

    Attributes:
        n: how many digits.
        before: share that the first network classifies correctly.
        after: share that the second one classifies correctly.
        gained: how many only the second one classifies correctly.
        lost: how many only the first one classifies correctly.
        p: two-sided p-value of McNemar's exact test that both are equally accurate.
    """

    n: NonNegativeInt
    before: Share
    after: Share
    gained: NonNegativeInt
    lost: NonNegativeInt
    p: Share


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Adapted:
    """What a network was adapted from and to.

    Attributes:
        start: SHA-256 of the weights that training started from.
        pictures: number of one's own pictures that it was trained on.
        own: before and after, on one's own pictures that were held out.
        test: before and after, on all test digits of the data set that was replayed.
    """

    start: str
    pictures: NonNegativeInt
    own: Paired
    test: Paired


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class RoundRow:
    """The metrics of one round; accuracies, errors and probabilities are 0 to 1, and None is not measured.

    Attributes:
        variant: the architecture; of an ensemble, its first member's.
        recipe: digest of the recipe.
        seed: seed of the round.
        diverged: why training was stopped; all metrics are then None.
        dataset: the data set that the pairs were drawn from.
        fold: index of the validation fold, in cross-validation.
        pairs: number of training pairs.
        test_pairs: number of test pairs.
        train_accuracy: accuracy of the final weights on the training pairs.
        validation_accuracy: the same on the validation pairs.
        test_accuracy: the same on the test pairs.
        digit_accuracy: accuracy on the digits of the test pairs.
        exact_accuracy: accuracy on all ordered pairs of test digits.
        exact_digit_accuracy: accuracy on all test digits.
        leq_calibration_error: expected calibration error of P(first <= second) over all ordered test pairs.
        leq_diagram: its reliability diagram.
        digit_calibration_error: expected calibration error of the test digits.
        digit_diagram: its reliability diagram.
        risk: error rate of the most confident share of all ordered test pairs, by that share (coverage).
        validation_exact_accuracy: accuracy on all ordered pairs of validation digits.
        validation_digit_accuracy: accuracy on all validation digits.
        best_temperature: the temperature that minimizes the cross-entropy on the validation pairs.
        validation_loss: that cross-entropy.
        pair_threshold: confidence below which the answer for a pair is uncertain.
        digit_threshold: confidence below which the answer for a single tile is uncertain.
        held_out_digits: number of training digits held out before synthetic pictures were rendered.
        negatives: number of negatives among the validation pairs.
        negatives_rejected: the share of them whose confidence is below `digit_threshold`.
        adapted: before and after, where a network was adapted.
        curves: metrics after every epoch, by name.
        epochs: number of epochs trained.
        seconds: training time; an equal share where several rounds were trained together.
        stacked: number of rounds trained together.
        bundle: seeds of the rounds that the study trains together; None for a round trained alone.
        parameters: number of trainable parameters.
        pretrained: whether pretrained weights were loaded; None where the variant has none.
        device: where it was trained.
        machine: what trained it: CPU, kernels and versions; None in schema 1.
        versions: versions of Python and torch, in schema 1.
    """

    variant: str
    recipe: str
    seed: NonNegativeInt
    diverged: str | None = None
    dataset: str | None = None
    fold: NonNegativeInt | None = None
    pairs: NonNegativeInt = 0
    test_pairs: NonNegativeInt = 0
    train_accuracy: Share | None = None
    validation_accuracy: Share | None = None
    test_accuracy: Share | None = None
    digit_accuracy: Share | None = None
    exact_accuracy: Share | None = None
    exact_digit_accuracy: Share | None = None
    leq_calibration_error: Share | None = None
    leq_diagram: Diagram | None = None
    digit_calibration_error: Share | None = None
    digit_diagram: Diagram | None = None
    risk: dict[str, Share] | None = None
    validation_exact_accuracy: Share | None = None
    validation_digit_accuracy: Share | None = None
    best_temperature: NonNegativeFloat | None = None
    validation_loss: NonNegativeFloat | None = None
    pair_threshold: Share | None = None
    digit_threshold: Share | None = None
    held_out_digits: NonNegativeInt | None = None
    negatives: NonNegativeInt | None = None
    negatives_rejected: Share | None = None
    adapted: Adapted | None = None
    curves: dict[str, tuple[float, ...]] | None = None
    epochs: NonNegativeInt = 0
    seconds: NonNegativeFloat = 0.0
    stacked: int = 1
    bundle: tuple[int, ...] | None = None
    parameters: NonNegativeInt = 0
    pretrained: bool | None = None
    device: str | None = None
    machine: dict[str, str] | None = None
    versions: dict[Literal["python", "torch"], str] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The fields that are not None as plain values, ready for JSON."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def round(self) -> tuple[str, int, tuple[int, ...] | None]:
        """What tells its round from others in a file: the recipe, the seed, and the bundle."""
        return self.recipe, self.seed, self.bundle


_ROWS = TypeAdapter(RoundRow)


def read_rows(path: Path) -> list[RoundRow]:
    """Read all rows of a file; an empty list when there is no file.

    A last line that breaks off, as a pulled plug leaves it, is no row: its round is trained again.

    Raises:
        DataError: when the file cannot be read, or a line is no valid row; the message names the line.
    """
    return [row for row, _ in _rows_and_lines(path)]


def append_row(path: Path, row: RoundRow) -> None:
    """Append one row, completely or not at all; a row of the same round is replaced, so that each has one.

    The file is written anew, under a lock: that costs nothing beside a training, and two processes on one
    file, a kill and a full disk all leave whole rows.

    Raises:
        DataError: when the file holds something else than rows.
        OutputError: when the file cannot be written; its rows are untouched.
    """
    with one_writer(path):
        lines = {known.round: line for known, line in _rows_and_lines(path)}
        lines[row.round] = json.dumps(row.to_dict(), sort_keys=True).encode()
        write_atomically(path, b"".join(line + b"\n" for line in lines.values()))


def check_metrics(metrics: Mapping[str, Any]) -> None:
    """Check that metrics, by name, could stand in a row.

    Raises:
        DataError: when one is unknown, of another type or out of range; the message names it.
    """
    try:
        _ROWS.validate_json(json.dumps({"variant": "", "recipe": "", "seed": 0, **metrics}))
    except ValidationError as error:
        raise DataError(_reason(error)) from error


def _rows_and_lines(path: Path) -> list[tuple[RoundRow, bytes]]:
    """The rows of a file, each with its line; see `read_rows`."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataError(f"{path}: cannot read: {(error.strerror or str(error)).lower()}") from error
    if _breaks_off(lines[-1]):
        del lines[-1]
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append((_ROWS.validate_json(line), line))
        except ValidationError as error:
            raise DataError(f"{path}: line {number} is no row of results: {_reason(error)}") from error
    return rows


def _reason(error: ValidationError) -> str:
    """The first thing that is wrong, with the name of its field if it has one."""
    first = error.errors()[0]
    return ": ".join([".".join(map(str, first["loc"]))] * bool(first["loc"]) + [first["msg"]])


def _breaks_off(last: bytes) -> bool:
    """Whether what follows the last line break is nothing, or the beginning of a row."""
    if not last.strip(b"\0"):  # a file system may have kept the length and lost the content
        return True
    try:
        json.loads(last)
    except (ValueError, RecursionError):  # or nested without end
        return last.startswith(b"{")
    return False
