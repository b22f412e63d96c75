"""The metrics of a run for TensorBoard, where it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pairedge_train.errors import OutputError
from pairedge_train.training.events import EpochEnd, Event, Stage

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TensorBoard:
    """Writes each training's metrics by epoch to a folder of its own; call `close` in the end.

    Args:
        folder: for the trainings' folders.

    Raises:
        OutputError: when tensorboard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import torch.utils.tensorboard  # noqa: F401 (a missing package is one sentence)
        except ImportError as error:
            raise OutputError(
                "--tensorboard needs tensorboard: pip install 'pairedge[tensorboard]'"
            ) from error
        self._folder = folder
        self._writers: dict[Stage, SummaryWriter] = {}

    def __call__(self, event: Event) -> None:
        """Write the metrics of an epoch."""
        if isinstance(event, EpochEnd):
            writer = self._writer(event.stage)
            for name, value in event.epoch.metrics().items():
                if value is not None:
                    writer.add_scalar(name, value, event.epoch.number)
            writer.flush()

    def close(self) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()

    def _writer(self, stage: Stage) -> SummaryWriter:
        if stage not in self._writers:
            from torch.utils.tensorboard import SummaryWriter

            role = "teacher-" if stage.teacher else ""
            name = f"{role}seed-{stage.seed}-{stage.variant}-{stage.member}"
            # From epoch 0 on, what an interrupted training has written there is void.
            self._writers[stage] = SummaryWriter(str(self._folder / name), purge_step=0)
        return self._writers[stage]
