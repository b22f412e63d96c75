"""From a file, an image or an array to pixels: decoding, small and safely, whatever Pillow opens."""

from __future__ import annotations

import os
from importlib import import_module
from io import BytesIO
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pairedge.errors import ImageError, NoInkError
from pairedge.image.arrays import SupportsArray, from_array


class BinaryFile(Protocol):
    """A file that is open for reading bytes, or anything like it."""

    def read(self) -> bytes:
        """All that has not been read yet."""


Content: TypeAlias = bytes | bytearray | memoryview
Picture: TypeAlias = (
    str | os.PathLike[str] | Content | BinaryFile | Image.Image | NDArray[Any] | SupportsArray
)

LARGEST_PICTURE = 64_000_000  # pixels: more than any phone takes, less than fills a small device's memory
LONGEST_SIDE = 400  # pixels: a digit needs no more; larger pictures are shrunk first

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
_ORIENTATION = 0x0112  # EXIF's tag
_DAMAGED = "the picture is damaged or truncated"


def open_picture(picture: Picture) -> Image.Image:
    """Decode a picture of any accepted kind; the first frame, upright.

    Raises:
        ImageError: when it is missing, empty, too large, of an unknown format, damaged, or no picture.
    """
    if isinstance(picture, np.ndarray):
        return from_array(picture)
    image = picture if isinstance(picture, Image.Image) else read_header(_read(picture))
    width, height = image.size
    if not 0 < width * height <= LARGEST_PICTURE:
        millions = LARGEST_PICTURE // 1_000_000
        raise ImageError(f"{width} x {height} pixels: a picture may have 1 to {millions} million")
    try:
        if image is not picture:  # a JPEG can be shrunk while it is decoded; the caller's is not touched
            image.draft("RGB", (2 * LONGEST_SIDE, 2 * LONGEST_SIDE))
        image.load()
        return upright(image)
    except Exception as error:  # whatever a decoder raises on a damaged file, the reason is the file
        raise ImageError(_DAMAGED) from error


def upright(image: Image.Image) -> Image.Image:
    """The picture as EXIF says that it was held; it is copied only if it has to be turned."""
    turned = image.getexif().get(_ORIENTATION, 1) != 1
    return ImageOps.exif_transpose(image) if turned else image


def to_pixels(image: Image.Image) -> NDArray[np.float32]:
    """Colors, float32 (H, W, 3), or gray levels, (H, W, 1), 0..255, of a longest side of LONGEST_SIDE."""
    if image.mode.startswith(("I", "F")):
        # 16 or 32 bits a pixel, of which a camera may use 12: the brightest there is becomes 255. The
        # darkest is left where it is, or the noise of a blank page would become strokes.
        deep = np.asarray(image, np.float32)
        if not np.isfinite(deep).all():
            raise ImageError("the picture contains NaN or infinity")
        low, high = min(float(deep.min()), 0.0), float(deep.max())
        scale = 255 / max(high - low, 1e-6)
        image = Image.fromarray(deep * np.float32(scale) - np.float32(low * scale))
    elif image.has_transparency_data:
        layers = image if image.mode == "RGBA" else image.convert("RGBA")  # which would copy even RGBA
        return on_paper(np.asarray(small(layers), np.float32))
    elif image.mode in ("1", "L"):
        image = image.convert("L")
    elif image.mode != "RGB":
        try:
            image = image.convert("RGB")
        except Exception as error:  # LAB needs a color library that Pillow may be built without
            raise ImageError(f"the color mode {image.mode} is not supported") from error
    pixels = np.asarray(small(image), np.float32)
    return pixels if pixels.ndim == 3 else pixels[..., None]


def small(image: Image.Image) -> Image.Image:
    """Shrink a picture to LONGEST_SIDE, averaging, so that every later step is cheap."""
    if max(image.size) <= LONGEST_SIDE:
        return image
    scale = LONGEST_SIDE / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BOX)


def on_paper(layers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lay colors with opacity, float32 (H, W, 4), on the paper that shows them: white or black.

    When less than half is transparent, what is opaque is a page of its own, whose color goes on below.
    """
    colors, opacity = layers[..., :3], layers[..., 3:] / 255
    covered = float(opacity.mean())
    if covered == 0:
        raise NoInkError("no ink found: the picture is transparent everywhere")
    mean = (colors * opacity).sum(axis=(0, 1)) / opacity.sum()
    ground = mean if covered > 0.5 else np.float32(0 if mean.mean() > 127 else 255)
    return colors * opacity + ground * (1 - opacity)


def _read(picture: str | os.PathLike[str] | Content | BinaryFile | SupportsArray) -> bytes:
    if isinstance(picture, Content):
        return bytes(picture)
    if not isinstance(picture, str | os.PathLike):
        return _read_open(picture)
    try:
        with open(picture, "rb") as file:  # noqa: PTH123 (pathlib would cost start-up time)
            return file.read()
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise ImageError((getattr(error, "strerror", None) or str(error)).lower()) from error


def _read_open(file: BinaryFile | SupportsArray) -> bytes:
    if not hasattr(file, "read"):
        raise ImageError(
            f"a picture is a path, bytes, an open file, a PIL image or an array, not {type(file).__name__}"
        )
    try:
        content = file.read()
    except (OSError, ValueError) as error:  # ValueError: it is closed
        raise ImageError((getattr(error, "strerror", None) or str(error)).lower()) from error
    if not isinstance(content, bytes):
        raise ImageError("the file is open for reading text: open it with mode 'rb'")
    return content


def read_header(content: bytes) -> Image.Image:
    """An image whose size is known and whose pixels are not decoded yet.

    Raises:
        ImageError: when the content is empty, of an unknown format, or its header is damaged.
    """
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
