"""Small files that announce large pictures, or that make a decoder slow."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from io import BytesIO

from PIL import Image

SIDE = 8000  # its square is 64 million


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png(width: int, height: int, bits: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    rows = zlib.compress(rows, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def tiff(tags: dict[int, int], strip: bytes = b"", values: bytes = b"", count: int = 1) -> bytes:
    """A TIFF file of one directory of numbers; `count` is that of a further tag of eight-byte numbers."""
    entries = [struct.pack("<HHLL", tag, 4, 1, value) for tag, value in sorted(tags.items())]
    if values:
        entries.append(struct.pack("<HHLL", 65000, 12, count, 8))
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return b"II*\0" + struct.pack("<L", 8 + len(values) + len(strip)) + values + strip + directory


def gray(side: int, **more: int) -> dict[int, int]:
    """The tags of a gray TIFF picture; the names of further ones are t and their number."""
    basic = {256: side, 257: side, 258: 8, 259: 1, 262: 1, 277: 1}
    return basic | {int(name[1:]): value for name, value in more.items()}


def webp() -> bytes:
    size = (SIDE - 1) | (SIDE - 1) << 14
    body = b"WEBPVP8L" + struct.pack("<L", 18) + b"\x2f" + struct.pack("<L", size) + bytes(13)
    return b"RIFF" + struct.pack("<L", len(body)) + body


def rle_bmp() -> bytes:
    header = struct.pack("<LLLHHLLLLLL", 40, SIDE, SIDE, 1, 8, 1, 40, 0, 0, 256, 0)
    return b"BM" + struct.pack("<LLL", 1118, 0, 1078) + header + bytes(1024) + b"\xff\x01" * 20


def progressive_jpeg(side: int, scans: int) -> bytes:
    stream = BytesIO()
    Image.new("L", (side, side), 200).save(stream, "JPEG", progressive=True)
    content = stream.getvalue()
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * scans + content[-2:]


def two_exif() -> bytes:
    stream = BytesIO()
    Image.new("L", (80, 80), 200).save(stream, "JPEG")
    content = stream.getvalue()
    segment = b"\xff\xe1" + struct.pack(">H", 60_002) + b"Exif\0\0" + bytes(59_994)
    return content[:2] + segment * 2 + content[2:]


# Each file, and how the sentence that refuses it goes on.
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "TIFF of one large tile": (
        lambda: tiff(gray(100, t322=32_000, t323=16_000, t324=8, t325=20), bytes(20)),
        "decoding them takes 512 MB",
    ),
    "TIFF of one large strip": (
        lambda: tiff(gray(SIDE, t273=8, t279=20, t278=SIDE) | {258: 32, 339: 3}, bytes(20)),
        "decoding them takes 512 MB",
    ),
    "TIFF with endless tags": (
        lambda: tiff(gray(100, t273=8, t279=20), values=bytes(8), count=2**31),
        "the picture's tags are too large",
    ),
    "WebP": (webp, "decoding them takes 1,024 MB"),
    "BMP with run lengths": (rle_bmp, "8000 x 8000 pixels: a picture in a form that is slow to decode"),
    "PGM of an odd depth": (lambda: b"P5 8000 8000 254\n", "a picture in a form that is slow to decode"),
    "PGM in text": (lambda: b"P2 8000 8000 255\n0 0", "a picture in a form that is slow to decode"),
    "JPEG of many scans": (lambda: progressive_jpeg(2000, 1000), "in 1006 scans: too many for a JPEG"),
    "progressive JPEG, all of it": (
        lambda: progressive_jpeg(80, 0).replace(b"\0\x50\0\x50\1", b"\x1f\x40\x1f\x40\3"),
        "decoding them takes 448 MB",
    ),
    "JPEG with EXIF twice": (two_exif, "the picture has EXIF data more than once"),
    "a column of pixels": (
        lambda: _png(1, 64_000_000, 1, bytes(1000)),
        "1 x 64000000 pixels: a side may have 100,000",
    ),
}


def deep_png() -> bytes:
    """A PNG of 64 million pixels of 16 bits, which is within the limits: half black, half white."""
    return _png(SIDE, SIDE, 16, (bytes(1 + SIDE) + b"\xff" * SIDE) * SIDE)


def png_without_palette() -> bytes:
    """A PNG whose pixels are numbers of colors that it does not have."""
    header, rows = struct.pack(">IIBBBBB", 40, 40, 8, 3, 0, 0, 0), (b"\0" + bytes(range(40))) * 40
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows))


def premultiplied_tiff() -> bytes:
    """A gray TIFF whose opacity is multiplied into it, Pillow's mode La."""
    stream = BytesIO()
    Image.new("LA", (40, 40), (90, 255)).save(stream, "TIFF")
    entry = struct.pack("<HHL", 338, 3, 1)  # ExtraSamples, which is 2 for the opacity of mode LA
    return stream.getvalue().replace(entry + b"\2", entry + b"\1")


def lzw_tiff() -> bytes:
    """A TIFF that libtiff finds an error in."""
    stream = BytesIO()
    Image.linear_gradient("L").save(stream, "TIFF", compression="tiff_lzw")
    content = stream.getvalue()
    return content[:300] + b"\xff" * 40 + content[340:]
