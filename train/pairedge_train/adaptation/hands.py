"""The study of adapting: the model adapted to each hand that is kept for tests, with few pictures of it.

A row a hand is written as soon as it is measured; a study that was stopped resumes by skipping these.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import ConfigDict, Field, NonNegativeFloat, NonNegativeInt, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from torch import Tensor

from pairedge_train.adaptation.fine_tune import fine_tune, joined, replayed_first
from pairedge_train.adaptation.paired import compare, is_right
from pairedge_train.data.datasets import DataSet, Digits
from pairedge_train.data.synthetic import with_synthetic
from pairedge_train.errors import DataError
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.files import one_writer, write_atomically
from pairedge_train.networks.network import Network
from pairedge_train.randomness import seeded
from pairedge_train.rendering.conditions import CONDITIONS
from pairedge_train.rendering.hands import DIGITS, Hand, hands, written_glyph
from pairedge_train.rendering.render import photograph
from pairedge_train.rendering.split import Split
from pairedge_train.rendering.tiles import tile_or_none
from pairedge_train.robustness.hands import hand_pictures
from pairedge_train.robustness.readings import PAIREDGE, Tile
from pairedge_train.rows import Paired


@dataclass(frozen=True, kw_only=True, config=ConfigDict(strict=True, extra="forbid", allow_inf_nan=False))
class HandRow:
    """One network adapted to one hand.

    Attributes:
        hand: its name.
        designer: whose hand it is.
        start: SHA-256 of the weights that training started from.
        recipe: digest of the recipe.
        split: of the hands.
        each: number of pictures of each digit that were drawn to train on.
        pictures: number of them that were not refused.
        refused: how many of the pictures to judge by were refused; they are errors before and after.
        own: before and after, on the pictures to judge by.
        mnist: before and after, on MNIST's test digits; with hands for validation on training digits that are
            not replayed.
        seconds: time of the training alone.
        seed: of the training.
    """

    hand: str
    designer: str
    start: str
    recipe: str
    split: Annotated[str, Field(pattern="^(validation|test)$")]
    each: NonNegativeInt
    pictures: NonNegativeInt
    refused: NonNegativeInt
    own: Paired
    mnist: Paired
    seconds: NonNegativeFloat
    seed: NonNegativeInt

    @property
    def key(self) -> tuple[str, str, str, int, int]:
        """What no two rows of a study share."""
        return self.hand, self.start, self.recipe, self.each, self.seed


_ROWS = TypeAdapter(HandRow)


def run_study(
    recipe: Recipe,
    start: Network,
    mnist: DataSet,
    file: Path,
    *,
    count: int,
    seed: int,
    split: Split = "test",
    on_row: Callable[[HandRow], None] = lambda _: None,
) -> list[HandRow]:
    """Adapt a network to each hand of a split that has no row yet; give the rows of all of them.

    Args:
        recipe: as `adapted_recipe` gives it.
        start: what each adaptation starts from, with a digit head.
        mnist: as loaded.
        file: of the rows; rows of other starts and recipes stay there.
        count: pictures of each digit to train on, at most as many as there are conditions.
        seed: of every adaptation, and of the synthetic pictures.
        split: of the hands.
        on_row: called for each hand.
    """
    done = {row.key: row for row in read_hand_rows(file)}
    replay = with_synthetic(mnist, recipe.data, seed)
    digits = mnist.test
    if split == "validation":
        rest = replayed_first(replay, mnist, seed)[recipe.adapt.replay :]
        digits = replay.training.take(rest[: len(mnist.test)])
    right = is_right(start, digits)
    digest, weights = recipe.digest(), start.sha256()
    rows = []
    for hand in hands(split):
        row = done.get((hand.name, weights, digest, count, seed))
        if row is None:
            own = own_pictures(hand, count)
            tiles, labels = judged_pictures(hand)
            began = time.perf_counter()
            _, network, _ = fine_tune(recipe, start, joined(replay, mnist, own, recipe, seed), seed)
            seconds = time.perf_counter() - began
            row = HandRow(
                hand=hand.name,
                designer=hand.designer,
                start=weights,
                recipe=digest,
                split=split,
                each=count,
                pictures=len(own),
                refused=sum(tile is None for tile in tiles),
                own=compare(reads(start, tiles, labels), reads(network, tiles, labels)),
                mnist=compare(right, is_right(network, digits)),
                seconds=round(seconds, 1),
                seed=seed,
            )
            append_hand_row(file, row)
        on_row(row)
        rows.append(row)
    return rows


def own_pictures(hand: Hand, count: int) -> Digits:
    """Pictures of each digit of a hand to train on, each under another condition, without refused ones.

    Args:
        hand: who writes.
        count: how many of each digit.
    """
    generator = seeded(f"own pictures of {hand.name}")
    names = list(CONDITIONS)
    tiles, labels = [], []
    for digit in DIGITS:
        for condition in generator.choice(names, count, replace=False):
            field = written_glyph(hand.glyphs[digit], generator)
            tile = tile_or_none(photograph(field, CONDITIONS[condition], generator))
            if tile is not None:
                tiles.append(tile)
                labels.append(int(digit))
    return Digits.of_tiles(np.stack(tiles), torch.tensor(labels))


def judged_pictures(hand: Hand) -> tuple[list[Tile | None], Tensor]:
    """The robustness benchmark's pictures of a hand: each digit under each condition.

    Returns:
        Tiles, uint8 (14, 14), None where refused, and labels, int64 (N,).
    """
    pictures = hand_pictures(hand, [PAIREDGE], len(DIGITS) * len(CONDITIONS))
    return pictures.tiles[PAIREDGE], torch.from_numpy(pictures.labels)


def reads(network: Network, tiles: Sequence[Tile | None], labels: Tensor) -> Tensor:
    """Whether a network reads each picture correctly, bool (N,); a refused one it does not.

    Args:
        network: with a digit head.
        tiles: uint8 (14, 14), or None where refused; at least one tile.
        labels: int64 (N,).
    """
    read = torch.tensor([tile is not None for tile in tiles])
    kept = np.stack([tile for tile in tiles if tile is not None])
    right = torch.zeros(len(tiles), dtype=torch.bool)
    right[read] = is_right(network, Digits.of_tiles(kept, labels[read]))
    return right


def read_hand_rows(file: Path) -> list[HandRow]:
    """The rows of a study; none where there is no file.

    Raises:
        DataError: when a line is no such row.
    """
    lines = file.read_bytes().splitlines() if file.exists() else []
    try:
        return [_ROWS.validate_json(line) for line in lines]
    except ValidationError as error:
        raise DataError(f"{file}: holds something else than rows of hands") from error


def append_hand_row(file: Path, row: HandRow) -> None:
    """Add a row to the file of a study, completely or not at all."""
    with one_writer(file):
        rows = [*read_hand_rows(file), row]
        lines = [json.dumps(asdict(each), sort_keys=True) + "\n" for each in rows]
        write_atomically(file, "".join(lines).encode())
