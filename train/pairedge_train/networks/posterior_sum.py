"""P(first <= second) computed from the two digit posteriors: a comparison head without weights.

Where two digits are independent given their tiles, with posteriors p and q,

    P(first <= second) = sum over i <= j of p(i) q(j),

and deciding by it is Bayes-optimal when the posteriors are calibrated. Its answers never contradict each
other: all follow from one joint distribution.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PosteriorSum(nn.Module):
    """Comparison head for branches whose embeddings are digit logits.

    Attributes:
        leq: float32 (10, 10), 1 at [i, j] where i <= j, else 0.
    """

    leq: Tensor

    def __init__(self) -> None:
        super().__init__()
        # Not persistent: a constant need not be in checkpoints.
        self.register_buffer("leq", torch.ones(10, 10).triu(), persistent=False)

    def forward(self, embeddings: Tensor) -> Tensor:
        """Logits of "no" and "yes", (B, 2), from both tiles' digit logits side by side, (B, 20).

        They are log-probabilities, so that the loss stays finite however small a probability is.
        """
        first, second = (logits.log_softmax(1) for logits in torch.split(embeddings, 10, dim=1))
        joint = first[:, :, None] + second[:, None, :]
        yes = joint.masked_fill(self.leq == 0, -torch.inf).flatten(1).logsumexp(1)
        no = joint.masked_fill(self.leq == 1, -torch.inf).flatten(1).logsumexp(1)
        return torch.stack([no, yes], dim=1)

    def probability(self, first: Tensor, second: Tensor) -> Tensor:
        """P(first <= second), float (B,), of posteriors, float (B, 10), without logarithms: for inference."""
        return ((first @ self.leq) * second).sum(1)

    def table(self, first: Tensor, second: Tensor) -> Tensor:
        """P(row <= column) of all pairs, float (N, M), from posteriors, float (N, 10) and (M, 10)."""
        return first @ self.leq @ second.T
