"""From ink to the digit's own strokes: ruled lines, specks and the edges of things are left out.

Small pictures, up to SMALL pixels, are drawings, scans and thumbnails: they show no shadow and no edge of a
page, the digit may fill them from border to border, and few of their strokes are broken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairedge.errors import NoInkError, SeveralDigitsError
from pairedge.image.ink import NO_INK, SMALL, along_border
from pairedge.image.morphology import (
    Gray,
    Mask,
    bounding_slices,
    connected_components,
    dilate,
    dilate_columns,
    erode,
)

STEEPEST_LINE = 0.12  # how far ruled lines may rise, pixels for each pixel across
THICKEST_LINE = 0.02  # of the picture's longer side
TINY = 20  # pixels: no picture up to this is of a page with lines
APART = 0.05  # of the digit's longer side: parts that are closer are the pieces of one stroke


def segment_digit(ink: Gray, darkness: Gray) -> Gray:
    """The ink that belongs to the digit, float32 (H, W), 0 to 1; lines, specks and edges are left out.

    Args:
        ink: float32 (H, W), 0 to 1, as `find_ink` gives it.
        darkness: float32 (H, W), as `find_ink` gives it.

    Raises:
        NoInkError: when nothing is left, or nothing but the edge of a shadow.
        SeveralDigitsError: when there are two digits or more.
    """
    small = max(ink.shape) <= SMALL
    strong = ink >= 0.5
    mask = without_lines(strong)
    if small and not is_framed(mask, strong):
        mask = strong
    parts = connected_components(mask)
    if not parts.area.size:
        raise NoInkError(NO_INK)
    lines = strong & ~mask
    height, width = ink.shape
    # What touches the border is rather a shadow or the edge of the page, unless nothing else is there.
    top, left, bottom, right = parts.box.T
    sides = (top == 0).astype(int) + (left == 0) + (bottom == height) + (right == width)
    if small:
        sides[:] = 0
    mass = parts.area * np.where(sides > 0, 0.15, 1.0)
    main = int(mass.argmax())
    kept = np.zeros(len(mass), bool)
    kept[main] = True
    thick = stroke_width(parts.labels == main)
    large = parts.area >= 0.5 * thick * thick
    fit = large & ((sides == 0) | (sides[main] > 0))
    kept = with_neighbors(kept, fit, parts.box, APART)
    whole = np.concatenate([parts.box[kept, :2].min(axis=0), parts.box[kept, 2:].max(axis=0)])
    others = large & (sides < 2) & ~kept & (parts.area >= 0.25 * parts.area[kept].sum())
    for other in np.flatnonzero(others):
        if is_another(whole, parts.box[other], small=small) and not (
            sides[other] and is_edge(parts.labels == other, lines, darkness)
        ):
            raise SeveralDigitsError("several digits found: a picture may show only one")
    kept = with_neighbors(kept, fit, parts.box, 0.35)
    own = np.append(kept, False)[parts.labels]
    if not small and is_edge(own, lines, darkness):
        raise NoInkError("no ink found: all that stands out is the edge of a darker area")
    # Their soft edges too, and the small holes where lines crossed, but nothing of what was left out.
    near = dilate(own, max(2, round(thick / 2))) & ~dilate(strong & ~own, 1)
    near |= dilate(own, 2)
    return np.where(near, ink, 0)


def is_framed(mask: Mask, strong: Mask) -> bool:
    """Whether a mask without lines is a digit with paper around it, in a small picture.

    Where a digit fills its picture, the bar of a 7 or the side of a 0 may be a line from border to border.

    Args:
        mask: bool (H, W), of `strong` what is no line.
        strong: bool (H, W).
    """
    most = 2 * np.count_nonzero(mask) >= np.count_nonzero(strong)
    return bool(most and max(mask.shape) > TINY and not along_border(mask).any())


def with_neighbors(kept: Mask, fit: Mask, box: NDArray[np.int64], reach: float) -> Mask:
    """The kept parts, and the fit ones that are no farther from them than a share of their size.

    Args:
        kept: bool (N,), one part or more.
        fit: bool (N,).
        box: int64 (N, 4), as in `Components`.
        reach: the share, 0 to 1.

    Returns:
        bool (N,).
    """
    while True:
        (y0, x0), (y1, x1) = box[kept, :2].min(axis=0), box[kept, 2:].max(axis=0)
        top, left, bottom, right = box.T
        gap = np.maximum(np.maximum(y0 - bottom, top - y1), np.maximum(x0 - right, left - x1))
        more: Mask = kept | (fit & (gap <= reach * max(y1 - y0, x1 - x0)))
        if np.array_equal(more, kept):
            return kept
        kept = more


def is_another(main: NDArray[np.int64], other: NDArray[np.int64], *, small: bool = False) -> bool:
    """Whether a part is a digit of its own, beside or below the main one, by their boxes.

    It is about as high, and stands apart. The halves of a broken digit are closer, or end at different
    heights as those of a 4 do, or are together no wider than one digit.

    Args:
        main: int64 (4,), a box as in `Components`.
        other: likewise, int64 (4,).
        small: whether the picture is small, so that broken strokes are rare.
    """
    (y0, x0, y1, x1), (v0, u0, v1, u1) = main.tolist(), other.tolist()
    tall, other_tall = y1 - y0, v1 - v0
    beside, below = max(u0 - x1, x0 - u1), max(v0 - y1, y0 - v1)
    wide, high = max(x1, u1) - min(x0, u0), max(y1, v1) - min(y0, v0)
    if min(tall, other_tall) < 0.6 * max(tall, other_tall):
        return False
    if beside > 0.5 * tall or below > 0.5 * tall:
        return True
    level = -below >= 0.5 * max(tall, other_tall)
    narrowest = 0.6 if small or beside > 0.12 * tall else 1.0
    return bool(level and beside > APART * tall and wide > narrowest * high)


def is_edge(mask: Mask, lines: Mask, darkness: Gray) -> bool:
    """Whether a mask is the edge of a darker area rather than strokes.

    Args:
        mask: bool (H, W), not empty.
        lines: bool (H, W), where ruled lines are.
        darkness: float32 (H, W), any levels, as `find_ink` gives it.
    """
    return along_darkness(mask, lines, darkness) > 0.4


def along_darkness(mask: Mask, lines: Mask, darkness: Gray) -> float:
    """Which share of a mask, 0 to 1, lies close to something about as dark, ruled lines left aside.

    A stroke has paper on all sides. The edge of a shadow has it on one, and grain is dark here and there.

    Args:
        mask: bool (H, W), not empty.
        lines: bool (H, W), where ruled lines are.
        darkness: float32 (H, W), any levels, as `find_ink` gives it.
    """
    reach = max(5, round(stroke_width(mask)) + 2)
    near = bounding_slices(mask, 2 * reach + 2)  # nothing beyond counts
    mask, lines, darkness = mask[near], lines[near], darkness[near]
    around = dilate(mask, reach) & ~dilate(mask | lines, 2)
    full = dilate(np.where(mask, darkness, darkness.min()), reach)
    paper = erode(darkness, reach + 2)
    dark = around & (darkness > paper + np.float32(0.6) * (full - paper))
    return int(np.count_nonzero(dilate(dark, reach) & mask)) / int(np.count_nonzero(mask))


def stroke_width(mask: Mask) -> float:
    """How wide the strokes of a mask, bool (H, W), are, pixels: twice area divided by length of outline."""
    area, outline = np.count_nonzero(mask), np.count_nonzero(mask & ~erode(mask, 1))
    return max(1.0, 2 * int(area) / max(int(outline), 1))


def without_lines(mask: Mask) -> Mask:
    """A mask, bool (H, W), without the thin lines that cross the picture: those of ruled or squared paper.

    Where a stroke crosses a line, the mask is thicker than a line and stays; where two lines cross, it goes.
    """
    level, thin_level = crossing_lines(mask)
    upright, thin_upright = (transposed.T for transposed in crossing_lines(mask.T))
    bare: Mask = mask & ~((level & thin_level) | (upright & thin_upright) | (level & upright))
    return bare if bare.any() else mask


def crossing_lines(mask: Mask) -> tuple[Mask, Mask]:
    """Straight lines from border to border, level or nearly so, and where a mask is as thin as a line.

    The mask and both answers are bool (H, W).

    For each of some slopes, the rows that rise so are looked at as a whole: a line fills one from end to
    end, and is thin in most of it; the bar of a 7 is not.
    """
    height, width = mask.shape
    reach = max(1, round(THICKEST_LINE / 2 * max(height, width)))
    bulky = dilate_columns(~dilate_columns(~mask, reach), reach)
    thin: Mask = mask & ~bulky
    lines = np.zeros_like(mask)
    if np.count_nonzero(thin.any(axis=0)) < 0.4 * width:
        return lines, thin
    near, columns = dilate_columns(mask, 1), np.arange(width)
    near_thin = dilate_columns(thin, 1)
    for slope in np.linspace(-STEEPEST_LINE, STEEPEST_LINE, 13):
        rises = np.rint(slope * (columns - width / 2)).astype(np.intp)
        rows = np.arange(rises.min(), height + rises.max())[:, None] + rises
        inside = (rows >= 0) & (rows < height)
        rows = rows.clip(0, height - 1)
        length = np.maximum(inside.sum(axis=1), 0.4 * width)
        full = (near[rows, columns] & inside).sum(axis=1) > 0.9 * length
        full &= (near_thin[rows, columns] & inside).sum(axis=1) > 0.4 * length
        there, across = np.nonzero(inside[full])
        lines[rows[full][there, across], across] = True
    return dilate_columns(lines, 1), thin
