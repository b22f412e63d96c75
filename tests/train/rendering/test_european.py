"""European ones get a flag, sevens a bar, and nothing else is touched."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import default_rng
from numpy.typing import NDArray

from pairedge_train.rendering.european import in_another_hand, with_bar, with_flag
from pairedge_train.rendering.pen_digits import Look, draw_digit

INK_ON_BLACK = Look(size=(28, 28), ink=(255, 255, 255), paper=(0, 0, 0), height=0.72, stroke=0.12)


def drawn(digit: int) -> NDArray[np.uint8]:
    return np.asarray(draw_digit(digit, INK_ON_BLACK).convert("L"))


def test_a_one_gets_ink_left_of_its_top() -> None:
    one = drawn(1)
    added = with_flag(one, default_rng(0)).astype(int) - one
    assert (added >= 0).all()
    rows, columns = np.nonzero(added > 100)
    assert columns.min() < 11
    assert rows.min() < 14


def test_a_seven_gets_ink_on_both_sides_of_its_stem() -> None:
    seven = drawn(7)
    added = with_bar(seven, default_rng(0)).astype(int) - seven
    assert (added >= 0).all()
    rows, columns = np.nonzero(added > 100)
    assert rows.min() > 8
    assert rows.max() < 20
    assert columns.min() < 14 < columns.max()


def test_a_bar_or_flag_that_is_there_is_not_added_again() -> None:
    generator = default_rng(0)
    seven, one = with_bar(drawn(7), default_rng(1)), with_flag(drawn(1), default_rng(1))
    assert all((with_bar(seven, generator) == seven).mean() > 0.93 for _ in range(5))
    assert (with_flag(one, generator) == one).all()


@pytest.mark.parametrize("digit", [0, 2, 3, 4, 5, 6, 8, 9])
def test_other_digits_are_left_alone(digit: int) -> None:
    assert (in_another_hand(drawn(digit), digit, default_rng(0), share=1.0) == drawn(digit)).all()


@pytest.mark.parametrize("digit", [1, 7])
def test_the_share_is_kept(digit: int) -> None:
    generator = default_rng(0)
    changed = [
        bool((in_another_hand(drawn(digit), digit, generator, share=0.5) != drawn(digit)).any())
        for _ in range(60)
    ]
    assert 15 < sum(changed) < 45


def test_an_empty_picture_stays_empty() -> None:
    empty = np.zeros((28, 28), np.uint8)
    assert not with_flag(empty, default_rng(0)).any()
    assert not with_bar(empty, default_rng(0)).any()
