"""Index expressions in C address what NumPy addresses, and arrays in use never share memory."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pairedge_export.c.function import Function, offsets
from pairedge_export.c.tensors import Memory, compact_strides, elementwise, literal, scalar


def evaluated(expression: str, arrays: dict[str, list[float]]) -> float:
    return float(eval(re.sub(r"(\d)F\b", r"\1", expression), {}, dict(arrays)))


@given(st.data())
def test_a_part_of_a_tensor_lies_where_numpy_finds_it(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=4)))
    order = data.draw(st.permutations(range(len(shape))))
    stored = np.arange(float(np.prod(shape))).reshape([shape[axis] for axis in order])
    array = stored.transpose(np.argsort(order))  # with axes as in `shape`
    memory = Memory("x", shape, compact_strides(shape, order))
    axis = data.draw(st.integers(0, len(shape) - 1))
    start = data.draw(st.integers(0, shape[axis] - 1))
    size = data.draw(st.integers(1, shape[axis] - start))
    part = memory.part(axis, start, size)
    expected = array[(slice(None),) * axis + (slice(start, start + size),)]
    assert part.shape == expected.shape
    index = tuple(data.draw(st.integers(0, size - 1)) for size in part.shape)
    x = stored.ravel().tolist()
    assert evaluated(part.at(tuple(map(str, index))), {"x": x}) == expected[index]
    if size == 1:
        rest = tuple(place for number, place in enumerate(index) if number != axis)
        assert evaluated(part.without(axis).at(tuple(map(str, rest))), {"x": x}) == expected[index]
    assert part.is_compact(order) == (
        expected.transpose(order).flags.c_contiguous  # NumPy's own idea of the same
    )


def test_operands_are_broadcast_as_in_numpy() -> None:
    rows, column = np.arange(6.0).reshape(2, 3), np.array([[10.0], [20.0]])
    total = elementwise(
        "({0} + {1} * {2})",
        Memory("rows", (2, 3), (3, 1)),
        Memory("column", (2, 1), (1, 1)),
        scalar(2),
    )
    assert total.shape == (2, 3)
    arrays = {"rows": rows.ravel().tolist(), "column": column.ravel().tolist()}
    values = [[evaluated(total.at((str(i), str(j))), arrays) for j in range(3)] for i in range(2)]
    assert np.array_equal(values, rows + 2 * column)


def test_constants_keep_every_bit() -> None:
    for value in np.random.default_rng(0).normal(size=200).astype(np.float32):
        assert np.float32(literal(float(value)).removesuffix("F")) == value
    assert [literal(each) for each in (1, -np.inf)] == ["1.0F", "-INFINITY"]


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_arrays_that_live_at_once_lie_apart(uses: list[tuple[int, int, int]]) -> None:
    function = Function()
    arrays = [function.array("a", (size,)) for size, *_ in uses]
    for moment in range(10):
        for (_, one, other), array in zip(uses, arrays, strict=True):
            if moment in (one, other):
                function.run("", reads=array, fills=array)
    places, size = offsets(function)
    lives = {name: (first, last) for name, first, last in function.lifetimes()}
    spans = [(*lives[name], start, start + function.arrays[name].shape[0]) for name, start in places.items()]
    for number, (first, last, start, end) in enumerate(spans):
        assert end <= size
        for other_first, other_last, other_start, other_end in spans[:number]:
            together = first <= other_last and other_first <= last
            assert not together or end <= other_start or other_end <= start
