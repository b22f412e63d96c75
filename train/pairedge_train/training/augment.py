"""Augmentation: random affine and elastic distortion, and random stroke width, of a batch of digits.

The distortions follow Simard, Steinkraus and Platt, "Best practices for convolutional neural networks applied
to visual document analysis" (2003). They run on a whole batch on its device. Digits are warped at 28x28 and
averaged to 14x14 afterwards, as tiles are made: warping 14x14 tiles blurs strokes that are two pixels wide
(train/LOG.md has the difference).
"""

from __future__ import annotations

import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from pairedge_train.experiments.recipe import Augmentation

_CELLS = 4  # side of the grid on which elastic displacements are drawn, then interpolated


def warp(fields: Tensor, augmentation: Augmentation, generator: Generator) -> Tensor:
    """Distort each picture of a batch at random.

    Args:
        fields: float32 (B, H, W), gray levels 0 to 255, ink on 0.
        augmentation: the ranges of the distortions.
        generator: on the CPU, whatever the device of the pictures.

    Returns:
        float32 (B, H, W), 0 to 255, interpolated bilinearly, 0 outside the picture.
    """
    count, height, width = fields.shape
    maps = affine_maps(count, augmentation, generator).to(fields.device)
    grid = F.affine_grid(maps, [count, 1, height, width], align_corners=False)
    if augmentation.elastic:
        cells = torch.randn(count, 2, _CELLS, _CELLS, generator=generator) * augmentation.elastic
        displacements = bicubic_matrix(height) @ cells @ bicubic_matrix(width).T
        grid = grid + displacements.permute(0, 2, 3, 1).to(fields.device)
    warped = F.grid_sample(fields[:, None], grid, align_corners=False)
    if augmentation.stroke:
        share = uniform(count, augmentation.stroke, generator).to(fields.device)[:, None, None, None]
        warped = change_stroke_width(warped, share)
    return warped[:, 0]


@cache
def bicubic_matrix(size: int) -> Tensor:
    """Bicubic interpolation from 4 values to `size` as a matrix, float32 (S, 4).

    Two products with it are twenty times as fast as `interpolate`, whose kernel is made for large pictures.
    """
    units = torch.eye(_CELLS)[None, :, :, None]
    matrix: Tensor = F.interpolate(units, (size, 1), mode="bicubic")[0, :, :, 0].T
    return matrix


def change_stroke_width(fields: Tensor, share: Tensor) -> Tensor:
    """Thicken strokes by a share of a 3x3 dilation, or thin them by a share of an erosion.

    Args:
        fields: float32 (B, 1, H, W).
        share: float32 (B, 1, 1, 1), above 0 to thicken, below 0 to thin.

    Returns:
        float32 (B, 1, H, W).
    """
    thicker, thinner = dilate(fields) - fields, fields + dilate(-fields)
    return fields + share.clamp(min=0) * thicker + share.clamp(max=0) * thinner


def dilate(fields: Tensor) -> Tensor:
    """The maximum of each 3x3 neighborhood of float32 (B, 1, H, W); ten times faster than `max_pool2d`."""
    for dimension in (-1, -2):
        inner = fields.narrow(dimension, 1, fields.shape[dimension] - 1)
        outer = fields.narrow(dimension, 0, fields.shape[dimension] - 1)
        pairs = torch.maximum(inner, outer)  # the maximum of each two neighbors
        ends = (fields.narrow(dimension, 0, 1), fields.narrow(dimension, -1, 1))
        left = torch.cat([ends[0], pairs], dim=dimension)
        right = torch.cat([pairs, ends[1]], dim=dimension)
        fields = torch.maximum(left, right)
    return fields


def affine_maps(count: int, augmentation: Augmentation, generator: Generator) -> Tensor:
    """Random affine maps from output to input coordinates, float32 (B, 2, 3), as `affine_grid` takes them."""
    angle = uniform(count, augmentation.rotate * math.pi / 180, generator)
    shear = uniform(count, augmentation.shear, generator)
    scale_x, scale_y = (uniform(count, augmentation.scale, generator).exp() for _ in range(2))
    shift_x, shift_y = (uniform(count, augmentation.shift, generator) for _ in range(2))
    rows = (
        torch.stack([angle.cos() * scale_x, (shear - angle.sin()) * scale_y, shift_x], dim=1),
        torch.stack([angle.sin() * scale_x, angle.cos() * scale_y, shift_y], dim=1),
    )
    return torch.stack(rows, dim=1)


def uniform(count: int, limit: float, generator: Generator) -> Tensor:
    """Uniform random numbers from -limit to limit, float32 (B,)."""
    return (2 * torch.rand(count, generator=generator) - 1) * limit
