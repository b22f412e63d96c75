"""Result rows: one JSON object per line for each finished round, appended completely or not at all."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from pairedge_train.errors import DataError, OutputError

Diagram = tuple[
    tuple[float, float, float], ...
]  # of each bin: share of all cases, mean probability, observed frequency


@dataclass(frozen=True, kw_only=True, config=ConfigDict(strict=True, extra="forbid"))
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
    seed: int
    diverged: str | None = None
    dataset: str | None = None
    fold: int | None = None
    pairs: int = 0
    test_pairs: int = 0
    train_accuracy: float | None = None
    validation_accuracy: float | None = None
    test_accuracy: float | None = None
    digit_accuracy: float | None = None
    exact_accuracy: float | None = None
    exact_digit_accuracy: float | None = None
    leq_calibration_error: float | None = None
    leq_diagram: Diagram | None = None
    digit_calibration_error: float | None = None
    digit_diagram: Diagram | None = None
    risk: dict[str, float] | None = None
    validation_exact_accuracy: float | None = None
    validation_digit_accuracy: float | None = None
    best_temperature: float | None = None
    validation_loss: float | None = None
    pair_threshold: float | None = None
    digit_threshold: float | None = None
    curves: dict[str, tuple[float, ...]] | None = None
    epochs: int = 0
    seconds: float = 0.0
    stacked: int = 1
    bundle: tuple[int, ...] | None = None
    parameters: int = 0
    pretrained: bool | None = None
    device: str | None = None
    machine: dict[str, str] | None = None
    versions: dict[Literal["python", "torch"], str] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The fields that are not None as plain values, ready for JSON."""
        return {name: value for name, value in asdict(self).items() if value is not None}


_ROWS = TypeAdapter(RoundRow)


def read_rows(path: Path) -> list[RoundRow]:
    """Read all rows of a file; an empty list when there is no file.

    Raises:
        DataError: when a line is no valid row; the message names the line.
    """
    if not path.exists():
        return []
    rows = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            rows.append(_ROWS.validate_json(line))
        except ValidationError as error:
            place = ".".join(map(str, error.errors()[0]["loc"]))
            reason = f"{place}: {error.errors()[0]['msg']}" if place else error.errors()[0]["msg"]
            raise DataError(f"{path}: line {number} is no row of results: {reason}") from error
    return rows


def append_row(path: Path, row: RoundRow) -> None:
    """Append one row with a single write; a write that fails midway is rolled back.

    Raises:
        OutputError: when the file cannot be written; its rows are untouched.
    """
    line = (json.dumps(row.to_dict(), sort_keys=True) + "\n").encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            end = file.tell()
            try:
                written = file.write(line)
                os.fsync(file.fileno())
            except OSError:
                file.truncate(end)
                raise
            if written != len(line):
                file.truncate(end)
                raise OutputError(f"{path}: cannot write: no space left on device")
    except OSError as error:
        raise OutputError(f"{path}: cannot write: {(error.strerror or str(error)).lower()}") from error
