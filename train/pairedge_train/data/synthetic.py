"""Synthetic additions to a data set: rendered pictures of its digits, of printed digits, and negatives.

Digits are held out for validation before anything is rendered from them, so that training has neither a
held-out digit nor a picture of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from numpy.random import Generator, SeedSequence, default_rng
from numpy.typing import NDArray

from pairedge_train.data.datasets import NEGATIVE, Additions, DataSet, Digits
from pairedge_train.errors import DataError
from pairedge_train.experiments.recipe import Data, Synthetic
from pairedge_train.rendering.glyphs import printed_digits
from pairedge_train.rendering.negatives import Split
from pairedge_train.rendering.tiles import Labels, OnProgress, Tiles, negative_tiles, rendered_tiles


def with_synthetic(
    data: DataSet, settings: Data, seed: int, on_progress: OnProgress | None = None
) -> DataSet:
    """Hold digits out of a data set, then add synthetic pictures to the rest and to the held-out digits.

    Two digits are held out for each pair that the settings hold out, or else use for validation. Either side
    gets pictures of its own digits, and letters, signs and shapes of its own; held-out digits get their share
    of the number asked for. Printed digits are for training only. The seed determines all of it: a teacher
    and its student share a seed, so they get the same pictures, which are rendered once.

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
    training, held_out = (
        Digits.joined([digits, Digits.of_tiles(tiles, torch.from_numpy(labels))])
        for digits, tiles, labels in rendered_sides(data.training, additions, on_progress)
    )
    return DataSet(training, data.test, held_out if additions.held_out else None, additions)


def rendered_sides(
    digits: Digits, additions: Additions, on_progress: OnProgress | None
) -> Iterator[tuple[Digits, Tiles, Labels]]:
    """The digits to train on, then the held-out ones, each with what to add to them.

    Yields:
        digits, their tiles, uint8 (M, 14, 14), 0 to 255, and labels, int64 (M,), 0 to 9 or NEGATIVE.
    """
    import joblib

    share = additions.held_out / len(digits)
    settings = additions.synthetic
    held_out = Synthetic(
        rendered=round(share * settings.rendered), negatives=round(share * settings.negatives)
    )
    training = replace(
        settings,
        rendered=settings.rendered - held_out.rendered,
        negatives=settings.negatives - held_out.negatives,
    )
    choice, *generators = (default_rng(each) for each in SeedSequence(additions.seed).spawn(3))
    order = torch.from_numpy(choice.permutation(len(digits)))
    sides = (order[additions.held_out :], order[: additions.held_out])
    splits: tuple[Split, Split] = ("training", "validation")
    for side, amounts, generator, split in zip(sides, (training, held_out), generators, splits, strict=True):
        chosen = digits.take(side.sort().values)
        assert chosen.fields is not None
        tiles, labels = synthetic_tiles(
            chosen.fields.numpy(),
            chosen.labels.numpy(),
            generator,
            amounts,
            split=split,
            workers=joblib.cpu_count(),
            on_progress=on_progress,
        )
        yield chosen, tiles, labels


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
    """All additions to some digits, in this order: rendered handwriting, rendered printed digits, negatives.

    Args:
        digits: uint8 (N, 28, 28), 0 to 255, as in MNIST; each is rendered about equally often.
        labels: int64 (N,), 0 to 9.
        generator: draws everything random.
        settings: how many of each.
        split: what the negatives are for.
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
    added = negative_tiles(
        settings.negatives, generator, workers=workers, split=split, on_progress=on_progress
    )
    added_labels = np.full(len(added), NEGATIVE, np.int64)
    return np.concatenate([tiles, added]), np.concatenate([tile_labels, added_labels])
