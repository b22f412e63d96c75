"""Augmentation bends digits within its bounds, by its generator alone, and each step equals its slow twin."""

from __future__ import annotations

import math
from dataclasses import fields as fields_of

import pytest
import torch
from torch import Generator, Tensor

from pairedge_train.errors import RecipeError
from pairedge_train.experiments.recipe import Augmentation, Recipe
from pairedge_train.training.augment import affine_maps, redrawn, warp

STRONG = Augmentation(rotate=15, scale=0.2, shear=0.2, shift=0.1, elastic=0.05, stroke=0.5)


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


@pytest.fixture
def fields() -> Tensor:
    """Eight discs off the middle, grey levels 0 to 255."""
    place = torch.arange(28.0)
    disc = ((place[:, None] - 12) ** 2 + (place - 15) ** 2 < 25).float() * 255
    return disc.expand(8, 28, 28).contiguous()


def test_without_reach_nothing_changes(fields: Tensor) -> None:
    assert not Augmentation()
    torch.testing.assert_close(warp(fields, Augmentation(), generator()), fields, atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", [field.name for field in fields_of(Augmentation)])
def test_each_reach_changes_every_picture_in_its_own_way(name: str, fields: Tensor) -> None:
    augmentation = Augmentation(**{name: 0.3 if name != "rotate" else 30.0})
    assert augmentation
    bent = warp(fields, augmentation, generator())
    assert bent.shape == fields.shape
    assert bent.min() >= 0
    assert bent.max() <= 255.001
    assert all(not torch.equal(bent[i], bent[j]) for i in range(8) for j in range(i))


def test_the_generator_decides(fields: Tensor) -> None:
    assert torch.equal(warp(fields, STRONG, generator()), warp(fields, STRONG, generator()))
    assert not torch.equal(warp(fields, STRONG, generator()), warp(fields, STRONG, generator(1)))


def test_maps_are_the_product_of_slant_rotation_and_stretch_within_their_reach() -> None:
    maps = affine_maps(500, STRONG, generator())
    assert maps.shape == (500, 2, 3)
    assert maps[:, :, 2].abs().max() <= STRONG.shift
    only_turned = affine_maps(500, Augmentation(rotate=15), generator())
    angle = torch.atan2(only_turned[:, 1, 0], only_turned[:, 0, 0])
    assert 0.9 * 15 < angle.abs().max() * 180 / math.pi <= 15
    torch.testing.assert_close(torch.linalg.det(only_turned[:, :, :2]), torch.ones(500))
    stretched = affine_maps(500, Augmentation(scale=0.2), generator())
    assert stretched[:, 0, 0].log().abs().max() <= 0.2
    assert not stretched[:, 0, 1].any()


def test_a_shift_moves_the_middle_of_the_ink(fields: Tensor) -> None:
    shift = Augmentation(shift=0.2)
    moved = warp(fields, shift, generator())
    maps = affine_maps(8, shift, generator())
    columns = torch.arange(28.0)
    middle = (moved.sum(1) * columns).sum(1) / moved.sum((1, 2))
    torch.testing.assert_close(middle, 15 - maps[:, 0, 2] * 14, atol=0.05, rtol=0)


def test_strokes_are_drawn_by_the_greatest_and_least_neighbour(fields: Tensor) -> None:
    """The slow twin: a loop over the nine neighbours of every pixel."""
    inner = fields[:1, 8:16, 8:16]
    padded = torch.nn.functional.pad(inner, (1, 1, 1, 1), value=-1)
    neighbours = torch.stack([padded[:, y : y + 8, x : x + 8] for y in range(3) for x in range(3)])
    thick = neighbours.amax(0)
    thin = neighbours.where(neighbours >= 0, torch.tensor(1e9)).amin(0)
    share = torch.tensor([1.0])[:, None, None, None]
    torch.testing.assert_close(redrawn(inner[:, None], share)[:, 0], thick)
    torch.testing.assert_close(redrawn(inner[:, None], -share)[:, 0], thin)
    torch.testing.assert_close(redrawn(inner[:, None], 0 * share)[:, 0], inner)


def test_a_recipe_carries_it() -> None:
    recipe = Recipe().with_({"augment.rotate": 10.0, "augment.stroke": 0.5})
    assert recipe.augment == Augmentation(rotate=10.0, stroke=0.5)
    assert not Recipe().augment
    with pytest.raises(RecipeError, match=r"augment.shear must be a number from 0, not -0\.1"):
        Recipe().with_({"augment.shear": -0.1})
