"""From a picture to a tile: the only preprocessing in the project.

A **tile** is what the networks are trained on: uint8 (14, 14), white ink on black, the digit scaled
into a 20x20 box and its centre of mass put in the middle of 28x28, as MNIST's makers did (LeCun et al.,
1998), then averaged 2x2. Every step below is one small function; `to_tile` reads as their list.
"""

from __future__ import annotations

import os
from importlib import import_module
from io import BytesIO
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pairedge.errors import ImageError

Picture: TypeAlias = str | os.PathLike[str] | bytes | Image.Image | NDArray[Any]
Grey: TypeAlias = NDArray[np.float32]

TILE_SIDE = 14
MNIST_SIDE = 28
MNIST_BOX = 20  # the square inside MNIST's 28x28 that the ink is scaled into
LARGEST_PICTURE = 64_000_000  # pixels: more than any phone takes, less than fills a small device's memory
LONGEST_SIDE = 400  # pixels: a digit needs no more; larger pictures are shrunk first
FAINTEST_INK = 24.0  # grey levels that the darkest stroke must differ from the paper

# The formats that are read, by the bytes they begin with. Naming each plugin keeps Pillow from importing
# its forty others, and keeps rarely tested decoders away from files of unknown origin.
_FORMATS = (
    (b"\x89PNG\r\n\x1a\n", "PngImagePlugin", "PngImageFile"),
    (b"\xff\xd8\xff", "JpegImagePlugin", "JpegImageFile"),
    (b"BM", "BmpImagePlugin", "BmpImageFile"),
    (b"GIF8", "GifImagePlugin", "GifImageFile"),
    (b"RIFF", "WebPImagePlugin", "WebPImageFile"),
    (b"II*\x00", "TiffImagePlugin", "TiffImageFile"),
    (b"MM\x00*", "TiffImagePlugin", "TiffImageFile"),
    *((b"P%d" % kind, "PpmImagePlugin", "PpmImageFile") for kind in range(1, 7)),
)
_DAMAGED = "the picture is damaged or cut short"


def to_tile(picture: Picture) -> NDArray[np.uint8]:
    """Turn a picture of one digit into a tile, uint8 (14, 14).

    Args:
        picture: a path, the bytes of an image file, a PIL image, or an array of grey levels 0..255 of
            shape (H, W), or colours (H, W, 3) or (H, W, 4). A uint8 array of shape (14, 14) is a tile
            already and is returned as it is.

    Raises:
        ImageError: when the picture cannot be read, or shows no ink.
    """
    if (
        isinstance(picture, np.ndarray)
        and picture.shape == (TILE_SIDE, TILE_SIDE)
        and picture.dtype == np.uint8
    ):
        return picture
    try:
        ink = find_ink(to_grey(open_picture(picture)))
    except ImageError as error:
        if isinstance(picture, str | os.PathLike):
            raise ImageError(f"{os.fspath(picture)}: {error}") from error
        raise
    return pool(centre(fit_box(crop(ink))))


def open_picture(picture: Picture) -> Image.Image:
    """Decode a picture of any accepted kind; the first frame, upright.

    Raises:
        ImageError: when it is missing, empty, too large, of an unknown format, or damaged.
    """
    if isinstance(picture, np.ndarray):
        return _from_array(picture)
    image = picture if isinstance(picture, Image.Image) else _read_header(_read(picture))
    width, height = image.size
    if not 0 < width * height <= LARGEST_PICTURE:
        millions = LARGEST_PICTURE // 1_000_000
        raise ImageError(f"{width} x {height} pixels: only pictures of 1 to {millions} million are read")
    try:
        if image is not picture:  # a JPEG can be shrunk while it is decoded; the caller's is not touched
            image.draft("L", (2 * LONGEST_SIDE, 2 * LONGEST_SIDE))
        image.load()
        return ImageOps.exif_transpose(image)
    except Exception as error:  # whatever a decoder raises on a damaged file, the reason is the file
        raise ImageError(_DAMAGED) from error


