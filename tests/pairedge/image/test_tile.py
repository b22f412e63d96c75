"""Any picture of a digit becomes the tile that the network was trained on."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from pairedge import ImageError, PairModel
from pairedge.image.decode import open_picture, to_pixels
from pairedge.image.ink import find_ink
from pairedge.image.limits import LONGEST_SIDE
from pairedge.image.morphology import otsu
from pairedge.image.tile import MNIST_SIDE, average, center, fit_box, pool, read_picture, to_tile
from pairedge_train.rendering.pen_digits import Look, draw_digit
from tools.examples import EXAMPLES

LOOKS = {
    "dark on white": Look(),
    "thumbnail": Look(size=(20, 20), height=0.8),
    "wide": Look(size=(300, 90)),
    "tall": Look(size=(90, 300)),
    "photo": Look(size=(1000, 750)),
    "small on a large page": Look(size=(700, 700), height=0.12),
    "in a corner": Look(size=(300, 300), height=0.2, middle=(0.15, 0.85)),
    "up to the edge": Look(height=0.98),
    "chalk on a board": Look(ink=(240, 240, 235), paper=(30, 50, 40)),
    "blue on pink": Look(ink=(28, 46, 120), paper=(248, 220, 226)),
    "yellow on white": Look(ink=(230, 200, 0)),
    "faint": Look(ink=(150, 150, 150), paper=(215, 215, 215)),
    "leaning right": Look(slant=0.25),
    "leaning left": Look(slant=-0.15),
    "broad pen": Look(stroke=0.2),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_all_ten_digits_are_read_however_they_are_put_on_paper(model: PairModel, look: Look) -> None:
    assert digits_read(model, [draw_digit(digit, look) for digit in range(10)]) == list(range(10))


def over_transparency(image: Image.Image) -> Image.Image:
    """Black ink on nothing; what shows through is meant to be white, and is stored as blue."""
    ink = ImageOps.invert(image.convert("L"))
    result = Image.new("RGBA", image.size, (0, 0, 255, 0))
    result.paste((0, 0, 0, 255), mask=ink.point(lambda level: 255 if level > 128 else 0))
    return result


def deep(image: Image.Image, bits: int) -> Image.Image:
    """16 bits a pixel, of which some are used."""
    levels = np.asarray(image.convert("L"), np.float64) / 255
    return Image.fromarray((levels * (2**bits - 1)).astype(np.uint16))


def in_white_on_transparency(image: Image.Image) -> Image.Image:
    """White ink on nothing, as a drawing program in dark mode saves it; the nothing is white too."""
    result = Image.new("RGBA", image.size, (255, 255, 255, 0))
    result.putalpha(ImageOps.invert(image.convert("L")))
    return result


MODES = {
    "RGBA": over_transparency,
    "RGBA, white ink": in_white_on_transparency,
    "LA, white ink": lambda image: in_white_on_transparency(image).convert("LA"),
    "LA": lambda image: over_transparency(image).convert("LA"),
    "palette": lambda image: image.convert("P"),
    "palette with transparency": lambda image: over_transparency(image).quantize(8),
    "L": lambda image: image.convert("L"),
    "LAB": lambda image: image.convert("LAB"),
    "YCbCr": lambda image: image.convert("YCbCr"),
    "HSV": lambda image: image.convert("HSV"),
    "1 bit": lambda image: image.convert("1"),
    "CMYK": lambda image: image.convert("CMYK"),
    "16 bits": lambda image: deep(image, 16),
    "12 bits in 16": lambda image: deep(image, 12),
    "32 bits": lambda image: image.convert("I"),
    "float 0..1": lambda image: Image.fromarray(np.asarray(image.convert("L"), np.float32) / 255),
}


@pytest.mark.parametrize("convert", MODES.values(), ids=MODES)
def test_all_ten_digits_are_read_in_every_mode_of_pixel(model: PairModel, convert: object) -> None:
    assert callable(convert)
    pictures = [convert(draw_digit(digit, Look())) for digit in range(10)]
    assert digits_read(model, pictures) == list(range(10))


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("PNG", "RGB", {}),
        ("PNG", "I;16", {}),
        ("JPEG", "RGB", {"quality": 50}),
        ("JPEG", "CMYK", {}),
        ("MPO", "RGB", {}),
        ("BMP", "RGB", {}),
        ("GIF", "P", {}),
        ("WEBP", "RGB", {"quality": 50}),
        ("TIFF", "I;16", {}),
        ("TIFF", "CMYK", {"compression": "tiff_lzw"}),
        ("PPM", "1", {}),
        ("PPM", "RGB", {}),
    ],
)
def test_every_format_is_read_from_its_bytes(
    model: PairModel, kind: str, mode: str, options: dict[str, object]
) -> None:
    drawn = [draw_digit(digit, Look()) for digit in range(10)]
    converted = [deep(image, 16) if mode == "I;16" else image.convert(mode) for image in drawn]
    assert digits_read(model, [encoded(image, kind, **options) for image in converted]) == list(range(10))


def digits_read(model: PairModel, pictures: list[Image.Image] | list[bytes]) -> list[int]:
    return [answer.digit for answer in model.classify_batch(pictures)]


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def test_a_tile_is_returned_as_it_is() -> None:
    tile = np.random.default_rng(0).integers(0, 256, (14, 14), np.uint8)
    assert to_tile(tile) is tile


def test_the_steps_end_with_the_tile_and_can_all_be_drawn() -> None:
    image = draw_digit(4, Look(size=(160, 120)))
    steps = read_picture(image).drawings()
    assert list(steps) == ["picture", "ink", "strokes", "field", "tile"]
    assert [step.shape for step in steps.values()][2:] == [(120, 160), (28, 28), (14, 14)]
    assert all(step.min() >= 0 and step.max() <= 255 for step in steps.values())
    np.testing.assert_array_equal(steps["tile"], to_tile(image))


def test_a_reading_cannot_be_changed_and_makes_its_images_only_when_asked() -> None:
    reading = read_picture(draw_digit(4, Look(size=(160, 120))))
    assert reading.ink is not None
    assert reading.ink.max() <= 1
    assert reading.drawings()["ink"] is not reading.drawings()["ink"]
    with pytest.raises(FrozenInstanceError):
        reading.tile = None  # type: ignore[misc]


def test_a_refused_picture_keeps_the_steps_before_the_refusal() -> None:
    with pytest.raises(ImageError) as undecoded:
        to_tile(b"")
    assert undecoded.value.reading is None
    with pytest.raises(ImageError) as blank:
        to_tile(Image.new("L", (20, 20), 255))
    assert blank.value.reading is not None
    assert list(blank.value.reading.drawings()) == ["picture"]


def test_path_text_bytes_image_and_array_of_one_picture_give_one_tile(tmp_path: Path) -> None:
    image = draw_digit(4, Look())
    path = tmp_path / "four.png"
    image.save(path)
    expected = to_tile(image)
    assert expected.shape == (14, 14)
    assert expected.dtype == np.uint8
    for picture in (path, str(path), path.read_bytes(), Image.open(path), np.asarray(image)):
        np.testing.assert_array_equal(to_tile(picture), expected)


@pytest.mark.parametrize(
    "image",
    [
        Image.new("L", (0, 5)),
        Image.fromarray(np.full((20, 20), np.nan, np.float32)),
        Image.new("LAB", (20, 20)),
        Image.new("I", (20, 20)),
        Image.new("RGBA", (1, 1)),
        Image.new("1", (1, 30)),
    ],
    ids=lambda image: f"{image.mode} {image.size}",
)
def test_an_image_that_shows_nothing_is_refused(image: Image.Image) -> None:
    with pytest.raises(ImageError):
        to_tile(image)


def test_noise_on_blank_paper_is_no_ink_at_any_depth() -> None:
    noise = np.random.default_rng(0).integers(-3, 4, (50, 50))
    for level, scale, dtype in ((200, 1, np.uint8), (120, 257, np.uint16)):
        with pytest.raises(ImageError, match="no ink"):
            to_tile(Image.fromarray(((level + noise) * scale).astype(dtype)))


INVERSE = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", INVERSE)
def test_a_picture_is_turned_upright_as_its_exif_says(orientation: int) -> None:
    upright = draw_digit(7, Look(size=(60, 90)))
    method = INVERSE[orientation]
    stored = upright if method is None else upright.transpose(method)
    exif = Image.Exif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(to_tile(encoded(stored, "PNG", exif=exif)), to_tile(upright))


def test_of_an_animation_the_first_frame_is_read() -> None:
    three, seven = (draw_digit(digit, Look()).convert("P") for digit in (3, 7))
    animation = encoded(three, "GIF", save_all=True, append_images=[seven])
    np.testing.assert_array_equal(to_tile(animation), to_tile(encoded(three, "GIF")))


def test_a_large_picture_is_shrunk_and_its_proportions_kept() -> None:
    pixels = to_pixels(Image.new("RGB", (2000, 1000)))
    assert pixels.shape == (LONGEST_SIDE // 2, LONGEST_SIDE, 3)


def test_a_large_jpeg_is_shrunk_while_it_is_decoded() -> None:
    jpegs = encoded(Image.new("CMYK", (3200, 2400)), "JPEG"), encoded(Image.new("L", (3200, 3200)), "JPEG")
    assert [open_picture(jpeg).size for jpeg in jpegs] == [(1600, 1200), (800, 800)]


def test_the_callers_image_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.new("RGB", (1600, 1600)).save(path)
    with Image.open(path) as image:
        open_picture(image)
        assert (image.mode, image.size) == ("RGB", (1600, 1600))


def test_paper_is_black_and_the_typical_stroke_white_whatever_lies_between() -> None:
    gray = np.full((40, 40), 250, np.float32)
    gray[10:30, 10:30] = 5
    gray[10:30, 10:14] = np.linspace(200, 20, 4)  # a broad soft edge draws the threshold to the paper
    ink, _ = find_ink(gray[..., None])
    assert (ink[gray == 250] == 0).all()
    assert (ink[gray == 5] == 1).all()


@pytest.mark.parametrize("seed", range(5))
def test_otsu_leaves_no_other_threshold_less_inner_variance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups = [rng.normal(rng.uniform(0, 255), rng.uniform(5, 40), size) for size in rng.integers(20, 400, 2)]
    values = np.concatenate([*groups, [0, 255]]).clip(0, 255).round().astype(np.float32)

    def inner_variance(threshold: float) -> float:
        low, high = values[values <= threshold], values[values > threshold]
        return sum(float(np.square(part - part.mean()).sum()) for part in (low, high))

    best = min(inner_variance(threshold) for threshold in range(255))
    assert inner_variance(otsu(values)) == pytest.approx(best)


def test_otsu_takes_the_middle_of_a_gap() -> None:
    assert otsu(np.array([0, 0, 0, 200, 200], np.float32)) == pytest.approx(100, abs=1)


@pytest.mark.parametrize("value", [0, 7])
def test_otsu_finds_nothing_above_the_threshold_when_all_is_equal(value: float) -> None:
    assert otsu(np.full((9, 9), value, np.float32)) >= value


@pytest.mark.parametrize("digit", range(10))
def test_the_center_of_mass_comes_to_the_middle(digit: int) -> None:
    ink = fit_box(find_ink(to_pixels(draw_digit(digit, Look())))[0])
    field = center(ink)
    places = np.arange(MNIST_SIDE) + 0.5
    assert field.shape == (MNIST_SIDE, MNIST_SIDE)
    assert field.sum() == pytest.approx(ink.sum() * 255, rel=1e-5)
    assert (field.sum(axis=1) * places).sum() / field.sum() == pytest.approx(MNIST_SIDE / 2, abs=0.51)
    assert (field.sum(axis=0) * places).sum() / field.sum() == pytest.approx(MNIST_SIDE / 2, abs=0.51)


def test_ink_too_lopsided_to_be_centered_stays_inside() -> None:
    ink = np.full((20, 20), 0.01, np.float32)
    ink[:2, :2] = 1
    np.testing.assert_array_equal(center(ink)[8:, 8:], ink * 255)


def test_pool_and_average_equal_their_reference_implementations() -> None:
    fields = np.random.default_rng(0).integers(0, 256, (3, 28, 28))
    means = np.empty((3, 14, 14))
    for image, row, column in np.ndindex(means.shape):
        block = fields[image, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        means[image, row, column] = sum(map(int, block.flat)) / 4
    np.testing.assert_array_equal(average(fields), means)
    np.testing.assert_array_equal(pool(fields), [[list(map(round, row)) for row in tile] for tile in means])


def test_the_examples_are_read_right(model: PairModel) -> None:
    folder = Path(__file__).parents[3] / "examples"
    answers = model.classify_batch(folder / name for name in EXAMPLES)
    assert [answer.digit for answer in answers] == [digit for digit, _ in EXAMPLES.values()]
