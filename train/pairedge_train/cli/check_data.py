"""What `pairedge-train` says of a data set of one's own, and `--check-data`, which does only that."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from tqdm import tqdm

from pairedge.cli.shared import shown
from pairedge_train.data.loading import own_path
from pairedge_train.data.own.labeled import Labeled
from pairedge_train.data.own.pictures import OnPicture
from pairedge_train.data.own.reading import read_own
from pairedge_train.data.own.sheet import draw_data
from pairedge_train.data.own.splits import SPLITS, OwnData, split_data
from pairedge_train.errors import DataError
from pairedge_train.experiments.recipe import Data
from pairedge_train.files import write_atomically

_LISTED = 20  # refused pictures; the sheet has more


def check_data(settings: Data, data_dir: Path | None, out: Path) -> None:
    """Read and split a data set of one's own, draw its contact sheet, and print the sizes of its splits.

    The sheet is drawn, too, where the pictures cannot be split.

    Raises:
        DataError: when the data set cannot be used.
    """
    if not settings.is_own:
        raise click.UsageError(f"--check-data is for a path of your own; {settings.dataset} is published")
    path = own_path(settings.dataset, data_dir)
    with reading_bar() as on_picture:
        pictures = read_own(path, settings.group_by, on_picture)
    sheet = out / f"{path.resolve().stem}.png"
    try:
        data = split_data(pictures)
    except DataError:
        click.echo("\n".join(refusals(pictures)))
        write_sheet(pictures, sheet)
        raise
    click.echo("\n".join(table(data)))
    write_sheet(data, sheet)


@contextmanager
def reading_bar() -> Iterator[OnPicture]:
    """A progress bar on standard error for pictures that are read, which a second's work does not need."""
    with tqdm(desc="reading", unit="picture", leave=False, delay=1) as bar:

        def on_picture(total: int) -> None:
            bar.total = total
            bar.update()

        yield on_picture


def write_sheet(data: Labeled | OwnData, path: Path) -> None:
    """Write the contact sheet as a PNG file, and print its path."""
    content = io.BytesIO()
    draw_data(data).save(content, "PNG", optimize=True)
    write_atomically(path, content.getvalue())
    click.echo(f"Contact sheet: {path}")


def headline(data: OwnData) -> str:
    """One line: `my_digits: 100 pictures, 71 training, 15 validation, 14 test; 2 refused`."""
    sizes = ", ".join(f"{data.count(split).total():,} {split}" for split in SPLITS)
    refused = f"; {len(data.pictures.refused):,} refused" if data.pictures.refused else ""
    return f"{data.pictures.path}: {len(data.pictures):,} pictures, {sizes}{refused}"


def table(data: OwnData) -> Iterator[str]:
    """The lines of the report: sizes by class and split, what is there twice, and what was refused."""
    yield headline(data)
    if data.pictures.groups is not None:
        writers = [len({data.pictures.groups[place] for place in data.places(split)}) for split in SPLITS]
        sizes = ", ".join(f"{count:,} {split}" for count, split in zip(writers, SPLITS, strict=True))
        yield f"writers: {sizes}"
    yield ""
    wide = max(5, *map(len, data.pictures.classes)) + 2
    yield f"{'class':<{wide}}" + "".join(f"{split:>12}" for split in SPLITS)
    counts = [data.count(split) for split in SPLITS]
    for label, name in enumerate(data.pictures.classes):
        yield f"{name:<{wide}}" + "".join(f"{count[label]:>12,}" for count in counts)
    more = sum(count - 1 for count in Counter(data.pictures.contents).values())
    if more:
        yield ""
        yield f"{more:,} pictures repeat another of the same split"
    yield from refusals(data.pictures)


def refusals(pictures: Labeled) -> Iterator[str]:
    """The lines of a list of what was refused, if anything was."""
    if pictures.refused:
        yield ""
        yield "refused"
    yield from (f"  {shown(name)}: {reason}" for name, reason in pictures.refused[:_LISTED])
    if len(pictures.refused) > _LISTED:
        yield f"  and {len(pictures.refused) - _LISTED:,} more"
