"""The data set that a recipe names: a published one, or one's own by its path."""

from __future__ import annotations

import os
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from pairedge.classes import DIGIT_CLASSES
from pairedge_train.data.datasets import DataSet, Digits
from pairedge_train.data.own.pictures import OnPicture
from pairedge_train.data.own.reading import read_own
from pairedge_train.data.own.splits import OwnData, split_data
from pairedge_train.data.published import load_published
from pairedge_train.errors import DataError
from pairedge_train.experiments.recipe import PUBLISHED, Data
from pairedge_train.files import cache_folder


def load_data(settings: Data, data_dir: Path | None = None) -> DataSet:
    """Load the data set of a recipe's data section.

    Args:
        settings: name or path of the data set, and how it is split.
        data_dir: folder that holds published data sets, and relative paths that are not in the working
            directory; None means PAIREDGE_DATA if set, else the cache folder.

    Raises:
        DataError: when it is missing and cannot be downloaded, damaged, cannot be used, or not what the
            settings were made for.
    """
    if settings.is_own:
        return as_data_set(load_own(settings, data_dir), settings)
    data = load_published(settings.dataset, data_dir or default_data_dir())
    check_synthetic(data.classes, settings)
    return data


def default_data_dir() -> Path:
    """The folder that PAIREDGE_DATA names, else the cache folder."""
    return Path(os.environ.get("PAIREDGE_DATA") or cache_folder())


def load_own(settings: Data, data_dir: Path | None = None, on_picture: OnPicture = lambda _: None) -> OwnData:
    """Read and split a data set of one's own.

    Args:
        settings: its path, and how it is split.
        data_dir: as `load_data` takes it.
        on_picture: called after each picture of a folder with the number of all.

    Raises:
        DataError: when it is missing, cannot be used, or is not what the settings were made for.
    """
    path = own_path(settings.dataset, data_dir)
    data = split_data(read_own(path, settings.group_by, on_picture))
    if settings.sha256 not in ("", data.sha256):
        raise DataError(
            f"{path}: its pictures, labels or splits are not those that the recipe was trained on"
        )
    return data


def as_data_set(data: OwnData, settings: Data) -> DataSet:
    """One's own data as what a recipe draws pairs from.

    Folds and synthetic pictures choose what they validate on among the training digits, so the validation
    split joins these.

    Raises:
        DataError: when the settings add synthetic digits to other classes.
    """
    check_synthetic(data.pictures.classes, settings)
    splits = data.data_set()
    if splits.held_out is None or not (settings.folds or settings.synthetic):
        return splits
    return replace(splits, training=Digits.joined([splits.training, splits.held_out]), held_out=None)


def check_synthetic(classes: tuple[str, ...], settings: Data) -> None:
    """Check that no synthetic digits would be added to classes that are none.

    Raises:
        DataError: when they would; the message names the setting.
    """
    synthetic = settings.synthetic
    drawn = {"printed": synthetic.printed, "hands": synthetic.hands, "written": synthetic.written}
    for name, count in drawn.items():
        if count and classes != DIGIT_CLASSES:
            raise DataError(
                f"{settings.dataset}: data.synthetic.{name} draws digits, but its classes are "
                f"{', '.join(classes)}"
            )


def own_path(dataset: str, data_dir: Path | None) -> Path:
    """Where a data set of one's own lies: in the working directory, or below the data folder.

    Raises:
        DataError: when it is in neither.
    """
    for path in (Path(dataset), (data_dir or default_data_dir()) / dataset):
        if path.exists():
            return path
    near = get_close_matches(dataset, PUBLISHED, n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; published ones are {', '.join(PUBLISHED)}"
    raise DataError(f"{dataset}: there is no such file or folder, nor a data set of this name{hint}")
