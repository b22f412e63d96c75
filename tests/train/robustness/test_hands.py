"""Digits of the hands that are kept for tests, and their table."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pairedge_train.rendering.conditions import CONDITIONS
from pairedge_train.rendering.hands import hands
from pairedge_train.robustness.accuracy import mean_of_hands
from pairedge_train.robustness.hands import all_hands_pictures, hand_pictures, hands_page
from pairedge_train.robustness.page import page
from pairedge_train.robustness.readings import PAIREDGE
from pairedge_train.robustness.rows import ConditionRow, read_robustness

ARTIFACTS = Path(__file__).parents[3] / "artifacts" / "robustness"


def test_every_hand_kept_for_tests_writes_and_no_other() -> None:
    pictures = all_hands_pictures([PAIREDGE], 1, 1)
    assert [each.name for each in pictures] == [hand.name for hand in hands("test")]
    assert all(len(each.labels) == 1 for each in pictures)


def test_a_hands_pictures_are_each_digit_under_each_condition_once() -> None:
    few, all_of_them = (hand_pictures(hands("test")[0], [], count) for count in (7, 10_000))
    assert len(few.labels) == 7
    assert (all_of_them.labels[:7] == few.labels).all()
    assert (np.bincount(all_of_them.labels) == len(CONDITIONS)).all()


def test_the_page_has_a_line_for_each_hand_and_each_counts_the_same() -> None:
    rows = [
        ConditionRow(
            condition=name, about="D", system="pairedge", model="", n=n, accuracy=accuracy, refused=1, seed=0
        )
        for name, n, accuracy in (("caveat", 200, 0.9), ("kalam", 10, 0.7))
    ]
    assert mean_of_hands(rows, "pairedge") == 0.8
    lines = hands_page(rows).splitlines()
    assert "| caveat | D | 200 | 90.0 % | 1 |" in lines
    assert "| **mean** | of the hands | | 80.0 % | |" in lines


def test_the_committed_pages_are_made_of_the_committed_rows() -> None:
    measured = read_robustness(ARTIFACTS)
    assert (ARTIFACTS / "robustness.md").read_text() == page(measured)
    assert (ARTIFACTS / "hands.md").read_text() == hands_page(measured.hands)
    assert {row.condition for row in measured.hands} == {hand.name for hand in hands("test")}
