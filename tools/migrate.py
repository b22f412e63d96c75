"""Migrates rows of schema 1 to schema 2, once; a test migrates them back to the same bytes.

    python -m tools.migrate artifacts/reports artifacts/best

A row keeps every number: its recipe has another digest, and one field another name.
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

FIELDS = {"doubt_threshold": "digit_threshold"}  # schema 1 has names of its own


def digests() -> dict[str, str]:
    """The digest of every recipe that has rows in schema 1, and its digest now."""
    recipes = [*shipped_recipes().values()]
    # Two rounds of best.jsonl were trained by a recipe that no table shows any more.
    from_labels = load_recipe("best.small.from labels, 120 epochs")
    recipes.append(from_labels.with_({"loss.teacher": "best.any-size.best"}))
    return {digest_1(recipe): recipe.digest() for recipe in recipes}


def migrate_rows(content: bytes, digest: Mapping[str, str], field: Mapping[str, str] = FIELDS) -> bytes:
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


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, exists=True))
def main(folders: tuple[Path, ...]) -> None:
    """Migrate the rows (*.jsonl) in FOLDERS from schema 1 to schema 2."""
    known = digests()
    for folder in folders:
        for path in sorted(folder.glob("*.jsonl")):
            write_atomically(path, migrate_rows(path.read_bytes(), known))


if __name__ == "__main__":
    main()
