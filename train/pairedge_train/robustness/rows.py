"""The rows that the robustness benchmark writes, and the check that a file holds them."""

from __future__ import annotations

import json
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
        refused: how many could not be read, which counts as rejected; 0 for tiles, which are not read.
    """

    n: Count
    rejected: Share
    refused: Count


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class RejectionReport:
    """What a confidence threshold rejects, of digits and of negatives.

    Attributes:
        threshold: an answer with a lower confidence is uncertain.
        digits: "mnist" for MNIST's own test tiles, "rendered" for pictures of them.
        negatives: by kind of negative.
        seed: of the pictures.
    """

    threshold: Share
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
            refused=sum(row.refused for row in rows),
        )


def condition_rows_from_json(content: str | bytes) -> list[ConditionRow]:
    """The rows of conditions.json.

    Raises:
        pydantic.ValidationError: naming each field that is missing, unknown, of another kind or out of range.
    """
    return TypeAdapter(list[ConditionRow]).validate_json(content)


def rejection_report_from_json(content: str | bytes) -> RejectionReport:
    """The report in rejection.json.

    Raises:
        pydantic.ValidationError: naming each field that is missing, unknown, of another kind or out of range.
    """
    return TypeAdapter(RejectionReport).validate_json(content)


def to_json(rows: list[ConditionRow] | RejectionReport) -> bytes:
    """The content of conditions.json or rejection.json."""
    return (json.dumps(to_jsonable_python(rows), indent=1, sort_keys=True) + "\n").encode()
