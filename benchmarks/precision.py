"""Reduced precision: the accuracy, size and speed of a model in fp16 and int8 beside fp32.

python -m benchmarks.precision [MODEL] [--quick]

Accuracy is over every test tile, as a digit and compared with 20 others, and over the same pairs in each
precision. int8 is calibrated on training tiles. Calls of all precisions take turns.
"""

from __future__ import annotations

import statistics
from pathlib import Path

import click
import numpy as np

import pairedge
from benchmarks.options import HELP, model_argument, quick_option
from benchmarks.records import (
    AcceptanceCriterion,
    DecisionRow,
    PrecisionRecord,
    PrecisionRow,
    keep,
    latency,
)
from pairedge.bench import Calls, interleaved, machine
from pairedge.graph import CONTRACTS
from pairedge_export.precision import AGREEMENT, LOSS, PRECISIONS, changes, reduce_precision
from pairedge_train.data.loading import load_data
from pairedge_train.experiments.recipe import Recipe

BATCH = 1024


@click.command(context_settings=HELP)
@model_argument
@quick_option
def main(model: Path, quick: bool) -> None:
    """Measure the graphs in the folder MODEL in every precision; store the results of a full run."""
    seconds, count = (2, 500) if quick else (30, None)
    fp32 = {path.stem: path.read_bytes() for path in sorted(model.glob("*.onnx")) if path.stem in CONTRACTS}
    metadata = pairedge.load(fp32["pair"]).metadata
    data = load_data(Recipe.from_dict(metadata["recipe"]).data)
    tiles, labels = data.test.tiles[:count], data.test.labels.numpy()[:count]
    reduced = {
        precision: fp32 if precision == "fp32" else reduce_precision(fp32, precision, data.training.tiles)
        for precision in PRECISIONS
    }
    models = {precision: pairedge.load(graphs["pair"]) for precision, graphs in reduced.items()}
    pairs = np.resize(np.stack([tiles, np.roll(tiles, 1, axis=0)], axis=1), (BATCH, 2, 14, 14))
    first, second = pairs[0]
    ones: Calls = {
        f"1 {name}": (lambda each=each: each.predict(first, second))  # type: ignore[misc]  # the default binds it now
        for name, each in models.items()
    }
    many: Calls = {
        f"{BATCH} {name}": (lambda each=each: each.predict_batch(pairs))  # type: ignore[misc]  # the default binds it now
        for name, each in models.items()
    }
    times = interleaved([ones, many], seconds)
    rows = []
    for name, graphs in reduced.items():
        judged = changes(fp32, graphs, tiles, labels)
        row = PrecisionRow(
            precision=name,
            bytes={kind: len(content) for kind, content in graphs.items()},
            one_pair_microseconds=latency(times[f"1 {name}"]),
            batch_microseconds_per_pair=1e6 * statistics.median(times[f"{BATCH} {name}"]) / BATCH,
            changes=[DecisionRow(**change.to_dict()) for change in judged],
            accepted=all(change.accepted for change in judged),
        )
        click.echo(row)
        rows.append(row)
    if not quick:
        record = PrecisionRecord(
            machine=machine(),
            weights_sha256=metadata["weights_sha256"],
            criterion=AcceptanceCriterion(min_agreement=AGREEMENT, max_accuracy_loss=LOSS),
            batch=BATCH,
            precisions=rows,
        )
        keep("precision", record)


if __name__ == "__main__":
    main()
