"""From colored pixels to ink: what is written, and how strongly, whatever it is written on.

Ink is what differs from the paper. `find_ink` reads as the list of what is taken away first: the light, the
shadows, the noise. Paper that is one even color, as in drawings and thumbnails, needs none of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pairedge.errors import NoInkError
from pairedge.image.linear import Matrix, principal_axis, solve
from pairedge.image.morphology import Gray, dilate, erode, otsu, smooth

LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601)
SMALL = 64  # pixels: a picture no longer than this is a drawing or a thumbnail, not a photo
FAINTEST_INK = 24.0  # gray levels that the typical stroke must differ from even, clean paper
NO_INK = "no ink found: the picture is blank or too faint"


# ---------------------------------------------------------------- light, color, shadow


def plain_paper(pixels: Gray) -> bool:
    """Whether the paper is one even color: a drawing, a scan, a thumbnail, but no photo.

    Then nothing needs to be known of shadows, and ink may fill the picture. Small pictures are taken so.

    Args:
        pixels: float32 (H, W, C), 0 to 255.
    """
    if max(pixels.shape) <= SMALL:
        return True
    distance = np.sqrt(np.square(difference_from_border(pixels)).mean(axis=2))
    threshold = otsu(distance)
    border = along_border(distance)
    even = border[border <= threshold]
    if not even.size or median(even) > 0.08 * threshold:
        return False
    # A shadow, or the page on a table, takes much of the border and is broader than any stroke.
    other = distance > threshold
    return along_border(other).mean() < 0.3 or not erode(other, round(0.18 * max(other.shape))).any()


def along_border(values: NDArray[Any]) -> NDArray[Any]:
    """The values along the picture's border, float32 or bool (N,) or (N, C), of (H, W) or (H, W, C)."""
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def difference_from_border(pixels: Gray) -> Gray:
    """How each pixel differs from the median of the picture's border.

    Pixels are float32 (H, W, C), 0 to 255; their differences too, -255 to 255.
    """
    return pixels - np.array([median(channel) for channel in along_border(pixels).T], np.float32)


def subtract_background(pixels: Gray) -> Gray:
    """How each pixel of a photo differs from the paper.

    Pixels are float32 (H, W, C), 0 to 255; their differences too, about -255 to 255.

    The paper is a smooth surface: a quadratic polynomial of the place, fitted on a small copy while what
    lies far from it (the ink) counts for less and less.
    """
    small = shrink(pixels, SMALL)
    height, width, channels = small.shape
    terms = _quadratic(height, width)
    values = small.reshape(-1, channels).T
    rest = difference_from_border(small).reshape(-1, channels).T
    for count in (3, 3, 3, 6, 6, 6, 6, 6):
        far = np.square(rest).sum(axis=0)
        weights = 1 / np.square(1 + far / (4 * max(median(far), 1.0)))
        weighted = terms[:count] * weights
        products = (weighted[:, None] * np.concatenate([terms[:count], values])).sum(axis=2)
        coefficients = np.zeros((6, channels))
        coefficients[:count] = solve(products[:, :count], products[:, count:])
        rest = values - _surface(coefficients, height, width).reshape(-1, channels).T
    return pixels - _surface(coefficients, *pixels.shape[:2])


def _quadratic(height: int, width: int) -> Gray:
    """The terms of a quadratic polynomial at each pixel, float32 (6, H * W): 1, x, y, xx, xy, yy."""
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y])
    return terms.reshape(6, -1).astype(np.float32)


def _surface(coefficients: Matrix, height: int, width: int) -> Gray:
    """A quadratic surface over -1 to 1 both ways, float32 (H, W, C), of its coefficients (6, C)."""
    y, x = (np.linspace(-1, 1, side)[:, None] for side in (height, width))
    one, by_x, by_y, by_xx, by_xy, by_yy = coefficients
    # By Horner's rule in y, on whole rows: numpy is slow along an axis of three.
    by_power = (one + x * (by_x + x * by_xx), by_y + x * by_xy, by_yy + 0 * x)
    level, slope, bend = (part.ravel().astype(np.float32) for part in by_power)
    rows = y.astype(np.float32)
    surface: Gray = (rows * bend + slope) * rows + level
    return surface.reshape(height, width, -1)


