"""Fewer bits: what fp16 and int8 do to the accuracy, the size and the speed of a model.

python benchmarks/precision.py [MODEL] [--quick]

Accuracy is of every test tile, as a digit and compared with 20 others, and the same pairs for all. int8 finds
its ranges on training tiles. All are timed by calls made in turn.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np
from side_by_side import arguments, keep

import pairedge
from pairedge.bench import Calls, interleaved, percentiles
from pairedge.graph import CONTRACTS
from pairedge_export.precision import AGREEMENT, LOSS, PRECISIONS, changes, reduce_precision
from pairedge_train.data.datasets import load_data

BATCH = 1024


def main(model: Path, seconds: float, count: int | None, kept: bool) -> None:
    """Lower the model, judge and time each precision, print a line for each, keep a long run's figures."""
    fp32 = {path.stem: path.read_bytes() for path in sorted(model.glob("*.onnx")) if path.stem in CONTRACTS}
    metadata = pairedge.load(fp32["pair"]).metadata
    data = load_data(metadata["recipe"]["dataset"], None)
    tiles, labels = data.test.tiles[:count], data.test.labels.numpy()[:count]
    graphs = {
        precision: fp32 if precision == "fp32" else reduce_precision(fp32, precision, data.training.tiles)
        for precision in PRECISIONS
    }
    models = {precision: pairedge.load(found["pair"]) for precision, found in graphs.items()}
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
    rows: list[dict[str, Any]] = []
    for name, found in graphs.items():
        judged = changes(fp32, found, tiles, labels)
        rows.append(
            {
                "precision": name,
                "bytes": {kind: len(content) for kind, content in found.items()},
                "one_pair_microseconds": percentiles(times[f"1 {name}"]),
                "batch_microseconds_per_pair": 1e6 * statistics.median(times[f"{BATCH} {name}"]) / BATCH,
                "changes": [change.to_dict() for change in judged],
                "promise_kept": all(change.accepted for change in judged),
            }
        )
        sys.stdout.write(f"{rows[-1]}\n")
    if kept:
        bounds = {"agreement": AGREEMENT, "loss": LOSS}
        weights = metadata["weights_sha256"]
        keep("precision", {"weights_sha256": weights, "bounds": bounds, "batch": BATCH, "precisions": rows})


if __name__ == "__main__":
    options = arguments(__doc__).parse_args()
    if options.quick:
        main(options.model, 2, 500, kept=False)
    else:
        main(options.model, 30, None, kept=True)
