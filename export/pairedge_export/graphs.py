"""The graphs of a model, as torch modules with the inputs and outputs of the contract in pairedge.graph."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pairedge.graph import CONTRACTS, DIGITS
from pairedge_train.networks.network import Network
from pairedge_train.networks.output import Output, leq_probability
from pairedge_train.networks.posterior_sum import PosteriorSum
from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.training.evaluate import decide


class PairGraph(nn.Module):
    """Pairs of tiles, uint8 (N, 2, 14, 14), to `leq` (N,) and, with a digit head, `digits` (N, 2, 10).

    A network without comparison head decides by its most probable digits, and so do its graphs: `leq` is
    then 0 or 1. Where posteriors are summed, both tiles go through branch and softmax as one batch: a third
    fewer nodes than the network's own forward pass, for the same values.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """From gray levels, uint8 (N, 2, 14, 14), 0 to 255, to probabilities, float32 (N,) and (N, 2, 10)."""
        body, summed = self.network.body, summed_by(self.network.body)
        if summed and isinstance(body, TwoBranches) and body.shares_weights and body.digit is not None:
            tiles = self.network.normalize(images.float()).reshape(-1, 1, *images.shape[2:])
            posteriors = body.digit(body.branches[0](tiles)).softmax(1).reshape(-1, 2, DIGITS)
            return summed.probability(posteriors[:, 0], posteriors[:, 1]), posteriors
        output: Output = self.network(images.float())
        return leq(output), *(() if output.digits is None else (output.digits.softmax(2),))


class DigitGraph(nn.Module):
    """Tiles, uint8 (N, 14, 14), to `posterior` (N, 10) and `embedding` (N, E), both float32."""

    def __init__(self, network: Network, body: TwoBranches) -> None:
        super().__init__()
        self.network = network
        self.body = body

    def forward(self, tiles: Tensor) -> tuple[Tensor, Tensor]:
        """From gray levels, uint8 (N, 14, 14), 0 to 255, to probabilities, float32 (N, 10), and embeddings.

        Embeddings are float32 (N, E), of any range.
        """
        embedding = self.body.branches[0](self.network.normalize(tiles.float()[:, None]))
        assert self.body.digit is not None  # else graphs_of leaves this graph out
        posterior = self.body.digit(embedding).softmax(1)
        return posterior, embedding if summed_by(self.body) is None else posterior


class CompareGraph(nn.Module):
    """Embeddings `first` and `second`, each float32 (N, E), to `leq`, float32 (N,)."""

    def __init__(self, body: TwoBranches) -> None:
        super().__init__()
        self.body = body

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """From embeddings, float32 (N, E), of any range, to probabilities, float32 (N,)."""
        summed = summed_by(self.body)
        return leq(self.body.heads(first, second)) if summed is None else summed.probability(first, second)


def summed_by(body: nn.Module) -> PosteriorSum | None:
    """The head that sums P(first <= second) from posteriors; None where a network has another.

    In graphs it takes the posteriors, which are computed anyway, and they are the embedding that `compare`
    takes: no logarithms, and one softmax per tile.
    """
    head = body.comparison if isinstance(body, TwoBranches) else None
    return head if isinstance(head, PosteriorSum) else None


def leq(output: Output) -> Tensor:
    """P(first <= second), float32 (N,), 0 to 1: of the comparison head, else 0 or 1 as the digits decide."""
    if output.comparison is None:
        return decide(None, output.digits).float()
    return leq_probability(output.comparison)


@dataclass(frozen=True)
class TorchGraph:
    """A graph before its export.

    Attributes:
        kind: "pair", "digit" or "compare", a key of CONTRACTS.
        module: in evaluation mode; its inputs have the dtypes and axes of the contract.
        outputs: the names of its outputs, in order.
    """

    kind: str
    module: nn.Module
    outputs: tuple[str, ...]

    def run(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Compute its outputs in torch, always as a tuple.

        Args:
            inputs: of the dtypes, axes and order of the contract.

        Returns:
            The outputs of the contract, float32 (N, ...), in the order of `outputs`.
        """
        with torch.no_grad():
            results = self.module(*inputs)
        return results if isinstance(results, tuple) else (results,)


def graphs_of(network: Network) -> list[TorchGraph]:
    """The graphs that a network is exported as.

    `pair` always; `digit` and `compare` too where one branch serves both tiles and has a digit head.
    """
    body = network.body
    three = isinstance(body, TwoBranches) and body.shares_weights and body.digit is not None
    example = network(torch.zeros(2, 2, 14, 14))
    modules: dict[str, nn.Module] = {"pair": PairGraph(network)}
    if three:
        assert isinstance(body, TwoBranches)
        modules |= {"digit": DigitGraph(network, body), "compare": CompareGraph(body)}
    graphs = []
    for kind, module in modules.items():
        outputs = list(CONTRACTS[kind].outputs)
        if kind == "pair" and example.digits is None:
            outputs.remove("digits")
        graphs.append(TorchGraph(kind, module.eval(), tuple(outputs)))
    return graphs
