"""Tiles for the model that ships: rendered pictures of digits, by any hand, and negatives, read by `to_tile`.

What a mixture holds is decided by the generator alone: pictures are made in chunks, each with a seed of its
own, so that the number of workers changes how long it takes and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from pairedge.errors import ImageError
from pairedge.image.tile import TILE_SIDE, to_tile
from pairedge_train.rendering.conditions import CONDITIONS, Rendered
from pairedge_train.rendering.hands import hands, written_glyph
from pairedge_train.rendering.negatives import KINDS, render_negative
from pairedge_train.rendering.pen import Writer
from pairedge_train.rendering.render import photograph, render
from pairedge_train.rendering.split import Split
from pairedge_train.rendering.stroke_field import Field

Tiles: TypeAlias = NDArray[np.uint8]
Labels: TypeAlias = NDArray[np.int64]
OnProgress: TypeAlias = Callable[[int], None]  # pictures finished since the last call

# How often each condition is drawn, relative to the others. 16x16 pictures and plain handwriting weigh most.
WEIGHTS: dict[str, float] = {
    **dict.fromkeys(CONDITIONS, 1.0),
    "usps": 5.0,
    "bitmap": 4.0,
    "hairline": 2.0,
    "paint": 2.0,
    "scan": 2.0,
    "photo": 2.0,
    "squared": 2.0,
    "pencil": 1.5,
    "uci": 1.5,
}
# How often each kind of negative is drawn. Most blank pages are refused and leave nothing to train on.
NEGATIVE_WEIGHTS: dict[str, float] = {
    "letters": 5.0,
    "alphabets": 8.0,
    "symbols": 5.0,
    "shapes": 5.0,
    "scribbles": 2.0,
    "noise": 0.7,
    "texture": 1.0,
    "blank": 0.5,
}
_WRITING = 20  # digits that a writer writes before another one takes the pen
_CHUNK = 250  # pictures that share a seed: about five seconds' work


def rendered_tiles(
    digits: NDArray[np.uint8],
    labels: Labels,
    generator: Generator,
    *,
    workers: int = 1,
    weights: Mapping[str, float] = WEIGHTS,
    on_progress: OnProgress | None = None,
) -> tuple[Tiles, Labels]:
    """One rendered picture of each digit, under a condition drawn by weight, read as a tile.

    Pictures that `to_tile` refuses leave no tile, so that M is at most N. The order is kept.

    Args:
        digits: uint8 (N, 28, 28), 0 to 255, as MNIST has them.
        labels: int64 (N,), 0 to 9.
        generator: decides everything; it is advanced by the same amount whatever `workers` is.
        workers: processes to use.
        weights: how often each condition is drawn, by its name in CONDITIONS.
        on_progress: called as chunks of pictures complete with how many that are, N in all.

    Returns:
        tiles uint8 (M, 14, 14), labels int64 (M,).
    """
    parts = [slice(start, start + _CHUNK) for start in range(0, len(digits), _CHUNK)]
    chunks = [(digits[part], labels[part]) for part in parts]
    return _labeled(_render_chunk, chunks, generator, workers, weights, on_progress)


def hand_tiles(
    count: int,
    generator: Generator,
    *,
    split: Split = "training",
    workers: int = 1,
    weights: Mapping[str, float] = WEIGHTS,
    on_progress: OnProgress | None = None,
) -> tuple[Tiles, Labels]:
    """Digits of handwriting fonts (`hands`), rendered and read as `rendered_tiles` does.

    Args:
        count: N; all digits of all hands of the split are drawn about equally often.
        generator: decides everything.
        split: whose hands.
        workers: processes to use.
        weights: how often each condition is drawn, by its name in CONDITIONS.
        on_progress: called as chunks of pictures complete with how many that are, N in all.

    Returns:
        tiles uint8 (M, 14, 14), labels int64 (M,), of the M pictures that `to_tile` does not refuse.
    """
    every = generator.permutation(np.arange(count) % (10 * len(hands(split))))
    chunks = [(every[start : start + _CHUNK], split) for start in range(0, count, _CHUNK)]
    return _labeled(_hand_chunk, chunks, generator, workers, weights, on_progress)


def pen_tiles(
    count: int,
    generator: Generator,
    *,
    workers: int = 1,
    weights: Mapping[str, float] = WEIGHTS,
    on_progress: OnProgress | None = None,
) -> tuple[Tiles, Labels]:
    """Digits that a pen draws, by writers of its own (`pen`), rendered and read as `hand_tiles` does.

    Returns:
        tiles uint8 (M, 14, 14), labels int64 (M,), of the M pictures that `to_tile` does not refuse.
    """
    chunks = [(np.arange(start, min(start + _CHUNK, count)),) for start in range(0, count, _CHUNK)]
    return _labeled(_pen_chunk, chunks, generator, workers, weights, on_progress)


def negative_tiles(
    count: int,
    generator: Generator,
    *,
    workers: int = 1,
    weights: Mapping[str, float] = NEGATIVE_WEIGHTS,
    split: Split = "training",
    on_progress: OnProgress | None = None,
) -> Tiles:
    """Tiles of N negatives that `to_tile` did not refuse: uint8 (N, 14, 14), 0 to 255.

    Args:
        count: N.
        generator: decides everything.
        workers: processes to use.
        weights: how often each kind is drawn, by its name in KINDS.
        split: what they are for: each split has letters, symbols and shapes of its own.
        on_progress: called as chunks of tiles complete with how many that are, N in all.
    """
    sizes = [min(_CHUNK, count - start) for start in range(0, count, _CHUNK)]
    seeds = _seeds(generator, len(sizes))
    jobs = [(size, seed, dict(weights), split) for size, seed in zip(sizes, seeds, strict=True)]
    done = _completed(_in_parallel(_negative_chunk, jobs, workers), sizes, on_progress)
    return np.concatenate(done) if done else np.empty((0, TILE_SIDE, TILE_SIDE), np.uint8)


def tile_or_none(picture: Rendered) -> Tiles | None:
    """The picture's tile, uint8 (14, 14), or None where `to_tile` refuses it."""
    try:
        return to_tile(picture)
    except ImageError:
        return None