def to_contrast(difference: Gray) -> Gray:
    """One number a pixel, float32 (H, W): how far it is from the paper, and to which side.

    That is the difference in luminance where that shows all of the ink. Where color shows it better (blue
    on pink, yellow on white), it is the difference along the ink's own direction of color, or, for ink
    of several colors, the distance alone.

    Args:
        difference: float32 (H, W, C), -255 to 255, from the paper's color.
    """
    if difference.shape[2] == 1:
        return difference[..., 0]
    small = shrink(difference, 100)  # which has little noise
    distance = np.sqrt(np.square(small).mean(axis=2))
    # What is far from the paper is ink: it decides, also by its least bright part.
    strong = distance > 0.5 * quantile(distance, 0.995)
    shown = np.abs(project(small[strong], LUMINANCE)) / np.maximum(distance[strong], 1e-6)
    if not shown.size or quantile(shown, 0.1) > 0.65:
        return project(difference, LUMINANCE)
    flat = (small * distance[..., None]).reshape(-1, 3).astype(np.float64)
    spread = np.array([[(a * b).sum() for a in flat.T] for b in flat.T])
    length, axis = principal_axis(spread)
    if length > 0.9 * spread.trace():
        return project(difference, axis)
    far: Gray = -np.sqrt(np.square(difference).mean(axis=2))
    return far


def project(colors: Gray, direction: Sequence[float] | Matrix) -> Gray:
    """Colors, float32 (..., 3), projected on a direction of color (3,): float32 (...)."""
    red, green, blue = (colors[..., c] * np.float32(direction[c]) for c in range(3))
    projected: Gray = red + green + blue
    return projected


def dark_ink(contrast: Gray) -> bool:
    """Whether the ink is darker than the paper: it is on the side where the larger differences are.

    Args:
        contrast: float32 (H, W), -255 to 255.
    """
    darker, lighter = np.minimum(contrast, 0), np.maximum(contrast, 0)
    return float(np.square(darker).sum()) >= float(np.square(lighter).sum())


def beside_surroundings(contrast: Gray) -> Gray:
    """How places differ from the median of a wide neighborhood, which follows shadows; a small copy.

    Args:
        contrast: float32 (H, W), -255 to 255.

    Returns:
        float32, its longer side 40 at most.
    """
    small = shrink(contrast[..., None], 40)[..., 0]
    reach = 10
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(small, reach, mode="reflect" if min(small.shape) > reach else "edge"),
        (2 * reach + 1, 2 * reach + 1),
    ).reshape(*small.shape, -1)
    middle = around.shape[2] // 2
    rest: Gray = small - np.partition(around, middle, axis=2)[..., middle]
    return rest


def remove_shadows(contrast: Gray) -> Gray:
    """Ink, float32 (H, W), 0 and more, of a contrast in which paper is high and ink low.

    The paper is what remains when all that is narrower than a window is filled (a morphological closing):
    shadows are wider than the window and stay in the paper, strokes are narrower and do not.
    """
    reach = max(2, round(0.2 * min(contrast.shape)))
    soft = smooth(contrast, 2)
    paper = erode(dilate(soft, reach), reach)
    rest = paper - contrast
    # The filling follows the brightest grains of the paper: its middle level is a little lower.
    ink: Gray = np.maximum(rest - median(rest), 0)
    return ink


def noise_level(contrast: Gray) -> float:
    """The standard deviation of what varies from pixel to pixel, from the median step to the neighbor.

    Args:
        contrast: float32 (H, W), -255 to 255.
    """
    if contrast.shape[1] < 2:
        return 0.0
    return median(np.abs(np.diff(contrast, axis=1))) * 1.05  # of normal noise


