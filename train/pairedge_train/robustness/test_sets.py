"""How well pictures are read, condition by condition: before, after, and merely resized.

    python -m pairedge_train.robustness.test_sets --before OLD/pair.onnx --before-reading OLD/image.py

MNIST's *test* digits are rendered with seeds that training never uses, read, and classified by each system: a
way to read pictures and a model. The rows go to artifacts/robustness/, with the table as a page, and how
well doubt parts digits from what is none.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

import click
import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray
from PIL import Image

import pairedge
from pairedge.errors import ImageError
from pairedge.image.tile import TILE_SIDE, to_tile
from pairedge.model import PairModel
from pairedge_train.data.pairs import DataSet, Digits, load_data, uci_pictures
from pairedge_train.robustness.rejection import confidence_of, doubt, doubt_table, fields_of
from pairedge_train.files import write_all
from pairedge_train.rendering.european import barred, flagged
from pairedge_train.cli.options import data_dir_option, told_in_one_sentence
from pairedge_train.rendering.conditions import CONDITIONS, Rendered, render
from pairedge_train.rows import Row
from pairedge_train.rendering.glyphs import printed_digits

Tile: TypeAlias = NDArray[np.uint8]
Reading: TypeAlias = Callable[[Rendered], Tile | None]

SEED = 20_251_121  # of the pictures that are tested on; training mixtures draw theirs from a round's seed


@dataclass(frozen=True)
class System:
    """One way to read pictures and classify them.

    Attributes:
        name: what the table calls it.
        reading: "resized", "ours", or the path of another version of pairedge/image.py.
        model: what classifies.
        model_sha256: of its file, twelve digits.
    """

    name: str
    reading: str
    model: PairModel
    model_sha256: str


@dataclass(frozen=True)
class Pictures:
    """N pictures of one condition, as each reading's tiles.

    Attributes:
        name: the condition, or the set.
        about: what it stands for.
        labels: int64 (N,).
        tiles: for each reading, N tiles, None where the picture was refused.
    """

    name: str
    about: str
    labels: NDArray[np.int64]
    tiles: dict[str, list[Tile | None]]


# ---------------------------------------------------------------- pictures


def condition_pictures(
    name: str, digits: NDArray[np.uint8], labels: NDArray[np.int64], readings: list[str], count: int
) -> Pictures:
    """Pictures of `count` test digits under one condition; the same whatever else is drawn.

    Args:
        name: in CONDITIONS.
        digits: uint8 (N, 28, 28).
        labels: int64 (N,).
        readings: how to read them.
        count: how many to draw.
    """
    generator = seeded(name)
    chosen = generator.choice(len(digits), min(count, len(digits)), replace=False)
    pictures = [render(digits[index], name, generator) for index in chosen]
    return Pictures(name, CONDITIONS[name].about, labels[chosen], read_all(pictures, readings))


def european_pictures(
    digits: NDArray[np.uint8], labels: NDArray[np.int64], readings: list[str], count: int
) -> Pictures:
    """Ones with a flag and sevens with a bar, photographed on squared paper or plain."""
    generator = seeded("european")
    chosen = generator.permutation(np.flatnonzero((labels == 1) | (labels == 7)))[:count]
    written = [(flagged if labels[index] == 1 else barred)(digits[index], generator) for index in chosen]
    names = ("photo", "squared", "pencil")
    pictures = [render(each, names[int(generator.integers(3))], generator) for each in written]
    about = "European ones and sevens, on plain and squared paper"
    return Pictures("european", about, labels[chosen], read_all(pictures, readings))


def typeset_pictures(readings: list[str], count: int) -> Pictures:
    """Digits of fonts that training never sees, under every condition that suits print."""
    generator = seeded("typeset")
    digits, labels = printed_digits(count, generator, testing=True)
    names = ("scan", "photo", "print", "white-on-black")
    pictures = [render(digit, names[int(generator.integers(4))], generator) for digit in digits]
    return Pictures("typeset", "printed digits, fonts kept for tests", labels, read_all(pictures, readings))


def scikit_learn_pictures(readings: list[str]) -> Pictures:
    """Real 8x8 digits by other writers, UCI's, as scikit-learn has them: nothing is rendered."""
    levels, labels = uci_pictures()
    pictures: list[Rendered] = [Image.fromarray(each) for each in levels]
    about = "real digits, 8x8, of scikit-learn (UCI optdigits)"
    return Pictures("uci-real", about, labels, read_all(pictures, readings))


