"""A network ready for grey levels: a variant's body behind its normalisation, two constants of the model."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pairedge_train.data.pairs import Draw
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.networks.ensemble import ensemble_of
from pairedge_train.networks.output import Output
from pairedge_train.networks.variants import get_variant


class Network(nn.Module):
    """Maps grey levels 0..255, float32 (B, 2, 14, 14), to a variant's `Output`.

    Args:
        body: the variant's network.
        mean: subtracted from every grey level.
        std: what the difference is divided by.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, body: nn.Module, mean: float = 0.0, std: float = 1.0) -> None:
        super().__init__()
        self.body = body
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, images: Tensor) -> Output:
        """Answer for pairs, float32 (B, 2, 14, 14)."""
        output: Output = self.body(self.normalise(images))
        return output

    def normalise(self, images: Tensor) -> Tensor:
        """Grey levels to what the body was trained on."""
        return (images - self.mean) / self.std

    def parameter_count(self) -> int:
        """How many trainable numbers the network has; a shared weight counts once."""
        return sum(parameter.numel() for parameter in self.parameters())


def build_network(recipe: Recipe, draw: Draw | None = None) -> Network:
    """A fresh network for a recipe, standardised by what was drawn where the recipe says so.

    Without a draw the normalisation is left at 0 and 1, to be filled in from a checkpoint.

    Raises:
        RecipeError: for an unknown variant, or one of which no ensemble can be made.
    """
    bodies = [get_variant(name).build() for name in recipe.member_variants]
    body = bodies[0] if len(bodies) == 1 else ensemble_of(bodies)
    if recipe.normalise == "standardise" and draw is not None:
        return Network(body, draw.mean, draw.std)
    return Network(body)
