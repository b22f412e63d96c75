"""P(first <= second) from posteriors equals the sum over all ordered pairs of digits, written out."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from pairedge_train.networks.output import leq_probability
from pairedge_train.networks.posterior_sum import PosteriorSum


@pytest.fixture
def logits() -> torch.Tensor:
    return 3 * torch.randn(6, 20, generator=Generator().manual_seed(0), dtype=torch.float64)


def test_it_is_the_sum_over_ordered_pairs(logits: torch.Tensor) -> None:
    head = PosteriorSum().double()
    first, second = logits[:, :10].softmax(1), logits[:, 10:].softmax(1)
    expected = torch.tensor(
        [
            sum(float(p[i] * q[j]) for i in range(10) for j in range(i, 10))
            for p, q in zip(first, second, strict=True)
        ],
        dtype=torch.float64,
    )
    torch.testing.assert_close(head.probability(first, second), expected)
    torch.testing.assert_close(leq_probability(head(logits)), expected)
    torch.testing.assert_close(head.table(first, second).diagonal(), expected)


def test_it_agrees_with_one_joint_distribution(logits: torch.Tensor) -> None:
    head = PosteriorSum().double()
    first, second = logits[:, :10].softmax(1), logits[:, 10:].softmax(1)
    equal = (first * second).sum(1)
    total = head.probability(first, second) + head.probability(second, first)
    torch.testing.assert_close(total - equal, torch.ones_like(equal))


def test_its_loss_stays_finite_where_a_probability_underflows() -> None:
    """A float has no logarithm of 1e-60: the sum of exponentials is taken on logarithms."""
    sure = torch.zeros(1, 20)
    sure[0, 9] = sure[0, 10] = 140.0  # nine, then zero
    logits = sure.requires_grad_()
    loss = torch.nn.functional.cross_entropy(PosteriorSum()(logits), torch.tensor([1]))
    [gradient] = torch.autograd.grad(loss, logits)
    assert 100 < float(loss.detach()) < 300
    assert gradient.isfinite().all()
    assert gradient.any()


def test_it_has_no_weights_and_leaves_nothing_in_checkpoints() -> None:
    assert not list(PosteriorSum().parameters())
    assert not PosteriorSum().state_dict()
