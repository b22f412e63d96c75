"""Measure how accurately pictures are classified under each condition, and which are rejected.

    python -m pairedge_train.cli.robustness --jobs 2
    python -m pairedge_train.cli.robustness --baseline OTHER/pair.onnx --baseline-reading OTHER_CHECKOUT

MNIST's *test* digits, and those of hands that are kept for tests, are rendered, read and classified by each
system, which is a way to read pictures and a model: resize only, the baseline if one is given, and pairedge.
Rows and two pages of tables are written to artifacts/robustness/.
"""

from __future__ import annotations

from pathlib import Path

import click

from pairedge_train.cli.options import cli_errors, data_dir_option
from pairedge_train.data.loading import load_data
from pairedge_train.experiments.recipe import Data
from pairedge_train.files import write_all
from pairedge_train.robustness.hands import all_hands_pictures, hands_page
from pairedge_train.robustness.judge import judge, systems_to_compare
from pairedge_train.robustness.page import page
from pairedge_train.robustness.probabilities import probability_rows
from pairedge_train.robustness.rejection import model_rejection
from pairedge_train.robustness.rows import Robustness, to_files
from pairedge_train.robustness.several import count_several
from pairedge_train.robustness.test_sets import all_pictures

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--model", type=_FILE, help="The pair.onnx under test. [default: the shipped one]")
@click.option("--baseline", type=_FILE, help="Another pair.onnx to compare with.")
@click.option("--baseline-reading", type=_FOLDER, help="Checkout whose preprocessing the baseline uses.")
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    help="Pictures per condition, and per hand.",
)
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Parallel processes.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("artifacts/robustness"),
    show_default=True,
    help="Output folder: five JSON files of rows, robustness.md and hands.md.",
)
@data_dir_option
def main(
    model: Path | None,
    baseline: Path | None,
    baseline_reading: Path | None,
    count: int,
    jobs: int,
    out: Path,
    data_dir: Path | None,
) -> None:
    """Measure the accuracy under each condition, what is rejected, and calibration.

    Renders MNIST's test digits as photo-like pictures, reads and classifies them, and writes the rows and a
    page of tables.
    """
    if baseline_reading and not baseline:
        raise click.UsageError("--baseline-reading needs --baseline")
    with cli_errors():
        data = load_data(Data(dataset="mnist"), data_dir)
        systems = systems_to_compare(model, baseline, baseline_reading)
        readings = list({system.reading: None for system in systems})
        pictures = all_pictures(data.test, readings, count, jobs)
        hands = all_hands_pictures(readings, count, jobs)
        tested = systems[-1].model
        measured = Robustness(
            conditions=[judge(each, system) for each in pictures for system in systems],
            hands=[judge(each, system) for each in hands for system in systems],
            rejection=model_rejection(tested, data.test, count, jobs),
            several=count_several(data.test, count),
            probabilities=probability_rows(tested, data.test, hands),
        )
        text, text_of_hands = page(measured), hands_page(measured.hands)
        pages = {"robustness.md": text.encode(), "hands.md": text_of_hands.encode()}
        write_all(out, {**to_files(measured), **pages})
        click.echo(text)
        click.echo(text_of_hands)


if __name__ == "__main__":
    main()
