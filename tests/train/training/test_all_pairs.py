"""Evaluation on all ordered pairs and on pairs, by cases that are counted by hand."""

from __future__ import annotations

import pytest
import torch

from pairedge_train.networks.network import Network
from pairedge_train.training.all_pairs import evaluate_all_pairs
from pairedge_train.training.evaluate import decide, evaluate

from .pixel_networks import (
    by_digits,
    by_digits_of_two_branches,
    by_first_pixel,
    by_posteriors,
    pairs_of,
    tiles_of,
    tiles_that_say,
)

# Labels 3, 3, 5 are taken for 3, 5, 5. Of the nine ordered pairs two are decided wrongly: the second tile
# before the first (3 <= 3 is taken for 5 <= 3), and the third before the second (5 <= 3 for 5 <= 5).
LABELS, SAID = [3, 3, 5], [3, 5, 5]


@pytest.mark.parametrize("network", [by_digits(), by_posteriors(), by_posteriors(digits=False)])
def test_seven_of_nine_pairs_are_right(network: Network) -> None:
    result = evaluate_all_pairs(network, tiles_that_say(SAID, 30), torch.tensor(LABELS))
    assert result is not None
    assert result.accuracy == pytest.approx(7 / 9)
    assert result.digit_accuracy in (pytest.approx(2 / 3), None)


def test_two_branches_that_say_different_digits_are_each_asked_for_their_own_side() -> None:
    """The first branch says 3, 5, 5 and the second is right: five is taken for first in two pairs of nine."""
    tiles = tiles_that_say(SAID, 30)
    tiles.view(3, 196)[:, 10:20] = tiles_that_say(LABELS, 30).view(3, 196)[:, :10]
    result = evaluate_all_pairs(by_digits_of_two_branches(), tiles, torch.tensor(LABELS))
    assert result is not None
    assert result.accuracy == pytest.approx(7 / 9)
    assert result.digit_accuracy == pytest.approx((2 / 3 + 1) / 2)


def test_equal_digits_are_in_order() -> None:
    result = evaluate_all_pairs(by_digits(), tiles_that_say([4, 4], 9), torch.tensor([4, 4]))
    assert result is not None
    assert result.accuracy == 1


def test_one_half_is_a_yes_on_all_pairs_and_on_each() -> None:
    # All nine answers are one half. Seven of nine pairs of 3, 3, 5 are in order.
    tiles = tiles_of(torch.zeros(3, 10))
    result = evaluate_all_pairs(by_first_pixel(), tiles, torch.tensor(LABELS))
    assert result is not None
    assert result.accuracy == pytest.approx(7 / 9)
    assert decide(torch.tensor([0.5, 0.49999997, 1.0, 0.0]), None).tolist() == [True, False, True, False]
    pairs = pairs_of(tiles_of(torch.zeros(4, 10)), [1, 2, 2, 1])
    assert evaluate(by_first_pixel(), pairs).pairs == 0.5


def test_pairs_are_evaluated_by_the_comparison_head_or_the_digits() -> None:
    # The pairs (3, 3), (5, 3) and (3, 5) are taken for (3, 5), (5, 5) and (3, 5).
    pairs = pairs_of(tiles_that_say([3, 5, 5, 5, 3, 5], 30), [3, 3, 5, 3, 3, 5])
    for network in (by_digits(), by_posteriors()):
        scores = evaluate(network, pairs)
        assert scores.pairs == pytest.approx(2 / 3)
        assert scores.digits == pytest.approx(4 / 6)
