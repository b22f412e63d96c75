"""Ink is detected under any light, on any paper, in any color; everything else is left out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pairedge import ImageError, PairModel
from pairedge.errors import NoInkError, SeveralDigitsError
from pairedge.image.digit import along_darkness, is_another, segment_digit, without_lines
from pairedge.image.ink import find_ink, plain_paper
from pairedge.image.morphology import connected_components, dilate, erode
from pairedge.image.tile import to_tile
from pairedge_train.rendering.pen_digits import Look, draw_digit

Levels = NDArray[np.float32]
WIDE = Look(size=(320, 240), height=0.6)


def page(digit: int, look: Look = WIDE) -> Levels:
    return np.asarray(draw_digit(digit, look), np.float32)


def picture(levels: Levels) -> Image.Image:
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8))


def fading(levels: Levels) -> Levels:
    """Light from the left: the right is so dark that paper there is darker than ink would be on the left."""
    return levels * np.linspace(1, 0.3, levels.shape[1], dtype=np.float32)[:, None] * 0.9


def shadowed(levels: Levels) -> Levels:
    """The hard shadow of something across one half."""
    rows, columns = np.indices(levels.shape[:2])
    return np.where(np.expand_dims(columns + rows * 0.4 > 200, 2), levels * 0.55, levels)


def noisy(levels: Levels) -> Levels:
    noise = np.random.default_rng(0).normal(0, 20, levels.shape)
    return np.asarray(levels * 0.6 + noise + 30, np.float32)


def squared(levels: Levels) -> Levels:
    """Squared paper, tilted, its lines as dark as the ink."""
    rows, columns = np.indices(levels.shape[:2])
    line = ((rows + 0.05 * columns) % 20 < 1.5) | ((columns - 0.05 * rows) % 20 < 1.5)
    return np.where(np.expand_dims(line, 2), 20, levels)


def ruled(levels: Levels) -> Levels:
    rows, columns = np.indices(levels.shape[:2])
    return np.where(np.expand_dims((rows - 0.08 * columns) % 35 < 2, 2), (90, 120, 190), levels)


def specked(levels: Levels) -> Levels:
    levels = levels.copy()
    for row, column in np.random.default_rng(0).integers(5, 235, (15, 2)):
        levels[row : row + 3, column : column + 3] = 20
    return levels


def edged(levels: Levels) -> Levels:
    """The dark table beside the page."""
    levels = levels.copy()
    levels[:, :30] = 40
    levels[-20:] = 40
    return levels


SPOILT: dict[str, Callable[[Levels], Levels]] = {
    f.__name__: f for f in (fading, shadowed, noisy, squared, ruled, specked, edged)
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_a_page_in_bad_condition_gives_nearly_the_tile_of_a_clean_one(
    model: PairModel, spoil: Callable[[Levels], Levels]
) -> None:
    pages = [page(digit) for digit in range(10)]
    tiles = [to_tile(picture(spoil(levels))) for levels in pages]
    for levels, tile in zip(pages, tiles, strict=True):
        difference = tile.astype(int) - to_tile(picture(levels))
        assert np.abs(difference).mean() < 25  # a clean one turned the wrong way: 60
    assert model.classify_batch(tiles).digit.tolist() == list(range(10))


@pytest.mark.parametrize("spoil", [fading, noisy], ids=lambda spoil: spoil.__name__)
def test_light_ink_on_a_dark_ground_is_read_as_well(
    model: PairModel, spoil: Callable[[Levels], Levels]
) -> None:
    chalk = Look(size=(320, 240), height=0.6, ink=(240, 240, 230), paper=(60, 90, 75))
    pictures = [picture(spoil(page(digit, chalk))) for digit in range(10)]
    assert model.classify_batch(pictures).digit.tolist() == list(range(10))


def test_ink_as_bright_as_its_paper_is_detected_by_its_color(model: PairModel) -> None:
    look = Look(size=(320, 240), ink=(60, 160, 255), paper=(240, 120, 120))  # luminance 141 and 156
    pictures = [picture(fading(page(digit, look))) for digit in range(10)]
    assert model.classify_batch(pictures).digit.tolist() == list(range(10))


def test_ink_of_several_colors_is_one_ink() -> None:
    eight = page(8, Look(size=(200, 200), stroke=0.16))
    colors = np.where(np.arange(200)[:, None, None] < 100, (255, 200, 0), (0, 90, 200))
    colored = np.where(eight < 128, colors, 255).astype(np.float32)
    difference = to_tile(picture(colored)).astype(int) - to_tile(picture(eight))
    assert np.abs(difference).mean() < 10


@pytest.mark.parametrize("stroke", [0.02, 0.3])
def test_the_width_of_thin_and_thick_strokes_is_normalized(model: PairModel, stroke: float) -> None:
    usual = [float(to_tile(draw_digit(digit, WIDE)).mean()) for digit in (1, 2, 3, 7)]
    look = Look(size=(320, 240), height=0.6, stroke=stroke)
    tiles = [to_tile(draw_digit(digit, look)) for digit in (1, 2, 3, 7)]
    for tile, mean in zip(tiles, usual, strict=True):
        assert 0.5 * mean < tile.mean() < 2 * mean
    assert model.classify_batch(tiles).digit.tolist() == [1, 2, 3, 7]


@pytest.mark.parametrize("margin", [0, 4])
@pytest.mark.parametrize("inverted", [False, True])
def test_a_digit_that_fills_its_small_picture_keeps_its_polarity(margin: int, inverted: bool) -> None:
    for digit in range(10):
        white = 255 - np.asarray(draw_digit(digit, Look(stroke=0.2)).convert("L"))
        rows, columns = np.flatnonzero(white.max(axis=1) > 99), np.flatnonzero(white.max(axis=0) > 99)
        tight = white[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        height, width = tight.shape
        size = (max(4, 16 * width // height), 16)
        small = np.asarray(Image.fromarray(tight).resize(size, Image.Resampling.BOX))
        side = np.pad(small, ((margin, margin), (margin + (16 - size[0]) // 2,) * 2))
        tile = to_tile(255 - side if inverted else side)
        assert np.abs(tile.astype(int) - to_tile(white)).mean() < 30


def test_a_broken_digit_is_one_digit() -> None:
    five = page(5)
    whole = to_tile(picture(five))
    five[:, 158:162] = 255
    assert np.abs(to_tile(picture(five)).astype(int) - whole).mean() < 10


@pytest.mark.parametrize("apart", [90, 130, 200])
def test_two_digits_are_refused(apart: int) -> None:
    levels = np.full((200, 400, 3), 255, np.float32)
    for digit, left in ((3, 0), (8, apart)):
        drawn = page(digit, Look(size=(200, 200), height=0.5))
        levels[:, left : left + 200] = np.minimum(levels[:, left : left + 200], drawn)
    with pytest.raises(SeveralDigitsError, match="several digits"):
        to_tile(picture(levels))


def test_parts_of_one_digit_are_not_another() -> None:
    bar, belly = np.array([0, 10, 10, 60]), np.array([14, 5, 100, 60])
    assert not is_another(belly, bar)
    assert is_another(belly, np.array([10, 90, 100, 140]))


@pytest.mark.parametrize("level", [0, 90, 255])
@pytest.mark.parametrize("size", [(20, 20), (300, 200)])
def test_a_page_of_one_level_has_no_ink(level: int, size: tuple[int, int]) -> None:
    with pytest.raises(NoInkError):
        to_tile(Image.new("L", size, level))


def test_light_alone_is_no_ink() -> None:
    with pytest.raises(ImageError):
        to_tile(picture(fading(np.full((240, 320, 3), 230, np.float32))))


def test_lines_are_taken_away_and_strokes_left() -> None:
    stroke = np.zeros((200, 300), bool)
    stroke[40:160, 100:115] = True  # a 1
    stroke[40:48, 60:200] = True  # a bar that ends inside
    rows, columns = np.indices(stroke.shape)
    line = (rows + 0.06 * columns).astype(int) % 30 < 2
    left = without_lines(stroke | line)
    assert (left & ~stroke).sum() < 0.05 * line.sum()
    assert (stroke & ~left).sum() < 0.06 * stroke.sum()


@pytest.mark.parametrize("seed", range(4))
def test_connected_components_equal_those_of_a_flood_fill(seed: int) -> None:
    mask = np.random.default_rng(seed).random((23, 17)) < 0.1 + 0.12 * seed
    parts = connected_components(mask)
    seen = np.full(mask.shape, -1)
    count = 0
    for start in map(tuple, np.argwhere(mask).tolist()):
        if seen[start] >= 0:
            continue
        todo, places = [start], []
        seen[start] = count
        while todo:
            row, column = place = todo.pop()
            places.append(place)
            for near in np.ndindex(3, 3):
                y, x = row + near[0] - 1, column + near[1] - 1
                if 0 <= y < 23 and 0 <= x < 17 and mask[y, x] and seen[y, x] < 0:
                    seen[y, x] = count
                    todo.append((y, x))
        label = parts.labels[start]
        assert {tuple(place) for place in np.argwhere(parts.labels == label).tolist()} == set(places)
        assert parts.area[label] == len(places)
        ys, xs = zip(*places, strict=True)
        assert parts.box[label].tolist() == [min(ys), min(xs), max(ys) + 1, max(xs) + 1]
        count += 1
    assert len(parts.area) == count
    assert (parts.labels == -1).tolist() == (~mask).tolist()


@pytest.mark.parametrize("reach", [1, 2, 5, 40])
def test_dilate_and_erode_equal_their_reference_implementations(reach: int) -> None:
    values = np.random.default_rng(reach).integers(0, 255, (13, 21)).astype(np.float32)
    for row, column in np.ndindex(values.shape):
        near = values[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
        assert dilate(values, reach)[row, column] == near.max()
        assert erode(values, reach)[row, column] == near.min()


def test_strokes_are_part_of_the_ink() -> None:
    ink, darkness = find_ink(specked(page(3)))
    strokes = segment_digit(ink, darkness)
    assert strokes.shape == ink.shape
    assert ((strokes == ink) | (strokes == 0)).all()


@pytest.mark.parametrize("shade", [0.5, 0.75])
def test_the_wavy_edge_of_a_shadow_is_no_ink(shade: float) -> None:
    rows, columns = np.indices((240, 320))
    across = 160 + 25 * np.sin(rows / 25) + rows * 0.1
    for dark in (columns > across, columns < across):
        levels = np.where(dark, 220 * shade, 220) + np.random.default_rng(0).normal(0, 3, dark.shape)
        with pytest.raises(NoInkError):
            to_tile(picture(levels))


def test_a_stroke_lies_along_paper_and_an_edge_along_darkness() -> None:
    strip = np.zeros((60, 60), bool)
    strip[10:50, 28:32] = True
    none = np.zeros_like(strip)
    stroke = np.where(strip, 100, 0).astype(np.float32)
    edge = stroke.copy()
    edge[:, 32:] = 100
    assert along_darkness(strip, none, stroke) == 0
    assert along_darkness(strip, none, edge) == 1
    assert along_darkness(strip, edge > stroke, edge) == 0  # what is known to be a line is left aside


def test_a_border_of_many_colors_is_no_even_paper() -> None:
    levels = np.zeros((90, 90, 3), np.uint8)
    stripes = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)[np.arange(90) % 3]
    levels[0] = levels[-1] = levels[:, 0] = levels[:, -1] = stripes
    assert not plain_paper(np.asarray(levels, np.float32))
    assert to_tile(levels).shape == (14, 14)
