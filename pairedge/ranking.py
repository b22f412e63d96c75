"""Many tiles, each encoded once: their order by digit, and every pair of them compared.

The comparison head is learned, and nothing makes its answers L(a, b) and L(b, a), both P(first <= second),
fit each other. They are made to fit by one joint distribution over the three ways that two digits can lie:

    P(a < b), P(a > b), P(a = b)  =  (1 - L(b, a), 1 - L(a, b), e) / sum,    e = sum_i p_a(i) p_b(i)

where p are the digit posteriors. P(a <= b) is P(a < b) + P(a = b), so P(a <= b) + P(b <= a) - P(a = b) = 1.
The order is that of one number for each tile, its expected digit sum_i i p(i), and so has no cycles.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from pairedge.errors import GraphError
from pairedge.graph import DIGITS, Graph, open_graph

Floats = NDArray[np.float32]

_ENCODED_AT_ONCE = 256  # tiles, whose activations stay in a processor's cache
_COMPARED_AT_ONCE = 8192  # pairs: enough to make a call cheap, few enough to stay in a processor's cache
_JOINED_AT_ONCE = 16  # rows of a matrix of all pairs
_TINY = np.finfo(np.float32).tiny


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Pictures in order of their digits, the least first.

    Attributes:
        order: int64 (N,), the place of each picture among those that were given; pictures with equal
            expected digits keep the order in which they were given.
        expected: float32 (N,), the expected digit of each, 0 to 9, in this order: it never falls.
        digits: int64 (N,), the most probable digit of each, in this order.
        in_order: float32 (N - 1,), P(digit <= next digit), 0 to 1.
        ties: bool (N - 1,), whether a picture and the next show the same digit, the most probable of each.
        confidence: float32 (N,), the probability of the most probable digit of each, 0 to 1, in this order.
    """

    order: NDArray[np.int64]
    expected: Floats
    digits: NDArray[np.int64]
    in_order: Floats
    ties: NDArray[np.bool_]
    confidence: Floats

    def __len__(self) -> int:
        return len(self.order)

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for JSON."""
        names = ("order", "expected", "digits", "in_order", "ties", "confidence")
        return {name: getattr(self, name).tolist() for name in names}


@dataclass(frozen=True, slots=True, eq=False)
class AllPairs:
    """Every picture compared with every one; leq + leq.T - equal is 1.

    Attributes:
        leq: float32 (N, N), at [a, b] P(digit a <= digit b), 0 to 1.
        equal: float32 (N, N), at [a, b] P(digit a = digit b), 0 to 1. On the diagonal a picture is compared
            with another that looks just like it.
    """

    leq: Floats
    equal: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Tiles as the network sees them.

    Attributes:
        posteriors: float32 (N, 10), the digit of each tile.
        embeddings: float32 (N, E), what `compare` takes.
        compare: the session of the `compare` graph.
    """

    posteriors: Floats
    embeddings: Floats
    compare: ort.InferenceSession

    def rank(self) -> Ranking:
        """Sort by expected digit, and compare neighbours."""
        # Rounded: batches of other sizes differ in the last bits, and equal tiles are to have equal scores.
        expected = (self.posteriors * np.arange(DIGITS, dtype=np.float32)).sum(axis=1).round(4)
        order = np.argsort(expected, kind="stable")
        posteriors, embeddings = self.posteriors[order], self.embeddings[order]
        digits = posteriors.argmax(axis=1)
        less, more = slice(None, -1), slice(1, None)
        in_order, _ = joint(
            self._leq(embeddings[less], embeddings[more]),
            self._leq(embeddings[more], embeddings[less]),
            (posteriors[less] * posteriors[more]).sum(axis=1),
        )
        ties = digits[less] == digits[more]
        return Ranking(order, expected[order], digits, in_order, ties, posteriors.max(axis=1))

    def compare_all(self) -> AllPairs:
        """Compare all, some rows of the matrices at a time; beside the result, little is held."""
        count, width = self.embeddings.shape
        rows = max(1, _COMPARED_AT_ONCE // max(1, count))
        leq = np.empty((count, count), np.float32)  # first what the head says, then what the joint says
        first = np.empty((rows, count, width), np.float32)
        second = np.tile(self.embeddings, (rows, 1))
        for start in range(0, count, rows):
            block = self.embeddings[start : start + rows, None]
            first[: len(block)] = block
            pairs = len(block) * count
            answers = self._leq(first.reshape(-1, width)[:pairs], second[:pairs])
            leq[start : start + rows] = answers.reshape(-1, count)
        equal = self.posteriors @ self.posteriors.T
        for start in range(0, count, _JOINED_AT_ONCE):
            some, rest = slice(start, start + _JOINED_AT_ONCE), slice(start, None)
            forth, back, same = leq[some, rest], leq[rest, some].T, equal[some, rest]
            forth_leq, shared = joint(forth, back, same)
            back_leq, _ = joint(back, forth, same)
            leq[some, rest], leq[rest, some] = forth_leq, back_leq.T
            equal[some, rest], equal[rest, some] = shared, shared.T
        return AllPairs(leq, equal)

    def _leq(self, first: Floats, second: Floats) -> Floats:
        """What the head answers for pairs of embeddings, each (N, E): float32 (N,)."""
        batches = range(0, max(1, len(first)), _COMPARED_AT_ONCE)
        parts = [slice(start, start + _COMPARED_AT_ONCE) for start in batches]
        answers = [
            self.compare.run(["leq"], {"first": first[part], "second": second[part]})[0] for part in parts
        ]
        return answers[0] if len(answers) == 1 else np.concatenate(answers)


@dataclass(frozen=True)
class Encoder:
    """The two graphs that a `pair` graph is made of: one reads a tile, the other compares what was read."""

    digit: ort.InferenceSession
    compare: ort.InferenceSession

    def encode(self, tiles: NDArray[np.uint8]) -> Encoded:
        """Read each tile, uint8 (N, 14, 14), once."""
        parts = [
            self.digit.run(["posterior", "embedding"], {"tiles": tiles[start : start + _ENCODED_AT_ONCE]})
            for start in range(0, max(1, len(tiles)), _ENCODED_AT_ONCE)
        ]
        posteriors, embeddings = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Encoded(posteriors, embeddings, self.compare)


def joint(forth: Floats, back: Floats, equal: Floats) -> tuple[Floats, Floats]:
    """P(a <= b) and P(a = b) by the formula above.

    Args:
        forth: L(a, b), the head's P(a <= b), of any shape.
        back: L(b, a), the head's P(b <= a).
        equal: e, the probability that two digits drawn from the posteriors are equal.
    """
    # Of a head sure that a <= b and b <= a, and posteriors sure that a and b differ, the head is believed.
    equal = np.maximum(equal, _TINY)
    leq = 1 - back + equal
    total = leq + (1 - forth)
    return leq / total, equal / total


def open_encoder(pair: Graph) -> Encoder:
    """Open the `digit` and `compare` graphs that lie beside a `pair` graph.

    Raises:
        GraphError: when there are none, or they hold other weights.
    """
    if pair.path is None:
        raise GraphError(
            "a model given as bytes has no other graphs beside it; to rank, load it from its file"
        )
    weights = pair.metadata.get("weights_sha256")
    if not isinstance(weights, str):
        raise GraphError(
            f"{pair.path}: gives no weights_sha256, by which its digit and compare graphs are known"
        )
    folder = os.path.dirname(pair.path)  # noqa: PTH120 (pathlib would cost start-up time)
    graphs = []
    for kind in ("digit", "compare"):
        path = f"{folder}/{kind}.onnx"
        try:
            graph = open_graph(path, kind, threads=pair.threads)
        except GraphError as error:
            raise GraphError(f"ranking needs the {kind} graph of {pair.path}: {error}") from error
        if graph.metadata.get("weights_sha256") != weights:
            raise GraphError(f"{path}: holds other weights than {pair.path}: their weights_sha256 differ")
        graphs.append(graph)
    digit, compare = graphs
    return Encoder(digit.session, compare.session)
