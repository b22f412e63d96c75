"""Scores a model on pictures whose digits are known: accuracy, confusion matrix and mistakes.

Accuracy counts every labeled picture: one that is refused, be it without ink, with several digits or
unreadable, is a mistake. A model cannot improve its score by refusing what it is given.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pairedge.classes import DIGIT_CLASSES
from pairedge.errors import ImageError, PairedgeError
from pairedge.graph import DIGITS

if TYPE_CHECKING:
    from pairedge.drawing import Cell

BINS = 20  # of the histogram of confidence

_STATUSES = ("ok", "uncertain", "no-ink", "several", "unreadable")
_FIRST = re.compile(r"([0-9])(?![^\W_])")  # a digit that neither a letter nor another digit follows
_LAST = re.compile(r"(?<![^\W_])([0-9])$")

# What is known of a picture: `picture`, its path; `status`; where it has one, `label`; and either `error`, or
# `digit`, `probability` and `confidence`, as `Classification.to_dict` gives them. Where the classes are not
# the digits, `label_name` and `name` are their names.
Outcome: TypeAlias = Mapping[str, Any]


class LabelError(PairedgeError, ValueError):
    """It is not clear which digit a picture is said to show."""


@dataclass(eq=False)
class Evaluation:
    """Counts the outcomes of pictures; keeps only those that are not right.

    Attributes:
        statuses: the number of labeled pictures by status.
        right_by_status: the number of those that were answered with their label.
        confusion: the confusion matrix, int64 (10, 10), 0 or more: [a, b] counts pictures of digit a read
            as b.
        confidences: histogram of the confidence of answers, int64 (2, 20), 0 or more: wrong ones, right
            ones; bin i is from i / BINS to (i + 1) / BINS.
        wrong: outcomes with an answer that is not the label.
        refused: labeled outcomes without an answer.
        unlabeled: outcomes without a label, which are not scored.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    right_by_status: Counter[str] = field(default_factory=Counter)
    confusion: NDArray[np.int64] = field(default_factory=lambda: np.zeros((DIGITS, DIGITS), np.int64))
    confidences: NDArray[np.int64] = field(default_factory=lambda: np.zeros((2, BINS), np.int64))
    wrong: list[Outcome] = field(default_factory=list)
    refused: list[Outcome] = field(default_factory=list)
    unlabeled: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        if "label" not in outcome:
            self.unlabeled.append(outcome)
            return
        label, status = outcome["label"], outcome["status"]
        self.statuses[status] += 1
        if "error" in outcome:
            self.refused.append(outcome)
            return
        right = outcome["digit"] == label
        self.right_by_status[status] += right
        self.confusion[label, outcome["digit"]] += 1
        self.confidences[int(right), min(int(outcome["confidence"] * BINS), BINS - 1)] += 1
        if not right:
            self.wrong.append(outcome)

    @property
    def pictures(self) -> int:
        """The number of labeled pictures."""
        return self.statuses.total()

    @property
    def answered(self) -> int:
        """The number of labeled pictures that were answered, uncertain answers included."""
        return self.pictures - len(self.refused)

    @property
    def right(self) -> int:
        """The number of pictures that were answered with their label."""
        return self.right_by_status.total()

    @property
    def accuracy(self) -> float | None:
        """The fraction of all labeled pictures that are right, 0 to 1; None without any.

        A refused picture, whatever the reason, counts as a mistake.
        """
        return self.right / self.pictures if self.pictures else None

    def by_status(self) -> dict[str, tuple[int, int]]:
        """The number of pictures of each status that occurs, and how many of them are right."""
        return {
            status: (self.statuses[status], self.right_by_status[status])
            for status in _STATUSES
            if self.statuses[status]
        }

    def mistakes(self) -> list[Outcome]:
        """Wrong answers, the most confident first, then the readable pictures that were refused."""
        readable = [outcome for outcome in self.refused if outcome["status"] != "unreadable"]
        return sorted(self.wrong, key=lambda outcome: -outcome["probability"]) + readable

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain Python values, ready for JSON; lists only the pictures that are not right."""
        return {
            "pictures": self.pictures,
            "answered": self.answered,
            "right": self.right,
            "accuracy": self.accuracy,
            "statuses": {
                status: {"pictures": count, "right": right}
                for status, (count, right) in self.by_status().items()
            },
            "confusion": self.confusion.tolist(),
            "confidences": {
                "wrong": self.confidences[0].tolist(),
                "right": self.confidences[1].tolist(),
            },
            "mistakes": self.wrong,
            "refused": self.refused,
            "unlabeled": self.unlabeled,
        }


def summary(outcome: Outcome) -> str:
    """An outcome in a few words: `7, read as 1, P = 0.5312, uncertain`."""
    label = outcome.get("label_name", outcome["label"])
    if "error" in outcome:
        return f"{label}, {outcome['status']}"
    suffix = "" if outcome["status"] == "ok" else f", {outcome['status']}"
    answer = outcome.get("name", outcome["digit"])
    return f"{label}, read as {answer}, P = {outcome['probability']:.4f}{suffix}"


def label_of(written: str | None, path: Path, classes: tuple[str, ...] = DIGIT_CLASSES) -> int:
    """A picture's label, 0 to 9: what a list says of it, or else what its path does.

    Args:
        written: what a list says; None where there is none.
        path: of the picture.
        classes: the names of the ten classes. Where they are not the digits, the picture's folder has to be
            called after its class.

    Raises:
        LabelError: when the list names no class, or the path is not clear.
    """
    if written is None and classes == DIGIT_CLASSES:
        return digit_of(path)
    name = path.absolute().parent.name if written is None else written
    if name in classes:
        return classes.index(name)
    if written is None:
        raise LabelError(f"{path}: lies in no folder that is called after a class: {', '.join(classes)}")
    what = "digit" if classes == DIGIT_CLASSES else f"class: {', '.join(classes)}"
    raise LabelError(f"{path}: its label is {written!r}, which is no {what}")


def digit_of(path: Path) -> int:
    """Read a picture's label from its path.

    The label is the name of the picture's folder when that is a single digit. Otherwise it is a single digit
    at the start or the end of the file's stem, not next to a letter or another digit. Two different digits
    are ambiguous.

    Raises:
        LabelError: when the label is missing or ambiguous.
    """
    folder = path.absolute().parent.name
    if re.fullmatch("[0-9]", folder):
        return int(folder)
    first, last = _FIRST.match(path.stem), _LAST.search(path.stem)
    digits = {match[1] for match in (first, last) if match}
    if len(digits) == 1:
        return int(digits.pop())
    problem = (
        "starts and ends with different digits" if digits else "neither starts nor ends with a single digit"
    )
    raise LabelError(
        f"{path}: its name {problem}; rename it to 7_abc.png, say, or put it in a folder named 7"
    )


def sheet_cells(evaluation: Evaluation) -> Iterator[Cell]:
    """The mistakes as cells of a contact sheet. Each picture is read again, as not all are kept in memory."""
    from pairedge.drawing import Cell
    from pairedge.image import read_picture

    for outcome in evaluation.mistakes():
        path = outcome["picture"]
        picture: NDArray[Any]
        tile: NDArray[np.uint8] | None
        if "error" in outcome:
            picture, tile = refused_picture(path), None
        else:
            steps = read_picture(path).drawings()
            picture, tile = steps["picture"], steps["tile"]
        yield Cell(picture, tile, summary(outcome), path)


def refused_picture(path: str) -> NDArray[Any]:
    """A refused picture, uint8 or float32 (H, W, C), 0 to 255; a gray pixel where it is unreadable."""
    from pairedge.image.decode import open_picture, to_pixels

    try:
        return to_pixels(open_picture(path))
    except ImageError:
        return np.full((1, 1, 1), 200, np.uint8)
