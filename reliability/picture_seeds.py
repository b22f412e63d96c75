"""Good pictures in every format that is read, small ones, from which mutations start."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

_EXAMPLES = Path(__file__).parent.parent / "examples"


def _saved(kind: str, *variants: Mapping[str, Any]) -> list[bytes]:
    """The picture of a three in one format; each variant is options of its writer, and its `mode`."""
    three = Image.open(_EXAMPLES / "three.png").convert("L").resize((32, 32))
    contents = []
    for variant in variants or ({},):
        options = dict(variant)
        mode = str(options.pop("mode", "L"))
        deep = Image.fromarray(np.asarray(three, np.uint16) * 257)
        stream = BytesIO()
        (deep if mode == "I;16" else three.convert(mode)).save(stream, kind, **options)
        contents.append(stream.getvalue())
    return contents


def _turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def _png() -> list[bytes]:
    modes = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
    return _saved("PNG", *({"mode": mode} for mode in modes), {"exif": _turned()})


def _jpeg() -> list[bytes]:
    return _saved("JPEG", {}, {"progressive": True, "mode": "RGB"}, {"mode": "CMYK"}, {"exif": _turned()})


def _bmp() -> list[bytes]:
    header = struct.pack("<LLLHHLLLLLL", 40, 8, 8, 1, 8, 1, 40, 0, 0, 256, 0)
    run_lengths = b"BM" + struct.pack("<LLL", 1118, 0, 1078) + header + bytes(range(256)) * 4
    return [
        *_saved("BMP", *({"mode": mode} for mode in ("1", "L", "RGB"))),
        run_lengths + b"\x08\xff\0\0" * 8,
    ]


def _webp() -> list[bytes]:
    return _saved("WEBP", {"mode": "RGB"}, {"lossless": True}, {"mode": "RGBA"}, {"exif": _turned()})


def _tiff() -> list[bytes]:
    ways = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    modes = ("LA", "RGB", "RGBA", "CMYK", "I;16", "F")
    return _saved("TIFF", *({"compression": way} for way in ways), *({"mode": mode} for mode in modes))


def _pnm() -> list[bytes]:
    text = [b"P1 3 3\n0 1 0 0 1 0 0 1 0\n", b"P2 # gray\n3 1 255\n0 90 255\n", b"P3 1 1 15\n0 7 15\n"]
    binary = [b"P5 4 4 254\n" + bytes(range(16)), b"P5 2 2 65535\n" + bytes(8), b"P6 2 1 100\n" + bytes(6)]
    return [*text, *binary, *_saved("PPM", {"mode": "1"}, {"mode": "L"}, {"mode": "RGB"})]


def _gif() -> list[bytes]:
    return _saved("GIF", {}, {"interlace": 0}, {"mode": "P"})


def _avif() -> list[bytes]:
    return _saved("AVIF", {"mode": "RGB"}, {"mode": "RGBA"}, {"subsampling": "4:4:4"}, {"exif": _turned()})


def _heic() -> list[bytes]:
    import pillow_heif  # an optional extra

    pillow_heif.register_heif_opener()
    return _saved("HEIF", {"mode": "L"}, {"mode": "RGB"}, {"mode": "RGBA"}, {"exif": _turned()})


SEEDS: dict[str, Callable[[], list[bytes]]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "BMP": _bmp,
    "GIF": _gif,
    "WebP": _webp,
    "TIFF": _tiff,
    "PNM": _pnm,
    "AVIF": _avif,
    "HEIC": _heic,
}


def repair_png(content: bytes) -> bytes:
    """The same chunks with checksums that fit."""
    parts, position = [content[:8]], 8
    while position + 12 <= len(content):
        length = min(int.from_bytes(content[position : position + 4], "big"), len(content) - position - 12)
        chunk = content[position + 4 : position + 8 + length]
        parts += [struct.pack(">I", length), chunk, struct.pack(">I", zlib.crc32(chunk))]
        position += 12 + length
    return b"".join(parts)
