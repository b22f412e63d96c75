"""The digits of a recipe that adds rendered pictures to those of its data set."""

from __future__ import annotations

import os

import numpy as np
import torch

from pairedge_train.data.pairs import DataSet, Digits
from pairedge_train.errors import DataError
from pairedge_train.rendering.tiles import training_tiles
from pairedge_train.experiments.recipe import Recipe


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
