"""The steps of pairedge.image in C, from pixels to a tile: one port for pages and devices; see reading.h."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
SOURCES = tuple(sorted(FOLDER.glob("*.c")))
