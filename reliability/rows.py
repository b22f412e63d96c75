"""The rows that the campaigns leave in artifacts/reliability/: one JSON object a line, checked when read."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import ConfigDict, Field, NonNegativeFloat, NonNegativeInt, TypeAdapter
from pydantic.dataclasses import dataclass

RESULTS = Path(__file__).parent.parent / "artifacts" / "reliability"
_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
Outcome = Literal["killed", "survived", "hung"]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class FuzzRow:
    """One campaign of mutated input for one reader.

    Attributes:
        reader: what was read, for instance "PNG to tile".
        executions: how many inputs.
        seconds: time of all of them.
        crashes: how many ended the process.
        hangs: how many took more than a second.
        over_memory: how many took more than 300 MB.
        undocumented: how many raised an exception that the reader does not document.
        seed: of the mutations.
    """

    reader: str
    executions: NonNegativeInt
    seconds: NonNegativeFloat
    crashes: NonNegativeInt
    hangs: NonNegativeInt
    over_memory: NonNegativeInt
    undocumented: NonNegativeInt
    seed: NonNegativeInt


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class KillRow:
    """One disturbed run of a command, and what the same command then made of it.

    Attributes:
        command: what was disturbed: "train", "export" or "reproduce".
        disturbance: a signal's name, or for instance "full disk".
        moment: share of the undisturbed run's time after which it came, 0 to 1; None for what is no moment.
        stopped: whether the run was over because of it, and not finished before.
        sentence: what a run that was told to stop said, or the last line of its errors.
        finished: whether the same command, called again, finished.
        equal: whether all results are those of the undisturbed run.
        doubled: rows beyond one for each round.
        leftovers: names of files that an undisturbed run does not leave.
        seed: that drew the moment.
    """

    command: str
    disturbance: str
    moment: Annotated[float, Field(ge=0, le=1)] | None
    stopped: bool
    sentence: str
    finished: bool
    equal: bool
    doubled: NonNegativeInt
    leftovers: tuple[str, ...]
    seed: NonNegativeInt

    @property
    def sound(self) -> bool:
        """Whether nothing was lost, doubled or left behind."""
        return self.finished and self.equal and not self.doubled and not self.leftovers


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class SoakRow:
    """One study on a cluster whose machines fail.

    Attributes:
        rounds: how many the study has.
        killed: how many workers were killed.
        halted: how many were halted for some seconds.
        restarted: how many times the scheduler was.
        rows: how many rows there are in the end.
        distinct: of how many rounds.
        finished: whether the study ended by itself, without an error.
        seed: that drew the failures.
    """

    rounds: NonNegativeInt
    killed: NonNegativeInt
    halted: NonNegativeInt
    restarted: NonNegativeInt
    rows: NonNegativeInt
    distinct: NonNegativeInt
    finished: bool
    seed: NonNegativeInt

    @property
    def sound(self) -> bool:
        """Whether every round has one row."""
        return self.finished and self.rows == self.distinct == self.rounds


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class MutantRow:
    """One change of the code, and whether a test failed under it.

    Attributes:
        file: the file, below the root of the checkout.
        line: where.
        old: the expression.
        new: the expression in its place.
        outcome: "hung" for tests that did not end in time, which counts as noticed.
        seed: that drew it.
        reason: why it survives, added by hand.
    """

    file: str
    line: NonNegativeInt
    old: str
    new: str
    outcome: Outcome
    seed: NonNegativeInt
    reason: str = ""


Row = TypeVar("Row", FuzzRow, KillRow, SoakRow, MutantRow)


def read_campaign(kind: type[Row], path: Path) -> list[Row]:
    """The rows of a campaign; none where there is no file.

    Raises:
        pydantic.ValidationError: when a line is no such row.
    """
    adapter = TypeAdapter(kind)
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [adapter.validate_json(line) for line in lines]


def add_to_campaign(row: FuzzRow | KillRow | SoakRow | MutantRow, path: Path) -> None:
    """Append a row to the file of its campaign."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(asdict(row), sort_keys=True, ensure_ascii=False) + "\n")
