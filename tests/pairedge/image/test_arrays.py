"""A picture is the same picture as an array of any kind, as a tensor, and as an open file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from pairedge.errors import ImageError
from pairedge.image.tile import to_tile
from pairedge_train.rendering.pen_digits import Look, draw_digit

GRAY: NDArray[np.uint8] = np.asarray(draw_digit(2, Look()).convert("L").point(lambda level: level * 1.1))
COLORS = np.stack([GRAY, GRAY // 2, GRAY // 4], axis=2)
TILE = to_tile(GRAY)


@pytest.mark.parametrize(
    "array",
    [
        GRAY.astype(np.int64),
        GRAY.astype(np.float64) / 255,
        GRAY.astype(np.float32) / 255,
        GRAY.astype(np.uint16),
        GRAY.astype(np.uint16) * 16,  # the twelve bits of a camera
        GRAY.astype(np.uint16) * 257,
        GRAY[..., None],
        GRAY[None],
        np.asfortranarray(GRAY),
        torch.from_numpy(GRAY.copy()),
        torch.from_numpy(GRAY / 255)[None].requires_grad_(False),
    ],
    ids=lambda array: f"{type(array).__name__} {array.dtype} {tuple(array.shape)}",
)
def test_gray_levels_of_every_kind_give_the_tile_of_the_image(array: Any) -> None:
    assert GRAY.max() == 255
    np.testing.assert_array_equal(to_tile(array), TILE)


@pytest.mark.parametrize(
    "array",
    [COLORS, np.moveaxis(COLORS, 2, 0), torch.from_numpy(COLORS / 255).permute(2, 0, 1)],
    ids=["last", "first", "tensor"],
)
def test_channels_stand_first_or_last(array: Any) -> None:
    np.testing.assert_array_equal(to_tile(array), to_tile(Image.fromarray(COLORS)))


def test_of_two_axes_that_could_be_channels_the_last_one_is() -> None:
    narrow = np.zeros((3, 30, 4), np.uint8)
    narrow[1, 5:25] = 255
    np.testing.assert_array_equal(to_tile(narrow), to_tile(Image.fromarray(narrow, "RGBA")))


def test_true_is_white_in_an_array_of_truth_values() -> None:
    white = GRAY > 128
    np.testing.assert_array_equal(to_tile(white), to_tile(white * np.uint8(255)))


def test_a_tensor_of_a_tile_is_that_tile() -> None:
    np.testing.assert_array_equal(to_tile(torch.from_numpy(TILE)), TILE)


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((0, 5), np.uint8), r"not \(0, 5\)"),
        (np.zeros(5, np.uint8), r"not \(5,\)"),
        (np.zeros((2, 20, 20), np.uint8), r"not \(2, 20, 20\)"),
        (np.float64("nan"), r"not \(\)"),
        (np.full((20, 20), np.nan), "0 to 1, not nan to nan"),
        (np.full((20, 20), np.inf), "0 to 1, not inf to inf"),
        (GRAY.astype(np.float32), "0 to 1, not 22.0 to 255.0: divide it by what is white in it"),
        (np.full((20, 20), -1.0), "not -1.0 to -1.0"),
        (np.full((20, 20), 256), "0 to 255, not 256 to 256"),
        (np.zeros((20, 20), np.complex64), "not complex64"),
        (np.full((20, 20), "7"), "not <U1"),
        (np.full((20, 20), None), "not object"),
        (torch.ones(20, 20, requires_grad=True), "a Tensor cannot be read as an array: .*detach"),
        (torch.ones(20, 20, device="meta"), "a Tensor cannot be read as an array: .*meta"),
    ],
)
def test_an_array_that_is_no_picture_is_refused_with_what_was_given(array: Any, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        to_tile(array)


def test_an_open_file_and_bytes_of_every_kind_are_read(tmp_path: Path) -> None:
    path = tmp_path / "two.png"
    Image.fromarray(GRAY).save(path)
    content = path.read_bytes()
    for picture in (io.BytesIO(content), bytearray(content), memoryview(content), np.str_(path)):
        np.testing.assert_array_equal(to_tile(picture), TILE)
    with path.open("rb") as file:
        np.testing.assert_array_equal(to_tile(file), TILE)
        with pytest.raises(ImageError, match="the file is empty"):  # it was read to its end
            to_tile(file)
    with pytest.raises(ImageError, match="closed file"):
        to_tile(file)


@pytest.mark.parametrize(
    ("thing", "reason"),
    [
        (io.StringIO("text"), "open it with mode 'rb'"),
        (None, "an array, not NoneType"),
        (float("nan"), "an array, not float"),
        ([[0, 1], [1, 0]], "an array, not list"),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_what_is_no_picture_is_refused_with_what_one_is(thing: Any, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        to_tile(thing)
