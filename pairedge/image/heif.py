"""AVIF and HEIC, two formats of one container (ISO/IEC 23008-12): by Pillow, or pillow-heif if installed."""

from __future__ import annotations

from importlib import import_module
from io import BytesIO
from typing import Any

from PIL import Image

from pairedge.errors import ImageError

_AVIF = frozenset((b"avif", b"avis"))
_HEIC = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))


def open_heif(content: bytes) -> Image.Image | None:
    """An image whose size is known and whose pixels are not decoded yet; None for another format.

    Raises:
        ImageError: when what decodes it is not installed; says what is missing.
    """
    if content[4:8] != b"ftyp":
        return None
    box = content[8 : min(int.from_bytes(content[:4], "big"), 512)]
    brands = {box[start : start + 4] for start in range(0, len(box), 4)}
    if brands & _AVIF:
        plugin = _plugin("PIL.AvifImagePlugin", "AvifImageFile", "PIL._avif")
        missing = "an AVIF picture needs Pillow 11.3 or newer: pip install --upgrade pillow"
    elif brands & _HEIC:
        plugin = _plugin("pillow_heif", "HeifImageFile")
        missing = "a HEIC picture needs pillow-heif: pip install 'pairedge[heic]'"
    else:
        return None
    if plugin is None:
        raise ImageError(missing)
    image = plugin(BytesIO(content))
    assert isinstance(image, Image.Image)
    return image


def _plugin(module: str, name: str, library: str | None = None) -> Any:
    """A plugin of Pillow; None where it, or the library that it needs, is not installed."""
    try:
        if library is not None:
            import_module(library)
        return getattr(import_module(module), name)
    except ImportError:
        return None
