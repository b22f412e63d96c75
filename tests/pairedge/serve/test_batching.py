"""Requests that meet share a run, each gets its own rows, and a full queue refuses the next."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pairedge.serve.batching import Arrays, Batcher
from pairedge.serve.limits import Limits
from pairedge.serve.messages import RequestError


class Doubler:
    """Doubles its rows, and keeps how many came in each run."""

    def __init__(self, **limits: Any) -> None:
        self.runs: list[int] = []
        self.batcher = Batcher(self.run, Limits(**limits), self.runs.append)

    def run(self, rows: NDArray[np.int64]) -> Arrays:
        if (rows < 0).any():
            raise ValueError("negative")
        return (2 * rows, -rows)

    async def ask(self, *numbers: int) -> list[int]:
        doubled, negative = await self.batcher(np.array(numbers))
        assert (doubled == -2 * negative).all()
        return list(doubled.tolist())

    async def ask_together(self, *requests: Iterable[int]) -> list[list[int]]:
        return list(await asyncio.gather(*(self.ask(*numbers) for numbers in requests)))


def test_requests_that_meet_share_a_run_and_keep_their_rows() -> None:
    doubler = Doubler(max_batch=8)

    assert asyncio.run(doubler.ask_together([1], [2, 3], [4, 5, 6], [7])) == [[2], [4, 6], [8, 10, 12], [14]]
    assert doubler.runs == [7]


def test_a_run_has_at_most_max_batch_rows_and_a_larger_request_takes_several() -> None:
    doubler = Doubler(max_batch=4)

    answers = asyncio.run(doubler.ask_together(range(10), [10, 11, 12]))
    assert answers == [[2 * number for number in range(10)], [20, 22, 24]]
    assert doubler.runs == [4, 4, 2, 3]


def test_a_request_waits_for_others_no_longer_than_max_delay() -> None:
    doubler = Doubler(max_batch=3, max_delay=50)

    async def ask() -> float:
        loop = asyncio.get_running_loop()
        first = asyncio.create_task(doubler.ask(1))
        await asyncio.sleep(0.005)
        assert await doubler.ask(2) == [4]
        assert await first == [2]
        start = loop.time()
        await asyncio.gather(doubler.ask(1), doubler.ask(2), doubler.ask(3))
        return loop.time() - start

    assert asyncio.run(ask()) < 0.05  # a full batch does not wait
    assert doubler.runs == [2, 3]


def test_a_full_queue_refuses_the_next_request_and_recovers() -> None:
    doubler = Doubler(max_batch=2, max_queue=4)

    async def ask() -> list[Any]:
        asked = [doubler.ask(number) for number in range(6)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        return [*answers, await doubler.ask(9)]

    *answers, late = asyncio.run(ask())
    assert answers[:4] == [[0], [2], [4], [6]]
    for error in answers[4:]:
        assert isinstance(error, RequestError)
        assert (error.status, error.headers) == (503, {"Retry-After": "1"})
        assert str(error) == "4 rows are waiting; try again"
    assert late == [18]
    assert doubler.batcher.waiting == 0


def test_a_request_with_more_rows_than_may_wait_is_refused_for_good() -> None:
    doubler = Doubler(max_batch=2, max_queue=4)
    with pytest.raises(RequestError, match=r"^5 rows are more than 4, the server's limit$") as refused:
        asyncio.run(doubler.ask(*range(5)))
    assert refused.value.status == 413
    assert asyncio.run(doubler.ask(*range(4))) == [0, 2, 4, 6]


def test_a_request_that_was_given_up_costs_no_run_and_disturbs_no_other() -> None:
    doubler = Doubler(max_batch=8, max_delay=20)

    async def ask() -> list[int]:
        given_up = asyncio.create_task(doubler.ask(1))
        await asyncio.sleep(0)
        other = asyncio.create_task(doubler.ask(2))
        await asyncio.sleep(0)
        given_up.cancel()
        return await other

    assert asyncio.run(ask()) == [4]
    assert doubler.runs == [1]


def test_a_run_that_fails_fails_the_requests_in_it_and_no_later_one() -> None:
    doubler = Doubler(max_batch=2)

    async def ask() -> list[Any]:
        failed = await asyncio.gather(doubler.ask(-1), doubler.ask(1), return_exceptions=True)
        return [*failed, await doubler.ask(3)]

    first, second, third = asyncio.run(ask())
    assert isinstance(first, ValueError)
    assert isinstance(second, ValueError)
    assert third == [6]


def test_any_rows_in_any_order_come_back_to_who_sent_them() -> None:
    generator = np.random.default_rng(0)
    requests = [generator.integers(0, 1000, size).tolist() for size in generator.integers(1, 20, 200)]
    doubler = Doubler(max_batch=16, max_queue=10_000)

    answers = asyncio.run(doubler.ask_together(*requests))
    assert answers == [[2 * number for number in numbers] for numbers in requests]
    assert max(doubler.runs) <= 16
    assert sum(doubler.runs) == sum(map(len, requests))


@pytest.mark.parametrize("delay", [0, 1])
def test_an_idle_batcher_answers_one_row(delay: float) -> None:
    doubler = Doubler(max_delay=delay)
    assert asyncio.run(doubler.ask(21)) == [42]
