"""Rows are answered several at a time, soon, in their places, and as if each were alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import pairedge
from pairedge.batches import ClassificationBatch
from pairedge.cli.classify import TASK
from pairedge.cli.stream.item import Item, Row
from pairedge.cli.stream.task import PART, Task

EXAMPLES = sorted((Path(__file__).parents[4] / "examples").glob("*.png"))


def numbered(item: Item) -> Row:
    return {"number": int(item.names[0])}


def together(sizes: list[int], rows: list[Row]) -> None:
    """Answers each row with the number of rows that were answered with it."""
    for row in rows:
        row["beside"] = len(rows)
    sizes.append(len(rows))


def items(count: int) -> list[Item]:
    return [Item((str(number),)) for number in range(count)]


def test_full_parts_are_answered_together_and_then_the_rest() -> None:
    sizes: list[int] = []
    rows = list(Task(numbered, together).rows(items(2 * PART + 3), sizes))  # type: ignore[arg-type]
    assert [row["number"] for row in rows] == list(range(2 * PART + 3))
    assert sizes == [PART, PART, 3]


def test_what_took_long_to_read_does_not_wait_for_a_full_part(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)

    def read(item: Item) -> Row:
        nonlocal now
        now += 1.0 if item.names[0] == "3" else 0.001
        return {}

    sizes: list[int] = []
    list(Task(read, together).rows(items(10), sizes))  # type: ignore[arg-type]
    assert sizes == [4, 6]


def test_one_by_one_no_row_waits_for_the_next_item() -> None:
    taken = 0

    def slow() -> Iterator[Item]:
        nonlocal taken
        for item in items(3):
            taken += 1
            yield item

    for number, row in enumerate(Task(numbered, together).rows(slow(), [], most=1)):  # type: ignore[arg-type]
        assert row["number"] == number
        assert taken == number + 1


def test_refused_pictures_stand_in_their_places(model: pairedge.PairModel) -> None:
    named = [Item((str(EXAMPLES[0]),)), Item(("gone.png",)), Item(("",), error="no picture")]
    rows = list(TASK.rows(named * 2, model))
    assert [row["status"] for row in rows] == ["ok", "unreadable", "unreadable"] * 2
    assert rows[2]["error"] == "no picture"
    assert not any("tile" in row for row in rows)


def test_the_answer_to_a_tile_is_the_same_bits_beside_whatever_others(
    model: pairedge.PairModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: set[tuple[int, ...]] = set()

    def classify_batch(tiles: NDArray[np.uint8]) -> ClassificationBatch:
        shapes.add(tiles.shape)
        answers: Any = pairedge.PairModel.classify_batch(model, tiles)
        assert isinstance(answers, ClassificationBatch)
        return answers

    monkeypatch.setattr(model, "classify_batch", classify_batch)
    named = [Item((str(path),)) for path in EXAMPLES * 7]
    one_by_one = list(TASK.rows(named, model, most=1))
    assert list(TASK.rows(named, model)) == one_by_one == list(TASK.rows(named, model, most=5))
    assert shapes == {(PART, 14, 14)}
    for row, path in zip(one_by_one, EXAMPLES, strict=False):
        alone = pairedge.load().classify(path)
        assert (row["digit"], row["status"]) == (alone.digit, alone.status)
        np.testing.assert_allclose(row["probabilities"], alone.probabilities, atol=1e-6)
