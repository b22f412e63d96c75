"""How many pictures of a test set a system reads correctly."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import pairedge
from pairedge.model import PairModel
from pairedge_train.randomness import SEED
from pairedge_train.robustness.test_sets import Pictures
from pairedge_train.rows import Row


@dataclass(frozen=True)
class System:
    """One way to read pictures and classify them.

    Attributes:
        name: what the table calls it.
        reading: "resized", "ours", or the path of another version of pairedge/image.py.
        model: what classifies.
        model_sha256: of its file, twelve digits.
    """

    name: str
    reading: str
    model: PairModel
    model_sha256: str


def judge(pictures: Pictures, system: System, seed: int = SEED) -> Row:
    """One row: the share of pictures that a system reads rightly; a refused picture is not read rightly."""
    tiles = pictures.tiles[system.reading]
    read = [tile for tile in tiles if tile is not None]
    labels = [label for tile, label in zip(tiles, pictures.labels, strict=True) if tile is not None]
    answers = system.model.classify(np.stack(read)) if read else []
    right = sum(answer.digit == label for answer, label in zip(answers, labels, strict=True))
    return {
        "condition": pictures.name,
        "about": pictures.about,
        "system": system.name,
        "model": system.model_sha256,
        "n": len(tiles),
        "accuracy": right / len(tiles),
        "refused": len(tiles) - len(read),
        "seed": seed,
    }


def systems_of(before: Path | None, before_reading: Path | None, after: Path | None) -> list[System]:
    """Merely resized, before (its reading too, where it is given), and after."""
    path = after or Path(pairedge.model.shipped_graph("pair"))
    systems = [System("after", "ours", *_opened(path))]
    if before is not None:
        model, digest = _opened(before)
        systems.insert(0, System("merely resized", "resized", model, digest))
        systems.insert(1, System("before", str(before_reading or "ours"), model, digest))
        if before_reading is not None:
            systems.insert(2, System("new reading, old model", "ours", model, digest))
    return systems


def _opened(path: Path) -> tuple[PairModel, str]:
    return pairedge.load(path), hashlib.sha256(path.read_bytes()).hexdigest()[:12]
