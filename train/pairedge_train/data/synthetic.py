"""The digits of a recipe that adds rendered pictures to those of its data set."""

from __future__ import annotations

import os

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from pairedge_train.data.datasets import NOT_A_DIGIT, DataSet, Digits
from pairedge_train.errors import DataError
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.rendering.glyphs import printed_digits
from pairedge_train.rendering.tiles import Labels, OnProgress, Tiles, negative_tiles, rendered_tiles


def mixed(data: DataSet, recipe: Recipe, seed: int) -> DataSet:
    """A data set with what the recipe adds to its training digits, decided by the seed.

    A teacher and its student, whose rounds have one seed, are so given the same digits, rendered once.

    Raises:
        DataError: where digits are to be rendered that are not kept at 28x28, or others were added before.
    """
    wanted = (*recipe.mixture, seed)
    if not any(recipe.mixture) or data.added == wanted:
        return data
    training, fields = data.training, data.training.fields
    if data.added or fields is None:
        raise DataError("only a data set of 28x28 digits, as it was loaded, can be mixed with rendered ones")
    random = np.random.default_rng(seed)
    some = random.permutation(np.arange(recipe.rendered) % len(training))  # each about as often as any other
    tiles, labels = training_tiles(
        fields.numpy()[some],
        training.labels.numpy()[some],
        random,
        printed=recipe.printed,
        not_digits=recipe.not_digits,
        workers=os.cpu_count() or 1,
    )
    added = Digits.of_tiles(tiles, torch.from_numpy(labels))
    return DataSet(Digits.joined([training, added]), data.test, wanted)


def training_tiles(
    digits: NDArray[np.uint8],
    labels: Labels,
    generator: Generator,
    *,
    printed: int,
    not_digits: int,
    workers: int = 1,
    on_progress: OnProgress | None = None,
) -> tuple[Tiles, Labels]:
    """A whole mixture: rendered handwriting, rendered print, and pictures that show no digit, in this order.

    Args:
        digits: uint8 (N, 28, 28), as MNIST has them.
        labels: int64 (N,).
        generator: decides everything.
        printed: how many printed digits to render.
        not_digits: how many tiles of what is no digit, labelled NOT_A_DIGIT.
        workers: processes to use.
        on_progress: called with how many pictures were finished since the last call.

    Returns:
        tiles uint8 (M, 14, 14), labels int64 (M,).
    """
    print_, print_labels = printed_digits(printed, generator)
    tiles, kept = rendered_tiles(
        np.concatenate([digits, print_]),
        np.concatenate([labels, print_labels]),
        generator,
        workers=workers,
        on_progress=on_progress,
    )
    none = negative_tiles(not_digits, generator, workers=workers, on_progress=on_progress)
    return np.concatenate([tiles, none]), np.concatenate([kept, np.full(len(none), NOT_A_DIGIT, np.int64)])
