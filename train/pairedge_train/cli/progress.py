"""Progress on standard error: rendering, training and judging, each with a bar and a time left of its own.

Each bar counts what takes its time, pictures, batches or pairs, and estimates the rest from all of its own.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from types import TracebackType
from typing import Any

from tqdm import tqdm

from pairedge_train.experiments.recipe import Recipe
from pairedge_train.training.epoch import Epoch
from pairedge_train.training.events import EpochEnd, Event, Judged, Rendered, Stage, Step

_DELAY = 0.5  # seconds before a bar of judging is shown, for most pairs take less
_EPOCHS = "{l_bar}{bar}| [{elapsed}<{remaining}{postfix}]"  # the postfix counts epochs, not batches


class Progress:
    """The progress bars of several rounds; a context manager that closes the last one."""

    def __init__(self, recipe: Recipe, seed: int, rounds: int) -> None:
        self._pictures = sum(asdict(recipe.data.synthetic).values())
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

    def __call__(self, event: Event) -> None:
        """Advance the bar that an event belongs to."""
        match event:
            case Rendered(pictures):
                self._advance("rendering", pictures, total=self._pictures, unit="picture")
            case Step(stage):
                self._training(stage).update()
            case EpochEnd(stage, epoch) if epoch.number > stage.resumed and leads(stage):
                bar = self._training(stage)
                bar.set_postfix_str(f"epoch {epoch.number}/{stage.epochs}, {describe(epoch)}", refresh=False)
                bar.update(epoch.number * stage.steps - bar.n)
            case Judged(pairs, total, of):
                self._advance(f"judging {of}", pairs, total=total, unit="pair", delay=_DELAY)

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        tqdm.write(line)

    def _training(self, stage: Stage) -> tqdm[Any]:
        """The bar of a network's batches."""
        role = "teacher " if stage.teacher else ""
        number = stage.seed - self._seed + 1
        rounds = f"rounds {number}-{stage.bundle[-1] - self._seed + 1}" if stage.bundle else f"round {number}"
        name = f"{role}{stage.variant} {rounds}/{self._rounds}"
        done, total = stage.resumed * stage.steps, stage.epochs * stage.steps
        return self._open(stage, name, initial=done, total=total, bar_format=_EPOCHS)

    def _advance(self, subject: str, amount: int, **options: Any) -> None:
        """Advance a bar of its own name, which is closed when it is full."""
        bar = self._open(subject, subject, **options)
        bar.update(amount)
        if bar.n >= bar.total:
            self._close()

    def _open(self, subject: object, name: str, **options: Any) -> tqdm[Any]:
        """The bar of a subject, a new one where the current bar has another subject."""
        if self._bar is None or self._subject != subject:
            self._close()
            self._bar = tqdm(
                desc=name,
                mininterval=_interval(),
                smoothing=0,
                leave=not sys.stderr.isatty(),  # a log keeps the last state of each bar
                **options,
            )
            self._subject = subject
        return self._bar

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._bar = None


def leads(stage: Stage) -> bool:
    """Whether a network is trained alone, or is the first of those that are trained together."""
    return not stage.bundle or stage.seed == stage.bundle[0]


def _interval() -> float:
    """Seconds between two states of a bar: fewer lines in a log than on a terminal."""
    return 0.1 if sys.stderr.isatty() else 10


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
