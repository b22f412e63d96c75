"""Rendered pictures depend on their generator alone, can be read, and are what their condition says."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from numpy.random import Generator, default_rng
from numpy.typing import NDArray
from PIL import Image

from pairedge.errors import ImageError
from pairedge.image.tile import to_tile
from pairedge_train.rendering.canvas import cloud, ramp
from pairedge_train.rendering.conditions import CONDITIONS, Rendered
from pairedge_train.rendering.pen_digits import Look, draw_digit
from pairedge_train.rendering.render import render
from pairedge_train.rendering.stroke_field import FINE, Field, stroke_field, weighted_dilation

INK_ON_BLACK = Look(size=(28, 28), ink=(255, 255, 255), paper=(0, 0, 0), height=0.72, stroke=0.12)


def drawn(digit: int) -> NDArray[np.uint8]:
    return np.asarray(draw_digit(digit, INK_ON_BLACK).convert("L"))


def content(picture: Rendered) -> bytes:
    return picture if isinstance(picture, bytes) else picture.mode.encode() + picture.tobytes()


def opened(picture: Rendered) -> Image.Image:
    return Image.open(BytesIO(picture)) if isinstance(picture, bytes) else picture


@pytest.mark.parametrize("name", CONDITIONS)
def test_the_same_generator_gives_the_same_picture_and_another_another(name: str) -> None:
    first, again, other = (content(render(drawn(5), name, default_rng(seed))) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_global_generator_is_not_touched() -> None:
    before = str(np.random.get_state())  # noqa: NPY002 (the global generator must stay as it is)
    for name in CONDITIONS:
        render(drawn(3), name, default_rng(0))
    assert str(np.random.get_state()) == before  # noqa: NPY002 (the global generator must stay as it is)


@pytest.mark.parametrize("name", CONDITIONS)
def test_nearly_every_picture_is_read(name: str) -> None:
    generator, refused = default_rng(3), 0
    for digit in (*range(10), *range(10)):
        try:
            tile = to_tile(render(drawn(digit), name, generator))
        except ImageError:
            refused += 1
        else:
            assert tile.max() > 100
    assert refused <= 1


@pytest.mark.parametrize("name", CONDITIONS)
def test_nothing_written_leaves_an_empty_page(name: str) -> None:
    empty = np.zeros((28, 28), np.uint8)
    image = opened(render(empty, name, default_rng(0)))
    if name in ("usps", "uci"):
        assert image.getextrema() == (0, 0)
    assert min(image.size) >= 8


@pytest.mark.parametrize(("name", "side"), [("usps", 16), ("uci", 8)])
def test_tiny_pictures_are_filled_to_two_edges_and_come_in_both_polarities(name: str, side: int) -> None:
    polarities = set()
    generator = default_rng(0)
    for digit in range(10):
        levels = np.asarray(render(drawn(digit), name, generator))
        assert levels.shape == (side, side)
        ink_is_dark = bool(levels.mean() > 127)
        polarities.add(ink_is_dark)
        ink = (255 - levels if ink_is_dark else levels) > 40
        edges = [bool(edge.any()) for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1])]
        assert all(edges[:2]) or all(edges[2:])
    assert polarities == {True, False}


def test_tablets_save_transparent_and_opaque_drawings() -> None:
    generator = default_rng(0)
    assert {opened(render(drawn(4), "tablet", generator)).mode for _ in range(12)} == {"RGB", "RGBA"}


def test_scans_are_no_files_and_photos_are_jpeg() -> None:
    assert isinstance(render(drawn(4), "scan", default_rng(0)), Image.Image)
    assert opened(render(drawn(4), "photo", default_rng(0))).format == "JPEG"


def test_a_corner_digit_is_far_from_the_middle_and_small() -> None:
    generator = default_rng(0)
    for _ in range(5):
        levels = np.asarray(opened(render(drawn(8), "corner", generator)).convert("L"), np.float32)
        height, width = levels.shape
        middle = levels[height // 3 : -(height // 3), width // 3 : -(width // 3)]
        assert np.ptp(middle) < np.ptp(levels)


def test_the_field_is_one_along_the_stroke_and_falls_to_its_sides() -> None:
    bar = np.zeros((28, 28), np.uint8)
    bar[4:24, 13:15] = 255
    field = stroke_field(bar)
    assert field.shape == (28 * FINE, 28 * FINE)
    assert field.min() >= 0
    assert field.max() <= 1
    middle = field[8 * FINE : 20 * FINE]
    assert (middle.max(axis=1) > 0.97).all()
    assert (np.diff(middle[:, 42:50], axis=1) <= 0).all()


def test_a_stroke_that_thins_and_pales_is_followed() -> None:
    bar = np.zeros((28, 28), np.uint8)
    bar[4:24, 13:16] = 255
    bar[8:18, 13:16] = (50, 160, 50)  # thin and pale, for a while
    strong = stroke_field(bar) > 0.9
    assert strong[10 * FINE : 16 * FINE].any(axis=1).all()
    assert strong[5 * FINE : 8 * FINE].any(axis=1).all()


def test_a_wider_pen_covers_what_a_thinner_one_does() -> None:
    field = stroke_field(drawn(8))
    shares = [float((field > level).mean()) for level in (0.95, 0.7, 0.4)]
    assert shares == sorted(shares)
    assert shares[0] > 0


def slow_weighted_dilation(values: Field, weights: Field) -> Field:
    reach = len(weights) - 1
    dilated = np.zeros_like(values)
    for y, x in np.ndindex(values.shape):
        for v, u in np.ndindex(values.shape):
            if abs(y - v) <= reach and abs(x - u) <= reach:
                dilated[y, x] = max(dilated[y, x], values[v, u] * weights[abs(y - v)] * weights[abs(x - u)])
    return dilated


def test_weighted_dilation_equals_its_reference_implementation() -> None:
    values = default_rng(0).random((9, 12), dtype=np.float32)
    weights = np.array([1, 0.8, 0.3], np.float32)
    np.testing.assert_allclose(
        weighted_dilation(values, weights), slow_weighted_dilation(values, weights), rtol=1e-6
    )


@pytest.mark.parametrize("direction", [0.0, 0.7, 2.0, 4.0, 6.0])
def test_a_ramp_runs_from_zero_to_one(direction: float) -> None:
    across = ramp((40, 70), direction)
    assert across.shape == (40, 70)
    assert across.min() == pytest.approx(0, abs=1e-5)
    assert across.max() == pytest.approx(1, abs=1e-5)


def test_a_cloud_is_smooth_and_of_the_size_asked_for() -> None:
    generator: Generator = default_rng(0)
    noise = cloud((30, 50), 5, generator)
    assert noise.shape == (30, 50)
    assert noise.dtype == np.float32
    assert np.abs(np.diff(noise, axis=1)).mean() < 0.3 * noise.std()


def test_an_unknown_condition_is_refused() -> None:
    with pytest.raises(KeyError, match="candlelight"):
        render(drawn(1), "candlelight", default_rng(0))
