"""Shipped recipes and studies by name, from train/recipes/."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from pairedge_train.errors import RecipeError
from pairedge_train.experiments.recipe import Recipe, read_recipe
from pairedge_train.experiments.study import Study, StudyRow, read_study


@cache
def studies() -> dict[str, Study]:
    """All studies by name, the reports' last."""
    return {path.stem: read_study(path) for path in _recipe_files() if _is_study(path)}


def reports() -> dict[str, Study]:
    """The studies of the five reports, by name."""
    return {name: study for name, study in studies().items() if study.is_report}


def shipped_recipes() -> dict[str, Recipe]:
    """Every shipped recipe by name: single files, and each row of a study as study.table.row."""
    files = {path.stem: read_recipe(path) for path in _recipe_files() if not _is_study(path)}
    return files | {name: row.recipe for name, row in study_rows().items()}


def study_rows() -> dict[str, StudyRow]:
    """Every row of every study, by name: study.table.row."""
    return {
        f"{study.name}.{table.name}.{row.label}": row
        for study in studies().values()
        for table in study.tables
        for row in table.rows
    }


def load_recipe(name_or_file: str) -> Recipe:
    """Load a shipped recipe by name, or else a TOML file.

    Raises:
        RecipeError: when there is neither, or the file is not a valid recipe.
    """
    shipped = shipped_recipes()
    if name_or_file in shipped:
        return shipped[name_or_file]
    path = Path(name_or_file)
    if not path.exists():
        near = get_close_matches(name_or_file, shipped, n=3, cutoff=0.3) or sorted(shipped)[:3]
        raise RecipeError(f"{path}: neither a file nor a shipped recipe; near it are {', '.join(near)}")
    return read_recipe(path)


def _recipe_files() -> list[Path]:
    """The files of recipes and studies: in train/recipes/ of a checkout, else inside the wheel."""
    package = Path(__file__).parents[1]
    # A checkout's own files come first: copies inside the package could only be stale.
    checkout = package.parents[1] / "train" / "recipes"
    folder = checkout if checkout.is_dir() else package / "recipes"
    return sorted(folder.glob("*.toml"))


@cache
def _is_study(path: Path) -> bool:
    return "table" in tomllib.loads(path.read_text())
