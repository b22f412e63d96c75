"""The flagship: a branch of four 3x3 convolutions, small enough for any CPU, with its ablations and teachers.

Widths double where the picture is halved, and are multiples of 16, the lanes of a wide vector register:
onnxruntime pads other widths. P(first <= second) is summed from the digit posteriors (`posterior_sum`), which
needs no weights, or learned by a perceptron.
"""

from itertools import chain, pairwise

from torch import nn

from pairedge_train.networks.posterior_sum import PosteriorSum
from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.networks.variants import variant

WIDTH = 16


@variant(parameters=70_516)
def base() -> nn.Module:
    """Flagship, two branches, comparison loss only."""
    return flagship(share_weights=False, auxiliary=False)


@variant(parameters=35_258)
def ws() -> nn.Module:
    """Flagship, one branch for both tiles, comparison loss only."""
    return flagship(share_weights=True, auxiliary=False)


@variant(parameters=70_516)
def aux() -> nn.Module:
    """Flagship, two branches, comparison and digit losses."""
    return flagship(share_weights=False, auxiliary=True)


@variant(parameters=35_258)
def aux_ws() -> nn.Module:
    """Flagship, one branch, comparison and digit losses: the model that ships."""
    return flagship(share_weights=True, auxiliary=True)


@variant("ws_learned", parameters=35_996, auxiliary=False)
@variant("aux_ws_learned", parameters=35_996, auxiliary=True)
def learned(*, auxiliary: bool) -> nn.Module:
    """Flagship, one branch, with a learned comparison head."""
    return flagship(share_weights=True, auxiliary=auxiliary, comparison=perceptron())


@variant(parameters=135_018)
def wide_aux_ws() -> nn.Module:
    """Flagship twice as wide, one branch, both losses: a member of the best ensemble."""
    return TwoBranches([branch(2 * WIDTH, dropout=0.3)], PosteriorSum(), nn.Identity(), together=True)


@variant(parameters=140_458)
def deep_aux_ws() -> nn.Module:
    """One branch of five convolutions, two of them at full resolution, both losses."""
    branch = nn.Sequential(
        *convolution(1, 32, padding=1),
        *convolution(32, 32, padding=1),
        nn.MaxPool2d(2),  # 7x7
        *convolution(32, 64, padding=1),
        *convolution(64, 64, padding=1),
        nn.MaxPool2d(2),  # 3x3
        *convolution(64, 128, padding=0),  # 1x1
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(128, 10),
    )
    return TwoBranches([branch], PosteriorSum(), nn.Identity(), together=True)


@variant(parameters=168_338)
def plain_aux_ws() -> nn.Module:
    """One branch of six convolutions without pooling, both losses; after An et al., 2020."""
    widths = (1, 24, 32, 48, 64, 80, 96)
    layers = [convolution(*sizes, padding=0) for sizes in pairwise(widths)]  # 12x12 to 2x2
    branch = nn.Sequential(
        *chain.from_iterable(layers), nn.Flatten(), nn.Dropout(0.3), nn.Linear(4 * widths[-1], 10)
    )
    return TwoBranches([branch], PosteriorSum(), nn.Identity(), together=True)


def flagship(*, share_weights: bool, auxiliary: bool, comparison: nn.Module | None = None) -> TwoBranches:
    """Build a flagship. A tile's embedding is its ten digit logits, so the digit head has no weights."""
    branches = [branch(WIDTH, dropout=0.15) for _ in range(1 if share_weights else 2)]
    digit = nn.Identity() if auxiliary else None
    return TwoBranches(branches, comparison or PosteriorSum(), digit, together=True)


def branch(width: int, *, dropout: float) -> nn.Module:
    """The branch, (B, 1, 14, 14) to ten logits (B, 10)."""
    return nn.Sequential(
        *convolution(1, width, padding=0),  # 12x12
        nn.MaxPool2d(2),  # 6x6
        *convolution(width, 2 * width, padding=1),
        *convolution(2 * width, 2 * width, padding=0),  # 4x4
        *convolution(2 * width, 4 * width, padding=0),  # 2x2
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(16 * width, 10),
    )


def convolution(inputs: int, outputs: int, *, padding: int) -> list[nn.Module]:
    """A 3x3 convolution, batch normalization and ReLU; the normalization makes a bias redundant."""
    return [
        nn.Conv2d(inputs, outputs, 3, padding=padding, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


def perceptron() -> nn.Module:
    """Both tiles' logits (B, 20) to logits of "no" and "yes" (B, 2)."""
    return nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 2))
