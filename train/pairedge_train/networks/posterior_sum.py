"""P(first <= second) from what is known of each digit: a comparison head without a weight.

Where two digits are independent given their tiles, with posteriors p and q,

    P(first <= second) = sum over i <= j of p(i) q(j),

and deciding by it is the best there is when the posteriors are calibrated. It orders without contradiction:
all answers follow from one joint distribution.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PosteriorSum(nn.Module):
    """The comparison head that sums over the posteriors that two embeddings, as digit logits, stand for."""

    leq: Tensor

    def __init__(self) -> None:
        super().__init__()
        # [i, j] is 1 where i <= j. Made anew with each network: a constant need not be in checkpoints.
        self.register_buffer("leq", torch.ones(10, 10).triu(), persistent=False)

    def forward(self, both: Tensor) -> Tensor:
        """Logits of "no" and "yes", (B, 2), from both tiles' digit logits side by side, (B, 20).

        They are the logarithms of both probabilities, so that a loss can be had of the least of them.
        """
        first, second = (logits.log_softmax(1) for logits in torch.split(both, 10, dim=1))
        joint = first[:, :, None] + second[:, None, :]
        yes = joint.masked_fill(self.leq == 0, -torch.inf).flatten(1).logsumexp(1)
        no = joint.masked_fill(self.leq == 1, -torch.inf).flatten(1).logsumexp(1)
        return torch.stack([no, yes], dim=1)

    def probability(self, first: Tensor, second: Tensor) -> Tensor:
        """P(first <= second), (B,), from posteriors (B, 10); the same without logarithms, for inference."""
        return ((first @ self.leq) * second).sum(1)

    def table(self, first: Tensor, second: Tensor) -> Tensor:
        """P(row <= column) of all pairs, (N, M), from posteriors (N, 10) and (M, 10)."""
        return first @ self.leq @ second.T
