"""How well a confidence threshold separates digits from negatives.

The threshold was fitted in training, on validation pairs (`pairedge_train.training.calibration`). Its effect
is measured on MNIST's test digits, as tiles and rendered, and on negatives: kinds that are held out of
training apart from those that training draws, too. A picture that is refused counts as rejected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pairedge.model import PairModel
from pairedge_train.data.datasets import Digits, fields_of
from pairedge_train.randomness import SEED, seeded
from pairedge_train.rendering.negatives import KINDS, render_negative
from pairedge_train.rendering.tiles import Tiles, rendered_tiles, tile_or_none
from pairedge_train.robustness.readings import Tile
from pairedge_train.robustness.rows import RejectionReport, RejectionRow

Confidence: TypeAlias = Callable[[Tiles], NDArray[np.floating]]

# The generator's name is part of its seed: another name would draw other pictures than the committed rows'.
_PICTURES = "doubt"


def model_rejection(model: PairModel, test: Digits, count: int, workers: int) -> RejectionReport:
    """What a model's own confidence threshold rejects; the arguments are those of `measure_rejection`."""
    return measure_rejection(confidence_of(model), model.thresholds.digit, test, count, workers)


def measure_rejection(
    confidence: Confidence, threshold: float, test: Digits, count: int, workers: int, seed: int = SEED
) -> RejectionReport:
    """The shares of digits and of negatives that a confidence threshold rejects.

    Args:
        confidence: from tiles, uint8 (N, 14, 14), to the confidence in their digits, float (N,) in 0..1.
        threshold: an answer with a lower confidence is uncertain.
        test: digits that training never saw, with their 28x28 fields.
        count: negatives of each kind; four times as many digits are rendered.
        workers: processes that render digits.
        seed: of the pictures.
    """
    generator = seeded(_PICTURES, seed)
    tiles, drawn = rendered_sample(test, 4 * count, generator, workers)
    plain = confidence(test.tiles)
    thresholds = threshold, float(np.quantile(plain, 0.01))
    digits = {
        "mnist": _rejection_row(test.tiles, len(test), confidence, thresholds),
        "rendered": _rejection_row(tiles, drawn, confidence, thresholds),
    }
    negatives = {}
    for kind in KINDS:
        pictures = (render_negative(kind, generator, split="test") for _ in range(count))
        read = [tile for tile in map(tile_or_none, pictures) if tile is not None]
        negatives[kind] = _rejection_row(read, count, confidence, thresholds)
    return RejectionReport(
        threshold=threshold,
        threshold_at_1_percent=thresholds[1],
        digits=digits,
        negatives=negatives,
        seed=seed,
    )


def _rejection_row(
    tiles: Sequence[Tile] | Tiles, drawn: int, confidence: Confidence, thresholds: tuple[float, float]
) -> RejectionRow:
    """The row of `drawn` pictures, of which `tiles` could be read, at the model's threshold and at 1 %."""
    confidences = confidence(np.asarray(tiles)) if len(tiles) else np.zeros(0)
    rejected, at_1_percent = (1 - int((confidences >= threshold).sum()) / drawn for threshold in thresholds)
    return RejectionRow(
        n=drawn, rejected=rejected, rejected_at_1_percent=at_1_percent, refused=drawn - len(tiles)
    )


def confidence_of(model: PairModel) -> Confidence:
    """The probability that a model gives its most probable digit."""
    return lambda tiles: model.classify_batch(tiles).confidence


def rendered_sample(side: Digits, count: int, generator: Generator, workers: int) -> tuple[Tiles, int]:
    """Tiles of digits rendered under random conditions, as in training, and how many were drawn.

    Args:
        side: digits with their fields.
        count: how many of them to draw at most.
        generator: draws digits and conditions.
        workers: processes to use.

    Returns:
        Tiles, uint8 (M, 14, 14), and the number of pictures drawn, of which M could be read.
    """
    chosen = generator.choice(len(side), min(count, len(side)), replace=False)
    labels = side.labels.numpy()[chosen]
    tiles, _ = rendered_tiles(fields_of(side)[chosen], labels, generator, workers=workers)
    return tiles, len(chosen)


def rejection_table(report: RejectionReport) -> str:
    """What a threshold rejects, as Markdown."""
    named = {
        "digits: MNIST's test tiles": report.digits["mnist"],
        "digits: rendered test digits": report.digits["rendered"],
    }
    for held_out, name in ((True, "held out"), (False, "also trained on")):
        of_group = report.negatives_of(held_out=held_out)
        named |= {f"negatives, {name}: {kind}": row for kind, row in sorted(of_group.items())}
        named[f"**negatives, {name}: mean**"] = report.mean_of_negatives(held_out=held_out)
    lines = ["| pictures | n | rejected | at 1 % of the digits |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {row.n:,} | {100 * row.rejected:.1f} % | {100 * row.rejected_at_1_percent:.1f} % |"
        for name, row in named.items()
    ]
    return "\n".join(lines) + "\n"
