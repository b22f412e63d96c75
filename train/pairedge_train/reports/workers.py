"""Carries tasks over the cores of this machine or a Dask cluster; each task's result comes back once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import BrokenProcessPool

from pairedge.cluster import wait_until_listening
from pairedge_train.errors import WorkersError

if TYPE_CHECKING:
    from distributed import Client

Result = TypeVar("Result")
Task: TypeAlias = tuple[Any, ...]  # the arguments of one call

PATIENCE = 30  # seconds to wait for a scheduler, for instance one that is being restarted, and for a worker
_RESUME = "finished rounds are kept, and the same command resumes"


def on_cores(workers: int, function: Callable[..., Result], tasks: Sequence[Task]) -> Iterator[Result]:
    """What a function gives for each task, as it comes, from processes of this machine, one thread each.

    Raises:
        WorkersError: when a process dies, for instance for want of memory.
    """
    with parallel_config(backend="loky", n_jobs=workers, inner_max_num_threads=1):
        parallel = Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="2*n_jobs")
        try:
            yield from parallel(delayed(function)(*task) for task in tasks)
        except BrokenProcessPool as error:
            raise WorkersError(f"a worker process was killed, maybe for want of memory; {_RESUME}") from error


def on_cluster(address: str, function: Callable[..., Result], tasks: Sequence[Task]) -> Iterator[Result]:
    """What a function gives for each task, as it comes, from the workers of a Dask cluster.

    A task whose worker dies goes to another worker. When the scheduler is restarted, the tasks that had not
    come back go to the new one.

    Args:
        address: of the scheduler, tcp://HOST:PORT.
        function: pickled by name: the workers have this package, too.
        tasks: its arguments, call by call.

    Raises:
        WorkersError: when there is no scheduler, it has no worker, or a task kills one worker after another.
    """
    try:
        from distributed import KilledWorker, as_completed
    except ImportError as error:
        raise WorkersError("a cluster needs Dask: pip install 'pairedge[scale]'") from error
    left = dict(enumerate(tasks))
    while left:
        with connected(address) as client:
            futures = {client.submit(function, *task, pure=False): number for number, task in left.items()}
            for future in as_completed(futures):  # type: ignore[no-untyped-call]  # it has no types
                if future.cancelled():  # with its scheduler
                    break
                try:
                    result = future.result()
                except KilledWorker as error:
                    raise WorkersError(f"{address}: a task killed its workers; {_RESUME}") from error
                del left[futures[future]]
                yield result


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """A client of a cluster that has a worker.

    Raises:
        WorkersError: when there is none within `PATIENCE`.
    """
    from distributed import Client

    logging.getLogger(
        "distributed.client"
    ).disabled = True  # a lost scheduler is one sentence, not its traceback
    try:
        wait_until_listening(address, PATIENCE)
        client = Client(address, timeout=PATIENCE)  # type: ignore[no-untyped-call]  # it has no types
    except (OSError, ValueError) as error:
        raise WorkersError(f"{address}: no Dask scheduler answers there; {_RESUME}") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except (OSError, TimeoutError) as error:
            raise WorkersError(f"{address}: the Dask scheduler has no worker; {_RESUME}") from error
        yield client
