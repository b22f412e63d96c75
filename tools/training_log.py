"""The tables of train/LOG.md that hold figures of the search, generated from its committed rows.

python -m tools.training_log train/LOG.md
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click

from pairedge_train.experiments.library import load_recipe, study_rows
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.reports.agreement import rows_of
from pairedge_train.rows import RoundRow, read_rows
from tools.markdown import replace_tables, table

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Trial:
    """One line of the search: what was tried, and what came of it.

    Attributes:
        tried: the change, in words.
        before: the row of the search without it, as table.row.
        after: the rows with it, in the order of the words.
        kept: whether it was kept.
    """

    tried: str
    before: str
    after: tuple[str, ...]
    kept: str


_WIDE = "wide-settings.baseline"
_FLAGSHIP = "flagship-length.240 epochs"
TRIALS = (
    Trial(
        "wide network, 240 epochs instead of 120", _WIDE, ("shape-and-length.wide, 240 epochs",), "for `best`"
    ),
    Trial(
        "five convolutions, two of them at 14x14 (`deep`), instead of four and twice the width (`wide`)",
        _WIDE,
        ("shape-and-length.deep, 120 epochs",),
        "beside it",
    ),
    Trial(
        "wide: learning rate 0.002, 0.008 instead of 0.004",
        _WIDE,
        ("wide-settings.learning rate 0.002", "wide-settings.learning rate 0.008"),
        "no",
    ),
    Trial(
        "wide: weight decay 0.1, 0.5 instead of 0.02",
        _WIDE,
        ("wide-settings.weight decay 0.1", "wide-settings.weight decay 0.5"),
        "no",
    ),
    Trial(
        "wide: batches of 32 pairs instead of 64, so twice the steps",
        _WIDE,
        ("wide-settings.batch size 32",),
        "no: more epochs do the same",
    ),
    Trial(
        "wide: label smoothing 0.2 instead of 0.1, moving average 0.998 instead of 0.99",
        _WIDE,
        ("wide-settings.label smoothing 0.2", "wide-settings.moving average decay 0.998"),
        "no",
    ),
    Trial(
        "wide: rotation 17, scale and shear 0.22; elastic 0.07; strokes 0.5",
        _WIDE,
        (
            "wide-settings.rotation 17, scale and shear 0.22",
            "wide-settings.elastic 0.07",
            "wide-settings.stroke width 0.5",
        ),
        "no",
    ),
    Trial("wide: with the comparison loss", _WIDE, ("wide-settings.with the comparison loss",), "no"),
    Trial("two networks of one shape instead of one", _WIDE, ("ensembles.two wide",), "no"),
    Trial("two networks of two shapes, wide and deep", _WIDE, ("ensembles.wide and deep",), "for `best`"),
    Trial(
        "three of three shapes: a third without pooling (`plain`)",
        "ensembles.wide and deep",
        ("ensembles.wide, deep and plain",),
        "for `best`",
    ),
    Trial(
        "flagship, 240 and 480 epochs instead of 120",
        "flagship-length.120 epochs",
        (_FLAGSHIP, "flagship-length.480 epochs"),
        "240",
    ),
    Trial(
        "flagship, 240 epochs: without the comparison loss",
        _FLAGSHIP,
        ("flagship-length.240 epochs, without comparison loss",),
        "no",
    ),
    Trial(
        "flagship, 240 epochs, distilled from the three (two draws; with comparison loss, without)",
        _FLAGSHIP,
        ("flagship-distilled.240 epochs", "flagship-distilled.240 epochs, without comparison loss"),
        "no",
    ),
)


def fill(text: str, root: Path) -> str:
    """The text with its marked tables made from artifacts/best/search.jsonl under `root`."""
    rows = read_rows(root / "artifacts" / "best" / "search.jsonl")
    tables = {"search": search_table, "temperatures": temperature_table}
    return replace_tables(text, {name: partial(make, rows) for name, make in tables.items()})


def search_table(rows: Sequence[RoundRow]) -> str:
    """Each trial's errors on all ordered validation pairs, in percent, without the change and with it."""
    lines = []
    for trial in TRIALS:
        before, *after = errors((trial.before, *trial.after), rows)
        to = ", ".join(f"{error:.2f}" for error in after)
        lines.append([trial.tried, f"{before:.2f}", to, trial.kept])
    return table(["tried", "from", "to", "kept"], lines)


def errors(names: Sequence[str], rows: Sequence[RoundRow]) -> list[float]:
    """The mean errors of rows of the search, in percent, over the draws that all of them have."""
    by_seed = [
        {row.seed: row.validation_exact_accuracy for row in rows_of(study_rows()[f"search.{name}"], rows)}
        for name in names
    ]
    shared = set.intersection(*map(set, by_seed))
    return [100 * (1 - statistics.mean(of_row[seed] or 0.0 for seed in shared)) for of_row in by_seed]


def temperature_table(rows: Sequence[RoundRow]) -> str:
    """The constant of each row of best.toml, and the best temperatures of the search's rounds of its like."""
    lines = []
    for name, row in study_rows().items():
        study, _, label = name.split(".", 2)
        if study == "best":
            best = list(best_temperatures(row.recipe, rows))
            measured = f"{min(best):.3f} to {max(best):.3f}" if best else "no rows"
            lines.append([label, f"{row.recipe.evaluation.temperature:g}", measured, str(len(best))])
    return table(["row of best.toml", "constant", "best temperature", "rounds of the search"], lines)


def best_temperatures(recipe: Recipe, rows: Sequence[RoundRow]) -> Iterator[float]:
    """The best temperatures of the rounds of the search that train as a recipe does.

    Where a round's logits were divided already, its best temperature is the product.
    """
    searched = {row.recipe: row for name, row in study_rows().items() if name.startswith("search.")}
    for other, row in searched.items():
        if trains_alike(recipe, other):
            divided_by = float(other.evaluation.temperature)
            yield from (divided_by * (each.best_temperature or 0.0) for each in rows_of(row, rows))


def trains_alike(one: Recipe, other: Recipe) -> bool:
    """Whether two recipes train the same network in the same way, on whichever pairs."""

    def settings(recipe: Recipe) -> tuple[object, ...]:
        return recipe.network, recipe.augment, replace(recipe.loss, teacher=""), recipe.optim

    if bool(one.loss.teacher) != bool(other.loss.teacher) or settings(one) != settings(other):
        return False
    if not one.loss.teacher:
        return True
    teachers = load_recipe(one.loss.teacher), load_recipe(other.loss.teacher)
    same_temperature = len({teacher.evaluation.temperature for teacher in teachers}) == 1
    return same_temperature and trains_alike(*teachers)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("log", type=click.Path(path_type=Path, exists=True))
def main(log: Path) -> None:
    """Update the tables in LOG from artifacts/best/search.jsonl."""
    log.write_text(fill(log.read_text(), ROOT))


if __name__ == "__main__":
    main()
