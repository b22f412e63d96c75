"""Printed digits and signs come from fonts that draw them, at MNIST's size."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import default_rng

from pairedge_train.rendering.glyphs import FONTS, FONTS_FOR_TESTS, glyph, printed_digits
from pairedge_train.rendering.negatives import SIGNS_OF

from ..conftest import Drawn


@pytest.mark.parametrize(
    ("signs", "fonts"),
    [
        (SIGNS_OF["training"] + SIGNS_OF["validation"], FONTS),
        (SIGNS_OF["test"], FONTS_FOR_TESTS),
    ],
)
def test_every_font_draws_every_sign_in_its_own_way(signs: str, fonts: tuple[str, ...]) -> None:
    for font in fonts:
        if font.startswith("cm"):  # Computer Modern has letters and digits only
            continue
        assert len({glyph(sign, font).tobytes() for sign in signs}) == len(signs)


@pytest.mark.parametrize("font", [*FONTS, *FONTS_FOR_TESTS])
def test_the_ten_digits_of_a_font_differ(font: str) -> None:
    assert len({glyph(str(digit), font).tobytes() for digit in range(10)}) == 10


def test_a_glyph_is_twenty_high_and_centered() -> None:
    rows = np.flatnonzero(glyph("8", "DejaVuSans").any(axis=1))
    assert (rows[0], rows[-1]) == (4, 23)


def test_printed_digits_are_reproducible_and_fit_their_labels() -> None:
    images, labels = printed_digits(30, default_rng(1))
    again, _ = printed_digits(30, default_rng(1))
    assert (images == again).all()
    assert images.shape == (30, 28, 28)
    assert images.dtype == np.uint8
    for image, label in zip(images, labels, strict=True):
        assert any(np.array_equal(image, glyph(str(label), font)) for font in FONTS)


def test_digits_printed_for_training_and_for_tests_share_no_font_and_no_picture(drawn: Drawn) -> None:
    sides = []
    for testing in (False, True):
        images, _ = printed_digits(900, default_rng(2), testing=testing)
        sides.append((drawn.take(), {image.tobytes() for image in images}))
    (training, pictures), (tests, pictures_for_tests) = sides
    assert not training.fonts & tests.fonts
    assert not pictures & pictures_for_tests
    assert training.glyphs == {(str(digit), font) for digit in range(10) for font in FONTS}
    assert tests.glyphs == {(str(digit), font) for digit in range(10) for font in FONTS_FOR_TESTS}


def test_none_are_none() -> None:
    images, labels = printed_digits(0, default_rng(0))
    assert images.shape == (0, 28, 28)
    assert labels.shape == (0,)


def test_a_space_is_no_glyph() -> None:
    with pytest.raises(KeyError, match="draws nothing"):
        glyph(" ", "DejaVuSans")
