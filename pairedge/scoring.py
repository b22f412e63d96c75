"""How a model fares on pictures whose digits are known: which are right, mistaken, uncertain or refused."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairedge.confidence import Status, refusal
from pairedge.errors import ImageError, PairedgeError
from pairedge.graph import DIGITS

if TYPE_CHECKING:
    from pairedge.drawing import Cell
    from pairedge.model import PairModel
    from pairedge.results import Classification

# What is taken for a picture in a folder, where much else may lie. Its content decides how it is read.
_ENDINGS = frozenset(
    (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pbm", ".pgm", ".ppm", ".pnm")
)
_FIRST = re.compile(r"([0-9])(?![^\W_])")  # a digit that neither a letter nor another digit follows
_LAST = re.compile(r"(?<![^\W_])([0-9])$")


class LabelError(PairedgeError, ValueError):
    """A folder's pictures do not say, or not plainly, which digits they show."""


class Labelled(NamedTuple):
    """A picture and the digit that it is said to show."""

    path: Path
    digit: int


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of one picture.

    Attributes:
        path: of the picture.
        truth: the digit that it is said to show.
        status: of the answer, or of the refusal.
        answer: None when the picture was refused.
        error: the sentence with which it was refused, or None.
    """

    path: Path
    truth: int
    status: Status
    answer: Classification | None
    error: str | None = None

    @property
    def right(self) -> bool:
        """Whether it was answered, and the answer is the truth."""
        return self.answer is not None and self.answer.digit == self.truth

    @property
    def summary(self) -> str:
        """In a few words: `7, read as 1, P = 0.5312, uncertain`."""
        if self.answer is None:
            return f"{self.truth}, {self.status}"
        doubt = "" if self.status == "ok" else f", {self.status}"
        return f"{self.truth}, read as {self.answer.digit}, P = {self.answer.probability:.4f}{doubt}"

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for JSON."""
        found = {"error": self.error} if self.answer is None else self.answer.to_dict()
        return {"picture": str(self.path), "truth": self.truth, "status": self.status, **found}


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What became of all pictures, in the order in which they were given."""

    outcomes: tuple[Outcome, ...]

    @property
    def answered(self) -> int:
        """How many pictures were answered, certain or not."""
        return sum(outcome.answer is not None for outcome in self.outcomes)

    @property
    def right(self) -> int:
        """How many answers are the truth."""
        return sum(outcome.right for outcome in self.outcomes)

    @property
    def accuracy(self) -> float | None:
        """The share of the answers that are the truth, 0 to 1; None when nothing was answered."""
        return self.right / self.answered if self.answered else None

    def by_status(self) -> dict[Status, tuple[int, int]]:
        """How many pictures came to each status that there is, and how many of those are right."""
        statuses: tuple[Status, ...] = ("ok", "uncertain", "no-ink", "several", "unreadable")
        found = {status: [o for o in self.outcomes if o.status == status] for status in statuses}
        return {status: (len(some), sum(o.right for o in some)) for status, some in found.items() if some}

    def confusion(self) -> NDArray[np.int64]:
        """Int64 (10, 10): at [a, b], how many pictures of digit a were read as b."""
        counts = np.zeros((DIGITS, DIGITS), np.int64)
        for outcome in self.outcomes:
            if outcome.answer is not None:
                counts[outcome.truth, outcome.answer.digit] += 1
        return counts

    def mistakes(self) -> list[Outcome]:
        """Wrong answers, the surest first, then the pictures refused though they could be read."""
        wrong = [o for o in self.outcomes if o.answer is not None and not o.right]
        refused = [o for o in self.outcomes if o.status in ("no-ink", "several")]
        return sorted(wrong, key=lambda o: -o.answer.probability if o.answer else 0.0) + refused

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for JSON; of the pictures, those that were not read right."""
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


def find_pictures(folder: str | os.PathLike[str]) -> list[Labelled]:
    """All pictures in a folder and the folders in it, in order of their paths, with their digits.

    Files are pictures by the endings of their names; hidden files and folders are passed over.

    Raises:
        LabelError: when there is no such folder, no picture in it, or one whose digit is not plain.
    """
    top = Path(folder)
    if not top.is_dir():
        raise LabelError(f"{top}: no such folder")
    paths = sorted(path for path in top.rglob("*") if _is_picture(path, top))
    if not paths:
        raise LabelError(f"{top}: holds no pictures ({', '.join(sorted(_ENDINGS))})")
    return [Labelled(path, digit_of(path)) for path in paths]


def digit_of(path: Path) -> int:
    """The digit that a picture is said to show.

    It is the name of the folder that the picture lies in, when that is a single digit. If not, it is a
    single digit at the beginning or the end of the picture's name without its ending, set apart from the
    rest by anything but a letter or a digit. Two different digits leave it open, and nothing is guessed.

    Raises:
        LabelError: when it is not plain.
    """
    folder = path.absolute().parent.name
    if re.fullmatch("[0-9]", folder):
        return int(folder)
    first, last = _FIRST.match(path.stem), _LAST.search(path.stem)
    digits = {found[1] for found in (first, last) if found}
    if len(digits) == 1:
        return int(digits.pop())
    problem = "begins and ends with different digits" if digits else "neither begins nor ends with one digit"
    raise LabelError(f"{path}: its name {problem}; rename it as 7_abc.png, or put it in a folder named 7")


def classify_pictures(model: PairModel, pictures: Iterable[Labelled]) -> Iterator[Outcome]:
    """Answer pictures one by one.

    Raises:
        ValueError: when the model has no digit head.
    """
    for path, digit in pictures:
        try:
            [answer] = model.classify([path])
        except ImageError as error:
            yield Outcome(path, digit, refusal(error), None, str(error))
        else:
            yield Outcome(path, digit, answer.status, answer)


def sheet_cells(evaluation: Evaluation) -> Iterator[Cell]:
    """The mistakes as cells of a contact sheet. Each picture is read again: they were not all kept."""
    from pairedge.drawing import Cell
    from pairedge.image import read_picture
    from pairedge.image.decode import open_picture

    for outcome in evaluation.mistakes():
        picture: NDArray[Any]
        tile: NDArray[np.uint8] | None
        if outcome.answer is None:
            picture, tile = np.asarray(open_picture(outcome.path).convert("RGB")), None
        else:
            steps = read_picture(outcome.path).drawings()
            picture, tile = steps["picture"], steps["tile"]
        yield Cell(picture, tile, outcome.summary, str(outcome.path))


def _is_picture(path: Path, top: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(top).parts)
    return path.suffix.lower() in _ENDINGS and not hidden and path.is_file()
