"""Answers items in this process, in several, or on a Dask cluster, in the order of the items.

Each item is answered by itself, so its answer is the same in whatever process, and beside whatever others.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from pairedge.cli.stream.item import Item, Row
from pairedge.cli.stream.task import PART, Task

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from pairedge.model import AnyModel, PairModel

_AHEAD = 4  # parts a process, so that none waits for another
PATIENCE = 30  # seconds to wait for a scheduler
_LEAST_AHEAD = 64  # parts on a cluster, so that workers that join later find some


@dataclass(frozen=True)
class ModelSource:
    """Where a model comes from; other processes load it from there, too.

    Attributes:
        graph: the path or the content of a pair graph; None for the default model.
        min_confidence: as `pairedge.load` takes it.
    """

    graph: str | bytes | None
    min_confidence: float | None

    def with_content(self) -> ModelSource:
        """The same, with the content of the graph in place of its path."""
        from pathlib import Path

        from pairedge.location import locate_pair

        if isinstance(self.graph, bytes):
            return self
        return replace(self, graph=Path(locate_pair(self.graph)).read_bytes())

    def load(self) -> AnyModel:
        """Load the model.

        Raises:
            GraphError: when it cannot be loaded.
        """
        from pairedge.model import load

        return load(self.graph, digits=False, min_confidence=self.min_confidence)

    def load_with_digits(self) -> PairModel:
        """The same, for a command that needs a digit head."""
        from pairedge.model import PairModel

        model = self.load()
        if not isinstance(model, PairModel):
            raise click.ClickException(f"the model {model.variant!r} has no digit head: it can only compare")
        return model


@dataclass(frozen=True)
class Workers:
    """Where items are answered.

    Attributes:
        jobs: the number of processes; one is this process.
        cluster: the address of a Dask scheduler; None for this machine.
    """

    jobs: int = 1
    cluster: str | None = None

    def __post_init__(self) -> None:
        if self.cluster is not None and self.jobs > 1:
            raise click.UsageError("--jobs and --dask exclude each other: the cluster has its own workers")

    def rows(
        self,
        task: Task,
        items: Iterable[Item],
        source: ModelSource,
        model: AnyModel,
        *,
        one_by_one: bool = False,
    ) -> Iterator[Row]:
        """The rows of items, in order, each soon after it and all before it are there.

        Args:
            task: makes rows of items.
            items: what to answer; they are taken only as far as the processes need them.
            source: of the model, for other processes.
            model: the same, loaded.
            one_by_one: whether this process, where it is the only one, writes each row before it takes the
                next item, which may be long in coming.
        """
        if self.cluster is not None:
            yield from _on_cluster(self.cluster, task, items, source)
        elif self.jobs > 1:
            yield from _on_processes(self.jobs, task, items, source)
        else:
            yield from task.rows(items, model, 1 if one_by_one else PART)


def _on_processes(jobs: int, task: Task, items: Iterable[Item], source: ModelSource) -> Iterator[Row]:
    from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
    from multiprocessing import get_context

    # Forking is not safe with the threads of onnxruntime; spawned processes are the same on every system.
    executor = ProcessPoolExecutor(jobs, get_context("spawn"), _start_process)
    try:
        yield from _in_order(executor, task, items, source, jobs * _AHEAD)
    except BrokenExecutor as error:
        raise click.ClickException("a process of --jobs ended: is there enough memory?") from error
    finally:
        executor.shutdown(cancel_futures=True)


def _on_cluster(address: str, task: Task, items: Iterable[Item], source: ModelSource) -> Iterator[Row]:
    try:
        from concurrent.futures import CancelledError

        from distributed import Client
        from distributed.scheduler import KilledWorker

        from pairedge.cluster import wait_until_listening
    except ImportError as error:
        raise click.ClickException("--dask needs Dask: pip install 'pairedge[scale]'") from error
    try:
        wait_until_listening(address, PATIENCE)
        client: Any = Client(address)  # type: ignore[no-untyped-call]  # it has no types
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{address}: no Dask scheduler answers: {error}") from error
    with client:
        # The workers need not have the file of the model, and all have to have the same.
        everywhere = client.scatter(source.with_content(), broadcast=True)
        ahead = max(_LEAST_AHEAD, _AHEAD * sum(client.nthreads().values()))
        try:
            yield from _in_order(client.get_executor(pure=False), task, items, everywhere, ahead)
        except (KilledWorker, CancelledError, OSError) as error:
            raise click.ClickException(f"{address}: the cluster lost its workers: {error}") from error


def _in_order(
    executor: Executor,
    task: Task,
    items: Iterable[Item],
    source: ModelSource,  # on a cluster, a future of one
    ahead: int,
) -> Iterator[Row]:
    """The rows that other processes make, at most so many parts ahead of the one that is written."""
    rest = iter(items)
    parts: deque[Future[list[Row]]] = deque()
    while part := list(islice(rest, PART)):
        parts.append(executor.submit(_rows_of_part, task, part, source))
        while parts and (len(parts) == ahead or parts[0].done()):
            yield from parts.popleft().result()
    while parts:
        yield from parts.popleft().result()


def _rows_of_part(task: Task, part: list[Item], source: ModelSource) -> list[Row]:
    """Make rows in a process that loads each model once."""
    return list(task.rows(part, _loaded(source)))


@cache
def _loaded(source: ModelSource) -> AnyModel:
    return source.load()


def _start_process() -> None:
    """Prepare a process of --jobs: it leaves Ctrl-C to the first process, and ends when that one ends."""
    import signal
    import threading
    import warnings

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")  # as the first process does
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    from multiprocessing import parent_process

    # Without this, the processes of a killed one would wait for work for ever.
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
