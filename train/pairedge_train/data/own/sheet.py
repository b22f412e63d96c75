"""Draws one's own data as a contact sheet: what was refused first, then pictures of each class in turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pairedge.drawing import Cell, draw_sheet
from pairedge.image.tile import read_picture
from pairedge.scoring import refused_picture
from pairedge_train.data.own.labeled import Labeled
from pairedge_train.data.own.splits import OwnData


def draw_data(data: Labeled | OwnData) -> Image.Image:
    """Draw pictures beside their tiles, with class, name and, where they could be split, their split."""
    pictures, splits = (data, None) if isinstance(data, Labeled) else (data.pictures, data.splits)
    return draw_sheet(cells(pictures, splits), len(pictures) + len(pictures.refused))


def cells(data: Labeled, splits: Sequence[str] | None) -> Iterator[Cell]:
    """The pictures as cells. Those of files are read again, as they are not kept in memory."""
    for name, reason in data.refused:
        picture = refused_picture(str(data.path / name)) if data.are_files else np.zeros((1, 1, 1), np.uint8)
        yield Cell(picture, None, reason, name)
    by_class = [np.flatnonzero(data.labels == label).tolist() for label in range(len(data.classes))]
    for place in chain.from_iterable(zip_longest(*by_class)):
        if place is not None:
            shown = data.classes[data.labels[place]]
            words = shown if splits is None else f"{shown}, {splits[place]}"
            yield Cell(_picture(data, place), data.tiles[place], words, data.names[place])


def _picture(data: Labeled, place: int) -> NDArray[Any]:
    """A picture before it was read, (H, W, C), or its field (28, 28), 0 to 255."""
    pixels = read_picture(data.path / data.names[place]).pixels if data.are_files else None
    return data.fields[place] if pixels is None else pixels
