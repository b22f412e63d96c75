"""What a graph, its inputs and its outputs are, in the words that viewers such as Netron show."""

from __future__ import annotations

_TILE = (
    "A tile is a handwritten digit in 14x14 pixels: gray levels 0 (background) to 255 (ink), as MNIST's "
    "28x28 pictures averaged over 2x2 pixels. Rows run from the top, columns from the left."
)

# By kind of graph, a key of pairedge.graph.CONTRACTS.
GRAPHS = {
    "pair": "Compares two handwritten digits: is the first less than or equal to the second? "
    "N pairs of tiles in, N probabilities out.",
    "digit": "Encodes single handwritten digits: the probability of each digit, and the embedding that the "
    "compare graph of the same model takes.",
    "compare": "Compares two digits that the digit graph of the same model has encoded: is the first less "
    "than or equal to the second?",
}

# By name of input or output, which means the same in every graph.
TENSORS = {
    "images": f"N pairs of tiles, uint8 (N, 2, 14, 14); the first tile of a pair is [:, 0]. {_TILE}",
    "tiles": f"N tiles, uint8 (N, 14, 14). {_TILE}",
    "leq": "P(first <= second), float32 (N,), 0 to 1. The decision is yes from 0.5 on.",
    "digits": "The probability of each digit 0 to 9 for either tile, float32 (N, 2, 10), 0 to 1; the ten sum "
    "to 1.",
    "posterior": "The probability of each digit 0 to 9, float32 (N, 10), 0 to 1; the ten sum to 1.",
    "embedding": "What the compare graph needs of a tile, float32 (N, E), of any range.",
    "first": "Embeddings of the first tiles, float32 (N, E), from the digit graph.",
    "second": "Embeddings of the second tiles, float32 (N, E), from the digit graph.",
}
