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

from pairedge_train.experiments.recipe import Recipe
from pairedge_train.experiments.settings import merged

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

SourceKind = Literal["printed", "figure", "program", "later report"]
ClaimKind = Literal[
    "order",
    "sd order",
    "best",
    "worst",
    "above",
    "below",
    "reaches",
    "equal",
    "no better",
    "fewer parameters",
]

FIRST_SEED = 2021  # of the first round, by default


RowName = str | tuple[str, str]  # a label, or table and label


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
        alternative: whether another row is the one that the number counts for: this one is trained as the
            report's program does where its text says otherwise, or as the text has it where it contradicts
            itself. It is compared, and not counted.
    """

    label: str
    recipe: Recipe
    rounds: int
    seed: int
    published: float | None = None
    sd: float | None = None
    alternative: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """One results table.

    Attributes:
        name: short name, for the command line.
        title: title on the page.
        statistic: the metric of a round whose mean over the rounds is shown.
        rounds: number of rounds of each row, unless the row has another.
        rows: the rows, in the report's order.
        source: where the report prints the numbers.
        source_kind: whether the report's text prints the numbers, or they come from a figure, from its
            program or from a later report.
        published_n: number of rounds behind the report's means.
        repeats: name of the table that prints the same numbers and counts them; "" where this one does.
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
    source_kind: SourceKind = "printed"
    published_n: int = 0
    repeats: str = ""
    beside: tuple[Statistic, ...] = ()
    seconds: bool = False
    grid: str | None = None
    remark: str = ""

    def row(self, label: str) -> StudyRow:
        """The row with a label."""
        return next(row for row in self.rows if row.label == label)

    def counts(self, row: StudyRow) -> bool:
        """Whether a row's number is one that the report prints, as described, and here for the first time."""
        printed = self.source_kind == "printed" and not self.repeats
        return printed and row.published is not None and not row.alternative


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A sentence of the report that its tables should bear out.

    Rows are named by their labels, those of another table than the claim's as [table, label].

    Attributes:
        text: the claim.
        table: name of the table it rests on.
        rows: what it is about; by `kind`.
        kind: "order" (means rise along the rows, each by more than `value`), "sd order" (standard deviations
            do), "best" and "worst" (the first row has the highest, the lowest mean), "above" and "below" (the
            mean of every row is above, below `value`), "reaches" (the row's mean is `value`, as printed with
            `sd` and `n`), "equal" (each row's mean is that of the row in `against`, within the margin), "no
            better" (the first row's mean is not above any other's by the margin), or "fewer parameters" (the
            second row has fewer than the first, by the share `value`).
        against: for "equal".
        value: a bound, a step or a number, as accuracy, 0 to 1.
        sd: for "reaches", the printed standard deviation.
        n: for "reaches", how many rounds it is of.
        statistics: what it is tested on, one verdict each; where none is named, the least noisy estimate of
            the table's statistic that all of its rows have.
    """

    text: str
    table: str
    rows: tuple[RowName, ...]
    kind: ClaimKind = "order"
    against: tuple[RowName, ...] = ()
    value: float = 0.0
    sd: float | None = None
    n: int = 1
    statistics: tuple[Statistic, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """A value read off a curve of a report's figure.

    Attributes:
        row: label of the row that it is of.
        curve: name of the curve.
        at: the epoch, counted from 0; or "minimum", or "end", of the longest round.
        published: the value.
        where: of a minimum or an end, its epoch in the report's figure.
    """

    row: str
    curve: str
    at: int | Literal["minimum", "end"]
    published: float
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure of a table or of training curves.

    Attributes:
        name: part of its file names.
        title: title above it.
        kind: "panels" (one for each row), "lines" (all rows in one), "losses" (curves of one row), "bars",
            "grid" (the table over its varying setting), "reliability" (reliability diagrams), "coverage"
            (error rate over the share of rejected answers), or "architectures" (diagrams of networks).
        table: name of the table; "" for architectures.
        rows: labels of the rows to show; empty for all.
        curves: names of the curves to draw.
        rounds: number of rounds where the report's figure has more than the table; else None.
        variants: names of the variants whose networks are drawn.
        points: values read off the report's figure.
        remark: a paragraph below them.
    """

    name: str
    title: str
    kind: Literal["panels", "lines", "losses", "bars", "grid", "reliability", "coverage", "architectures"]
    table: str = ""
    rows: tuple[str, ...] = ()
    curves: tuple[str, ...] = ()
    rounds: int | None = None
    variants: tuple[str, ...] = ()
    points: tuple[CurvePoint, ...] = ()
    remark: str = ""


@dataclass(frozen=True, kw_only=True)
class Study:
    """Tables, claims and figures, of a report or our own.

    Attributes:
        name: name of its file.
        title: title of its page.
        about: how its rows are trained.
        tables: its tables.
        claims: its claims, the main one first.
        figures: its figures.
        question: what the report asked, in one or two sentences.
    """

    name: str
    title: str
    about: str
    tables: tuple[Table, ...]
    claims: tuple[Claim, ...]
    figures: tuple[Figure, ...]
    question: str = ""

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

    def row(self, claim: Claim, name: RowName) -> StudyRow:
        """A row that a claim names."""
        table, label = (claim.table, name) if isinstance(name, str) else name
        return self.table(table).row(label)

    def shown(self, figure: Figure) -> list[StudyRow]:
        """The rows that a figure shows, with the figure's number of rounds; none for architectures."""
        if figure.kind == "architectures":
            return []
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
    claims = tuple(_claim(claim) for claim in content.pop("claim", ()))
    figures = tuple(_figure(figure) for figure in content.pop("figure", ()))
    return Study(name=path.stem, tables=tables, claims=claims, figures=figures, **content)


def _claim(claim: dict[str, Any]) -> Claim:
    """A claim with its lists as tuples."""
    names = {
        key: tuple(name if isinstance(name, str) else tuple(name) for name in claim.get(key, ()))
        for key in ("rows", "against")
    }
    return Claim(**{**claim, **names, "statistics": tuple(claim.get("statistics", ()))})


def _figure(figure: dict[str, Any]) -> Figure:
    """A figure with its lists as tuples."""
    points = tuple(CurvePoint(**point) for point in figure.pop("points", ()))
    settings: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in figure.items()
    }
    return Figure(**settings, points=points)


def _table(table: dict[str, Any], shared: dict[str, Any], seed: int) -> Table:
    """A table from its TOML; a row's settings override the table's, and those the study's."""
    settings = merged(shared, table.pop("recipe", {}))
    rows = []
    for row in table.pop("rows"):
        recipe = Recipe.from_dict(merged(settings, row.pop("recipe")))
        rows.append(StudyRow(**{"rounds": table["rounds"], **row}, recipe=recipe, seed=seed))
    return Table(rows=tuple(rows), beside=tuple(table.pop("beside", ())), **table)
