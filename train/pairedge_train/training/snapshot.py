"""The snapshot of an unfinished round: a file from which its training goes on, to the same bytes.

A checkpoint is what a finished round leaves. A snapshot is what a round that may be interrupted keeps of its
training so far: weights, optimizer, schedule, averages, generators and epochs. It is gone when the round is
finished, and it does not count where it is of other pairs, of another network, or damaged.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from pairedge_train.files import write_atomically
from pairedge_train.machine import machine, one_after_the_other
from pairedge_train.networks.network import Network
from pairedge_train.training.epoch import Epoch
from pairedge_train.training.fit import StateDict

SCHEMA = 1


class Snapshot:
    """A round's training so far, in memory and, every few epochs, in a file.

    Args:
        path: the file; None keeps nothing.
        every: epochs between two writes; 0 never writes, and still goes on from a file that is there.

    Attributes:
        every: as given; 0 without a file.
        state: what `fit` has saved of the network that is being trained; None where it has just begun.
        machine: what trains: this machine, after that which wrote the file where it was another one.
    """

    def __init__(self, path: Path | None = None, every: int = 0) -> None:
        self._path = path
        self._identity: dict[str, Any] = {}
        self._members: list[dict[str, Any]] = []
        self.every = every if path else 0
        self.state: StateDict | None = None
        self.machine: dict[str, str] = {}

    def open(self, device: str, identity: Callable[[], Mapping[str, Any]]) -> None:
        """Read the file, if it is there and of the same round.

        Args:
            device: where this process trains.
            identity: gives what tells the round from others, as plain values; called only if a file is there
                or will be.
        """
        self.machine = machine(device)
        content = _read(self._path) if self._path else None
        if content is None and not self.every:
            return
        self._identity = {"schema": SCHEMA, **identity()}
        if content is not None and content["identity"] == self._identity:
            self._members, self.state = content["members"], content["state"]
            self.machine = one_after_the_other(content["machine"], self.machine)

    def finished_member(self, index: int, network: Network) -> list[Epoch] | None:
        """The epochs of an ensemble's member that is trained, whose weights the network gets; else None."""
        if index >= len(self._members):
            return None
        network.load_state_dict(self._members[index]["weights"])
        return [Epoch.from_dict(epoch) for epoch in self._members[index]["history"]]

    def finish_member(self, network: Network, history: list[Epoch]) -> None:
        """Remember a trained member of an ensemble, for the next write."""
        self._members.append(
            {"weights": network.state_dict(), "history": [asdict(epoch) for epoch in history]}
        )
        self.state = None

    def save(self, state: StateDict) -> None:
        """Write the file, completely or not at all.

        Raises:
            OutputError: when it cannot be written.
        """
        assert self._path is not None  # without a file, `every` is 0
        content = io.BytesIO()
        parts = {"identity": self._identity, "machine": self.machine, "members": self._members}
        # Not as safetensors: the weights' layout in memory, channels last, must come back, too.
        torch.save({**parts, "state": state}, content)
        write_atomically(self._path, content.getvalue())

    def remove(self) -> None:
        """Remove the file, if it is there."""
        if self._path:
            self._path.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any] | None:
    """The content of a file; None where there is none, or a damaged one. No code in it is run."""
    try:
        content: dict[str, Any] = torch.load(path, weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError):
        return None
    return content if isinstance(content, dict) and "identity" in content else None
