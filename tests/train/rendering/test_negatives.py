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
    SHAPES,
    SHAPES_FOR_TESTS,
    SHAPES_FOR_TRAINING,
    SIGNS,
    SIGNS_FOR_TESTS,
    render_negative,
)
from pairedge_train.rendering.tiles import tile_or_none

from ..conftest import Drawn

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


def test_what_is_drawn_for_training_and_for_tests_shares_nothing(drawn: Drawn) -> None:
    generator = default_rng(0)
    sides = []
    for testing in (False, True):
        for turn in range(600):
            render_negative(("letters", "symbols", "shapes")[turn % 3], generator, testing=testing)
        sides.append(drawn.take())
    training, tests = sides
    assert not training.letters & tests.letters
    assert not training.shapes & tests.shapes
    assert not training.signs & tests.signs
    assert not training.fonts & tests.fonts
    assert not training.strokes & tests.strokes  # figures without a name are strokes, too
    # Both sides draw all of their half, and tests nothing else.
    assert training.letters == set(LETTERS_FOR_TRAINING)
    assert training.shapes == set(SHAPES_FOR_TRAINING)
    assert training.signs == set(SIGNS)
    assert training.fonts == set(FONTS)
    assert tests.letters == set(LETTERS_FOR_TESTS)
    assert tests.shapes == set(SHAPES_FOR_TESTS)
    assert tests.strokes == {LETTERS[name] for name in tests.letters} | {
        SHAPES[name] for name in tests.shapes
    }
    assert tests.signs == set(SIGNS_FOR_TESTS)
    assert tests.fonts == set(FONTS_FOR_TESTS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_held_out_where_tests_draw_nothing_that_training_draws(kind: str, drawn: Drawn) -> None:
    sides = []
    for testing in (False, True):
        generator = default_rng(0)
        pictures = {content(render_negative(kind, generator, testing=testing)) for _ in range(60)}
        sides.append((pictures, drawn.take()))
    (pictures, training), (pictures_for_tests, tests) = sides
    if KINDS[kind].held_out:
        assert tests.strokes or tests.glyphs
        assert not training.strokes & tests.strokes
        assert not training.glyphs & tests.glyphs
    elif kind != "texture":  # it has other patterns in tests, in colors and grain of training's
        assert (pictures, training) == (pictures_for_tests, tests)


def test_every_drawn_letter_is_used_and_looks_like_no_digit() -> None:
    assert {*LETTERS_FOR_TRAINING, *LETTERS_FOR_TESTS} == set(LETTERS)
    assert not {*LETTERS, *SIGNS, *SIGNS_FOR_TESTS} & LIKE_DIGITS


def test_letters_stay_in_their_square() -> None:
    for strokes in LETTERS.values():
        points = np.array([point for stroke in strokes for point in stroke])
        assert points.min() >= 0
        assert points.max() <= 1