def find_ink(pixels: Gray) -> tuple[Gray, Gray]:
    """How much ink each pixel holds, and how dark it is, shadows included.

    Args:
        pixels: float32 (H, W, C), 0 to 255.

    Returns:
        ink: float32 (H, W), 0 (paper) to 1 (full stroke).
        darkness: float32 (H, W), levels to the ink's side of the paper's mean, whichever side that is.

    Raises:
        NoInkError: when nothing stands out from the paper.
    """
    if plain_paper(pixels):
        contrast = to_contrast(difference_from_border(pixels))
        darkness = -contrast if dark_ink(contrast) else contrast
        photo = max(contrast.shape) > SMALL
        floor = max(FAINTEST_INK / 3, 6 * noise_level(contrast)) if photo else FAINTEST_INK
        return soft_threshold(np.maximum(darkness, 0), floor), darkness
    # A photo: the noise is averaged away first, the more the less the ink stands out from it.
    contrast = to_contrast(subtract_background(pixels))
    noise = noise_level(contrast)
    full = float(np.partition(np.abs(contrast), -9, axis=None)[-9])
    passes = int(min(max(noise / max(full, 1) * 40 - 1, 0), 6))
    soft = smooth(contrast, passes)
    dark, light = remove_shadows(soft), remove_shadows(-soft)
    is_dark = dark_ink(beside_surroundings(contrast))
    # Around a digit that fills its picture, taken the wrong way, the paper is ink along much of the border.
    along_dark, along_light = at_border(dark), at_border(light)
    ambiguous = min(along_dark, along_light) > 0.05 or is_dark != dark_ink(contrast)
    if ambiguous and abs(along_dark - along_light) > 0.3:
        is_dark = along_dark < along_light
    ink, darkness = (dark, -soft) if is_dark else (light, soft)
    return soft_threshold(ink, max(FAINTEST_INK / 4, 4 * noise / (1 + passes))), darkness


def at_border(ink: Gray) -> float:
    """Which share of the picture's border, 0 to 1, is ink: float32 (H, W), 0 and more."""
    return float((along_border(ink) > 0.3 * ink.max()).mean())


def soft_threshold(ink: Gray, floor: float) -> Gray:
    """Levels of ink to shares of a full stroke, float32 (H, W), 0 to 1.

    Otsu's threshold parts strokes from paper; in a large picture it looks only at what lies near ink, or
    an empty page would outweigh a small digit. The ramp around it keeps the soft edges that MNIST's
    digits have.

    Args:
        ink: float32 (H, W), 0 and more.
        floor: the least level that counts as ink, above 0.

    Raises:
        NoInkError: when no level reaches the floor.
    """
    full = float(ink.max())
    if full < floor:
        raise NoInkError(NO_INK)
    if max(ink.shape) > SMALL:
        near = dilate((ink > max(floor, full / 4)).astype(np.uint8), 4) > 0
        threshold = max(otsu(ink[near]), floor)
    else:
        threshold = otsu(ink)
    strokes = ink[ink > threshold]
    stroke = median(strokes) if strokes.size else full
    # The ramp is symmetric around the threshold: it leaves paper at 0 and gives the typical stroke 1.
    reach = min(stroke - threshold, threshold) + 1e-6
    ramp: Gray = (ink - (threshold - reach)) / (2 * reach)
    return ramp.clip(0, 1)


# ---------------------------------------------------------------- small tools of the above


def shrink(pixels: Gray, longest: int) -> Gray:
    """Average levels, float32 (H, W, C), down to a longest side; smaller ones keep theirs."""
    height, width, channels = pixels.shape
    scale = min(1.0, longest / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    planes = [
        np.asarray(Image.fromarray(pixels[..., c]).resize(size, Image.Resampling.BOX))
        for c in range(channels)
    ]
    return np.stack(planes, axis=-1)


def median(values: NDArray[Any]) -> float:
    """The middle one of float32 values of any shape (...), the upper one of two.

    NumPy's own imports numpy.ma, which costs start-up time.
    """
    return quantile(values, 0.5)


def quantile(values: NDArray[Any], share: float) -> float:
    """The value that a share of float32 values, of any shape (...), is below, without interpolation."""
    place = min(int(values.size * share), values.size - 1)
    return float(np.partition(values, place, axis=None)[place])
