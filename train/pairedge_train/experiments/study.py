"""Studies: tables of recipes, each trained for several rounds, with claims and figures.

A study is a TOML file in train/recipes/: settings that all rows share, tables of rows, claims about them and
figures of them. The study of a report also has the numbers that the report printed. Each row's recipe can be
trained by name, as study, table and row: `pairedge-train --recipe report3.1.fc_2`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pairedge_train.experiments.recipe import Recipe, merged

Statistic = Literal[
    "train_accuracy",
    "test_accuracy",
    "validation_accuracy",
    "best_test_accuracy",
    "test_of_best_fold",
    "exact_accuracy",
    "exact_digit_accuracy",
    "leq_calibration_error",
    "digit_calibration_error",
    "error_of_surest_99",
    "validation_exact_accuracy",
    "validation_digit_accuracy",
    "validation_loss",
    "best_temperature",
]

FIRST_SEED = 2021  # of the first round, by default


@dataclass(frozen=True, kw_only=True)
class StudyRow:
    """One row of a table: its recipe, and the numbers that the report printed.

    Attributes:
        label: its name on the page.
        recipe: its recipe.
        rounds: number of rounds.
        seed: seed of the first round; each further round's seed is one higher.
        published: the report's mean accuracy, 0 to 1; None where it printed none.
        sd: the report's standard deviation; None where it printed none.
    """

    label: str
    recipe: Recipe
    rounds: int
    seed: int
    published: float | None = None
    sd: float | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """One results table.

    Attributes:
        name: short name, for the command line.
        title: title on the page.
        statistic: the metric of a round whose mean over the rounds is shown.
        rounds: number of rounds of each row.
        rows: the rows, in the report's order.
        source: where the report prints the numbers.
        published_n: number of rounds behind the report's means.
        beside: further statistics to show.
        seconds: show the training time of a round too.
        grid: dotted name of the setting that varies along the rows, for a figure over it.
        remark: a paragraph below the table.
    """

    name: str
    title: str
    statistic: Statistic
    rounds: int
    rows: tuple[StudyRow, ...]
    source: str = ""
    published_n: int = 0
    beside: tuple[Statistic, ...] = ()
    seconds: bool = False
    grid: str | None = None
    remark: str = ""

    def row(self, label: str) -> StudyRow:
        """The row with a label."""
        return next(row for row in self.rows if row.label == label)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A sentence of the report that its table should bear out.

    Attributes:
        text: the claim.
        table: name of the table it rests on.
        order: labels of rows, least first.
        measure: what is ordered, the rows' mean or their standard deviation.
    """

    text: str
    table: str
    order: tuple[str, ...]
    measure: Literal["mean", "sd"] = "mean"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure of a table or of training curves.

    Attributes:
        name: part of its file names.
        title: title above it.
        kind: "panels" (one for each row), "lines" (all rows in one), "losses" (curves of one row), "bars",
            "grid" (the table over its varying setting), "reliability" (reliability diagrams), or "coverage"
            (error rate over the share of rejected answers).
        table: name of the table.
        rows: labels of the rows to show; empty for all.
        curves: names of the curves to draw.
        rounds: number of rounds where the report's figure has more than the table; else None.
    """

    name: str
    title: str
    kind: Literal["panels", "lines", "losses", "bars", "grid", "reliability", "coverage"]
    table: str
    rows: tuple[str, ...] = ()
    curves: tuple[str, ...] = ()
    rounds: int | None = None


@dataclass(frozen=True, kw_only=True)
class Study:
    """Tables, claims and figures, of a report or our own.

    Attributes:
        name: name of its file.
        title: title of its page.
        about: first paragraph of its page.
        tables: its tables.
        claims: its claims.
        figures: its figures.
    """

    name: str
    title: str
    about: str
    tables: tuple[Table, ...]
    claims: tuple[Claim, ...]
    figures: tuple[Figure, ...]

    @property
    def is_report(self) -> bool:
        """Whether it reproduces one of the five reports."""
        return self.name.startswith("report")

    def table(self, name: str) -> Table:
        """The table with a name.

        Raises:
            KeyError: when there is none.
        """
        return {table.name: table for table in self.tables}[name]

    def shown(self, figure: Figure) -> list[StudyRow]:
        """The rows that a figure shows, with the figure's number of rounds."""
        table = self.table(figure.table)
        rows = [table.row(label) for label in figure.rows] if figure.rows else list(table.rows)
        return [replace(row, rounds=figure.rounds or row.rounds) for row in rows]


def read_study(path: Path) -> Study:
    """Read a study from its TOML file.

    Raises:
        TypeError: for an unknown key.
        RecipeError: for a row that is not a valid recipe.
    """
    content: dict[str, Any] = tomllib.loads(path.read_text())
    shared, seed = content.pop("recipe"), content.pop("seed", FIRST_SEED)
    tables = tuple(_table(table, shared, seed) for table in content.pop("table"))
    claims = tuple(Claim(**{**claim, "order": tuple(claim["order"])}) for claim in content.pop("claim", ()))
    figures = tuple(
        Figure(**{**figure, "rows": tuple(figure.get("rows", ())), "curves": tuple(figure.get("curves", ()))})
        for figure in content.pop("figure", ())
    )
    return Study(name=path.stem, tables=tables, claims=claims, figures=figures, **content)


def _table(table: dict[str, Any], shared: dict[str, Any], seed: int) -> Table:
    """A table from its TOML; a row's settings override the table's, and those the study's."""
    settings = merged(shared, table.pop("recipe", {}))
    rows = []
    for row in table.pop("rows"):
        recipe = Recipe.from_dict(merged(settings, row.pop("recipe")))
        rows.append(StudyRow(recipe=recipe, rounds=table["rounds"], seed=seed, **row))
    return Table(rows=tuple(rows), beside=tuple(table.pop("beside", ())), **table)
