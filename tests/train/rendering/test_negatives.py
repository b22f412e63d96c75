"""Negatives: reproducible, and parted into what training, validation and tests draw."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain, combinations
from typing import get_args

import numpy as np
import pytest
from numpy.random import default_rng

from pairedge_train.rendering.conditions import Rendered
from pairedge_train.rendering.glyphs import FONTS, FONTS_FOR_TESTS
from pairedge_train.rendering.hands import LOOKALIKES, NEGATIVES_OF, hands
from pairedge_train.rendering.negatives import (
    KINDS,
    LETTERS,
    LETTERS_OF,
    SHAPES,
    SHAPES_OF,
    SIGNS_OF,
    render_negative,
)
from pairedge_train.rendering.split import Split
from pairedge_train.rendering.tiles import tile_or_none

from ..conftest import Drawn

SPLITS: tuple[Split, ...] = get_args(Split)
LIKE_DIGITS = {*LOOKALIKES, *"<>()0123456789"}


def content(picture: Rendered) -> bytes:
    return picture if isinstance(picture, bytes) else picture.tobytes()


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_generator_gives_the_same_picture(kind: str, split: Split) -> None:
    first, again, other = (
        content(render_negative(kind, default_rng(seed), split=split)) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("kind", KINDS)
def test_each_picture_gives_a_tile_or_is_refused(kind: str) -> None:
    generator = default_rng(0)
    tiles = [tile_or_none(render_negative(kind, generator, split=SPLITS[turn % 3])) for turn in range(20)]
    assert all(tile is None or tile.shape == (14, 14) for tile in tiles)
    if kind not in ("blank", "noise", "texture"):
        assert sum(tile is None for tile in tiles) < 10  # there is something to read


@pytest.mark.parametrize("parts", [LETTERS_OF, SIGNS_OF, SHAPES_OF])
def test_the_parts_of_a_kind_share_nothing(parts: dict[Split, Collection[str]]) -> None:
    assert set(parts) == set(SPLITS)
    for one, other in combinations(parts.values(), 2):
        assert not set(one) & set(other)


def test_what_is_drawn_for_training_validation_and_tests_shares_nothing(drawn: Drawn) -> None:
    sides: dict[Split, Drawn] = {}
    for split in SPLITS:
        generator = default_rng(0)
        for turn in range(1200):
            render_negative(("letters", "symbols", "shapes")[turn % 3], generator, split=split)
        sides[split] = drawn.take()
    for one, other in combinations(sides.values(), 2):
        assert not one.strokes & other.strokes  # letters, shapes and figures without a name
        assert not one.signs & other.signs
    assert not (sides["training"].fonts | sides["validation"].fonts) & sides["test"].fonts
    # Each side draws all of its part; validation and tests nothing else.
    for split, side in sides.items():
        assert side.letters == set(LETTERS_OF[split])
        assert side.shapes == set(SHAPES_OF[split])
        assert side.signs == set(SIGNS_OF[split])
        if split == "validation":  # Computer Modern has none of its signs
            assert side.fonts == {font for font in FONTS if not font.startswith("cm")}
        else:
            assert side.fonts == set(FONTS if split == "training" else FONTS_FOR_TESTS)
        if split != "training":
            named = {LETTERS[name] for name in side.letters} | {SHAPES[name] for name in side.shapes}
            assert side.strokes == named


@pytest.mark.parametrize("split", ["validation", "test"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_held_out_where_the_others_draw_nothing_that_training_draws(
    kind: str, split: Split, drawn: Drawn
) -> None:
    sides = []
    for each in ("training", split):
        generator = default_rng(0)
        pictures = {content(render_negative(kind, generator, split=each)) for _ in range(60)}
        sides.append((pictures, drawn.take()))
    (pictures, training), (pictures_of_others, others) = sides
    if KINDS[kind].held_out:
        assert others.strokes or others.glyphs or others.hands
        assert not training.hands & others.hands
        assert not training.strokes & others.strokes
        assert not training.glyphs & others.glyphs
    elif (kind, split) != ("texture", "test"):  # other patterns, in colors and grain of training's
        assert (pictures, training) == (pictures_of_others, others)


def test_training_draws_no_letter_or_sign_of_the_tests_in_any_kind() -> None:
    every_hand = {sign for hand in hands("training") for sign in hand.negatives("training")}
    training = {*LETTERS_OF["training"], *SIGNS_OF["training"], *every_hand}
    assert not training & {*LETTERS_OF["test"], *SIGNS_OF["test"], *NEGATIVES_OF["test"]}


def test_every_drawn_letter_is_used_and_looks_like_no_digit() -> None:
    assert {letter for letters in LETTERS_OF.values() for letter in letters} == set(LETTERS)
    assert not {*LETTERS, *chain(*SIGNS_OF.values())} & LIKE_DIGITS


def test_letters_stay_in_their_square() -> None:
    for strokes in LETTERS.values():
        points = np.array([point for stroke in strokes for point in stroke])
        assert points.min() >= 0
        assert points.max() <= 1
