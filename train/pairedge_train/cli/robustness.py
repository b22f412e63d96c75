"""How well pictures are read, condition by condition: before, after, and merely resized.

    python -m pairedge_train.cli.robustness --before OLD/pair.onnx --before-reading OLD/image.py

MNIST's *test* digits are rendered, read, and classified by each system: a way to read pictures and a model.
The rows go to artifacts/robustness/, with the table as a page, and how well doubt parts digits from what is
none.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from pairedge.model import PairModel
from pairedge_train.cli.options import data_dir_option, told_in_one_sentence
from pairedge_train.data.datasets import DataSet, load_data
from pairedge_train.files import write_all
from pairedge_train.randomness import SEED, seeded
from pairedge_train.robustness.judge import judge, systems_of
from pairedge_train.robustness.page import page
from pairedge_train.robustness.rejection import confidence_of, doubt
from pairedge_train.robustness.test_sets import all_pictures
from pairedge_train.rows import Row


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--before", type=click.Path(path_type=Path, exists=True), help="The old model's pair.onnx.")
@click.option(
    "--before-reading", type=click.Path(path_type=Path, exists=True), help="The old pairedge/image.py."
)
@click.option(
    "--after", type=click.Path(path_type=Path, exists=True), help="The new model. [the shipped one]"
)
@click.option("--count", type=click.IntRange(min=1), default=500, show_default=True, help="Pictures each.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("artifacts/robustness"),
    show_default=True,
    help="Folder of the rows and the page.",
)
@data_dir_option
def main(
    before: Path | None,
    before_reading: Path | None,
    after: Path | None,
    count: int,
    jobs: int,
    out: Path,
    data_dir: Path | None,
) -> None:
    """Measure how well pictures are read under every condition, and what is doubted."""
    with told_in_one_sentence():
        data = load_data("mnist", data_dir)
        systems = systems_of(before, before_reading, after)
        pictures = all_pictures(data.test, list({system.reading: None for system in systems}), count, jobs)
        rows = [judge(each, system) for each in pictures for system in systems]
        doubts = doubts_of(systems[-1].model, data, count, jobs)
        text = page(rows, doubts)
        write_all(
            out,
            {
                "conditions.json": (json.dumps(rows, indent=1, sort_keys=True) + "\n").encode(),
                "doubt.json": (json.dumps(doubts, indent=1, sort_keys=True) + "\n").encode(),
                "robustness.md": text.encode(),
            },
        )
        click.echo(text)


def doubts_of(model: PairModel, data: DataSet, count: int, workers: int) -> Row:
    """What the model's own threshold of doubt does."""
    threshold = model.thresholds.digit
    return doubt(confidence_of(model), threshold, data.test, count, seeded("doubt"), workers) | {"seed": SEED}


if __name__ == "__main__":
    main()
