"""Augmentation: every time a digit is seen, it is drawn a little otherwise.

A random affine map and a smooth random displacement, both as in Simard, Steinkraus and Platt, "Best practices
for convolutional neural networks applied to visual document analysis" (2003), for a whole batch at once and
on its device. Digits are warped at 28x28 and averaged to 14x14 afterwards, as the tiles themselves are made:
warping 14x14 tiles blurs strokes that are two pixels wide (train/LOG.md has the difference).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from pairedge_train.recipe import Augmentation

_CELLS = 4  # the displacement is drawn on a grid of so many cells a side, and smooth between them


def warp(fields: Tensor, augmentation: Augmentation, generator: Generator) -> Tensor:
    """Bend each picture of a batch in its own way.

    Args:
        fields: float32 (B, H, W), ink on 0.
        augmentation: how far.
        generator: of the CPU; it decides how, whatever the device of the pictures.

    Returns:
        float32 (B, H, W), bilinear, with 0 where the map looks outside.
    """
    count, height, width = fields.shape
    maps = affine_maps(count, augmentation, generator).to(fields.device)
    grid = F.affine_grid(maps, [count, 1, height, width], align_corners=False)
    if augmentation.elastic:
        cells = torch.randn(count, 2, _CELLS, _CELLS, generator=generator) * augmentation.elastic
        smooth = F.interpolate(cells.to(fields.device), (height, width), mode="bicubic")
        grid = grid + smooth.permute(0, 2, 3, 1)
    bent = F.grid_sample(fields[:, None], grid, align_corners=False)
    if augmentation.stroke:
        share = drawn(count, augmentation.stroke, generator).to(fields.device)[:, None, None, None]
        bent = redrawn(bent, share)
    return bent[:, 0]


def redrawn(fields: Tensor, share: Tensor) -> Tensor:
    """Strokes of (B, 1, H, W) so much thicker, or thinner where `share`, (B, 1, 1, 1), is below 0."""
    thicker = F.max_pool2d(fields, 3, stride=1, padding=1) - fields
    thinner = fields + F.max_pool2d(-fields, 3, stride=1, padding=1)
    return fields + share.clamp(min=0) * thicker + share.clamp(max=0) * thinner


def affine_maps(count: int, augmentation: Augmentation, generator: Generator) -> Tensor:
    """Random maps from places in the new picture to places in the old, float32 (B, 2, 3)."""
    reaches = (
        *(augmentation.rotate * math.pi / 180, augmentation.shear),
        *(augmentation.scale, augmentation.scale, augmentation.shift, augmentation.shift),
    )
    angle, slant, across, down, right, low = (drawn(count, reach, generator) for reach in reaches)
    rows = (
        torch.stack([angle.cos() * across.exp(), (slant - angle.sin()) * down.exp(), right], dim=1),
        torch.stack([angle.sin() * across.exp(), angle.cos() * down.exp(), low], dim=1),
    )
    return torch.stack(rows, dim=1)


def drawn(count: int, reach: float, generator: Generator) -> Tensor:
    """So many numbers evenly from -reach to reach."""
    return (2 * torch.rand(count, generator=generator) - 1) * reach
