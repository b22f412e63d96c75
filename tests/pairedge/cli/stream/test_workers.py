"""Rows come in the order of their items, the same wherever they are made, and none waits without need."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import pytest

import pairedge
from pairedge.cli.classify import TASK
from pairedge.cli.stream.item import Item, Row
from pairedge.cli.stream.task import Task
from pairedge.cli.stream.workers import ModelSource, Workers, _in_order

FOLDER = Path(__file__).parents[4] / "examples"
NAMES = [str(FOLDER / f"{name}.png") for name in ("five", "eight")]  # small, so quickly read
SOURCE = ModelSource(None, None)
ITEMS = [Item((name,)) for name in (*NAMES, "gone.png", *NAMES[::-1])] * 14  # more than two parts


def end_process(item: Item) -> Row:
    os._exit(1)


@pytest.mark.slow
def test_processes_give_the_rows_of_this_one_in_the_same_order(model: pairedge.PairModel) -> None:
    here, there = (list(Workers(jobs).rows(TASK, ITEMS, SOURCE, model)) for jobs in (1, 2))
    assert there == here
    assert [row["picture"] for row in there] == [item.names[0] for item in ITEMS]
    assert [row["status"] for row in there].count("unreadable") == 14


@pytest.mark.slow
def test_a_process_that_ends_is_one_sentence(model: pairedge.PairModel) -> None:
    with pytest.raises(click.ClickException, match="a process of --jobs ended"):
        list(Workers(2).rows(Task(end_process, TASK.answer), ITEMS[:1], SOURCE, model))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
def test_processes_end_with_the_first_one_even_if_that_is_killed(tmp_path: Path) -> None:
    code = "from pairedge.cli import main; import sys; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "classify", "--from", "-", "--jobs", "2"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as program:
        assert program.stdin is not None
        program.stdin.write("".join(f"{name}\n" for name in NAMES * 300).encode())
        program.stdin.flush()
        started = wait_until(lambda: len(children(program.pid)) >= 3)  # two, and the tracker of resources
        program.send_signal(signal.SIGKILL)
    assert started
    assert wait_until(lambda: not [pid for pid in CHILDREN if Path(f"/proc/{pid}/cmdline").exists()])


CHILDREN: set[int] = set()


def children(pid: int) -> set[int]:
    CHILDREN.update(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    return CHILDREN


def wait_until(condition: Any) -> bool:
    for _ in range(600):
        if condition():
            return True
        time.sleep(0.05)
    return False


class Lazy(Executor):
    """An executor whose futures are done when they are told to; it counts what it was given."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []

    def submit(self, function: Any, /, *arguments: Any, **_: Any) -> Future[Any]:
        self.futures.append(Future())
        self.parts = [*getattr(self, "parts", []), arguments[1]]
        return self.futures[-1]

    def finish(self, number: int) -> None:
        self.futures[number].set_result([item.heading() for item in self.parts[number]])


def test_no_more_parts_are_taken_ahead_than_are_needed() -> None:
    taken = 0

    def items() -> Iterator[Item]:
        nonlocal taken
        for taken in range(1, 1001):
            yield Item((str(taken),))

    class Done(Lazy):
        def submit(self, function: Any, /, *arguments: Any, **_: Any) -> Future[Any]:
            future = super().submit(function, *arguments)
            if len(self.futures) == 3:
                for number in (2, 1, 0):  # what comes later may be done earlier
                    self.finish(number)
            return future

    rows = _in_order(Done(), TASK, items(), SOURCE, 3)
    assert next(rows) == {"picture": "1"}
    assert taken == 3 * 32


def test_a_cluster_and_jobs_exclude_each_other() -> None:
    with pytest.raises(click.UsageError, match="exclude each other"):
        Workers(2, "tcp://127.0.0.1:1")


@pytest.fixture
def scheduler() -> Iterator[str]:
    """The address of a Dask scheduler of its own process."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    with dask("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"):
        yield f"tcp://127.0.0.1:{port}"


@contextmanager
def dask(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of Dask, killed at the end."""
    program = [sys.executable, "-m", f"distributed.cli.dask_{command[0]}", *command[1:]]
    with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.slow
def test_a_cluster_gives_the_rows_of_this_process_also_when_it_loses_a_worker(
    model: pairedge.PairModel, scheduler: str
) -> None:
    here = list(Workers().rows(TASK, ITEMS, SOURCE, model))
    worker = ("worker", scheduler, "--nworkers", "1", "--nthreads", "1", "--no-dashboard", "--no-nanny")
    with dask(*worker) as first, dask(*worker):
        there = []
        for row in Workers(cluster=scheduler).rows(TASK, ITEMS * 4, SOURCE, model):
            there.append(row)
            if len(there) == 40:
                first.kill()
    assert there == here * 4


def test_a_cluster_that_is_not_there_is_one_sentence(
    model: pairedge.PairModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed", reason="the extra scale")
    monkeypatch.setattr("pairedge.cli.stream.workers.PATIENCE", 0.1)
    address = "tcp://127.0.0.1:9"
    with pytest.raises(click.ClickException, match=f"{address}: no Dask scheduler answers"):
        list(Workers(cluster=address).rows(TASK, ITEMS, SOURCE, model))


def test_without_dask_one_sentence_says_what_to_install(
    model: pairedge.PairModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(click.ClickException, match=r"pip install 'pairedge\[scale\]'"):
        list(Workers(cluster="tcp://127.0.0.1:9").rows(TASK, ITEMS, SOURCE, model))
