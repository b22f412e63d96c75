"""Ranks many tiles by digit and compares every pair of them, encoding each tile once.

The comparison head is learned, and nothing makes its outputs L(a, b) and L(b, a), each P(first <= second),
consistent. One joint distribution over the three outcomes makes them so:

    P(a < b), P(a > b), P(a = b)  =  (1 - L(b, a), 1 - L(a, b), e) / sum,    e = sum_i p_a(i) p_b(i)

where p are the digit posteriors. P(a <= b) is P(a < b) + P(a = b), so P(a <= b) + P(b <= a) - P(a = b) = 1.
Tiles are sorted by one number each, the expected digit sum_i i p(i), so the order has no cycles.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairedge.errors import GraphError
from pairedge.graph import DIGITS, Graph, open_graph

Floats = NDArray[np.float32]

_ENCODED_AT_ONCE = 256  # tiles: their activations stay in the processor's cache
_COMPARED_AT_ONCE = 8192  # pairs: enough to amortize a call, few enough for the processor's cache
_JOINED_AT_ONCE = 16  # rows of a matrix of all pairs
_TINY = np.finfo(np.float32).tiny


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Ranking:
    """Pictures sorted by digit, in ascending order.

    Attributes:
        order: int64 (N,), the indices that sort the input, 0 to N - 1; the sort is stable.
        expected: float32 (N,), the expected digit of each sorted picture, 0 to 9, non-decreasing.
        digits: int64 (N,), the most probable digit of each sorted picture, 0 to 9.
        in_order: float32 (N - 1,), P(digit <= next digit), 0 to 1.
        ties: bool (N - 1,), whether a picture and the next have the same most probable digit.
        confidence: float32 (N,), the probability of each sorted picture's most probable digit, 0 to 1.
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
        """Lists of N plain Python values; `in_order` and `ties` of the last, which has no next, are None."""
        names = ("order", "expected", "digits", "in_order", "ties", "confidence")
        columns = {name: getattr(self, name).tolist() for name in names}
        return {name: column + [None] * (len(self) - len(column)) for name, column in columns.items()}

    def __repr__(self) -> str:
        shown = ", ".join(map(str, self.digits[:20].tolist())) + (", ..." if len(self) > 20 else "")
        return f"<Ranking of {len(self):,} pictures: digits {shown}>"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AllPairs:
    """Every picture compared with every picture; leq + leq.T - equal is 1.

    Attributes:
        leq: float32 (N, N), [a, b] is P(digit a <= digit b), 0 to 1.
        equal: float32 (N, N), [a, b] is P(digit a = digit b), 0 to 1. The diagonal compares a picture with
            an independent one that looks the same.
    """

    leq: Floats
    equal: Floats

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain Python values, ready for JSON."""
        return {"leq": self.leq.tolist(), "equal": self.equal.tolist()}

    def __repr__(self) -> str:
        return f"<AllPairs of {len(self.leq):,} pictures>"


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Tiles, encoded by the network.

    Attributes:
        posteriors: float32 (N, 10), the probability of each digit, 0 to 1; rows sum to 1.
        embeddings: float32 (N, E), the inputs of `compare`, of any range.
        compare: the `compare` graph.
    """

    posteriors: Floats
    embeddings: Floats
    compare: Graph

    def rank(self) -> Ranking:
        """Sort by expected digit, and compare neighbors."""
        # Rounded, because scores differ in the last bits between batch sizes and equal tiles must tie.
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
        """Compare all pairs, a block of rows at a time, so that little memory is needed beyond the result."""
        count, width = self.embeddings.shape
        rows = max(1, _COMPARED_AT_ONCE // max(1, count))
        leq = np.empty(
            (count, count), np.float32
        )  # first the outputs of the head, then the joint probabilities
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
            part, rest = slice(start, start + _JOINED_AT_ONCE), slice(start, None)
            forward, backward = leq[part, rest], leq[rest, part].T
            forward_leq, joint_equal = joint(forward, backward, equal[part, rest])
            backward_leq, _ = joint(backward, forward, equal[part, rest])
            leq[part, rest], leq[rest, part] = forward_leq, backward_leq.T
            equal[part, rest], equal[rest, part] = joint_equal, joint_equal.T
        return AllPairs(leq, equal)

    def _leq(self, first: Floats, second: Floats) -> Floats:
        """The output of the head, float32 (N,), for pairs of embeddings, each float32 (N, E)."""
        batches = range(0, max(1, len(first)), _COMPARED_AT_ONCE)
        parts = [slice(start, start + _COMPARED_AT_ONCE) for start in batches]
        answers = [
            self.compare.run(["leq"], {"first": first[part], "second": second[part]})[0] for part in parts
        ]
        return answers[0] if len(answers) == 1 else np.concatenate(answers)


@dataclass(frozen=True)
class Encoder:
    """The two halves of a `pair` graph: `digit` encodes a tile, `compare` compares two encoded tiles."""

    digit: Graph
    compare: Graph

    def encode(self, tiles: NDArray[np.uint8]) -> Encoded:
        """Encode tiles, uint8 (N, 14, 14), 0 to 255, each once."""
        parts = [
            self.digit.run(["posterior", "embedding"], {"tiles": tiles[start : start + _ENCODED_AT_ONCE]})
            for start in range(0, max(1, len(tiles)), _ENCODED_AT_ONCE)
        ]
        posteriors, embeddings = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Encoded(posteriors, embeddings, self.compare)


def joint(forward: Floats, backward: Floats, equal: Floats) -> tuple[Floats, Floats]:
    """P(a <= b) and P(a = b) by the formula in this module's docstring, elementwise.

    Args:
        forward: float32 of any shape, L(a, b), the head's P(a <= b), 0 to 1.
        backward: float32 of that shape, L(b, a), the head's P(b <= a), 0 to 1.
        equal: float32 of that shape, e, the probability that two digits drawn from the posteriors are equal,
            0 to 1.

    Returns:
        P(a <= b) and P(a = b), each float32 of that shape, 0 to 1.
    """
    # Where the head is certain of a <= b and b <= a but the posteriors of a != b, this makes the head win.
    equal = np.maximum(equal, _TINY)
    leq = 1 - backward + equal
    total = leq + (1 - forward)
    return leq / total, equal / total


def open_encoder(pair: Graph) -> Encoder:
    """Open the `digit` and `compare` graphs in the folder of a `pair` graph.

    Raises:
        GraphError: when they are missing, or were exported from other weights.
    """
    if pair.path is None:
        raise GraphError(
            "a model loaded from bytes cannot rank: load it from a file beside its digit and compare graphs"
        )
    weights = pair.metadata.get("weights_sha256")
    if not isinstance(weights, str):
        raise GraphError(f"{pair.path}: has no weights_sha256, which its digit and compare graphs must match")
    folder = os.path.dirname(pair.path)  # noqa: PTH120 (pathlib would cost start-up time)
    graphs = []
    for kind in ("digit", "compare"):
        path = f"{folder}/{kind}.onnx"
        try:
            graph = open_graph(path, kind, threads=pair.threads)
        except GraphError as error:
            raise GraphError(f"ranking needs the {kind} graph of {pair.path}: {error}") from error
        if graph.metadata.get("weights_sha256") != weights:
            raise GraphError(f"{path}: has other weights than {pair.path}: their weights_sha256 differ")
        graphs.append(graph)
    return Encoder(*graphs)
