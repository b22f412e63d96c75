"""The rows that the robustness benchmark writes, and the check that a file holds them."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass
from pydantic_core import to_jsonable_python

from pairedge_train.rendering.negatives import KINDS

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
_STRICT = ConfigDict(strict=True, extra="forbid")


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ConditionRow:
    """The accuracy of one system under one condition.

    Attributes:
        condition: its name, or that of a set of real or typeset digits.
        about: its description.
        system: what the table calls the system.
        model: the first twelve digits of the SHA-256 of its pair.onnx.
        n: how many pictures.
        accuracy: share of digits classified correctly; a refused picture is an error.
        refused: how many pictures could not be read.
        seed: of the pictures.
    """

    condition: str
    about: str
    system: str
    model: str
    n: Count
    accuracy: Share
    refused: Count
    seed: int


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class RejectionRow:
    """How many pictures of one kind a confidence threshold rejects.

    Attributes:
        n: how many pictures.
        rejected: share that is uncertain or refused.
        rejected_at_1_percent: likewise at the threshold that rejects 1 % of the test digits.
        refused: how many could not be read, which counts as rejected; 0 for tiles, which are not read.
    """

    n: Count
    rejected: Share
    rejected_at_1_percent: Share
    refused: Count


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class RejectionReport:
    """What a confidence threshold rejects, of digits and of negatives.

    Attributes:
        threshold: an answer with a lower confidence is uncertain.
        threshold_at_1_percent: the one that 1 % of the test digits lie below.
        digits: "mnist" for MNIST's own test tiles, "rendered" for pictures of them.
        negatives: by kind of negative.
        seed: of the pictures.
    """

    threshold: Share
    threshold_at_1_percent: Share
    digits: dict[str, RejectionRow]
    negatives: dict[str, RejectionRow]
    seed: int

    def negatives_of(self, *, held_out: bool) -> dict[str, RejectionRow]:
        """The kinds of negatives that are held out of training, or those that training draws, too."""
        return {kind: row for kind, row in self.negatives.items() if KINDS[kind].held_out == held_out}

    def mean_of_negatives(self, *, held_out: bool) -> RejectionRow:
        """These kinds together, each counting the same."""
        rows = self.negatives_of(held_out=held_out).values()
        return RejectionRow(
            n=sum(row.n for row in rows),
            rejected=float(np.mean([row.rejected for row in rows])),
            rejected_at_1_percent=float(np.mean([row.rejected_at_1_percent for row in rows])),
            refused=sum(row.refused for row in rows),
        )


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class SeveralRow:
    """How many pictures of some digits in a row are answered `several`.

    Attributes:
        digits: how many each picture shows.
        smallest: the least length of a picture's longer side, pixels.
        largest: the greatest.
        n: how many pictures.
        several: share that is refused since it shows several digits.
        seed: of the pictures.
    """

    digits: Count
    smallest: Count
    largest: Count
    n: Count
    several: Share
    seed: int


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ProbabilityRow:
    """Accuracy and calibration on some pictures, and on all their ordered pairs.

    Attributes:
        pictures: what they are.
        n: how many; refused ones are not among them.
        digit_accuracy: share of digits classified correctly.
        accuracy: share of ordered pairs compared correctly.
        digit_error: expected calibration error of the most probable digit's posterior.
        leq_error: expected calibration error of P(first <= second).
    """

    pictures: str
    n: Count
    digit_accuracy: Share
    accuracy: Share
    digit_error: Share
    leq_error: Share


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Robustness:
    """All that the benchmark measures of a model.

    Attributes:
        conditions: of each system, under each condition.
        hands: likewise, on each hand that is kept for tests.
        rejection: what the model's confidence threshold rejects.
        several: pictures of several digits.
        probabilities: calibration.
    """

    conditions: list[ConditionRow]
    hands: list[ConditionRow]
    rejection: RejectionReport
    several: list[SeveralRow]
    probabilities: list[ProbabilityRow]


FILES = tuple(each.name for each in fields(Robustness))


def read_robustness(folder: Path) -> Robustness:
    """The rows in a folder that the benchmark wrote, a JSON file for each attribute.

    Raises:
        pydantic.ValidationError: naming each field that is missing, unknown, of another kind or out of range.
    """
    parts = (f'"{name}": {(folder / f"{name}.json").read_text()}' for name in FILES)
    return TypeAdapter(Robustness).validate_json(f"{{{', '.join(parts)}}}")


def to_files(measured: Robustness) -> dict[str, bytes]:
    """The files that `read_robustness` reads, by name."""
    return {
        f"{name}.json": (json.dumps(part, indent=1, sort_keys=True) + "\n").encode()
        for name, part in to_jsonable_python(measured).items()
    }
