"""Negatives: reproducible, and parted into what training sees and what only tests see."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import default_rng

from pairedge_train.rendering.conditions import Rendered
from pairedge_train.rendering.glyphs import FONTS, FONTS_FOR_TESTS
from pairedge_train.rendering.negatives import (
    KINDS,
    LETTERS,
    LETTERS_FOR_TESTS,
    LETTERS_FOR_TRAINING,
    SHAPES_FOR_TESTS,
    SHAPES_FOR_TRAINING,
    SIGNS,
    SIGNS_FOR_TESTS,
    render_negative,
)
from pairedge_train.rendering.tiles import tile_or_none

LIKE_DIGITS = set("OQDaCcoUudIlijJtfrTZzSsBGbgqPpYy?!<>$§/|()0123456789")


def content(picture: Rendered) -> bytes:
    return picture if isinstance(picture, bytes) else picture.tobytes()


@pytest.mark.parametrize("testing", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_generator_gives_the_same_picture(kind: str, testing: bool) -> None:
    first, again, other = (
        content(render_negative(kind, default_rng(seed), testing=testing)) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("kind", KINDS)
def test_each_picture_gives_a_tile_or_is_refused(kind: str) -> None:
    generator = default_rng(0)
    tiles = [tile_or_none(render_negative(kind, generator, testing=turn % 2 == 1)) for turn in range(20)]
    assert all(tile is None or tile.shape == (14, 14) for tile in tiles)
    if kind not in ("blank", "noise", "texture"):
        assert sum(tile is None for tile in tiles) < 10  # there is something to read


@pytest.mark.parametrize(
    ("training", "tests"),
    [
        (LETTERS_FOR_TRAINING, LETTERS_FOR_TESTS),
        (SHAPES_FOR_TRAINING, SHAPES_FOR_TESTS),
        (SIGNS, SIGNS_FOR_TESTS),
        (FONTS, FONTS_FOR_TESTS),
    ],
)
def test_training_and_tests_share_nothing(training: tuple[str, ...], tests: tuple[str, ...]) -> None:
    assert not set(training) & set(tests)


def test_every_drawn_letter_is_used_and_looks_like_no_digit() -> None:
    assert {*LETTERS_FOR_TRAINING, *LETTERS_FOR_TESTS} == set(LETTERS)
    assert not {*LETTERS, *SIGNS, *SIGNS_FOR_TESTS} & LIKE_DIGITS


def test_letters_stay_in_their_square() -> None:
    for strokes in LETTERS.values():
        points = np.array([point for stroke in strokes for point in stroke])
        assert points.min() >= 0
        assert points.max() <= 1
