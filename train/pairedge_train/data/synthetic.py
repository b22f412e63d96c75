"""Synthetic additions to a data set: rendered pictures of its digits, of printed digits, and negatives."""

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
    """Add synthetic training digits to a data set; the seed determines all of them.

    A teacher and its student share a seed, so they get the same pictures, which are rendered once.

    Args:
        data: as loaded, or with these same additions already.
        settings: what to add.
        seed: determines which digits are rendered, and how.
        on_progress: called with the number of pictures rendered since the last call.

    Raises:
        DataError: when the digits have no 28x28 fields, or others were added before.
    """
    if not settings or data.added == (settings, seed):
        return data
    training, fields = data.training, data.training.fields
    if data.added or fields is None:
        raise DataError("only a data set of 28x28 digits, as it was loaded, can be joined by rendered ones")
    generator = np.random.default_rng(seed)
    # Every digit is rendered about equally often.
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
    """All additions, in this order: rendered handwriting, rendered printed digits, negatives.

    Args:
        digits: uint8 (N, 28, 28), 0 to 255, as in MNIST.
        labels: int64 (N,), 0 to 9.
        generator: draws everything random.
        printed: number of printed digits to render.
        negatives: number of negatives.
        workers: processes to use.
        on_progress: called with the number of pictures rendered since the last call.

    Returns:
        tiles uint8 (M, 14, 14), 0 to 255, and labels int64 (M,), 0 to 9 or NEGATIVE.
    """
    glyphs, glyph_labels = printed_digits(printed, generator)
    tiles, tile_labels = rendered_tiles(
        np.concatenate([digits, glyphs]),
        np.concatenate([labels, glyph_labels]),
        generator,
        workers=workers,
        on_progress=on_progress,
    )
    added = negative_tiles(negatives, generator, workers=workers, on_progress=on_progress)
    added_labels = np.full(len(added), NEGATIVE, np.int64)
    return np.concatenate([tiles, added]), np.concatenate([tile_labels, added_labels])
