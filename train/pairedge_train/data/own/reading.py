"""Finds what a path holds, and reads it."""

from __future__ import annotations

from pathlib import Path

from pairedge_train.data.own.csv_file import read_csv
from pairedge_train.data.own.idx import images_in, read_idx
from pairedge_train.data.own.labeled import Labeled
from pairedge_train.data.own.npz import read_npz
from pairedge_train.data.own.pictures import OnPicture, read_pictures
from pairedge_train.errors import DataError


def read_own(path: Path, group_by: str = "", on_picture: OnPicture = lambda _: None) -> Labeled:
    """Read pictures with labels from a folder of pictures, IDX files or their folder, an NPZ or a CSV file.

    Args:
        path: of the folder or file.
        group_by: how writers are told apart, as `Data.group_by` says; empty for no writers.
        on_picture: called after each picture of a folder with the number of all.

    Raises:
        DataError: when it holds none of these, or what it holds cannot be used.
    """
    suffix = path.suffix.lower()
    if path.is_dir() and not images_in(path):
        return read_pictures(path, group_by, on_picture)
    if path.is_dir() or "idx" in path.name:
        if group_by:
            raise DataError(f"{path}: an IDX file does not say who wrote what, so group_by cannot be used")
        return read_idx(path)
    if suffix == ".npz":
        return read_npz(path, group_by)
    if suffix == ".csv":
        return read_csv(path, group_by)
    raise DataError(f"{path}: is neither a folder of pictures nor an IDX, NPZ or CSV file")
