"""What a command does with its items: it reads the pictures of each, and answers several at a time.

A picture takes far longer to read than to answer, but answering them one by one would add a tenth to that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pairedge.cli.shared import refusal
from pairedge.cli.stream.item import Item, Row
from pairedge.errors import ImageError

if TYPE_CHECKING:
    from pairedge.model import AnyModel

PART = 32  # items that are answered together, and sent to another process together: some 20 ms of reading
_PATIENCE = 0.05  # seconds of reading after which what was read is answered, though the part is not full


@dataclass(frozen=True)
class Task:
    """The two steps of a command, functions of a module, which other processes import.

    Attributes:
        read: gives what an item's row holds before it is answered, such as its tile. An `ImageError` that it
            raises becomes the row.
        answer: completes the rows, PART at most, that were read without an error, by a model with or without
            a digit head, as the command loaded it. What it makes of a row must not depend on the others.
    """

    read: Callable[[Item], Row]
    answer: Callable[[Any, list[Row]], None]

    def rows(self, items: Iterable[Item], model: AnyModel, most: int = PART) -> Iterator[Row]:
        """The rows of items, in order, each soon after it was read.

        Args:
            items: taken as far as they are needed.
            model: answers.
            most: items that are answered together, PART at most. With 1, no row waits for the next item.
        """
        part: list[Row] = []
        start = time.monotonic()
        for item in items:
            part.append(self._read(item))
            if len(part) == most or time.monotonic() - start > _PATIENCE:
                yield from self._answered(part, model)
                part, start = [], time.monotonic()
        yield from self._answered(part, model)

    def _read(self, item: Item) -> Row:
        if item.error is not None:
            return {**item.heading(), "status": "unreadable", "error": item.error}
        try:
            return {**item.heading(), **self.read(item)}
        except ImageError as error:
            return {**item.heading(), **refusal(item.names[0], error)}

    def _answered(self, part: list[Row], model: AnyModel) -> list[Row]:
        if without_error := [row for row in part if "error" not in row]:
            self.answer(model, without_error)
        return part
