"""Augmentation stays within its ranges and depends on its generator alone; strokes equal a reference."""

from __future__ import annotations

import math
from dataclasses import fields as fields_of

import pytest
import torch
from torch import Generator, Tensor

from pairedge_train.errors import RecipeError
from pairedge_train.experiments.recipe import Augmentation, Recipe
from pairedge_train.training.augment import affine_maps, change_stroke_width, warp

STRONG = Augmentation(rotate=15, scale=0.2, shear=0.2, shift=0.1, elastic=0.05, stroke=0.5)


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


@pytest.fixture
def fields() -> Tensor:
    """Eight discs off center, gray levels 0 to 255."""
    place = torch.arange(28.0)
    disc = ((place[:, None] - 12) ** 2 + (place - 15) ** 2 < 25).float() * 255
    return disc.expand(8, 28, 28).contiguous()


def test_zero_ranges_change_nothing(fields: Tensor) -> None:
    assert not Augmentation()
    torch.testing.assert_close(warp(fields, Augmentation(), generator()), fields, atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", [field.name for field in fields_of(Augmentation)])
def test_each_distortion_changes_every_picture_in_its_own_way(name: str, fields: Tensor) -> None:
    augmentation = Augmentation(**{name: 0.3 if name != "rotate" else 30.0})
    assert augmentation
    warped = warp(fields, augmentation, generator())
    assert warped.shape == fields.shape
    assert warped.min() >= 0
    assert warped.max() <= 255.001
    assert all(not torch.equal(warped[i], warped[j]) for i in range(8) for j in range(i))


def test_the_generator_decides(fields: Tensor) -> None:
    assert torch.equal(warp(fields, STRONG, generator()), warp(fields, STRONG, generator()))
    assert not torch.equal(warp(fields, STRONG, generator()), warp(fields, STRONG, generator(1)))


def test_maps_are_the_product_of_shear_rotation_and_scale_within_their_ranges() -> None:
    maps = affine_maps(500, STRONG, generator())
    assert maps.shape == (500, 2, 3)
    assert maps[:, :, 2].abs().max() <= STRONG.shift
    rotated = affine_maps(500, Augmentation(rotate=15), generator())
    angle = torch.atan2(rotated[:, 1, 0], rotated[:, 0, 0])
    assert 0.9 * 15 < angle.abs().max() * 180 / math.pi <= 15
    torch.testing.assert_close(torch.linalg.det(rotated[:, :, :2]), torch.ones(500))
    scaled = affine_maps(500, Augmentation(scale=0.2), generator())
    assert scaled[:, 0, 0].log().abs().max() <= 0.2
    assert not scaled[:, 0, 1].any()


def test_a_shift_moves_the_center_of_the_ink(fields: Tensor) -> None:
    shift = Augmentation(shift=0.2)
    moved = warp(fields, shift, generator())
    maps = affine_maps(8, shift, generator())
    columns = torch.arange(28.0)
    center = (moved.sum(1) * columns).sum(1) / moved.sum((1, 2))
    torch.testing.assert_close(center, 15 - maps[:, 0, 2] * 14, atol=0.05, rtol=0)


def test_stroke_width_changes_by_dilation_and_erosion(fields: Tensor) -> None:
    """The reference: a loop over the nine neighbors of every pixel."""
    inner = fields[:1, 8:16, 8:16]
    padded = torch.nn.functional.pad(inner, (1, 1, 1, 1), value=-1)
    neighbors = torch.stack([padded[:, y : y + 8, x : x + 8] for y in range(3) for x in range(3)])
    thick = neighbors.amax(0)
    thin = neighbors.where(neighbors >= 0, torch.tensor(1e9)).amin(0)
    share = torch.tensor([1.0])[:, None, None, None]
    torch.testing.assert_close(change_stroke_width(inner[:, None], share)[:, 0], thick)
    torch.testing.assert_close(change_stroke_width(inner[:, None], -share)[:, 0], thin)
    torch.testing.assert_close(change_stroke_width(inner[:, None], 0 * share)[:, 0], inner)


def test_a_recipe_carries_it() -> None:
    recipe = Recipe().with_({"augment.rotate": 10.0, "augment.stroke": 0.5})
    assert recipe.augment == Augmentation(rotate=10.0, stroke=0.5)
    assert not Recipe().augment
    with pytest.raises(RecipeError, match=r"augment.shear must be a number from 0, not -0\.1"):
        Recipe().with_({"augment.shear": -0.1})
