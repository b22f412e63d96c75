"""Scores a model on pictures whose digits are known: accuracy, confusion matrix and mistakes.

Accuracy counts every picture: one that is refused, be it without ink, with several digits or unreadable, is a
mistake. A model cannot improve its score by refusing what it is given.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairedge.confidence import Status, refusal_status
from pairedge.errors import ImageError, PairedgeError
from pairedge.graph import DIGITS

if TYPE_CHECKING:
    from pairedge.drawing import Cell
    from pairedge.model import PairModel
    from pairedge.results import Classification

# Files in a folder that are taken for pictures. How one is decoded depends on its content alone.
_SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pbm", ".pgm", ".ppm", ".pnm")
)
_FIRST = re.compile(r"([0-9])(?![^\W_])")  # a digit that neither a letter nor another digit follows
_LAST = re.compile(r"(?<![^\W_])([0-9])$")


class LabelError(PairedgeError, ValueError):
    """A folder has no pictures, or the name of one does not say which digit it shows."""


class LabeledPicture(NamedTuple):
    """A picture's path and its label, the digit that it is said to show."""

    path: Path
    digit: int


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The outcome for one picture.

    Attributes:
        path: of the picture.
        truth: its label, 0 to 9.
        status: of the answer, or of the refusal.
        answer: None when the picture was refused.
        error: why it was refused, or None.
    """

    path: Path
    truth: int
    status: Status
    answer: Classification | None
    error: str | None = None

    @property
    def right(self) -> bool:
        """Whether the picture was answered, and the digit is its label."""
        return self.answer is not None and self.answer.digit == self.truth

    @property
    def summary(self) -> str:
        """The outcome in a few words: `7, read as 1, P = 0.5312, uncertain`."""
        if self.answer is None:
            return f"{self.truth}, {self.status}"
        suffix = "" if self.status == "ok" else f", {self.status}"
        return f"{self.truth}, read as {self.answer.digit}, P = {self.answer.probability:.4f}{suffix}"

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain Python values, ready for JSON."""
        answer = {"error": self.error} if self.answer is None else self.answer.to_dict()
        return {"picture": str(self.path), "truth": self.truth, "status": self.status, **answer}


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The outcomes for all pictures, in the order in which they were given."""

    outcomes: tuple[Outcome, ...]

    @property
    def answered(self) -> int:
        """The number of pictures that were answered, uncertain answers included."""
        return sum(outcome.answer is not None for outcome in self.outcomes)

    @property
    def refused(self) -> int:
        """The number of pictures that were refused: no ink, several digits or unreadable."""
        return len(self.outcomes) - self.answered

    @property
    def right(self) -> int:
        """The number of pictures that were answered with their label."""
        return sum(outcome.right for outcome in self.outcomes)

    @property
    def accuracy(self) -> float | None:
        """The fraction of all pictures that are right, 0 to 1; None without pictures.

        A refused picture, whatever the reason, counts as a mistake.
        """
        return self.right / len(self.outcomes) if self.outcomes else None

    def by_status(self) -> dict[Status, tuple[int, int]]:
        """The number of pictures of each status that occurs, and how many of them are right."""
        statuses: tuple[Status, ...] = ("ok", "uncertain", "no-ink", "several", "unreadable")
        groups = {status: [o for o in self.outcomes if o.status == status] for status in statuses}
        return {
            status: (len(group), sum(o.right for o in group)) for status, group in groups.items() if group
        }

    def confusion(self) -> NDArray[np.int64]:
        """The confusion matrix, int64 (10, 10), 0 or more: [a, b] counts pictures of digit a read as b."""
        counts = np.zeros((DIGITS, DIGITS), np.int64)
        for outcome in self.outcomes:
            if outcome.answer is not None:
                counts[outcome.truth, outcome.answer.digit] += 1
        return counts

    def mistakes(self) -> list[Outcome]:
        """Wrong answers, the most confident first, then the readable pictures that were refused."""
        wrong = [o for o in self.outcomes if o.answer is not None and not o.right]
        refused = [o for o in self.outcomes if o.status in ("no-ink", "several")]
        return sorted(wrong, key=lambda o: -o.answer.probability if o.answer else 0.0) + refused

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain Python values, ready for JSON; lists only the pictures that are not right."""
        missed = [outcome for outcome in self.outcomes if not outcome.right]
        return {
            "pictures": len(self.outcomes),
            "answered": self.answered,
            "right": self.right,
            "accuracy": self.accuracy,
            "statuses": {
                status: {"pictures": count, "right": right}
                for status, (count, right) in self.by_status().items()
            },
            "confusion": self.confusion().tolist(),
            "mistakes": [outcome.to_dict() for outcome in missed if outcome.answer is not None],
            "refused": [outcome.to_dict() for outcome in missed if outcome.answer is None],
        }


def find_pictures(folder: str | os.PathLike[str]) -> list[LabeledPicture]:
    """Find all pictures in a folder and its subfolders, sorted by path, with their labels.

    A file is a picture by its suffix; hidden files and folders are skipped.

    Raises:
        LabelError: when the folder does not exist or has no pictures, or a label is missing or ambiguous.
    """
    top = Path(folder)
    if not top.is_dir():
        raise LabelError(f"{top}: no such folder")
    paths = sorted(path for path in top.rglob("*") if _is_picture(path, top))
    if not paths:
        raise LabelError(f"{top}: contains no pictures ({', '.join(sorted(_SUFFIXES))})")
    return [LabeledPicture(path, digit_of(path)) for path in paths]


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


def classify_pictures(model: PairModel, pictures: Iterable[LabeledPicture]) -> Iterator[Outcome]:
    """Classify pictures one by one."""
    for path, digit in pictures:
        try:
            answer = model.classify(path)
        except ImageError as error:
            yield Outcome(path, digit, refusal_status(error), None, str(error))
        else:
            yield Outcome(path, digit, answer.status, answer)


def sheet_cells(evaluation: Evaluation) -> Iterator[Cell]:
    """The mistakes as cells of a contact sheet. Each picture is read again, as not all are kept in memory."""
    from pairedge.drawing import Cell
    from pairedge.image import read_picture

    for outcome in evaluation.mistakes():
        picture: NDArray[Any]
        tile: NDArray[np.uint8] | None
        if outcome.answer is None:
            picture, tile = _refused_picture(outcome.path), None
        else:
            steps = read_picture(outcome.path).drawings()
            picture, tile = steps["picture"], steps["tile"]
        yield Cell(picture, tile, outcome.summary, str(outcome.path))


def _refused_picture(path: Path) -> NDArray[Any]:
    """A refused picture, (H, W, C), 0 to 255; a gray pixel where it is unreadable."""
    from pairedge.image.decode import open_picture, to_pixels

    try:
        return to_pixels(open_picture(path))
    except ImageError:
        return np.full((1, 1, 1), 200, np.uint8)


def _is_picture(path: Path, top: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(top).parts)
    return path.suffix.lower() in _SUFFIXES and not hidden and path.is_file()