def all_pictures(test: Digits, readings: list[str], count: int, workers: int) -> list[Pictures]:
    """Every condition, and the sets that are no condition of their own."""
    digits, labels = fields_of(test), test.labels.numpy()
    jobs: list[tuple[Any, ...]] = [
        (condition_pictures, name, digits, labels, readings, count) for name in CONDITIONS
    ]
    jobs += [(european_pictures, digits, labels, readings, count), (typeset_pictures, readings, count)]
    jobs += [(scikit_learn_pictures, readings)]
    if workers == 1:
        return [function(*arguments) for function, *arguments in jobs]
    from joblib import Parallel, delayed

    done: list[Pictures] = Parallel(n_jobs=workers)(
        delayed(function)(*arguments) for function, *arguments in jobs
    )
    return done


def seeded(name: str, seed: int = SEED) -> Generator:
    """The generator of a condition, which does not depend on what other conditions there are."""
    return default_rng([seed, zlib.crc32(name.encode())])


# ---------------------------------------------------------------- reading


def read_all(pictures: list[Rendered], readings: list[str]) -> dict[str, list[Tile | None]]:
    """Each picture's tile by each reading."""
    return {name: [reading_named(name)(picture) for picture in pictures] for name in readings}


@cache
def reading_named(name: str) -> Reading:
    """The reading "resized", "ours", or that of an image.py in a file."""
    if name == "resized":
        return merely_resized
    function = to_tile if name == "ours" else _loaded_to_tile(Path(name))

    def read(picture: Rendered) -> Tile | None:
        try:
            return function(picture)
        except ImageError:
            return None

    return read


def _loaded_to_tile(path: Path) -> Callable[[Rendered], Tile]:
    """`to_tile` of another version of pairedge/image.py."""
    spec = importlib.util.spec_from_file_location("pairedge_image_before", path)
    if spec is None or spec.loader is None:
        raise click.UsageError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Callable[[Rendered], Tile] = module.to_tile
    return function


def merely_resized(picture: Rendered) -> Tile:
    """What most people try first: grey, white on black by the border's median, and 14x14. Never refuses."""
    image = Image.open(BytesIO(picture)) if isinstance(picture, bytes) else picture
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    levels = np.asarray(image.convert("L"))
    border = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    if np.median(border) > 127:
        levels = 255 - levels
    small = Image.fromarray(levels).resize((TILE_SIDE, TILE_SIDE), Image.Resampling.BOX)
    return np.asarray(small, np.uint8)


# ---------------------------------------------------------------- judging


def judge(pictures: Pictures, system: System, seed: int = SEED) -> Row:
    """One row: the share of pictures that a system reads rightly; a refused picture is not read rightly."""
    tiles = pictures.tiles[system.reading]
    read = [tile for tile in tiles if tile is not None]
    labels = [label for tile, label in zip(tiles, pictures.labels, strict=True) if tile is not None]
    answers = system.model.classify(np.stack(read)) if read else []
    right = sum(answer.digit == label for answer, label in zip(answers, labels, strict=True))
    return {
        "condition": pictures.name,
        "about": pictures.about,
        "system": system.name,
        "model": system.model_sha256,
        "n": len(tiles),
        "accuracy": right / len(tiles),
        "refused": len(tiles) - len(read),
        "seed": seed,
    }


# ---------------------------------------------------------------- the page


def page(rows: list[Row], doubts: Row) -> str:
    """The rows and what is doubted, as Markdown."""
    threshold = f"{doubts['threshold']:.3f}"
    return f"""# Pictures, condition by condition

MNIST's test digits as `pairedge_train.rendering.conditions` renders them, one picture a digit, with seeds that training
never uses. Share of digits read rightly; a refused picture is read wrongly.

{condition_table(rows)}
## Doubt

An answer of probability below {threshold} is uncertain. The threshold was chosen in training, on digits
held out. The letters, signs, fonts and shapes are those that training never saw.

{doubt_table(doubts)}"""


