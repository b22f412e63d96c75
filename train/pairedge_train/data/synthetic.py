"""Synthetic additions to a data set: rendered pictures of its digits, of printed digits, and negatives.

Digits are held out for validation before anything is rendered from them, so that training has neither a
held-out digit nor a picture of one.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.random import Generator, SeedSequence, default_rng
from numpy.typing import NDArray

from pairedge_train.data.datasets import NEGATIVE, Additions, DataSet, Digits, fields_of
from pairedge_train.data.rendered_cache import rendered_once
from pairedge_train.errors import DataError
from pairedge_train.experiments.recipe import Data, Synthetic
from pairedge_train.rendering.glyphs import printed_digits
from pairedge_train.rendering.split import Split
from pairedge_train.rendering.tiles import (
    Labels,
    OnProgress,
    Tiles,
    hand_tiles,
    negative_tiles,
    pen_tiles,
    rendered_tiles,
)


def with_synthetic(
    data: DataSet, settings: Data, seed: int, on_progress: OnProgress | None = None
) -> DataSet:
    """Hold digits out of a data set, then add synthetic pictures to the rest and to the held-out digits.

    Two digits are held out for each pair that the settings hold out, or else use for validation. Either side
    gets pictures of its own digits, and letters, signs and shapes of its own; held-out digits get their share
    of the number asked for. Printed digits are for training only. The seed determines all of it: a teacher
    and its student share a seed, so they get the same pictures.

    Pictures are rendered once and kept in the cache folder for later calls.

    Args:
        data: as loaded, or with these same additions already.
        settings: what to add, and how many pairs to hold out.
        seed: determines which digits are held out and rendered, and how.
        on_progress: called with the number of pictures rendered since the last call.

    Raises:
        DataError: when the digits have no 28x28 fields, others were added before, or none would be left to
            train on.
    """
    additions = Additions(settings.synthetic, 2 * (settings.hold_out or settings.validation_pairs), seed)
    if not settings.synthetic or data.added == additions:
        return data
    if data.added or data.training.fields is None:
        raise DataError("only a data set of 28x28 digits, as it was loaded, can be joined by rendered ones")
    if additions.held_out >= len(data.training):
        raise DataError(f"{additions.held_out} of {len(data.training)} training digits cannot be held out")
    sides = parted(data.training, additions)
    facts = {
        **asdict(additions),
        "digits": hashlib.sha256(fields_of(data.training).tobytes()).hexdigest(),
        "labels": data.training.labels.tolist(),
    }
    added = rendered_once(facts, partial(rendered_sides, sides, additions, on_progress))
    training, held_out = (
        Digits.joined([side, Digits.of_tiles(added[f"{split}_tiles"], torch.from_numpy(added[split]))])
        for split, side in sides.items()
    )
    return DataSet(training, data.test, held_out if additions.held_out else None, additions)


def parted(digits: Digits, additions: Additions) -> dict[Split, Digits]:
    """The digits to train on and those to hold out for validation, in their order."""
    order = torch.from_numpy(_generators(additions)[0].permutation(len(digits)))
    training, held_out = order[additions.held_out :], order[: additions.held_out]
    return {
        "training": digits.take(training.sort().values),
        "validation": digits.take(held_out.sort().values),
    }


def rendered_sides(
    sides: dict[Split, Digits], additions: Additions, on_progress: OnProgress | None
) -> dict[str, NDArray[Any]]:
    """What to add to either side of a data set, on all cores.

    Returns:
        For each split, labels int64 (M,), 0 to 9 or NEGATIVE, under its name, and tiles uint8 (M, 14, 14), 0
        to 255, under its name and "_tiles".
    """
    import joblib

    share = additions.held_out / sum(map(len, sides.values()))
    asked = asdict(additions.synthetic)
    held_out = Synthetic(
        **{name: round(share * amount) for name, amount in asked.items() if name != "printed"}
    )
    training = Synthetic(**{name: amount - getattr(held_out, name) for name, amount in asked.items()})
    added: dict[str, NDArray[Any]] = {}
    for (split, side), settings, generator in zip(
        sides.items(), (training, held_out), _generators(additions)[1:], strict=True
    ):
        added[f"{split}_tiles"], added[split] = synthetic_tiles(
            fields_of(side),
            side.labels.numpy(),
            generator,
            settings,
            split=split,
            workers=joblib.cpu_count(),
            on_progress=on_progress,
        )
    return added


def synthetic_tiles(
    digits: NDArray[np.uint8],
    labels: Labels,
    generator: Generator,
    settings: Synthetic,
    *,
    split: Split = "training",
    workers: int = 1,
    on_progress: OnProgress | None = None,
) -> tuple[Tiles, Labels]:
    """All additions to some digits: rendered MNIST and print, hands of fonts, a pen's digits, then negatives.

    Args:
        digits: uint8 (N, 28, 28), 0 to 255, as in MNIST; each is rendered about equally often.
        labels: int64 (N,), 0 to 9.
        generator: draws everything random.
        settings: how many of each.
        split: what the pictures are for: each has hands and negatives of its own.
        workers: processes to use.
        on_progress: called with the number of pictures rendered since the last call.

    Returns:
        tiles uint8 (M, 14, 14), 0 to 255, and labels int64 (M,), 0 to 9 or NEGATIVE.
    """
    chosen = generator.permutation(np.arange(settings.rendered) % max(len(digits), 1))
    glyphs, glyph_labels = printed_digits(settings.printed, generator)
    tiles, tile_labels = rendered_tiles(
        np.concatenate([digits[chosen], glyphs]),
        np.concatenate([labels[chosen], glyph_labels]),
        generator,
        workers=workers,
        on_progress=on_progress,
    )
    parts = [
        (tiles, tile_labels),
        hand_tiles(settings.hands, generator, split=split, workers=workers, on_progress=on_progress),
        pen_tiles(settings.written, generator, workers=workers, on_progress=on_progress),
    ]
    added = negative_tiles(
        settings.negatives, generator, workers=workers, split=split, on_progress=on_progress
    )
    parts.append((added, np.full(len(added), NEGATIVE, np.int64)))
    return np.concatenate([tiles for tiles, _ in parts]), np.concatenate([labels for _, labels in parts])


def _generators(additions: Additions) -> list[Generator]:
    """For the choice of held-out digits, and for what is added to either side."""
    return [default_rng(each) for each in SeedSequence(additions.seed).spawn(3)]
