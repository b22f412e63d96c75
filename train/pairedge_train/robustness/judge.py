"""The accuracy of a system on the pictures of a test set."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import pairedge
from pairedge.model import PairModel
from pairedge.shipped import shipped_graph
from pairedge_train.randomness import SEED
from pairedge_train.robustness.readings import PAIREDGE, RESIZE_ONLY
from pairedge_train.robustness.rows import ConditionRow
from pairedge_train.robustness.test_sets import Pictures


@dataclass(frozen=True)
class System:
    """One way to read pictures and to classify them.

    Attributes:
        name: what the table calls it.
        reading: RESIZE_ONLY, PAIREDGE, or the folder of another checkout of this project.
        model: the classifier.
        model_sha256: the first twelve digits of its file's SHA-256.
    """

    name: str
    reading: str
    model: PairModel
    model_sha256: str


def judge(pictures: Pictures, system: System, seed: int = SEED) -> ConditionRow:
    """The accuracy of a system on one test set; a refused picture is an error."""
    tiles = pictures.tiles[system.reading]
    read = [tile for tile in tiles if tile is not None]
    labels = [label for tile, label in zip(tiles, pictures.labels, strict=True) if tile is not None]
    correct = int((system.model.classify_batch(np.stack(read)).digit == labels).sum()) if read else 0
    return ConditionRow(
        condition=pictures.name,
        about=pictures.about,
        system=system.name,
        model=system.model_sha256,
        n=len(tiles),
        accuracy=correct / len(tiles),
        refused=len(tiles) - len(read),
        seed=seed,
    )


def systems_to_compare(
    model: Path | None, baseline: Path | None, baseline_reading: Path | None
) -> list[System]:
    """The systems of one table, the one under test last.

    Args:
        model: the pair.onnx under test; None for the shipped one.
        baseline: another pair.onnx, which then classifies the resized pictures too.
        baseline_reading: another checkout of this project, which reads the pictures of the baseline.
    """
    tested = _opened(model or Path(shipped_graph("pair")))
    other = tested if baseline is None else _opened(baseline)
    systems = [System(RESIZE_ONLY, RESIZE_ONLY, *other)]
    if baseline is not None:
        systems.append(System("baseline", str(baseline_reading or PAIREDGE), *other))
        if baseline_reading is not None:
            systems.append(System("pairedge's reading, baseline model", PAIREDGE, *other))
    return [*systems, System("pairedge", PAIREDGE, *tested)]


def _opened(path: Path) -> tuple[PairModel, str]:
    return pairedge.load(path), hashlib.sha256(path.read_bytes()).hexdigest()[:12]
