"""Studies: tables of recipes that are trained for some rounds each; of a report, beside what it printed.

A study is a TOML file in train/recipes/: settings that all its rows share, tables of rows, of a report with
the numbers that it printed, the claims that rest on them, and the figures that plot them. Each row's recipe
can be trained by name, `pairedge-train --recipe report3.1.fc_2`, as study, table and row.
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

FIRST_SEED = 2021  # of the first round, where nothing else is said


RowName = str | tuple[str, str]  # a label, or table and label


@dataclass(frozen=True, kw_only=True)
class StudyRow:
    """One row of a table: how it is trained here, and what the report printed.

    Attributes:
        label: what the page calls it.
        recipe: how it is trained.
        rounds: how many rounds it has.
        seed: of its first round, counted up by one for each further round.
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
        name: short, for the command line.
        title: what the page calls it.
        statistic: what a round gives, and how the rounds become one number.
        rounds: how many rounds each row has.
        rows: in the report's order.
        source: where in the report its numbers stand.
        source_kind: whether its text prints the numbers, or they are read off a figure, or are those of its
            program or of a later report.
        published_n: how many the report's numbers are means over.
        repeats: name of the table that prints the same numbers and counts them; "" where this one does.
        beside: further statistics to show.
        seconds: show the seconds of a round too.
        grid: the setting that varies along the rows, by its dotted name, for a figure over it.
        remark: what a reader should know, one paragraph.
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
        """The row of that label."""
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
class Figure:
    """A figure that plots a table or its training.

    Attributes:
        name: of its files.
        title: above it.
        kind: "panels" (one for each row), "lines" (all rows in one), "losses" (curves of one row), "bars",
            "grid" (the table over its varying setting), "reliability" (what probabilities are worth),
            "coverage" (errors left over the share of answers that are handed to a person), or "architectures"
            (diagrams of networks, which rest on no rounds).
        table: name of the table; "" for architectures.
        rows: labels to show; all where none are named.
        curves: which of the rows' curves to draw.
        rounds: more rounds than the table needs, where the report's figure has more.
        variants: whose networks the diagrams show.
    """

    name: str
    title: str
    kind: Literal["panels", "lines", "losses", "bars", "grid", "reliability", "coverage", "architectures"]
    table: str = ""
    rows: tuple[str, ...] = ()
    curves: tuple[str, ...] = ()
    rounds: int | None = None
    variants: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Study:
    """Tables, claims and figures, of a report or our own.

    Attributes:
        name: of its file.
        title: what the page calls it.
        about: how its rows are trained.
        tables: its tables.
        claims: what they should bear out, the main claim first.
        figures: what is plotted of them.
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
        """The table of that name.

        Raises:
            KeyError: when there is none.
        """
        return {table.name: table for table in self.tables}[name]

    def row(self, claim: Claim, name: RowName) -> StudyRow:
        """A row that a claim names."""
        table, label = (claim.table, name) if isinstance(name, str) else name
        return self.table(table).row(label)

    def shown(self, figure: Figure) -> list[StudyRow]:
        """The rows that a figure shows, with as many rounds as it shows of them."""
        if figure.kind == "architectures":
            return []
        table = self.table(figure.table)
        rows = [table.row(label) for label in figure.rows] if figure.rows else list(table.rows)
        return [replace(row, rounds=figure.rounds or row.rounds) for row in rows]


def read_study(path: Path) -> Study:
    """Read a study from its TOML file.

    Raises:
        TypeError: for an unknown key.
        RecipeError: for a row that makes no valid recipe.
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
    settings: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in figure.items()
    }
    return Figure(**settings)


def _table(table: dict[str, Any], shared: dict[str, Any], seed: int) -> Table:
    """A table of which each row's recipe changes the table's, and the table's the study's."""
    settings = merged(shared, table.pop("recipe", {}))
    rows = []
    for row in table.pop("rows"):
        recipe = Recipe.from_dict(merged(settings, row.pop("recipe")))
        rows.append(StudyRow(**{"rounds": table["rounds"], **row}, recipe=recipe, seed=seed))
    return Table(rows=tuple(rows), beside=tuple(table.pop("beside", ())), **table)
