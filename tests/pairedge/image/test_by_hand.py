"""Where the reading of pictures draws its lines, each by a case that was worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pairedge.errors import NoInkError, SeveralDigitsError
from pairedge.image import shrink as shrinking
from pairedge.image.digit import is_another, segment_digit, stroke_width, with_neighbors
from pairedge.image.ink import (
    along_border,
    at_border,
    dark_ink,
    difference_from_border,
    find_ink,
    plain_paper,
    shrink,
    soft_threshold,
    subtract_background,
    to_contrast,
)
from pairedge.image.limits import LONGEST_SIDE
from pairedge.image.tile import normalize_stroke_width, scaled, to_tile

Levels = NDArray[np.float32]


# ---------------------------------------------------------------- shrinking: a pixel is the mean of its block


@pytest.fixture
def levels() -> Levels:
    return np.random.default_rng(0).integers(0, 256, (120, 60)).astype(np.float32)


def block_means(levels: Levels, side: int) -> Levels:
    height, width = levels.shape
    blocks = levels.reshape(height // side, side, width // side, side)
    means: Levels = blocks.astype(np.float64).mean((1, 3)).astype(np.float32)
    return means


def test_shrinking_takes_the_mean_of_each_block(levels: Levels) -> None:
    np.testing.assert_allclose(scaled(levels, 30), block_means(levels, 4), atol=1e-3)
    np.testing.assert_allclose(shrink(levels[..., None], 40)[..., 0], block_means(levels, 3), atol=1e-3)
    large = np.random.default_rng(1).integers(0, 256, (2 * LONGEST_SIDE, 8)).astype(np.uint8)
    halved = np.asarray(shrinking.shrink(Image.fromarray(large), "L"), np.float32)
    np.testing.assert_allclose(halved, block_means(large.astype(np.float32), 2), atol=1.01)  # rounded twice


def test_what_is_small_enough_is_not_shrunk(levels: Levels) -> None:
    assert np.array_equal(shrink(levels[..., None], 120)[..., 0], levels)
    image = Image.new("L", (LONGEST_SIDE, 3))
    assert shrinking.shrink(image, "L") is image


# ---------------------------------------------------------------- the width of strokes


def bar(width: int) -> Levels:
    return np.ones((100, width), np.float32)


@pytest.mark.parametrize(
    ("width", "measured", "after"),
    [
        # Twice area by outline: 2 * 100w / (2 * (100 + w) - 4). MNIST's strokes measure 7 to 15.5 of 100.
        (4, 800 / 204, 8),  # (7 - 3.9) / 2 is rounded to 2 more on either side
        (6, 1200 / 208, 8),  # (7 - 5.8) / 2 is rounded to 1
        (7, 1400 / 210, 7),
        (16, 3200 / 228, 16),
        (18, 3600 / 232, 18),  # 15.52: as good as 15.5
        (20, 4000 / 236, 18),  # (15.5 - 16.9) / 2 is rounded to 1 less on either side
        (24, 4800 / 244, 20),  # (15.5 - 19.7) / 2 is rounded to 2
    ],
)
def test_a_bar_of_100_pixels_is_widened_or_thinned(width: int, measured: float, after: int) -> None:
    assert stroke_width(np.pad(bar(width), 1) >= 0.5) == pytest.approx(measured)
    normal = normalize_stroke_width(bar(width))
    assert np.count_nonzero(normal.any(axis=1)) == 100 + after - width
    assert np.count_nonzero(normal.any(axis=0)) == after


# ---------------------------------------------------------------- the faintest ink


def stroke_on_paper(side: int, paper: int, ink: int) -> NDArray[np.uint8]:
    """A vertical stroke, a tenth as wide as the page."""
    levels = np.full((side, side), paper, np.uint8)
    levels[side // 4 : -side // 4, side // 2 : side // 2 + side // 10] = ink
    return levels


@pytest.mark.parametrize(("side", "least"), [(40, 24), (200, 8)])
def test_ink_must_differ_from_its_paper_by_so_many_levels(side: int, least: int) -> None:
    for paper, sign in ((200, -1), (50, 1)):
        assert to_tile(stroke_on_paper(side, paper, paper + sign * (least + 1))).max() > 200
        with pytest.raises(NoInkError, match="blank or too faint"):
            to_tile(stroke_on_paper(side, paper, paper + sign * (least - 1)))


# ---------------------------------------------------------------- where Otsu looks


def test_in_a_large_picture_otsu_looks_only_near_ink() -> None:
    """Half of the page is gray, far from the stroke; over the whole page that would be ink."""
    ink = np.zeros((200, 200), np.float32)
    ink[:, :100] = 20
    ink[90:110, 150:160] = 100
    shares = soft_threshold(ink, 8)
    assert shares[95, 155] == 1
    # The threshold is 50, the middle of the gap, and the ramp goes from 0 to 100.
    np.testing.assert_allclose(shares[:, :100], 0.2, atol=1e-3)


def test_in_a_small_picture_otsu_looks_everywhere() -> None:
    ink = np.zeros((64, 64), np.float32)
    ink[:, :32] = 20
    ink[28:32, 48:52] = 100
    assert soft_threshold(ink, 8)[:, :32].min() == 1


def test_the_ramp_gives_paper_nothing_and_the_typical_stroke_all() -> None:
    # Two levels of ink, 0 and 100, have the middle of the gap as threshold; the ramp goes from 0 to 100.
    ink = np.zeros((20, 20), np.float32)
    ink[5:15, 8:12] = 100
    ink[5:15, 7] = 30
    shares = soft_threshold(ink, 24)
    assert shares[10, 10] == pytest.approx(1, abs=1e-3)
    assert shares[0, 0] == 0
    assert 0 < shares[10, 7] < 0.5


# ---------------------------------------------------------------- polarity


def test_the_border_counts_each_side_and_its_corners_twice() -> None:
    assert len(along_border(np.zeros((10, 7), np.float32))) == 2 * 10 + 2 * 7
    ink = np.zeros((10, 10), np.float32)
    ink[0] = 1  # ten along the top, and a corner of each side
    assert at_border(ink) == pytest.approx(12 / 40)
    ink[9, 1:9], ink[5, 5] = 0.31, 1.0  # eight along the bottom, above 0.3 of the strongest
    assert at_border(ink) == pytest.approx(20 / 40)
    ink[9, 1:9] = 0.29
    assert at_border(ink) == pytest.approx(12 / 40)


def test_paper_is_the_median_of_the_border() -> None:
    pixels = np.full((9, 9, 1), 200, np.float32)
    pixels[0, :, 0] = 30  # a quarter of the border, which does not move its median
    pixels[4, 4, 0] = 90
    assert difference_from_border(pixels)[4, 4, 0] == -110


def test_ink_is_on_the_side_of_the_larger_differences() -> None:
    assert dark_ink(np.array([[-10, 7, 7]], np.float32))  # 100 against 98
    assert not dark_ink(np.array([[-9, 7, 7]], np.float32))
    assert dark_ink(np.zeros((1, 1), np.float32))


@pytest.mark.parametrize("dark", [True, False])
def test_a_digit_that_reaches_the_border_of_a_photo_keeps_its_polarity(dark: bool) -> None:
    """A wide 0 in fading light, its strokes along all four borders: paper is inside and in the corners."""
    side = 200
    y, x = np.indices((side, side)) - (side - 1) / 2
    ring = np.abs(np.hypot(x, y) - 88) < 14
    light = np.linspace(1, 0.75, side, dtype=np.float32)
    paper, ink = (220, 60) if dark else (70, 230)
    levels = np.where(ring, ink, paper) * light
    levels += np.random.default_rng(0).normal(0, 3, levels.shape)
    pixels = levels.clip(0, 255).astype(np.float32)[..., None]
    assert not plain_paper(pixels)
    found, _ = find_ink(pixels)
    assert found[ring].mean() > 0.8
    assert found[~ring].mean() < 0.1


def test_the_light_of_a_photo_is_a_quadratic_surface_under_the_ink() -> None:
    y, x = np.meshgrid(np.linspace(-1, 1, 120), np.linspace(-1, 1, 160), indexing="ij")
    light = 150 + 40 * x - 20 * y + 15 * x * x - 10 * x * y + 5 * y * y
    levels = light.copy()
    levels[40:80, 70:80] -= 100
    rest = subtract_background(levels.astype(np.float32)[..., None])[..., 0]
    stroke = levels != light
    assert np.abs(rest[~stroke]).max() < 6
    np.testing.assert_allclose(rest[stroke], -100, atol=8)


def test_contrast_is_luminance_unless_color_shows_more() -> None:
    difference = np.zeros((80, 80, 3), np.float32)
    difference[30:50, 30:50] = (-100, -100, -100)
    assert to_contrast(difference)[40, 40] == pytest.approx(-100, abs=0.01)
    difference[30:50, 30:50] = (100, -51, 0)  # 0.299 * 100 - 0.587 * 51: as bright as the paper
    along = to_contrast(difference)[40, 40]
    assert abs(along) == pytest.approx(np.hypot(100, 51), rel=1e-3)


# ---------------------------------------------------------------- what belongs together


def box(top: int, left: int, height: int, width: int) -> NDArray[np.int64]:
    return np.array([top, left, top + height, left + width])


@pytest.mark.parametrize(
    ("height", "width", "gap", "another"),
    [
        (100, 60, 5, False),  # too close: at most a twentieth of the height
        (100, 60, 6, True),  # close, and both together are wider than high
        (100, 44, 12, False),  # 44 + 12 + 44 = 100 is not
        (100, 45, 12, True),  # 102 is
        (100, 23, 13, False),  # less close, but together not wider than 60: 59
        (100, 24, 13, True),  # 61
        (100, 10, 39, False),  # two strokes of one digit
        (100, 10, 41, True),
        (59, 60, 51, False),  # not about as high: less than six tenths
        (61, 60, 51, True),
    ],
)
def test_a_part_beside_is_another_digit(height: int, width: int, gap: int, another: bool) -> None:
    main, other = box(0, 0, 100, width), box(0, width + gap, height, width)
    assert is_another(main, other) is another
    assert is_another(other, main) is another


@pytest.mark.parametrize(("lower", "another"), [(50, True), (51, False)])
def test_parts_that_share_less_than_half_their_height_are_pieces_of_one_digit(
    lower: int, another: bool
) -> None:
    assert is_another(box(0, 0, 100, 60), box(lower, 80, 100, 60)) is another


def test_in_small_pictures_digits_may_stand_closer() -> None:
    main, other = (
        box(0, 0, 20, 6),
        box(0, 8, 20, 6),
    )  # a tenth of the height apart, together narrower than high
    assert not is_another(main, other)
    assert is_another(main, other, small=True)
    assert not is_another(main, box(0, 7, 20, 4), small=True)  # 11 of 20 wide


@pytest.mark.parametrize(("gap", "another"), [(49, False), (51, True)])
def test_a_part_below_is_another_digit_from_half_a_height_on(gap: int, another: bool) -> None:
    assert is_another(box(0, 0, 100, 60), box(100 + gap, 0, 100, 60)) is another


@pytest.mark.parametrize(("gap", "belongs"), [(10, True), (11, False)])
def test_a_part_belongs_to_its_neighbors_within_a_share_of_their_size(gap: int, belongs: bool) -> None:
    boxes = np.stack([box(0, 0, 100, 50), box(0, 50 + gap, 20, 20), box(0, 70 + 2 * gap, 20, 20)])
    kept = with_neighbors(np.array([True, False, False]), np.ones(3, bool), boxes, 0.1)
    assert kept.tolist() == [True, belongs, belongs]  # and from neighbor to neighbor
    unfit = with_neighbors(np.array([True, False, False]), np.array([True, False, True]), boxes, 0.1)
    assert unfit.tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("gap", "height", "width", "outcome"),
    [
        (30, 20, 20, "kept"),  # within 35 of 100
        (40, 20, 20, "left out"),
        (8, 70, 20, "kept"),  # as high as the main part, and close: broken off
        (60, 70, 20, "several"),
        (60, 70, 7, "left out"),  # 490 pixels: less than a quarter of 2,000
    ],
)
def test_a_part_is_kept_left_out_or_a_digit_of_its_own(
    gap: int, height: int, width: int, outcome: str
) -> None:
    ink = np.zeros((200, 300), np.float32)
    ink[50:150, 60:80] = 1
    other = (slice(50, 50 + height), slice(80 + gap, 80 + gap + width))
    ink[other] = 1
    darkness = ink * 100
    if outcome == "several":
        with pytest.raises(SeveralDigitsError):
            segment_digit(ink, darkness)
        return
    strokes = segment_digit(ink, darkness)
    assert strokes[50:150, 60:80].min() == 1
    assert strokes[other].max() == (outcome == "kept")


def square_picture(side: int, *rows: str) -> NDArray[np.float32]:
    """Ink, 1 where a letter is X, in the middle of an empty picture."""
    ink = np.zeros((side, side), np.float32)
    top, left = (side - len(rows)) // 2, (side - len(rows[0])) // 2
    ink[top : top + len(rows), left : left + len(rows[0])] = [[each == "X" for each in row] for row in rows]
    return ink


ONE_AND_SEVEN = ("X..XXXX", "X.....X", "X.....X", "X....X.", "X....X.", "X...X..", "X...X..", "X...X..")


@pytest.mark.parametrize("side", [12, 28, 64])
def test_small_pictures_of_several_digits_are_refused(side: int) -> None:
    ink = square_picture(side, *ONE_AND_SEVEN)
    with pytest.raises(SeveralDigitsError):
        segment_digit(ink, ink * 255)


def test_specks_and_ruled_lines_are_left_out_of_small_pictures() -> None:
    digit = square_picture(
        40, *[row[2:].replace("X", "XX").replace(".", "..") for row in ONE_AND_SEVEN for _ in range(2)]
    )
    ink = digit.copy()
    ink[2, 2] = 1
    ink[35] = 1
    strokes = segment_digit(ink, ink * 255)
    assert np.array_equal(strokes, digit)


def test_a_bar_from_border_to_border_of_a_small_picture_is_the_digits() -> None:
    seven = np.zeros((16, 16), np.float32)
    seven[:2] = 1
    for row in range(2, 16):
        seven[row, 15 - row // 2 - 1 : 16 - row // 2] = 1
    assert np.array_equal(segment_digit(seven, seven * 255), seven)


def test_a_part_that_is_close_for_its_neighbors_size_is_no_other_digit() -> None:
    """9 of 200 pixels is close, though alone it would be a digit beside a digit: more than 5 of 100."""
    ink = np.zeros((200, 400), np.float32)
    ink[50:150, 20:220] = ink[50:150, 229:299] = 1
    assert is_another(box(50, 20, 100, 200), box(50, 229, 100, 70))
    assert np.array_equal(segment_digit(ink, ink * 100) > 0, ink > 0)
