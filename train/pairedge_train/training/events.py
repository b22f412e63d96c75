"""What happens in a round, told as it happens: to progress bars, to a run's files, to TensorBoard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from pairedge_train.rows import RoundRow
from pairedge_train.training.epoch import Epoch


@dataclass(frozen=True)
class Stage:
    """The network that is being trained.

    Attributes:
        variant: its architecture.
        seed: seed of its round.
        epochs: number of epochs, unless training stops early.
        steps: number of batches of an epoch.
        member: its index in an ensemble; else 0.
        teacher: whether it is the teacher of the requested network.
        resumed: number of its epochs that an earlier process trained.
        bundle: the seeds of the rounds that are trained together with it, itself among them; empty for a
            round that is trained alone.
    """

    variant: str
    seed: int
    epochs: int
    steps: int
    member: int = 0
    teacher: bool = False
    resumed: int = 0
    bundle: tuple[int, ...] = ()


@dataclass(frozen=True)
class Rendered:
    """Synthetic pictures were rendered: so many since the last such event."""

    pictures: int


@dataclass(frozen=True)
class Step:
    """A network was trained on one batch; of a bundle only the first one's steps are told."""

    stage: Stage


@dataclass(frozen=True)
class EpochEnd:
    """A network was trained for an epoch. Resumed epochs are told again, all before the first step."""

    stage: Stage
    epoch: Epoch


@dataclass(frozen=True)
class Judged:
    """A trained network has answered some pairs.

    Attributes:
        pairs: how many since the last such event.
        total: how many there are.
        of: what kind they are: "training pairs", "all pairs of test digits".
    """

    pairs: int
    total: int
    of: str


@dataclass(frozen=True)
class RoundEnd:
    """A round is finished, now or before, and its row is on the disk."""

    row: RoundRow


Event: TypeAlias = Rendered | Step | EpochEnd | Judged | RoundEnd
Watch: TypeAlias = Callable[[Event], None]


def unwatched(_: Event) -> None:
    """Watch nothing."""
