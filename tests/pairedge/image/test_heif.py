"""AVIF and HEIC are read, or one sentence says what to install; they are known by their content."""

from __future__ import annotations

import io
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

import pairedge
from pairedge import ImageError
from pairedge.image import to_tile
from pairedge.image.decode import read_header
from pairedge.image.limits import check_cost
from pairedge_train.rendering.pen_digits import Look, draw_digit

LIBRARIES = {"AVIF": "PIL._avif", "HEIF": "pillow_heif"}


def encoded(kind: str, picture: Image.Image) -> bytes:
    if kind == "AVIF" and find_spec("PIL.AvifImagePlugin") is None:
        pytest.skip("this Pillow is older than 11.3")
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    content = io.BytesIO()
    picture.save(content, kind)
    return content.getvalue()


@pytest.mark.parametrize("kind", LIBRARIES)
def test_the_digit_is_the_one_that_was_drawn(kind: str, model: pairedge.PairModel) -> None:
    drawn = draw_digit(7, Look(size=(200, 240)))
    content = encoded(kind, drawn)
    assert model.classify(content).digit == 7
    difference = np.abs(to_tile(content).astype(int) - to_tile(drawn))
    assert difference.mean() < 4  # the picture was compressed


@pytest.mark.parametrize("kind", LIBRARIES)
def test_without_what_decodes_it_one_sentence_says_what_to_install(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = encoded(kind, draw_digit(3, Look()))
    monkeypatch.setitem(sys.modules, LIBRARIES[kind], None)
    with pytest.raises(ImageError, match=r"^an? (AVIF|HEIC) picture needs .*: pip install "):
        to_tile(content)


@pytest.mark.parametrize("kind", LIBRARIES)
@pytest.mark.parametrize("length", [12, 40, 300, -20])
def test_a_damaged_one_is_refused(kind: str, length: int) -> None:
    content = encoded(kind, draw_digit(3, Look()))
    with pytest.raises(ImageError):
        to_tile(content[:length])


@pytest.mark.parametrize("kind", LIBRARIES)
def test_its_cost_is_limited(kind: str) -> None:
    content = encoded(kind, Image.new("RGB", (64, 64), "red"))
    image = read_header(content)
    check_cost(image, content)
    image._size = (6000, 6000)  # what a header may announce
    with pytest.raises(ImageError, match="6000 x 6000 pixels: decoding them takes 360 MB"):
        check_cost(image, content)


@pytest.mark.parametrize("brand", [b"mp42", b"qt  "])
def test_a_film_in_the_same_container_is_no_picture(brand: bytes) -> None:
    with pytest.raises(ImageError, match=r"not a PNG, JPEG, .*, AVIF or HEIC picture"):
        to_tile(b"\0\0\0\x14ftyp" + brand + b"\0\0\0\0" + brand + bytes(100))
