"""Markdown tables, and pages that keep them between `<!-- table: NAME -->` and `<!-- end -->`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

_BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def replace_tables(page: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """The page with the content of every marked table replaced.

    Args:
        page: Markdown.
        tables: what makes each table, by the name in its mark.

    Raises:
        KeyError: when a mark names a table that does not exist.
    """
    return _BLOCK.sub(lambda block: block[1] + tables[block[2]]() + block[3], page)


def table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table, one string per cell."""
    cells = list(heading)
    lines = [cells, ["---"] * len(cells), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
