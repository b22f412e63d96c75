"""The pictures of the robustness benchmark: MNIST's test digits, rendered with seeds kept for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pairedge_train.data.datasets import Digits, fields_of
from pairedge_train.data.published import uci_pictures
from pairedge_train.randomness import seeded
from pairedge_train.rendering.allographs import ALLOGRAPHS, EUROPEAN_FORMS
from pairedge_train.rendering.conditions import CONDITIONS, Rendered
from pairedge_train.rendering.glyphs import printed_digits
from pairedge_train.rendering.pen import Writer
from pairedge_train.rendering.render import photograph, render
from pairedge_train.robustness.readings import Tile, read_all


@dataclass(frozen=True)
class Pictures:
    """N pictures of one condition, as each reading's tiles.

    Attributes:
        name: the condition, or the set.
        about: its description.
        labels: int64 (N,).
        tiles: N tiles, uint8 (14, 14), by reading; None where the picture was refused.
    """

    name: str
    about: str
    labels: NDArray[np.int64]
    tiles: dict[str, list[Tile | None]]


def condition_pictures(
    name: str, digits: NDArray[np.uint8], labels: NDArray[np.int64], readings: list[str], count: int
) -> Pictures:
    """Pictures of `count` test digits under one condition, independent of what else is drawn.

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


def european_pictures(readings: list[str], count: int) -> Pictures:
    """Ones with an upstroke and sevens with a bar, by writers of their own, on squared or plain paper.

    Args:
        readings: how to read them.
        count: how many to draw.
    """
    generator = seeded("european")
    labels = generator.choice(np.array([1, 7]), count)
    names = ("photo", "squared", "pencil")
    pictures = []
    for label in labels:
        writer = Writer.drawn(generator)
        form = int(generator.choice(EUROPEAN_FORMS[int(label)]))
        strokes = writer.write(ALLOGRAPHS[int(label)][form], generator)
        pictures.append(photograph(strokes, CONDITIONS[names[int(generator.integers(3))]], generator))
    about = "European ones and sevens, on plain and squared paper"
    return Pictures("european", about, labels, read_all(pictures, readings))


def typeset_pictures(readings: list[str], count: int) -> Pictures:
    """Printed digits in fonts that training never sees, under every condition that suits print."""
    generator = seeded("typeset")
    digits, labels = printed_digits(count, generator, testing=True)
    names = ("scan", "photo", "print", "white-on-black")
    pictures = [render(digit, names[int(generator.integers(4))], generator) for digit in digits]
    return Pictures(
        "typeset", "printed digits, fonts held out for tests", labels, read_all(pictures, readings)
    )


def scikit_learn_pictures(readings: list[str]) -> Pictures:
    """Real 8x8 digits by other writers, from scikit-learn's copy of UCI optdigits; nothing is rendered."""
    levels, labels = uci_pictures()
    pictures: list[Rendered] = [Image.fromarray(each) for each in levels]
    about = "real 8x8 digits from scikit-learn (UCI optdigits)"
    return Pictures("uci-real", about, labels, read_all(pictures, readings))


def all_pictures(test: Digits, readings: list[str], count: int, workers: int) -> list[Pictures]:
    """Every condition, then the sets of European, typeset and real digits."""
    digits, labels = fields_of(test), test.labels.numpy()
    jobs: list[tuple[Any, ...]] = [
        (condition_pictures, name, digits, labels, readings, count) for name in CONDITIONS
    ]
    jobs += [(european_pictures, readings, count), (typeset_pictures, readings, count)]
    jobs += [(scikit_learn_pictures, readings)]
    return in_parallel(jobs, workers)


def in_parallel(jobs: list[tuple[Any, ...]], workers: int) -> list[Pictures]:
    """The pictures that each job's function makes of its arguments, in order."""
    if workers == 1:
        return [function(*arguments) for function, *arguments in jobs]
    from joblib import Parallel, delayed

    done: list[Pictures] = Parallel(n_jobs=workers)(
        delayed(function)(*arguments) for function, *arguments in jobs
    )
    return done
