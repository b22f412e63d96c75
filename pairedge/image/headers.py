"""What the headers of JPEG and TIFF files say beyond what Pillow tells: scans, strips, tags, orientation.

Headers are read here before Pillow reads them: it takes all that they announce into memory.
"""

from __future__ import annotations

import re
import struct
from typing import Any, NamedTuple

from PIL import Image

ORIENTATION = 0x0112  # EXIF's and TIFF's tag
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}  # bytes, by type
_NUMBERS = {1: "B", 3: "H", 4: "L"}  # the types of what is read here, as `struct` writes them
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')


class Jpeg(NamedTuple):
    """A JPEG's header.

    Attributes:
        scans: how often a decoder goes over the picture.
        components: one for gray, three for colors; 0 without a frame.
        exif: number of EXIF segments.
    """

    scans: int
    components: int
    exif: int


def read_jpeg(content: bytes) -> Jpeg:
    """Walk over the segments of a JPEG up to its first scan, and count its scans."""
    position, components, exif = 2, 0, 0
    while position + 4 <= len(content):
        if content[position] != 0xFF:  # garbage, over which decoders go to the next marker
            position = content.find(b"\xff", position)
            if position < 0:
                break
            continue
        marker = content[position + 1]
        if marker == 0xDA:
            end = content.find(
                b"\xff\xd9", position
            )  # in a scan, a zero follows every 0xFF that is no marker
            return Jpeg(content.count(b"\xff\xda", position, end if end > 0 else None), components, exif)
        if marker in (0x00, 0x01, 0xFF) or 0xD0 <= marker <= 0xD9:  # without a length
            position += 1 if marker == 0xFF else 2
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            components = content[position + 9] if position + 9 < len(content) else 0
        exif += marker == 0xE1 and content[position + 4 : position + 10] == b"Exif\0\0"
        position += 2 + int.from_bytes(content[position + 2 : position + 4], "big")
    return Jpeg(0, components, exif)


class Directory(NamedTuple):
    """The first directory of a TIFF file or of EXIF data.

    Attributes:
        size: bytes of all values together, as announced.
        values: the first number of each tag that has numbers, by tag; the largest where one is repeated.
    """

    size: int
    values: dict[int, int]


def read_directory(content: bytes) -> Directory:
    """Read the first directory; an empty one when there is none.

    Args:
        content: of a TIFF file, or of EXIF data without their prefix.
    """
    order = {b"II": "<", b"MM": ">"}.get(content[:2])
    size, values = 0, dict[int, int]()
    if order is None or len(content) < 8:
        return Directory(size, values)
    [start] = struct.unpack_from(f"{order}L", content, 4)
    if start + 2 > len(content):
        return Directory(size, values)
    [count] = struct.unpack_from(f"{order}H", content, start)
    for entry in range(start + 2, min(start + 2 + 12 * count, len(content) - 11), 12):
        tag, kind, length = struct.unpack_from(f"{order}HHL", content, entry)
        width = length * _WIDTHS.get(kind, 1)
        size += width
        if kind not in _NUMBERS:
            continue
        at = entry + 8
        if width > 4:
            [at] = struct.unpack_from(f"{order}L", content, at)
        if length and at + _WIDTHS[kind] <= len(content):
            [value] = struct.unpack_from(f"{order}{_NUMBERS[kind]}", content, at)
            values[tag] = max(value, values.get(tag, 0))
    return Directory(size, values)


def orientation(image: Image.Image) -> int:
    """How a picture was held, as EXIF counts: 1 upright, 2 to 8 mirrored or turned."""
    tags: Any = getattr(image, "tag_v2", None)
    if tags is not None and ORIENTATION in tags:
        value = tags[ORIENTATION]
        return value if value in range(1, 9) else 1
    exif = image.info.get("exif")
    if isinstance(exif, bytes):
        value = read_directory(exif.removeprefix(b"Exif\0\0")).values.get(ORIENTATION, 0)
        if value in range(1, 9):
            return value
    xmp = image.info.get("xmp", image.info.get("XML:com.adobe.xmp", b""))
    stated = _XMP_ORIENTATION.search(xmp.encode() if isinstance(xmp, str) else bytes(xmp))
    return int(stated[1]) if stated else 1
