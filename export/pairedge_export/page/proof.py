"""Proof that a page's WebAssembly reads, classifies and compares as pairedge does: wasmtime runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pairedge.graph import DIGITS, open_graph
from pairedge.image.tile import TILE_SIDE, to_tile
from pairedge_export.c.proof import least_agreement
from pairedge_export.errors import ExportError
from pairedge_export.parity import Check, compare_decisions, compare_values, extremes

Array = NDArray[Any]
_LEVELS = 1  # by how much a tile may differ from Python's


def require_engine() -> None:
    """Refuse to begin without an engine.

    Raises:
        ExportError: when there is none.
    """
    if find_spec("wasmtime") is None:
        raise ExportError("a page is proven by running its WebAssembly: pip install 'pairedge[web]'")


def page_checks(graphs: Mapping[str, bytes], wasm: bytes, pictures: Sequence[Path]) -> list[Check]:
    """Check that WebAssembly has the tiles of pairedge, and the values and decisions of the graphs.

    Args:
        graphs: ONNX graphs by kind, "pair" and "digit" among them.
        wasm: the page's.
        pictures: of a digit each. Their tiles and extreme ones are classified, and compared in all pairs.

    Raises:
        ExportError: when it does not run, or there is no engine.
    """
    require_engine()
    import wasmtime

    try:
        return _checks(graphs, _Engine(wasm), pictures)
    except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
        [reason, *_] = str(error).splitlines()
        raise ExportError(f"the page's WebAssembly does not run: {reason}") from error


class _Engine:
    """A page's WebAssembly; page.c says what its functions do."""

    def __init__(self, wasm: bytes) -> None:
        import wasmtime

        self._store = wasmtime.Store()
        module = wasmtime.Module(self._store.engine, wasm)
        self._exports = wasmtime.Instance(self._store, module, []).exports(self._store)

    def read(self, picture: Path) -> tuple[int, NDArray[np.uint8]]:
        """Read a picture into the first place: 0 or why it is refused; and the tile, as `tile` gives it."""
        with Image.open(picture) as image:
            pixels = np.asarray(image.convert("RGBA"))
        self._put(self._call("picture_at"), pixels)
        status = self._call("read", 0, pixels.shape[1], pixels.shape[0])
        tile = np.frombuffer(self._bytes(self._call("tile_at", 0), TILE_SIDE**2), np.uint8)
        return status, tile.reshape(TILE_SIDE, TILE_SIDE)

    def classify(self, tile: NDArray[np.uint8]) -> Array:
        """The probability of each digit, float32 (10,), 0 to 1, for a tile, uint8 (14, 14), 0 to 255."""
        self._put(self._call("tile_at", 0), tile)
        self._call("classify", 0)
        return self._floats(self._call("posterior_at", 0), DIGITS)

    def compare(self, pair: NDArray[np.uint8]) -> tuple[Array, Array]:
        """The answer for a pair, uint8 (2, 14, 14), 0 to 255: float32 () and (2, 10), as of the graph."""
        for place, tile in enumerate(pair):
            self._put(self._call("tile_at", place), tile)
        self._call("compare")
        digits = [self._floats(self._call("posterior_at", place), DIGITS) for place in range(2)]
        return self._floats(self._call("leq_at"), 1)[0], np.stack(digits)

    def _call(self, name: str, *arguments: int) -> int:
        result: int | None = self._exports[name](self._store, *arguments)  # type: ignore[operator]  # a function
        return result or 0

    def _put(self, address: int, values: NDArray[np.uint8]) -> None:
        self._exports["memory"].write(self._store, values.tobytes(), address)  # type: ignore[union-attr]  # memory

    def _bytes(self, address: int, count: int) -> bytes:
        return bytes(self._exports["memory"].read(self._store, address, address + count))  # type: ignore[union-attr]  # memory

    def _floats(self, address: int, count: int) -> Array:
        return np.frombuffer(self._bytes(address, 4 * count), np.float32)


def _checks(graphs: Mapping[str, bytes], engine: _Engine, pictures: Sequence[Path]) -> list[Check]:
    expected = np.stack([to_tile(picture) for picture in pictures])
    statuses, read = zip(*map(engine.read, pictures), strict=True)
    levels = int(np.abs(np.stack(read).astype(int) - expected).max())
    detail = f"{sum(map(bool, statuses))} refused, largest difference {levels} of 255 levels"
    name = f"tiles of {len(pictures)} pictures, as WebAssembly"
    checks = [Check("reading", "web", name, not any(statuses) and levels <= _LEVELS, detail)]

    tiles = np.concatenate([extremes(), expected])
    pairs = np.stack([np.repeat(tiles, len(tiles), axis=0), np.tile(tiles, (len(tiles), 1, 1))], axis=1)
    leq, digits = map(np.stack, zip(*map(engine.compare, pairs), strict=True))
    answers = {
        "pair": (("leq", "digits"), {"images": pairs}, [leq, digits]),
        "digit": (("posterior",), {"tiles": tiles}, [np.stack([engine.classify(tile) for tile in tiles])]),
    }
    for kind, (outputs, inputs, actual) in answers.items():
        graph = open_graph(graphs[kind], kind)
        ours = graph.session.run(list(outputs), inputs)
        checks += [
            compare(kind, outputs, "as WebAssembly", ours, actual, "web", least_agreement(graph.metadata))
            for compare in (compare_values, compare_decisions)
        ]
    return checks
