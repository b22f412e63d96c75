"""Augmentation: every time a digit is seen, it is drawn a little otherwise.

A random affine map and a smooth random displacement, both as in Simard, Steinkraus and Platt, "Best practices
for convolutional neural networks applied to visual document analysis" (2003), for a whole batch at once and
on its device. Digits are warped at 28x28 and averaged to 14x14 afterwards, as the tiles themselves are made:
warping 14x14 tiles blurs strokes that are two pixels wide (train/LOG.md has the difference).
"""

from __future__ import annotations

import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from pairedge_train.experiments.recipe import Augmentation

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
        smooth = smoothly(height) @ cells @ smoothly(width).T
        grid = grid + smooth.permute(0, 2, 3, 1).to(fields.device)
    bent = F.grid_sample(fields[:, None], grid, align_corners=False)
    if augmentation.stroke:
        share = drawn(count, augmentation.stroke, generator).to(fields.device)[:, None, None, None]
        bent = redrawn(bent, share)
    return bent[:, 0]


@cache
def smoothly(size: int) -> Tensor:
    """Bicubic interpolation from _CELLS values to `size` as a matrix, (size, _CELLS).

    Two products with it are twenty times as quick as `interpolate`, whose kernel is made for large pictures.
    """
    units = torch.eye(_CELLS)[None, :, :, None]
    matrix: Tensor = F.interpolate(units, (size, 1), mode="bicubic")[0, :, :, 0].T
    return matrix


def redrawn(fields: Tensor, share: Tensor) -> Tensor:
    """Strokes of (B, 1, H, W) so much thicker, or thinner where `share`, (B, 1, 1, 1), is below 0."""
    thicker, thinner = greatest(fields) - fields, fields + greatest(-fields)
    return fields + share.clamp(min=0) * thicker + share.clamp(max=0) * thinner


def greatest(fields: Tensor) -> Tensor:
    """The greatest of each pixel and its eight neighbours; ten times as quick as `max_pool2d` here."""
    for dimension in (-1, -2):
        inner = fields.narrow(dimension, 1, fields.shape[dimension] - 1)
        outer = fields.narrow(dimension, 0, fields.shape[dimension] - 1)
        higher = torch.maximum(inner, outer)  # of each two neighbours
        ends = (fields.narrow(dimension, 0, 1), fields.narrow(dimension, -1, 1))
        left = torch.cat([ends[0], higher], dim=dimension)
        right = torch.cat([higher, ends[1]], dim=dimension)
        fields = torch.maximum(left, right)
    return fields


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
