"""Rendered pictures are kept: under a digest of everything that determines them, in a cache folder.

An entry carries a digest of its own content, so that a damaged one is noticed and rendered again. Entries are
never removed; the folder may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import safetensors.numpy
from numpy.typing import NDArray
from PIL import features
from safetensors import SafetensorError, safe_open

from pairedge.image import tile
from pairedge_train.errors import OutputError
from pairedge_train.files import cache_folder, one_writer, write_atomically
from pairedge_train.rendering import hands, render

Arrays: TypeAlias = dict[str, NDArray[Any]]

# What draws, photographs and reads a picture, and the glyphs of hands: any change of them gives other keys.
_PROGRAMS = (
    *sorted(Path(tile.__file__).parent.glob("*.py")),
    *sorted(Path(render.__file__).parent.glob("*.py")),
    hands.GLYPHS,
    Path(__file__).with_name("synthetic.py"),
)


def rendered_once(facts: Mapping[str, Any], render_all: Callable[[], Arrays]) -> Arrays:
    """What was rendered from some facts: kept from an earlier call, or rendered now and kept.

    If another process is rendering the same, wait for its result.

    Args:
        facts: everything that determines the result beside the programs and libraries, ready for JSON.
        render_all: renders tiles and labels, by name.

    Returns:
        Tiles, uint8 (M, 14, 14), 0 to 255, and labels, int64 (M,), by name, as `render_all` gave them.

    Warns:
        UserWarning: when the result cannot be kept.
    """
    path = cache_folder() / "rendered" / f"{key_of(facts)}.safetensors"
    with one_writer(path):
        arrays = _read(path)
        if arrays is None:
            arrays = render_all()
            content = safetensors.numpy.save(arrays, metadata={"sha256": _sha256(arrays)})
            try:
                write_atomically(path, content)
            except OutputError as error:
                warnings.warn(f"rendered pictures are not kept: {error}", stacklevel=2)
        return arrays


def key_of(facts: Mapping[str, Any]) -> str:
    """The name of an entry: a digest of facts, of the programs that render, and of their libraries."""
    return hashlib.sha256(
        json.dumps({**facts, "programs": _programs(), **_libraries()}, sort_keys=True).encode()
    ).hexdigest()


def _read(path: Path) -> Arrays | None:
    """The arrays of an entry; None where there is none, or a damaged one."""
    try:
        with safe_open(path, framework="np") as file:
            expected = (file.metadata() or {}).get("sha256")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError):
        return None
    return arrays if _sha256(arrays) == expected else None


def _sha256(arrays: Arrays) -> str:
    content = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        content.update(f"{name} {array.dtype} {array.shape} ".encode())
        content.update(array.tobytes())
    return content.hexdigest()


@cache
def _programs() -> str:
    content = hashlib.sha256()
    for path in _PROGRAMS:
        content.update(f"{path.name} ".encode() + path.read_bytes())
    return content.hexdigest()


@cache
def _libraries() -> dict[str, str | None]:
    """Versions of what draws random numbers, distorts pictures, and brings fonts and file formats."""
    return {name: version(name) for name in ("numpy", "pillow", "matplotlib")} | {
        name: features.version(name) for name in ("libjpeg_turbo", "freetype2")
    }