def _labeled(
    function: Callable[..., tuple[Tiles, Labels]],
    chunks: Sequence[tuple[Any, ...]],
    generator: Generator,
    workers: int,
    weights: Mapping[str, float],
    on_progress: OnProgress | None,
) -> tuple[Tiles, Labels]:
    """The tiles and labels that a function makes of each chunk, its weights and its seed, joined."""
    seeds = _seeds(generator, len(chunks))
    jobs = [(*chunk, dict(weights), seed) for chunk, seed in zip(chunks, seeds, strict=True)]
    sizes = [len(chunk[0]) for chunk in chunks]
    done = _completed(_in_parallel(function, jobs, workers), sizes, on_progress)
    if not done:
        return np.empty((0, TILE_SIDE, TILE_SIDE), np.uint8), np.empty(0, np.int64)
    return np.concatenate([tiles for tiles, _ in done]), np.concatenate([kept for _, kept in done])


def _render_chunk(
    digits: NDArray[np.uint8], labels: Labels, weights: dict[str, float], seed: int
) -> tuple[Tiles, Labels]:
    generator = default_rng(seed)
    names = _drawn(weights, len(digits), generator)
    pictures = (render(digit, name, generator) for digit, name in zip(digits, names, strict=True))
    return _read(pictures, labels)


def _hand_chunk(
    places: NDArray[np.int64], split: Split, weights: dict[str, float], seed: int
) -> tuple[Tiles, Labels]:
    generator = default_rng(seed)
    writers = hands(split)
    fields = (written_glyph(writers[place // 10].glyphs[str(place % 10)], generator) for place in places)
    return _read(_photographs(fields, len(places), weights, generator), places % 10)


def _pen_chunk(places: NDArray[np.int64], weights: dict[str, float], seed: int) -> tuple[Tiles, Labels]:
    generator = default_rng(seed)
    labels = generator.integers(0, 10, len(places))

    def fields() -> Iterator[Field]:
        for start in range(0, len(labels), _WRITING):
            writer = Writer.drawn(generator)
            for label in labels[start : start + _WRITING]:
                yield writer.digit(int(label), generator)

    return _read(_photographs(fields(), len(places), weights, generator), labels)


def _photographs(
    fields: Iterable[Field], count: int, weights: dict[str, float], generator: Generator
) -> Iterator[Rendered]:
    """Pictures of fields of strokes, each under a condition drawn by weight."""
    names = _drawn(weights, count, generator)
    return (photograph(field, CONDITIONS[name], generator) for field, name in zip(fields, names, strict=True))


def _read(pictures: Iterable[Rendered], labels: Labels) -> tuple[Tiles, Labels]:
    """The tiles of the pictures that are not refused, and their labels."""
    tiles, kept = [], []
    for picture, label in zip(pictures, labels, strict=True):
        tile = tile_or_none(picture)
        if tile is not None:
            tiles.append(tile)
            kept.append(label)
    return np.array(tiles, np.uint8).reshape(-1, TILE_SIDE, TILE_SIDE), np.array(kept, np.int64)


def _negative_chunk(count: int, seed: int, weights: dict[str, float], split: Split) -> Tiles:
    generator = default_rng(seed)
    tiles: list[Tiles] = []
    while len(tiles) < count:
        for name in _drawn(weights, count - len(tiles), generator):
            tile = tile_or_none(render_negative(name, generator, split=split))
            if tile is not None:
                tiles.append(tile)
    return np.stack(tiles)


def _drawn(weights: dict[str, float], count: int, generator: Generator) -> list[str]:
    """Names drawn by weight."""
    unknown = set(weights) - set(CONDITIONS) - set(KINDS)
    if unknown:
        raise KeyError(f"no such condition or kind: {', '.join(sorted(unknown))}")
    shares = np.array(list(weights.values()))
    names = list(weights)
    return [names[index] for index in generator.choice(len(names), count, p=shares / shares.sum())]


def _seeds(generator: Generator, count: int) -> list[int]:
    return [int(seed) for seed in generator.integers(2**63, size=count)]


def _in_parallel(function: Callable[..., Any], jobs: list[tuple[Any, ...]], workers: int) -> Iterator[Any]:
    """What the function makes of each job, in order, as it completes."""
    if min(workers, len(jobs)) <= 1:
        return (function(*job) for job in jobs)
    from joblib import Parallel, delayed

    results: Iterator[Any] = Parallel(n_jobs=workers, return_as="generator")(
        delayed(function)(*job) for job in jobs
    )
    return results


def _completed(chunks: Iterator[Any], sizes: Sequence[int], on_progress: OnProgress | None) -> list[Any]:
    """All chunks; the size of each is reported when it completes."""
    completed = []
    for chunk, size in zip(chunks, sizes, strict=True):
        completed.append(chunk)
        if on_progress is not None:
            on_progress(size)
    return completed