def to_grey(image: Image.Image) -> Grey:
    """Grey levels, float32 (H, W), 0..255; transparent parts become white paper.

    Pictures longer than LONGEST_SIDE are shrunk to it, averaging, so that every later step is cheap.
    """
    if image.mode.startswith(("I", "F")):
        # 16 or 32 bits a pixel, of which a camera may use 12: the brightest there is becomes 255. The
        # darkest is left where it is, or the noise of a blank page would become strokes.
        deep = np.asarray(image, np.float32)
        if not np.isfinite(deep).all():
            raise ImageError("the picture holds NaN or infinity")
        low, high = min(float(deep.min()), 0.0), float(deep.max())
        scale = 255 / max(high - low, 1e-6)
        image = Image.fromarray(deep * np.float32(scale) - np.float32(low * scale))
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image).convert("L")
    else:
        try:
            image = image.convert("L")
        except ValueError as error:  # LAB, which a TIFF may hold
            raise ImageError(f"{image.mode} colours are not read") from error
    if max(image.size) > LONGEST_SIDE:
        scale = LONGEST_SIDE / max(image.size)
        width, height = (max(1, round(side * scale)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BOX)
    grey: Grey = np.asarray(image, np.float32)
    return grey


def find_ink(grey: Grey) -> Grey:
    """How much ink each pixel holds, float32 (H, W), 0 (paper) to 1 (full stroke).

    The paper is the median of the picture's border. Ink is what differs from it, to the side, darker or
    lighter, that differs more; Otsu's threshold parts strokes from paper, and the ramp around it keeps
    the soft edges that MNIST's digits have.

    Raises:
        ImageError: when nothing stands out from the paper.
    """
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    difference = grey - median(border)
    darker = np.square(np.minimum(difference, 0)).sum() >= np.square(np.maximum(difference, 0)).sum()
    ink = np.maximum(-difference if darker else difference, 0)
    full = float(ink.max())
    if full < FAINTEST_INK:
        raise ImageError("no ink found: the picture is blank or too faint")
    threshold = otsu(ink)
    strokes = ink[ink > threshold]
    stroke = median(strokes) if strokes.size else full
    # The ramp is symmetric around the threshold: it leaves paper at 0 and gives the typical stroke 1.
    reach = min(stroke - threshold, threshold) + 1e-6
    ramp: Grey = (ink - (threshold - reach)) / (2 * reach)
    return ramp.clip(0, 1)


def median(values: Grey) -> float:
    """The middle value, the upper one of two. NumPy's own imports numpy.ma, which costs start-up time."""
    middle = values.size // 2
    return float(np.partition(values, middle, axis=None)[middle])


def otsu(values: Grey) -> float:
    """The threshold that parts values into the two classes of least inner variance (Otsu, 1979).

    Where an empty gap lies between the classes, every threshold in it is as good: the middle one is taken.
    """
    counts, edges = np.histogram(values, bins=256)
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts, dtype=np.float64)  # whole numbers, whose products a 32-bit integer cannot hold
    above = below[-1] - below
    sums = np.cumsum(counts * middles)
    # An empty class has no mean: its numerator is 0, and any divisor will do.
    distance = sums / np.maximum(below, 1) - (sums[-1] - sums) / np.maximum(above, 1)
    between = below * above * distance**2
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9))
    return float(edges[1:][best].mean())


def crop(ink: Grey) -> Grey:
    """The smallest rectangle that holds all ink of at least half strength."""
    strong = ink >= 0.5
    rows, columns = np.flatnonzero(strong.any(axis=1)), np.flatnonzero(strong.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def fit_box(ink: Grey) -> Grey:
    """Scale ink, proportions kept, so that its longer side is MNIST_BOX pixels."""
    scale = MNIST_BOX / max(ink.shape)
    width, height = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
    filter_ = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(ink).resize((width, height), filter_), np.float32)


def centre(ink: Grey) -> Grey:
    """Place ink in a 28x28 field with its centre of mass in the middle, as far as it stays inside."""
    height, width = ink.shape
    mass = float(ink.sum())
    y = float((ink.sum(axis=1) * (np.arange(height) + 0.5)).sum()) / mass
    x = float((ink.sum(axis=0) * (np.arange(width) + 0.5)).sum()) / mass
    top = min(max(round(MNIST_SIDE / 2 - y), 0), MNIST_SIDE - height)
    left = min(max(round(MNIST_SIDE / 2 - x), 0), MNIST_SIDE - width)
    field = np.zeros((MNIST_SIDE, MNIST_SIDE), np.float32)
    field[top : top + height, left : left + width] = ink * 255
    return field


def average(fields: NDArray[Any]) -> Grey:
    """Average 2x2 blocks: (..., 28, 28) grey levels to float32 (..., 14, 14), multiples of a quarter level.

    This is the `avg_pool2d(kernel_size=2)` of the course that the five reports were written for.
    """
    quarters = fields.astype(np.float32)
    mean: Grey = (
        quarters[..., ::2, ::2]
        + quarters[..., ::2, 1::2]
        + quarters[..., 1::2, ::2]
        + quarters[..., 1::2, 1::2]
    ) / np.float32(4)
    return mean


def pool(fields: NDArray[Any]) -> NDArray[np.uint8]:
    """Average 2x2 blocks and round: (..., 28, 28) grey levels 0..255 to tiles, uint8 (..., 14, 14)."""
    return np.rint(average(fields)).astype(np.uint8)


def _read(picture: str | os.PathLike[str] | bytes) -> bytes:
    if isinstance(picture, bytes):
        return picture
    try:
        with open(picture, "rb") as file:  # noqa: PTH123 (pathlib would cost start-up time)
            return file.read()
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise ImageError((getattr(error, "strerror", None) or str(error)).lower()) from error


def _read_header(content: bytes) -> Image.Image:
    """An image whose size is known and whose pixels are not decoded yet."""
    if not content:
        raise ImageError("the file is empty")
    for magic, module, plugin in _FORMATS:
        if content.startswith(magic):
            try:
                image = getattr(import_module(f"PIL.{module}"), plugin)(BytesIO(content))
            except Exception as error:
                raise ImageError(_DAMAGED) from error
            assert isinstance(image, Image.Image)
            return image
    raise ImageError("not a PNG, JPEG, BMP, GIF, WebP, TIFF or PNM picture")


def _from_array(array: NDArray[Any]) -> Image.Image:
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))) or 0 in array.shape:
        raise ImageError(
            f"an array must be of shape (H, W), (H, W, 3) or (H, W, 4) and not empty, not {array.shape}"
        )
    if array.dtype == np.bool_:
        array = array * np.uint8(255)
    if not np.issubdtype(array.dtype, np.integer) and not np.issubdtype(array.dtype, np.floating):
        raise ImageError(f"an array must hold grey levels 0..255, not {array.dtype}")
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= 255):  # NaN is neither
        raise ImageError(f"an array must hold grey levels 0..255, not {low} to {high}")
    return Image.fromarray(np.rint(array).astype(np.uint8))
