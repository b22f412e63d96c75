"""From a file, an image or an array to pixels: decoding, small and safely, whatever Pillow opens."""

from __future__ import annotations

import logging
import os
from importlib import import_module
from io import BytesIO
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pairedge.errors import ImageError, NoInkError
from pairedge.files import check_size as check_length
from pairedge.files import read_file, reason
from pairedge.image import limits
from pairedge.image.arrays import SupportsArray, from_array
from pairedge.image.headers import orientation
from pairedge.image.heif import open_heif
from pairedge.image.limits import LONGEST_SIDE, check_cost, check_header, check_size
from pairedge.image.shrink import shrink, strips


class BinaryFile(Protocol):
    """A file that is open for reading bytes, or anything like it."""

    def read(self, size: int = -1, /) -> bytes:
        """So many of the bytes that have not been read yet; all of them by -1."""


Content: TypeAlias = bytes | bytearray | memoryview
Picture: TypeAlias = (
    str | os.PathLike[str] | Content | BinaryFile | Image.Image | NDArray[Any] | SupportsArray
)

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
# Pillow tells the log of odd files; without a handler, Python would print that on standard error.
logging.getLogger("PIL").addHandler(logging.NullHandler())
_DAMAGED = "the picture is damaged or truncated"


def open_picture(picture: Picture) -> Image.Image:
    """Decode a picture of any accepted kind; the first frame, as it is stored, which may not be upright.

    Raises:
        ImageError: when it is missing, empty, too large, of an unknown format, damaged, or no picture.
    """
    if isinstance(picture, np.ndarray):
        return from_array(picture)
    if isinstance(picture, Image.Image):
        image = picture
        check_size(*image.size)
    else:
        content = _read(picture)
        image = read_header(content)
        check_cost(image, content)
    try:
        if image is not picture:  # a JPEG can be shrunk while it is decoded; the caller's is not touched
            image.draft("RGB", (2 * LONGEST_SIDE, 2 * LONGEST_SIDE))
            if image.format == "TIFF":
                from pairedge.image import libtiff  # here, because it costs start-up time

                libtiff.silence()
        image.load()
    except Exception as error:  # whatever a decoder raises on a damaged file, the reason is the file
        raise ImageError(_DAMAGED) from error
    return image


def to_pixels(image: Image.Image) -> NDArray[np.float32]:
    """A decoded picture, upright, of a longest side of LONGEST_SIDE.

    Returns:
        Colors, float32 (H, W, 3), or gray levels, (H, W, 1), 0 to 255.
    """
    try:
        turn = orientation(image)
        if image.mode.startswith(("I", "F")):
            pixels = _gray_levels(image)
        elif image.has_transparency_data:
            pixels = on_paper(np.asarray(shrink(image, "RGBA"), np.float32))
        else:
            pixels = np.asarray(shrink(image, "L" if image.mode in ("1", "L") else "RGB"), np.float32)
    except ImageError:
        raise
    except Exception as error:  # LAB needs a color library that Pillow may be built without
        raise ImageError(f"a picture of color mode {image.mode} cannot be converted") from error
    return upright(pixels if pixels.ndim == 3 else pixels[..., None], turn)


def upright(pixels: NDArray[np.float32], turn: int) -> NDArray[np.float32]:
    """Turn a picture, float32 (H, W, C), 0 to 255, as EXIF's orientation, 1 to 8, says that it was held."""
    if turn >= 5:
        pixels = pixels.swapaxes(0, 1)
    if turn in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if turn in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _gray_levels(image: Image.Image) -> NDArray[np.float32]:
    """16 or 32 bits a pixel as gray levels, float32 (H, W), 0 to 255.

    A camera may use 12 bits: the brightest there is becomes 255. The darkest is left where it is, or the
    noise of a blank page would become strokes.
    """
    low, high = 0.0, -np.inf
    for strip in strips(image):
        levels = np.asarray(image.crop(strip), np.float32)
        if not np.isfinite(levels).all():
            raise ImageError("the picture contains NaN or infinity")
        low, high = min(low, float(levels.min())), max(high, float(levels.max()))
    scale = 255 / max(high - low, 1e-6)
    return np.asarray(shrink(image, "F")) * np.float32(scale) - np.float32(low * scale)


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
    try:
        if isinstance(picture, str | os.PathLike):
            return read_file(picture, limits.LARGEST_FILE)
        content = bytes(picture) if isinstance(picture, Content) else _read_open(picture)
        check_length(len(content), limits.LARGEST_FILE)
    except ImageError:
        raise
    except (OSError, ValueError) as error:  # ValueError: too large, closed, or a null character in the path
        raise ImageError(reason(error)) from error
    return content


def _read_open(file: BinaryFile | SupportsArray) -> bytes:
    if not hasattr(file, "read"):
        raise ImageError(
            f"a picture is a path, bytes, an open file, a PIL image or an array, not {type(file).__name__}"
        )
    content = file.read(limits.LARGEST_FILE + 1)
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
            check_header(content)
            try:
                image = getattr(import_module(f"PIL.{module}"), plugin)(BytesIO(content))
            except Exception as error:
                raise ImageError(_DAMAGED) from error
            assert isinstance(image, Image.Image)
            return image
    try:
        heif = open_heif(content)
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(_DAMAGED) from error
    if heif is None:
        raise ImageError("not a PNG, JPEG, BMP, GIF, WebP, TIFF, PNM, AVIF or HEIC picture")
    return heif
