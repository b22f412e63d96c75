"""Synthetic additions to a data set: rendered pictures of its digits, of print, and of what is no digit."""

from __future__ import annotations

import os

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from pairedge_train.data.datasets import NEGATIVE, DataSet, Digits
from pairedge_train.errors import DataError
from pairedge_train.experiments.recipe import Synthetic
from pairedge_train.rendering.glyphs import printed_digits
from pairedge_train.rendering.tiles import Labels, OnProgress, Tiles, negative_tiles, rendered_tiles


def with_synthetic(
    data: DataSet, settings: Synthetic, seed: int, on_progress: OnProgress | None = None
) -> DataSet:
    """A data set with synthetic training digits added, all of them decided by the seed.

    A teacher and its student, whose rounds have one seed, are so given the same digits, rendered once.

    Args:
        data: as it was loaded, or with these same additions already.
        settings: what to add.
        seed: decides which digits are rendered, and how.
        on_progress: called with the number of pictures that were rendered since the last call.

    Raises:
        DataError: where digits are to be rendered that are not kept at 28x28, or others were added before.
    """
    if not settings or data.added == (settings, seed):
        return data
    training, fields = data.training, data.training.fields
    if data.added or fields is None:
        raise DataError("only a data set of 28x28 digits, as it was loaded, can be joined by rendered ones")
    generator = np.random.default_rng(seed)
    # Each about as often as any other.
    chosen = generator.permutation(np.arange(settings.rendered) % len(training))
    tiles, labels = training_tiles(
        fields.numpy()[chosen],
        training.labels.numpy()[chosen],
        generator,
        printed=settings.printed,
        negatives=settings.negatives,
        workers=os.cpu_count() or 1,
        on_progress=on_progress,
    )
    added = Digits.of_tiles(tiles, torch.from_numpy(labels))
    return DataSet(Digits.joined([training, added]), data.test, (settings, seed))


def training_tiles(
    digits: NDArray[np.uint8],
    labels: Labels,
    generator: Generator,
    *,
    printed: int,
    negatives: int,
    workers: int = 1,
    on_progress: OnProgress | None = None,
) -> tuple[Tiles, Labels]:
    """All additions: rendered handwriting, rendered print, and pictures that show no digit, in this order.

    Args:
        digits: uint8 (N, 28, 28), as MNIST has them.
        labels: int64 (N,).
        generator: decides everything.
        printed: how many printed digits to render.
        negatives: how many tiles that show no digit.
        workers: processes to use.
        on_progress: called with the number of pictures that were rendered since the last call.

    Returns:
        tiles uint8 (M, 14, 14), labels int64 (M,), 0 to 9 or NEGATIVE.
    """
    print_, print_labels = printed_digits(printed, generator)
    tiles, kept = rendered_tiles(
        np.concatenate([digits, print_]),
        np.concatenate([labels, print_labels]),
        generator,
        workers=workers,
        on_progress=on_progress,
    )
    none = negative_tiles(negatives, generator, workers=workers, on_progress=on_progress)
    return np.concatenate([tiles, none]), np.concatenate([kept, np.full(len(none), NEGATIVE, np.int64)])
