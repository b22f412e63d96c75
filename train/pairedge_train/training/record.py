"""The files that tell of a run, beside its rows and checkpoints: metrics.csv, recipe.toml and run.json.

A run is a folder of rounds of one recipe. metrics.csv has a row for each epoch, as soon as it is over;
recipe.toml has every setting; run.json has what each round was trained on, and for how many seconds.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pairedge
from pairedge_train.errors import DataError, OutputError
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.files import one_writer, write_all, write_atomically
from pairedge_train.rows import RoundRow
from pairedge_train.training.events import EpochEnd, Event

METRICS, RECIPE, RUN = "metrics.csv", "recipe.toml", "run.json"


class Record:
    """Writes the files of a run.

    Args:
        folder: the run's.
        recipe: its recipe.
    """

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        self._folder = folder
        self._recipe = recipe

    def __call__(self, event: Event) -> None:
        """Write a row of metrics.csv for an epoch of this run's own networks.

        Raises:
            OutputError: when it cannot be written.
        """
        if not isinstance(event, EpochEnd) or event.stage.teacher:
            return
        stage, epoch, path = event.stage, event.epoch, self._folder / METRICS
        row = {"seed": stage.seed, "member": stage.member, "epoch": epoch.number, **epoch.metrics()}
        with one_writer(path):
            try:
                if stage.member == 0 and epoch.number == 1:
                    self._begin(_line(row), stage.seed)
                with path.open("a") as file:  # not the file anew: `tail -f` follows this one
                    file.write(_line(row.values()))
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                raise OutputError(f"{path}: cannot write: {reason}") from error

    def finish(self, row: RoundRow, seconds: float) -> None:
        """Add a round to run.json.

        Args:
            row: the round's.
            seconds: from its beginning, or from where it was resumed, to its end.

        Raises:
            DataError: when the file holds something else.
            OutputError: when it cannot be written.
        """
        path = self._folder / RUN
        with one_writer(path):
            known = _read_rounds(path) if path.exists() else {}
            known[str(row.seed)] = {
                "seconds": round(seconds, 3),
                "seconds_of_training": row.seconds,
                "epochs": row.epochs,
                "device": row.device,
                "machine": row.machine,
                "pairedge": pairedge.__version__,
            }
            run = {"recipe": self._recipe.digest(), "rounds": known}
            write_atomically(path, (json.dumps(run, indent=2) + "\n").encode())

    def _begin(self, header: str, seed: int) -> None:
        """Keep the other rounds' rows only: those of an interrupted training of this one come anew."""
        path = self._folder / METRICS
        lines = path.read_text().splitlines(keepends=True)[1:] if path.exists() else []
        others = [line for line in lines if line.endswith("\n") and not line.startswith(f"{seed},")]
        files = {METRICS: "".join([header, *others]), RECIPE: self._recipe.to_toml()}
        write_all(self._folder, {name: text.encode() for name, text in files.items()})


def read_metrics(folder: Path) -> dict[str, list[list[float]]]:
    """The curves of a run: of each metric that was measured, the values of each training by epoch.

    A training is a round, or a member of a round's ensemble. A last line that breaks off does not count.

    Raises:
        DataError: when the folder is no run, or its metrics.csv has no epoch, or something else.
    """
    path = folder / METRICS
    try:
        lines = path.read_text().splitlines(keepends=True)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{folder}: no run of pairedge-train: it has no {METRICS} to read") from error
    whole = [line for line in lines if line.endswith("\n")]
    curves: dict[str, dict[tuple[str, str], list[float]]] = {}
    for number, row in enumerate(csv.DictReader(whole), 2):
        try:
            training = row.pop("seed"), row.pop("member")
            for metric, value in row.items():
                if value:
                    curves.setdefault(metric, {}).setdefault(training, []).append(float(value))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path}: line {number} is no row of metrics") from error
    if not curves:
        raise DataError(f"{path}: it has no epoch yet")
    return {metric: list(trainings.values()) for metric, trainings in curves.items()}


def _line(cells: Iterable[object]) -> str:
    """A line of CSV; no cell has a comma or a quotation mark, and one that is None is empty."""
    return ",".join("" if cell is None else str(cell) for cell in cells) + "\n"


def _read_rounds(path: Path) -> dict[str, Any]:
    try:
        rounds: dict[str, Any] = json.loads(path.read_bytes())["rounds"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not what pairedge-train wrote") from error
    return rounds
