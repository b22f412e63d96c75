"""Whatever is given as a picture: a tile of ink, or one of the errors that say why not."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image

from pairedge import ImageError
from pairedge.errors import NoInkError
from pairedge.image.decode import on_paper, open_picture, to_pixels
from pairedge.image.tile import to_tile
from pairedge_train.rendering.pen_digits import Look, draw_digit

MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I;16", "I", "F")
thorough = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def refused_or_read(picture: Any) -> None:
    """No other error, no other result than a tile with ink in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of odd files
        try:
            tile = to_tile(picture)
        except ImageError as error:
            sentence = str(error)
        else:
            assert tile.shape == (14, 14)
            assert tile.dtype == np.uint8
            assert tile.max() > 0
            return
    assert sentence
    assert "\n" not in sentence


sides = st.one_of(st.integers(1, 90), st.sampled_from([1, 2, 64, 65, 401]))


@thorough
@given(st.sampled_from(MODES), sides, sides, st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_any_image_of_any_mode_and_shape_is_read_or_refused(
    mode: str, width: int, height: int, seed: int, coarseness: int
) -> None:
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (-(-height // coarseness), -(-width // coarseness), 4), np.uint8)
    levels = coarse.repeat(coarseness, axis=0).repeat(coarseness, axis=1)[:height, :width]
    if mode in ("I;16", "I", "F"):
        kinds: dict[str, Any] = {"I;16": np.uint16, "I": np.int32, "F": np.float32}
        image = Image.fromarray(levels[..., 0].astype(kinds[mode]) * kinds[mode](100))
    else:
        image = Image.fromarray(levels).convert("RGB" if mode in ("HSV", "YCbCr", "CMYK") else "RGBA")
        image = image.convert(mode)
    assert image.size == (width, height)
    refused_or_read(image)


@thorough
@given(
    arrays(
        st.sampled_from([np.uint8, np.int16, np.float32, np.float64, np.bool_, np.complex64]),
        st.tuples(st.integers(0, 80), st.integers(0, 80))
        | st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5)),
        fill=st.just(1),
    )
)
def test_any_array_is_read_or_refused(array: NDArray[Any]) -> None:
    refused_or_read(array)


FILES = {}
for _kind, _options in {
    "PNG": {},
    "JPEG": {"progressive": True},
    "GIF": {},
    "WEBP": {},
    "BMP": {},
    "PPM": {},
}.items():
    _stream = BytesIO()
    draw_digit(3, Look(size=(90, 70))).save(_stream, _kind, **_options)
    FILES[_kind] = _stream.getvalue()


@thorough
@given(
    st.sampled_from(sorted(FILES)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
    st.floats(0, 1),
)
def test_any_damaged_file_is_read_or_refused(
    kind: str, changes: list[tuple[float, int]], kept: float
) -> None:
    content = bytearray(FILES[kind])
    for place, value in changes:
        content[int(place * len(content))] = value
    refused_or_read(bytes(content[: max(1, round(len(content) * max(kept, 0.3)))]))


@thorough
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    refused_or_read(content)


@pytest.mark.parametrize("size", [(1, 10_000), (10_000, 1), (3, 9_000), (20_000, 40)])
def test_absurd_proportions_are_refused_or_read(size: tuple[int, int]) -> None:
    levels = np.random.default_rng(0).integers(0, 256, size[::-1], np.uint8)
    refused_or_read(Image.fromarray(levels))
    refused_or_read(levels)


@pytest.mark.parametrize("ink", [(0, 0, 0), (255, 255, 255), (250, 230, 90), (20, 30, 120)])
def test_ink_on_transparency_is_laid_on_the_ground_that_shows_it(ink: tuple[int, int, int]) -> None:
    layers = np.zeros((40, 40, 4), np.float32)
    layers[10:30, 18:22] = (*ink, 255)
    page = on_paper(layers)
    assert np.abs(page[20, 20] - page[0, 0]).max() > 100


def test_a_page_with_transparent_corners_stays_a_page() -> None:
    layers = np.full((40, 40, 4), 255, np.float32)
    layers[:4, :4] = 0
    np.testing.assert_allclose(on_paper(layers), 255, atol=1)


def test_nothing_but_transparency_has_no_ink() -> None:
    with pytest.raises(NoInkError, match="transparent"):
        to_pixels(Image.new("LA", (30, 30)))


def test_a_file_is_known_by_its_content_not_by_its_name(tmp_path: Any) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(FILES["WEBP"])
    np.testing.assert_array_equal(to_tile(path), to_tile(FILES["WEBP"]))


def test_colors_are_kept_while_a_large_jpeg_is_shrunk() -> None:
    stream = BytesIO()
    Image.new("RGB", (2400, 1600), (200, 40, 40)).save(stream, "JPEG")
    pixels = to_pixels(open_picture(stream.getvalue()))
    assert pixels.shape == (267, 400, 3)
    assert np.abs(pixels.mean(axis=(0, 1)) - (200, 40, 40)).max() < 3
