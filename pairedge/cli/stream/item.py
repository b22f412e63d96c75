"""An item is one row of work, and becomes one row of results: a picture, or a pair of pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

# One row of results, as --json prints it: the names of the pictures, `status`, and the answer or `error`.
Row: TypeAlias = dict[str, Any]

STANDARD_INPUT = "-"


class Item(NamedTuple):
    """A picture, or a pair of them, to be answered by one row.

    Attributes:
        names: of the picture, or of the two of a pair. `-` with `content` is standard input.
        content: the bytes of the picture from standard input; None without one.
        error: why the item cannot be answered whatever its pictures hold; None when it can.
        id: the list's own name for the row, text or number; None without one.
        label: the digit that the list says the picture shows, as it stands there; None without one.
    """

    names: tuple[str, ...]
    content: bytes | None = None
    error: str | None = None
    id: str | int | float | None = None
    label: str | None = None

    def picture(self, place: int = 0) -> str | bytes:
        """The path of a picture, or its bytes where it came from standard input."""
        name = self.names[place]
        return self.content if name == STANDARD_INPUT and self.content is not None else name

    def heading(self) -> Row:
        """The start of the item's row: `picture`, or `first` and `second`, and its `id` where it has one."""
        columns = ("picture",) if len(self.names) == 1 else ("first", "second")
        row: Row = dict(zip(columns, self.names, strict=True))
        return row if self.id is None else {**row, "id": self.id}


def in_pairs(items: Iterable[Item]) -> Iterator[Item]:
    """Pair up pictures two by two; a last one without a second becomes an item with an error."""
    rest = iter(items)
    for first in rest:
        second = next(rest, None)
        if second is None:
            yield Item((*first.names, ""), error=f"{first.names[0]}: has no second picture to compare with")
        else:
            content = first.content if second.content is None else second.content
            yield Item(first.names + second.names, content, first.error or second.error)
