"""Every reader of what others wrote: what it may raise, and good input, from which mutations start."""

from __future__ import annotations

import json
import struct
import tempfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from PIL import Image

from pairedge.cli.info import page
from pairedge.errors import GraphError, ImageError, PairedgeError
from pairedge.graph import METADATA_KEY, open_graph
from pairedge.image.tile import to_tile
from pairedge.inspection import inspect_content

ROOT = Path(__file__).parent.parent
_BASE = ROOT / "tests" / "pairedge" / "graphs" / "base.onnx"
_METADATA = {"schema": 2, "graph": "pair", "variant": "base", "parameters": 1, "metrics": {"r": [1]}}


@dataclass(frozen=True)
class Reader:
    """One way in.

    Attributes:
        name: what is read, and what it becomes.
        read: reads some bytes; raises nothing, unless it raises what it does not document.
        seeds: gives good input.
        repair: makes mutated input pass the first checks, so that more is reached.
    """

    name: str
    read: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]
    repair: Callable[[bytes], bytes] = bytes


def read_picture(content: bytes) -> None:
    """From the bytes of a picture to a tile, or an ImageError."""
    with suppress(ImageError):
        tile = to_tile(content)
        assert tile.shape == (14, 14)
        assert tile.dtype == np.uint8


def read_graph(content: bytes) -> None:
    """From the bytes of a graph to answers that are probabilities, or a GraphError."""
    with suppress(GraphError):
        graph = open_graph(content, "pair")
        [leq] = graph.run(["leq"], {"images": np.zeros((2, 2, 14, 14), np.uint8)})
        assert ((leq >= 0) & (leq < 1.001)).all()


def read_metadata(text: bytes) -> None:
    """From a graph's metadata to the page that `pairedge info` prints, or a GraphError."""
    marker = json.dumps(_METADATA).encode()
    with suppress(GraphError):
        content = _with_metadata(marker.ljust(len(text)).decode()).replace(marker.ljust(len(text)), text)
        inspection = inspect_content("graph", content)
        json.dumps(inspection.to_dict(), allow_nan=False)
        assert all(line.isprintable() for line in page(inspection))


def _with_metadata(text: str) -> bytes:
    model = onnx.load(_BASE)
    onnx.helper.set_model_props(model, {METADATA_KEY: text})
    return bytes(model.SerializeToString())


def read_recipe_file(content: bytes) -> None:
    """From a recipe file to a recipe, or one of our errors."""
    from pairedge_train.experiments.recipe import read_recipe

    _read_file(read_recipe, ".toml", content)


def read_row_file(content: bytes) -> None:
    """From a file of rows to rows, or one of our errors."""
    from pairedge_train.rows import read_rows

    _read_file(read_rows, ".jsonl", content)


def _read_file(read: Callable[[Path], object], suffix: str, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=suffix) as file:
        file.write(content)
        file.flush()
        with suppress(PairedgeError):
            read(Path(file.name))


def _saved(kind: str, *variants: Mapping[str, Any]) -> list[bytes]:
    """The picture of a three in one format; each variant is options of its writer, and its `mode`."""
    three = Image.open(ROOT / "examples" / "three.png").convert("L").resize((32, 32))
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


def _png_seeds() -> list[bytes]:
    modes = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
    return _saved("PNG", *({"mode": mode} for mode in modes), {"exif": _turned()})


def _jpeg_seeds() -> list[bytes]:
    return _saved("JPEG", {}, {"progressive": True, "mode": "RGB"}, {"mode": "CMYK"}, {"exif": _turned()})


def _bmp_seeds() -> list[bytes]:
    header = struct.pack("<LLLHHLLLLLL", 40, 8, 8, 1, 8, 1, 40, 0, 0, 256, 0)
    run_lengths = b"BM" + struct.pack("<LLL", 1118, 0, 1078) + header + bytes(range(256)) * 4
    return [
        *_saved("BMP", *({"mode": mode} for mode in ("1", "L", "RGB"))),
        run_lengths + b"\x08\xff\0\0" * 8,
    ]


def _webp_seeds() -> list[bytes]:
    return _saved("WEBP", {"mode": "RGB"}, {"lossless": True}, {"mode": "RGBA"}, {"exif": _turned()})


def _tiff_seeds() -> list[bytes]:
    ways = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    modes = ("LA", "RGB", "RGBA", "CMYK", "I;16", "F")
    return _saved("TIFF", *({"compression": way} for way in ways), *({"mode": mode} for mode in modes))


def _pnm_seeds() -> list[bytes]:
    text = [b"P1 3 3\n0 1 0 0 1 0 0 1 0\n", b"P2 # gray\n3 1 255\n0 90 255\n", b"P3 1 1 15\n0 7 15\n"]
    binary = [b"P5 4 4 254\n" + bytes(range(16)), b"P5 2 2 65535\n" + bytes(8), b"P6 2 1 100\n" + bytes(6)]
    return [*text, *binary, *_saved("PPM", {"mode": "1"}, {"mode": "L"}, {"mode": "RGB"})]


def _repair_png(content: bytes) -> bytes:
    """The same chunks with checksums that fit."""
    parts, position = [content[:8]], 8
    while position + 12 <= len(content):
        length = min(int.from_bytes(content[position : position + 4], "big"), len(content) - position - 12)
        chunk = content[position + 4 : position + 8 + length]
        parts += [struct.pack(">I", length), chunk, struct.pack(">I", zlib.crc32(chunk))]
        position += 12 + length
    return b"".join(parts)


def _recipe_seeds() -> list[bytes]:
    return [path.read_bytes() for path in sorted((ROOT / "train" / "recipes").glob("*.toml"))]


def _row_seeds() -> list[bytes]:
    lines = (ROOT / "artifacts" / "reports" / "report4.jsonl").read_bytes().splitlines(keepends=True)
    return [b"".join(lines[:2])]


READERS = {
    reader.name: reader
    for reader in (
        Reader("PNG to tile", read_picture, _png_seeds, _repair_png),
        Reader("JPEG to tile", read_picture, _jpeg_seeds),
        Reader("BMP to tile", read_picture, _bmp_seeds),
        Reader("GIF to tile", read_picture, partial(_saved, "GIF", {}, {"interlace": 0}, {"mode": "P"})),
        Reader("WebP to tile", read_picture, _webp_seeds),
        Reader("TIFF to tile", read_picture, _tiff_seeds),
        Reader("PNM to tile", read_picture, _pnm_seeds),
        Reader("graph to answers", read_graph, lambda: [_BASE.read_bytes()]),
        Reader("metadata to page", read_metadata, lambda: [json.dumps(_METADATA).encode()]),
        Reader("recipe file to recipe", read_recipe_file, _recipe_seeds),
        Reader("file of rows to rows", read_row_file, _row_seeds),
    )
}
