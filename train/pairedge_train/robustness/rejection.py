"""Doubt: how well the confidence below which an answer is uncertain parts digits from what is none.

The threshold was chosen in training, on pictures held out (`calibration.doubt_threshold`). What it does is
measured on test digits, as MNIST has them and rendered, and on pictures that show no digit: letters, signs,
fonts and shapes that training never saw. A picture that is refused counts as flagged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pairedge.model import PairModel
from pairedge_train.data.datasets import Digits, fields_of
from pairedge_train.rendering.negatives import KINDS, render_negative
from pairedge_train.rendering.tiles import Tiles, rendered_tiles, tile_or_none
from pairedge_train.rows import Row

Confidence: TypeAlias = Callable[[Tiles], NDArray[np.floating]]


def doubt(
    confidence: Confidence, threshold: float, test: Digits, count: int, generator: Generator, workers: int
) -> Row:
    """What share of digits, and of what is none, a threshold flags.

    Args:
        confidence: what the model's answer is worth, float (N,) in 0..1, of tiles uint8 (N, 14, 14).
        threshold: an answer of less is uncertain.
        test: digits that training never saw, with their fields.
        count: pictures of each kind that shows no digit; four times as many digits are rendered.
        generator: draws the pictures.
        workers: processes to use.
    """
    tiles, drawn = rendered_sample(test, 4 * count, generator, workers)
    kept = int((confidence(tiles) >= threshold).sum())
    plain = confidence(test.tiles)
    kinds = {}
    for kind in KINDS:
        pictures = (render_negative(kind, generator, testing=True) for _ in range(count))
        read = [tile for tile in map(tile_or_none, pictures) if tile is not None]
        certain = int((confidence(np.stack(read)) >= threshold).sum()) if read else 0
        kinds[kind] = {"n": count, "flagged": 1 - certain / count, "refused": count - len(read)}
    return {
        "threshold": threshold,
        "digits": {
            "mnist": {"n": len(plain), "flagged": float((plain < threshold).mean())},
            "rendered": {"n": drawn, "flagged": 1 - kept / drawn, "refused": drawn - len(tiles)},
        },
        "not_digits": kinds,
        "all_not_digits": {
            "n": count * len(kinds),
            "flagged": float(np.mean([row["flagged"] for row in kinds.values()])),
        },
    }


def confidence_of(model: PairModel) -> Confidence:
    """The probability that a model gives its own answer."""
    return lambda tiles: np.array([each.probability for each in model.classify(tiles)])


def rendered_sample(side: Digits, count: int, generator: Generator, workers: int) -> tuple[Tiles, int]:
    """Tiles of digits rendered under the conditions as training draws them, and how many were drawn."""
    chosen = generator.choice(len(side), min(count, len(side)), replace=False)
    labels = side.labels.numpy()[chosen]
    tiles, _ = rendered_tiles(fields_of(side)[chosen], labels, generator, workers=workers)
    return tiles, len(chosen)


def doubt_table(doubts: Row) -> str:
    """What the threshold flags, as Markdown."""
    named = {
        "digits: MNIST's test tiles": doubts["digits"]["mnist"],
        "digits: rendered test digits": doubts["digits"]["rendered"],
    }
    named |= {f"none: {kind}": row for kind, row in sorted(doubts["not_digits"].items())}
    named["**none: all of these**"] = doubts["all_not_digits"]
    lines = ["| pictures | n | flagged |", "|---|---|---|"]
    lines += [f"| {name} | {row['n']:,} | {100 * row['flagged']:.1f} % |" for name, row in named.items()]
    return "\n".join(lines) + "\n"
