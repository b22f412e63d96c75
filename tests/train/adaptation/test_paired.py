"""Counts of who is right, and McNemar's exact test of them, by hand."""

from __future__ import annotations

import pytest
import torch

from pairedge_train.adaptation.paired import Verdict, compare, verdict


@pytest.mark.parametrize(
    ("gained", "lost", "p", "said"),
    [
        (0, 0, 1.0, "no difference that could be told"),
        (5, 0, 2 * 0.5**5, "no difference that could be told"),
        (6, 0, 2 * 0.5**6, "better"),
        (0, 6, 2 * 0.5**6, "worse"),
        (7, 1, 2 * 9 * 0.5**8, "no difference that could be told"),  # 0.07
        (8, 1, 2 * 10 * 0.5**9, "better"),  # 0.039
    ],
)
def test_a_network_is_better_only_where_chance_would_rarely_make_it_so(
    gained: int, lost: int, p: float, said: Verdict
) -> None:
    both, neither = 10, 3
    before = torch.tensor([True] * (both + lost) + [False] * (gained + neither))
    after = torch.tensor([True] * both + [False] * lost + [True] * gained + [False] * neither)
    paired = compare(before, after)
    assert (paired.n, paired.gained, paired.lost) == (len(before), gained, lost)
    assert paired.before == pytest.approx((both + lost) / len(before))
    assert paired.after == pytest.approx((both + gained) / len(before))
    assert paired.p == pytest.approx(p)
    assert verdict(paired) == said
