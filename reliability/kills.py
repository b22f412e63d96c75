"""Disturb train, export and reproduce at random moments: afterwards the same command must make all good.

    python -m reliability.kills                          # 200 kills, then signals, full disks and two at once
    python -m reliability.kills train --count 3          # three disturbances of each kind, of one command

Each command is a short form on scikit-learn's digits. It is run undisturbed once; then it is run and
disturbed, and run again, in a fresh folder each time. All that lies in the folder then must be what the
undisturbed run left, to the byte, but for the seconds that a round took. Rows go to
artifacts/reliability/kills.jsonl as they come; what has a row is not done again.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import onnx  # noqa: F401 (imported once, for all processes that are forked)
import onnxscript  # noqa: F401 (as onnx)
import torch

from pairedge_export.cli import main as export
from pairedge_train.cli.train import main as train
from pairedge_train.data.published import load_uci
from pairedge_train.reports.reproduce import missing, reproduce
from reliability.rows import RESULTS, KillRow, add_to_campaign, read_campaign
from reliability.short_study import jobs

ROWS = RESULTS / "kills.jsonl"
SEED = 20_261_121
# How many of 200 kills each command takes, and how many times each other disturbance comes.
KILLS = {"train": 120, "export": 40, "reproduce": 40}
OTHERS = 10
_LARGEST_FILE = 200_000  # bytes: more than any command here writes to one file
_SMALL = ["--dataset", "uci", "--pairs", "20", "--epochs", "1", "--variant", "base"]


def run_train(out: Path) -> None:
    """Three rounds."""
    train([*_SMALL, "--rounds", "3", "--out", str(out)])


def run_export(checkpoint: Path, out: Path) -> None:
    """One checkpoint."""
    export([str(checkpoint), "--out", str(out)])


def run_reproduce(out: Path) -> None:
    """A study of six rounds on two cores."""
    reproduce(missing(jobs(6), out), out, workers=2)


Command = Callable[[Path], None]


@dataclass
class Run:
    """A command in a process of its own, forked from this one."""

    process: int
    errors: Path
    start: float
    code: int | None = None

    @classmethod
    def begin(cls, command: Command, out: Path, largest_file: int | None = None) -> Run:
        """Start a command; a file that it writes may have so many bytes."""
        errors = Path(tempfile.mkstemp(prefix="pairedge-errors-")[1])
        child = os.fork()
        if child:
            return cls(child, errors, time.monotonic())
        os.setsid()
        with errors.open("w") as file:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(file.fileno(), 2)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
        code = 1
        try:
            command(out)
            code = 0
        except SystemExit as done:
            code = done.code if isinstance(done.code, int) else 1
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.stderr.flush()
        os._exit(code)

    def send(self, number: signal.Signals) -> None:
        """Send a signal: SIGKILL to all its processes, as a pulled plug, others to the command alone."""
        with suppress(ProcessLookupError):  # it is over
            (os.killpg if number == signal.SIGKILL else os.kill)(self.process, number)

    def over(self) -> bool:
        """Whether it has ended by now."""
        if self.code is None:
            child, status = os.waitpid(self.process, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if child else None
        return self.code is not None

    def end(self, limit: float = 3600) -> int:
        """Wait for its end and give its exit code.

        Raises:
            TimeoutError: when it does not end within `limit` seconds. It is killed, and no row tells of it: a
                busy machine looks the same.
        """
        while not self.over():
            if time.monotonic() - self.start > limit:
                self.send(signal.SIGKILL)
                raise TimeoutError(f"a command did not end within {limit:.0f} seconds")
            time.sleep(0.005)
        assert self.code is not None
        return self.code

    def sentence(self) -> str:
        """The last line of its errors."""
        return self.errors.read_text(errors="replace").strip().replace("\r", "\n").rpartition("\n")[2].strip()


def contents(out: Path) -> dict[str, str]:
    """All files of a folder by name, each as a digest of what must be equal in it."""
    return {str(path.relative_to(out)): _digest(path) for path in sorted(out.rglob("*")) if path.is_file()}


def _digest(path: Path) -> str:
    content = path.read_bytes()
    if path.name == "run.json":  # when, and for how long: nothing that could be equal
        return "any"
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in content.splitlines()]
        content = json.dumps(sorted(({**row, "seconds": 0} for row in rows), key=_seed)).encode()
    return hashlib.sha256(content).hexdigest()


def _seed(row: dict[str, Any]) -> int:
    seed: int = row["seed"]
    return seed


def doubled(out: Path) -> int:
    """How many rows there are beyond one for each round."""
    lines = [line for path in out.rglob("*.jsonl") for line in path.read_bytes().splitlines()]
    rounds = Counter((row["recipe"], row["seed"]) for row in map(json.loads, lines))
    return sum(count - 1 for count in rounds.values())


@dataclass(frozen=True)
class Campaign:
    """A command with what it leaves undisturbed.

    Attributes:
        name: of the command.
        command: what is run.
        expected: what its folder holds in the end.
        seconds: how long it takes undisturbed.
    """

    name: str
    command: Command
    expected: dict[str, str]
    seconds: float

    @classmethod
    def of(cls, name: str, command: Command, folder: Path) -> Campaign:
        """Run a command undisturbed, twice: the second run must change nothing.

        Raises:
            RuntimeError: when it fails.
        """
        run = Run.begin(command, folder)
        code, seconds = run.end(), time.monotonic() - run.start
        if code:
            raise RuntimeError(f"{name} fails undisturbed: {run.sentence()}")
        expected = contents(folder)
        if Run.begin(command, folder).end() or contents(folder) != expected:
            raise RuntimeError(f"{name} does not leave the same when it is run again")
        return cls(name, command, expected, seconds)

    def disturbed(self, disturbance: str, index: int, seed: int) -> KillRow:
        """Run the command, disturb it, run it again, and compare."""
        draw = random.Random(f"{self.name} {disturbance} {index} {seed}")
        with tempfile.TemporaryDirectory(prefix="pairedge-disturbed-") as folder:
            out = Path(folder) / "out"
            moment: float | None = None
            if disturbance in signal.Signals.__members__:
                moment = draw.random()
                first = Run.begin(self.command, out)
                while time.monotonic() - first.start < moment * self.seconds and not first.over():
                    time.sleep(0.001)
                stopped = not first.over()
                first.send(signal.Signals[disturbance])
                first.end()
            elif disturbance == "full disk":
                first = Run.begin(self.command, out, largest_file=draw.randrange(_LARGEST_FILE))
                stopped = first.end() != 0
            else:  # another process does the same
                first, other = Run.begin(self.command, out), Run.begin(self.command, out)
                stopped = first.end() + other.end() != 0
            again = Run.begin(self.command, out)
            finished = again.end() == 0
            left = contents(out)
            return KillRow(
                command=self.name,
                disturbance=disturbance,
                moment=moment,
                stopped=stopped,
                sentence=first.sentence()[-200:] if stopped and disturbance != "SIGKILL" else "",
                finished=finished,
                equal=all(left.get(name) == digest for name, digest in self.expected.items()),
                doubled=doubled(out),
                leftovers=tuple(sorted(left.keys() - self.expected.keys())),
                seed=seed,
            )


def plan(count: int | None) -> Iterator[tuple[str, str, int]]:
    """Commands and disturbances, each with how many times; `count` of each if it is given."""
    for name, kills in KILLS.items():
        yield name, "SIGKILL", count or kills
        for disturbance in ("SIGINT", "SIGTERM", "full disk", "two at once"):
            yield name, disturbance, count or OTHERS


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(list(KILLS)))
@click.option("--count", type=click.IntRange(min=1), help="Disturbances of each kind. [as the page has them]")
@click.option("--seed", type=click.IntRange(min=0), default=SEED, show_default=True)
@click.option("--rows", type=click.Path(path_type=Path), default=ROWS, show_default=True)
def main(names: tuple[str, ...], count: int | None, seed: int, rows: Path) -> None:
    """Disturb the commands NAMES, or all; exit with code 1 when something is lost, doubled or left."""
    done = Counter((row.command, row.disturbance, row.seed) for row in read_campaign(KillRow, rows))
    wrong = 0
    torch.set_num_threads(1)
    load_uci()  # read once, for all processes that are forked
    with tempfile.TemporaryDirectory(prefix="pairedge-kills-") as folder:
        trained = Path(folder) / "train"
        campaigns = {"train": Campaign.of("train", run_train, trained)}
        checkpoint = next(trained.rglob("*.safetensors"))
        commands: dict[str, Command] = {
            "export": partial(run_export, checkpoint),
            "reproduce": run_reproduce,
        }
        for name, disturbance, times in plan(count):
            if names and name not in names:
                continue
            if name not in campaigns:
                campaigns[name] = Campaign.of(name, commands[name], Path(folder) / name)
            for index in range(done[name, disturbance, seed], times):
                row = campaigns[name].disturbed(disturbance, index, seed)
                add_to_campaign(row, rows)
                wrong += not row.sound
                click.echo(f"{'sound' if row.sound else 'WRONG'} {name} {disturbance} {row}")
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
