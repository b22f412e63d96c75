"""Progress on standard error: a bar for rendering pictures, then one for each network's epochs.

Each has its own bar, so that the epochs' remaining time is estimated from epochs alone.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from tqdm import tqdm

from pairedge_train.experiments.recipe import Recipe
from pairedge_train.training.fit import Epoch
from pairedge_train.training.rounds import Stage


class Progress:
    """The progress bars of several rounds; a context manager that closes the last one."""

    def __init__(self, recipe: Recipe, seed: int, rounds: int) -> None:
        synthetic = recipe.data.synthetic
        self._pictures = synthetic.rendered + synthetic.printed + synthetic.negatives
        self._seed = seed
        self._rounds = rounds
        self._bar: tqdm[Any] | None = None
        self._subject: object = None  # of the current bar

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def pictures(self, count: int) -> None:
        """Advance the bar by the number of pictures rendered since the last call."""
        bar = self._open("rendering", "rendering", self._pictures, "picture")
        bar.update(count)
        if bar.n >= self._pictures:
            self._close()

    def epoch(self, stage: Stage, epoch: Epoch) -> None:
        """Advance the bar of a network by one finished epoch."""
        role = "teacher " if stage.teacher else ""
        name = f"{role}{stage.variant} round {stage.seed - self._seed + 1}/{self._rounds}"
        if epoch.number == 1:
            self._close()  # the next member of an ensemble may be of the same variant
        bar = self._open(stage, name, stage.epochs, "epoch")
        bar.set_postfix_str(describe(epoch), refresh=False)
        bar.update()

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        tqdm.write(line)

    def _open(self, subject: object, name: str, total: int, unit: str) -> tqdm[Any]:
        """The bar of a subject, a new one where the current bar has another subject."""
        if self._bar is None or self._subject != subject:
            self._close()
            interval = 0.1 if sys.stderr.isatty() else 10  # seconds; fewer lines in a log than on a terminal
            self._bar = tqdm(desc=name, total=total, unit=unit, mininterval=interval, leave=False)
            self._subject = subject
        return self._bar

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._bar = None


def describe(epoch: Epoch) -> str:
    """An epoch's losses and validation accuracy, in one phrase."""
    parts = [f"loss {epoch.loss:.3f}"]
    if epoch.comparison_loss is not None:
        parts.append(f"comparison {epoch.comparison_loss:.3f}")
    if epoch.digit_loss is not None:
        parts.append(f"digits {epoch.digit_loss:.3f}")
    if epoch.validation:
        parts.append(f"validation {100 * epoch.validation.pairs:.1f} %")
    return ", ".join(parts)
