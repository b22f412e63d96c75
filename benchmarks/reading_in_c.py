"""The reading in C beside the one in Python: the same pictures, the same tiles, the same refusals?

python -m benchmarks.reading_in_c [--quick]

MNIST's test digits under every rendered condition, negatives of every kind, and some of the former enlarged,
so that they are shrunk first. Pictures are handed over as decoded pixels; times are of the processor, so that
what else the machine does counts little.
"""

from __future__ import annotations

import resource
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import click
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from benchmarks.options import HELP, quick_option
from benchmarks.records import ReadingRecord, ReadingRow, keep
from pairedge.bench import machine
from pairedge.confidence import Status, refusal_status
from pairedge.errors import ImageError, PairedgeError
from pairedge.image.tile import TILE_SIDE, to_tile
from pairedge_export.reading import FOLDER, SOURCES
from pairedge_train.data.datasets import fields_of
from pairedge_train.data.loading import load_data
from pairedge_train.experiments.recipe import Data
from pairedge_train.randomness import seeded
from pairedge_train.rendering.conditions import CONDITIONS, Rendered
from pairedge_train.rendering.negatives import KINDS, render_negative
from pairedge_train.rendering.render import render

Levels = NDArray[np.uint8]  # (H, W), (H, W, 3) or (H, W, 4), 0 to 255
STATUS: tuple[Status, ...] = ("ok", "no-ink", "several")  # by the number that C answers
ENLARGED = 5  # times: most conditions are then longer than the 400 pixels that are kept


@dataclass(frozen=True)
class Read:
    """What became of a picture.

    Attributes:
        status: "ok", or why it was refused.
        tile: uint8 (14, 14), 0 to 255; of a refused picture all 0.
    """

    status: Status
    tile: Levels


def compile_reader(folder: Path, *options: str, compiler: str = "cc") -> Path:
    """Compile reading_in_c.c with the C that is exported, into a program in a folder.

    Raises:
        PairedgeError: when there is no such compiler, or it has anything to say.
    """
    if shutil.which(compiler) is None:
        raise PairedgeError(f"{compiler}: no such compiler")
    program = folder / "reading_in_c"
    sources = [Path(__file__).with_suffix(".c"), *SOURCES]
    strict = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"]
    files: list[str | Path] = ["-I", FOLDER, *sources, "-o", program, "-lm"]
    command = [compiler, *strict, *options, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PairedgeError(f"{compiler} refuses the reading: {done.stderr}")
    return program


def read_in_c(program: Path, pictures: Sequence[Levels]) -> list[Read]:
    """What C makes of pictures.

    Raises:
        PairedgeError: when the program ends in another way than by itself, as a sanitizer makes it.
    """
    done = subprocess.run(program, input=b"".join(map(_sent, pictures)), capture_output=True, check=False)
    if done.returncode:
        raise PairedgeError(f"the reading in C failed: {done.stderr.decode(errors='replace')}")
    size = 1 + TILE_SIDE**2
    answers = np.frombuffer(done.stdout, np.uint8).reshape(len(pictures), size)
    return [Read(STATUS[answer[0]], answer[1:].reshape(TILE_SIDE, TILE_SIDE)) for answer in answers]


def _sent(levels: Levels) -> bytes:
    height, width = levels.shape[:2]
    channels = 1 if levels.ndim == 2 else levels.shape[2]
    return struct.pack("=iii", width, height, channels) + levels.tobytes()


def read_in_python(levels: Levels) -> Read:
    """What Python makes of a picture."""
    try:
        return Read("ok", to_tile(Image.fromarray(levels)))
    except ImageError as error:
        return Read(refusal_status(error), np.zeros((TILE_SIDE, TILE_SIDE), np.uint8))


def levels_of(picture: Rendered) -> Levels:
    """The pixels of a rendered picture."""
    image = Image.open(BytesIO(picture)) if isinstance(picture, bytes) else picture
    return np.asarray(image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGB"))


def enlarged(levels: Levels) -> Levels:
    """A picture that is ENLARGED times as wide and high."""
    image = Image.fromarray(levels)
    size = (image.width * ENLARGED, image.height * ENLARGED)
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC))


def picture_sets(digits: Levels, count: int) -> Iterator[tuple[str, list[Levels]]]:
    """Each set of pictures by name.

    Args:
        digits: uint8 (N, 28, 28), 0 to 255.
        count: pictures of each condition; as many of all negatives, and of all enlarged pictures.
    """
    large: list[Levels] = []
    for name in CONDITIONS:
        generator = seeded(f"reading in C: {name}")
        chosen = generator.choice(len(digits), count, replace=len(digits) < count)
        pictures = [levels_of(render(digits[index], name, generator)) for index in chosen]
        large += pictures[: count // len(CONDITIONS) + 1]
        yield name, pictures
    generator = seeded("reading in C: negatives")
    yield "negatives", [levels_of(_negative(index, generator)) for index in range(count)]
    large.sort(key=np.size)
    yield "enlarged", [enlarged(levels) for levels in large[-count:]]


def _negative(index: int, generator: Generator) -> Rendered:
    kinds = list(KINDS)
    return render_negative(kinds[index % len(kinds)], generator)


def agreement(name: str, pictures: list[Levels], program: Path) -> ReadingRow:
    """How far C and Python agree on pictures, and the time that each takes."""
    start, children = time.process_time(), _children()
    expected = [read_in_python(levels) for levels in pictures]
    python_seconds = time.process_time() - start
    actual = read_in_c(program, pictures)
    c_seconds = _children() - children
    both = [
        np.abs(python.tile.astype(int) - c.tile)
        for python, c in zip(expected, actual, strict=True)
        if python.status == c.status == "ok"
    ]
    return ReadingRow(
        name=name,
        pictures=len(pictures),
        refused=sum(python.status != "ok" for python in expected),
        same_status=sum(python.status == c.status for python, c in zip(expected, actual, strict=True)),
        same_tile=sum(int(difference.max() == 0) for difference in both),
        levels=sum(difference.size for difference in both),
        levels_within_one=sum(int((difference <= 1).sum()) for difference in both),
        python_milliseconds=1e3 * python_seconds / len(pictures),
        c_milliseconds=1e3 * c_seconds / len(pictures),
    )


def _children() -> float:
    """Seconds of processor time of the processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@click.command(context_settings=HELP)
@quick_option
def main(quick: bool) -> None:
    """Compare every set of pictures; store the results of a full run."""
    digits = fields_of(load_data(Data(dataset="mnist")).test)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        program = compile_reader(Path(folder), "-O2")
        for name, pictures in picture_sets(digits, 2 if quick else 500):
            rows.append(agreement(name, pictures, program))
            click.echo(rows[-1])
    if not quick:
        keep("reading_in_c", ReadingRecord(machine=machine(), sets=rows))


if __name__ == "__main__":
    main()
