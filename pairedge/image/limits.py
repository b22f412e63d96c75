"""What reading a picture may cost in memory and time, checked in its header before a pixel is decoded.

A header of some bytes can announce gigabytes, and some decoders of Pillow are slow. Who trusts his pictures
may assign larger limits: `pairedge.image.limits.LARGEST_PICTURE = 200_000_000`.
"""

from __future__ import annotations

from PIL import Image

from pairedge.errors import ImageError
from pairedge.image.headers import read_directory, read_jpeg

LONGEST_SIDE = 400  # pixels: a digit needs no more; larger pictures are shrunk first
LARGEST_FILE = 128_000_000  # bytes
LARGEST_PICTURE = 64_000_000  # pixels: more than any phone takes
LONGEST_LINE = 100_000  # pixels, across or down: Pillow keeps an address for each row
MEMORY = 300_000_000  # bytes: of the file, of the decoded picture, and of what its decoder keeps
SLOW_PIXELS = 500_000  # of pictures whose decoder Pillow has in Python, at a microsecond or two each
SCANNED_PIXELS = 400_000_000  # of all scans of a JPEG together, at two nanoseconds each
TAG_BYTES = 16_000_000  # in the directory of a TIFF file, which Pillow reads as a whole
LARGEST_EXIF = 1  # segments: Pillow joins them, and one of 64 kB can announce 90 MB at most

_HALVED = (
    4 * LONGEST_SIDE
)  # pixels: a JPEG with such a shorter side is shrunk at least so while it is decoded
_DEEP = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}  # bytes a pixel; others 4
_TILE_WIDTH, _TILE_HEIGHT, _ROWS_PER_STRIP, _BITS, _SAMPLES = 322, 323, 278, 258, 277  # tags of TIFF


def check_header(content: bytes) -> None:
    """Refuse a file whose header Pillow could not even read within the limits.

    Raises:
        ImageError: when the tags of a TIFF file or the EXIF data of a JPEG are too large.
    """
    if content[:4] in (b"II*\0", b"MM\0*") and read_directory(content).size > TAG_BYTES:
        raise ImageError("the picture's tags are too large")
    if content[:2] == b"\xff\xd8" and read_jpeg(content).exif > LARGEST_EXIF:
        raise ImageError("the picture has EXIF data more than once")


def check_cost(image: Image.Image, content: bytes) -> None:
    """Refuse a picture that would take too much memory or time to decode.

    Args:
        image: opened and not decoded.
        content: of its file.

    Raises:
        ImageError: when it is too large in one of the ways that this module names.
    """
    width, height = image.size
    check_size(width, height)
    pixels = width * height
    if _is_slow(image) and pixels > SLOW_PIXELS:
        raise ImageError(
            f"{width} x {height} pixels: a picture in a form that is slow to decode may have {SLOW_PIXELS:,}"
        )
    memory = len(content) + height * 8 + pixels * _DEEP.get(image.mode, 4)
    if image.format == "WEBP":
        memory += 12 * pixels  # the decoder's two canvases, and a copy
    elif image.format in ("AVIF", "HEIF"):
        memory += 6 * pixels  # measured: the decoder keeps a frame of its own, and a copy
    elif image.format == "GIF":
        memory += pixels
    elif image.format == "TIFF":
        memory += _strip_or_tile(content, width, height)
    elif image.format == "JPEG":
        scans, components, _ = read_jpeg(content)
        if scans * pixels > SCANNED_PIXELS:
            raise ImageError(f"{width} x {height} pixels in {scans} scans: too many for a JPEG")
        if min(width, height) >= _HALVED:
            memory -= 3 * pixels
        if scans > 1:  # then all coefficients are kept
            memory += 2 * pixels * components
    if memory > MEMORY:
        raise ImageError(
            f"{width} x {height} pixels: decoding them takes {memory // 1_000_000:,} MB, "
            f"more than {MEMORY // 1_000_000}"
        )


def check_size(width: int, height: int) -> None:
    """Refuse a picture without pixels, with too many, or with lines too long.

    Raises:
        ImageError: then.
    """
    if not 0 < width * height <= LARGEST_PICTURE:
        millions = LARGEST_PICTURE // 1_000_000
        raise ImageError(f"{width} x {height} pixels: a picture may have 1 to {millions} million")
    if max(width, height) > LONGEST_LINE:
        raise ImageError(f"{width} x {height} pixels: a side may have {LONGEST_LINE:,}")


def _is_slow(image: Image.Image) -> bool:
    """Whether Pillow decodes the picture in Python: BMP with run lengths, PNM in text or of odd depth."""
    tiles = getattr(image, "tile", [])
    return any(tile[0] in ("bmp_rle", "ppm", "ppm_plain") for tile in tiles)


def _strip_or_tile(content: bytes, width: int, height: int) -> int:
    """The bytes of a strip or tile of a TIFF file, which is decoded at once."""
    tags = read_directory(content).values
    across = tags.get(_TILE_WIDTH, width)
    down = tags.get(_TILE_HEIGHT, min(tags.get(_ROWS_PER_STRIP, height), height))
    bits = max(8, tags.get(_BITS, 8))
    return across * down * bits // 8 * max(1, min(tags.get(_SAMPLES, 1), 4))