def condition_table(rows: list[Row]) -> str:
    """A line for each condition, a column for each system, as Markdown."""
    systems = list(dict.fromkeys(row["system"] for row in rows))
    cells = {(row["condition"], row["system"]): row for row in rows}
    lines = [
        f"| condition | | n | {' | '.join(systems)} | refused |",
        f"|---|---|---|{'---|' * (len(systems) + 1)}",
    ]
    for name in dict.fromkeys(row["condition"] for row in rows):
        found = [cells[name, system] for system in systems]
        shares = " | ".join(f"{100 * row['accuracy']:.1f} %" for row in found)
        last = found[-1]
        lines.append(f"| {name} | {last['about']} | {last['n']:,} | {shares} | {last['refused']} |")
    means = " | ".join(f"{100 * mean_of_conditions(rows, system):.1f} %" for system in systems)
    lines.append(f"| **mean** | of the rendered conditions | | {means} | |")
    return "\n".join(lines) + "\n"


def mean_of_conditions(rows: list[Row], system: str) -> float:
    """The mean accuracy of a system over the rendered conditions, each counting the same."""
    found = [row["accuracy"] for row in rows if row["system"] == system and row["condition"] in CONDITIONS]
    return float(np.mean(found))


# ---------------------------------------------------------------- the command


def systems_of(before: Path | None, before_reading: Path | None, after: Path | None) -> list[System]:
    """Merely resized, before (its reading too, where it is given), and after."""
    path = after or Path(pairedge.model.shipped_graph("pair"))
    systems = [System("after", "ours", *_opened(path))]
    if before is not None:
        model, digest = _opened(before)
        systems.insert(0, System("merely resized", "resized", model, digest))
        systems.insert(1, System("before", str(before_reading or "ours"), model, digest))
        if before_reading is not None:
            systems.insert(2, System("new reading, old model", "ours", model, digest))
    return systems


def doubts_of(model: PairModel, data: DataSet, count: int, workers: int) -> Row:
    """What the model's own threshold of doubt does."""
    threshold = model.min_confidence
    return doubt(confidence_of(model), threshold, data.test, count, seeded("doubt"), workers) | {"seed": SEED}


def _opened(path: Path) -> tuple[PairModel, str]:
    return pairedge.load(path), hashlib.sha256(path.read_bytes()).hexdigest()[:12]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--before", type=click.Path(path_type=Path, exists=True), help="The old model's pair.onnx.")
@click.option(
    "--before-reading", type=click.Path(path_type=Path, exists=True), help="The old pairedge/image.py."
)
@click.option(
    "--after", type=click.Path(path_type=Path, exists=True), help="The new model. [the shipped one]"
)
@click.option("--count", type=click.IntRange(min=1), default=500, show_default=True, help="Pictures each.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("artifacts/robustness"),
    show_default=True,
    help="Folder of the rows and the page.",
)
@data_dir_option
def main(
    before: Path | None,
    before_reading: Path | None,
    after: Path | None,
    count: int,
    jobs: int,
    out: Path,
    data_dir: Path | None,
) -> None:
    """Measure how well pictures are read under every condition, and what is doubted."""
    with told_in_one_sentence():
        data = load_data("mnist", data_dir)
        systems = systems_of(before, before_reading, after)
        pictures = all_pictures(data.test, list({system.reading: None for system in systems}), count, jobs)
        rows = [judge(each, system) for each in pictures for system in systems]
        doubts = doubts_of(systems[-1].model, data, count, jobs)
        text = page(rows, doubts)
        write_all(
            out,
            {
                "conditions.json": (json.dumps(rows, indent=1, sort_keys=True) + "\n").encode(),
                "doubt.json": (json.dumps(doubts, indent=1, sort_keys=True) + "\n").encode(),
                "robustness.md": text.encode(),
            },
        )
        click.echo(text)


if __name__ == "__main__":
    from pairedge_train import robustness  # as a module that worker processes can import, too

    robustness.main()
