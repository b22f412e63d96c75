"""A mixture depends on its seed alone, and holds what to_tile made of pictures that it did not refuse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import default_rng
from numpy.typing import NDArray
from PIL import Image

from pairedge.image.tile import to_tile
from pairedge_train.data.datasets import NEGATIVE
from pairedge_train.data.synthetic import synthetic_tiles
from pairedge_train.experiments.recipe import Synthetic
from pairedge_train.rendering.conditions import CONDITIONS
from pairedge_train.rendering.hands import DIGITS, Bitmap, hands
from pairedge_train.rendering.negatives import KINDS
from pairedge_train.rendering.pen import Writer
from pairedge_train.rendering.pen_digits import Look, draw_digit
from pairedge_train.rendering.render import render
from pairedge_train.rendering.split import Split
from pairedge_train.rendering.stroke_field import Field
from pairedge_train.rendering.tiles import (
    WEIGHTS,
    Labels,
    Tiles,
    hand_tiles,
    negative_tiles,
    pen_tiles,
    rendered_tiles,
    tile_or_none,
)

MIXTURE = Synthetic(rendered=40, printed=10, hands=10, written=10, negatives=5)
SIDES: list[tuple[int, Split]] = [(1, "training"), (2, "training"), (1, "validation")]
INK_ON_BLACK = Look(size=(28, 28), ink=(255, 255, 255), paper=(0, 0, 0), height=0.72, stroke=0.12)


@pytest.fixture(scope="module")
def digits() -> NDArray[np.uint8]:
    return np.stack([np.asarray(draw_digit(index % 10, INK_ON_BLACK).convert("L")) for index in range(40)])


@pytest.fixture(scope="module")
def labels() -> NDArray[np.int64]:
    return np.arange(40) % 10


def test_the_seed_decides_and_the_workers_do_not(
    digits: NDArray[np.uint8], labels: NDArray[np.int64], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pairedge_train.rendering.tiles._CHUNK", 15)
    one, two, other = (
        rendered_tiles(digits, labels, default_rng(seed), workers=workers)
        for seed, workers in ((1, 1), (1, 2), (2, 1))
    )
    assert (one[0] == two[0]).all()
    assert (one[1] == two[1]).all()
    assert one[0].shape != other[0].shape or (one[0] != other[0]).any()
    assert one[0].shape[1:] == (14, 14)
    assert one[0].dtype == np.uint8


@pytest.mark.parametrize("make", [hand_tiles, pen_tiles])
def test_other_hands_depend_on_the_seed_alone_too(
    make: Callable[..., tuple[Tiles, Labels]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pairedge_train.rendering.tiles._CHUNK", 15)
    one, two, other = (
        make(30, default_rng(seed), workers=workers) for seed, workers in ((1, 1), (1, 2), (2, 1))
    )
    assert (one[0] == two[0]).all()
    assert (one[1] == two[1]).all()
    assert (one[1][:20] != other[1][:20]).any()


def test_every_digit_of_every_hand_is_drawn_equally_often(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: Counter[bytes] = Counter()

    def count(bitmap: Bitmap, _: np.random.Generator) -> Field:
        drawn[bitmap.tobytes()] += 1
        return np.zeros((84, 84), np.float32)

    monkeypatch.setattr("pairedge_train.rendering.tiles.written_glyph", count)
    monkeypatch.setattr("pairedge_train.rendering.tiles.photograph", lambda *_: Image.new("L", (20, 20)))
    hand_tiles(600, default_rng(0), split="test")
    own = {hand.glyphs[digit].tobytes() for hand in hands("test") for digit in DIGITS}
    assert set(drawn) == own
    assert set(drawn.values()) == {2}


def test_a_writer_writes_twenty_digits_before_another_takes_the_pen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    writers: list[int] = []

    def draw(writer: Writer, *_: object) -> Field:
        writers.append(id(writer))
        return np.zeros((84, 84), np.float32)

    keep = [Writer.drawn(default_rng(seed)) for seed in range(3)]  # alive, so that no two share an id
    monkeypatch.setattr(Writer, "drawn", lambda _: keep[len(set(writers))])
    monkeypatch.setattr(Writer, "digit", draw)
    monkeypatch.setattr("pairedge_train.rendering.tiles.photograph", lambda *_: Image.new("L", (20, 20)))
    pen_tiles(50, default_rng(0))
    assert [list(writers).count(id(writer)) for writer in keep] == [20, 20, 10]


def test_labels_stay_in_order(digits: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    tiles, kept = rendered_tiles(digits, labels, default_rng(0), weights={"scan": 1})
    assert len(tiles) == len(kept) == 40
    assert (kept == labels).all()


def test_refused_pictures_leave_no_tile(digits: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    half_blank = digits.copy()
    half_blank[::2] = 0
    tiles, kept = rendered_tiles(half_blank, labels, default_rng(0), weights={"usps": 1})
    assert len(tiles) == 20
    assert (kept == labels[1::2]).all()


def test_no_digits_make_no_tiles() -> None:
    tiles, labels = rendered_tiles(np.empty((0, 28, 28), np.uint8), np.empty(0, np.int64), default_rng(0))
    assert tiles.shape == (0, 14, 14)
    assert labels.shape == (0,)
    assert negative_tiles(0, default_rng(0)).shape == (0, 14, 14)


def test_negatives_come_in_the_number_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pairedge_train.rendering.tiles._CHUNK", 10)
    one, two, held_out = (
        negative_tiles(25, default_rng(1), workers=workers, split=split) for workers, split in SIDES
    )
    assert one.shape == (25, 14, 14)
    assert (one == two).all()
    assert (one != held_out).any()


def test_a_whole_mixture_ends_with_its_negatives(
    digits: NDArray[np.uint8], labels: NDArray[np.int64]
) -> None:
    tiles, kept = synthetic_tiles(digits, labels, default_rng(0), MIXTURE)
    assert 60 < len(tiles) == len(kept) <= 75
    assert (kept[-5:] == NEGATIVE).all()
    assert (kept[:-5] != NEGATIVE).all()


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_is_reported_as_chunks_complete(
    digits: NDArray[np.uint8], labels: NDArray[np.int64], workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pairedge_train.rendering.tiles._CHUNK", 15)
    finished: list[int] = []
    rendered_tiles(
        digits, labels, default_rng(0), weights={"usps": 1}, workers=workers, on_progress=finished.append
    )
    assert finished == [15, 15, 10]
    negative_tiles(20, default_rng(0), workers=workers, on_progress=finished.append)
    assert finished[3:] == [15, 5]


def test_progress_is_reported_while_rendering_goes_on(
    digits: NDArray[np.uint8], labels: NDArray[np.int64], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pairedge_train.rendering.tiles._CHUNK", 10)
    events: list[object] = []

    def render_nothing(digit: NDArray[np.uint8], *_: object) -> NDArray[np.uint8]:
        events.append("picture")
        return digit

    monkeypatch.setattr("pairedge_train.rendering.tiles.render", render_nothing)
    rendered_tiles(digits, labels, default_rng(0), on_progress=events.append)
    assert events == [*["picture"] * 10, 10] * 4


def test_progress_of_a_whole_mixture_counts_every_picture(
    digits: NDArray[np.uint8], labels: NDArray[np.int64]
) -> None:
    finished: list[int] = []
    synthetic_tiles(digits, labels, default_rng(0), MIXTURE, on_progress=finished.append)
    assert finished == [50, 10, 10, 5]


def test_a_tile_is_the_runtimes_own_or_none(digits: NDArray[np.uint8]) -> None:
    picture = render(digits[8], "photo", default_rng(0))
    tile = tile_or_none(picture)
    assert tile is not None
    assert (tile == to_tile(picture)).all()
    assert tile_or_none(b"") is None


def test_every_condition_has_its_weight() -> None:
    assert set(WEIGHTS) == set(CONDITIONS)
    assert not set(CONDITIONS) & (set(KINDS) - {"noise"})


def test_an_unknown_condition_is_refused(digits: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    with pytest.raises(KeyError, match="no such condition or kind: candlelight"):
        rendered_tiles(digits, labels, default_rng(0), weights={"candlelight": 1})
