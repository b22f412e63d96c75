"""Rows of schema 1 to schema 2, once: another digest of the same recipe, and one field with another name.

    python -m tools.migrate_rows artifacts/reports artifacts/best

The way back gives the bytes of before, which a test shows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from pairedge_train.experiments.library import load_recipe, shipped_recipes
from pairedge_train.experiments.schema_1 import digest_1
from pairedge_train.files import write_atomically

FIELDS = {"doubt_threshold": "digit_threshold"}


def digests() -> dict[str, str]:
    """The digest of every recipe that has rows in schema 1, and its digest now."""
    recipes = [*shipped_recipes().values()]
    # Two rounds of best.jsonl were trained by a recipe that no table shows any more.
    recipes.append(
        load_recipe("best.small.by the labels, 120 epochs").with_({"loss.teacher": "best.any-size.best"})
    )
    return {digest_1(recipe): recipe.digest() for recipe in recipes}


def migrate(content: bytes, digest: Mapping[str, str], field: Mapping[str, str] = FIELDS) -> bytes:
    """A file's rows with other digests and other names of fields; a line that is no round stays as it is.

    Raises:
        KeyError: for a digest that no shipped recipe has.
    """
    lines = []
    for line in content.splitlines():
        row: dict[str, Any] = json.loads(line)
        if "recipe" in row:
            row = {field.get(name, name): value for name, value in row.items()}
            row["recipe"] = digest[row["recipe"]]
        lines.append(json.dumps(row, sort_keys=True) + "\n")
    return "".join(lines).encode()


@click.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, exists=True))
def main(folders: tuple[Path, ...]) -> None:
    """Migrate all rows in FOLDERS."""
    known = digests()
    for path in sorted(path for folder in folders for path in folder.glob("*.jsonl")):
        write_atomically(path, migrate(path.read_bytes(), known))


if __name__ == "__main__":
    main()
