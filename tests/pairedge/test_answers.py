"""An answer that no digits can have is an error, never an answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import pairedge
from pairedge.answers import is_valid, is_valid_pair, wrong_answer

Command = Callable[..., CompletedProcess[str]]

GRAPHS = Path(__file__).parent / "graphs"
EXAMPLES = Path(__file__).parents[2] / "examples"
WRONG = {
    "answers_beyond_one": "its output 'leq' for a batch of {n} is not a probability",
    "answers_nan": "its output 'leq' for a batch of {n} is not finite",
    "answers_twice": "its output 'leq' for a batch of {n} has {twice} answers",
}


@pytest.mark.parametrize(
    ("name", "answer", "reason"),
    [
        ("leq", [0.2, 1.0], None),
        ("leq", [0.2, 1.0009], None),  # a sum of numbers in reduced precision
        ("leq", [0.2, 1.002], "is not a probability"),
        ("leq", [0.2], "has 1 answers"),
        ("leq", [[0.2], [0.3]], "has shape (2, 1)"),
        ("leq", [0.2, np.inf], "is not finite"),
        ("leq", [0.2, np.nan], "is not finite"),
        ("leq", [-0.1, 0.2], "is not a probability"),
        ("digits", [[[0.1] * 10] * 2] * 2, None),
        ("digits", [[[0.1] * 10] * 3] * 2, "has shape (2, 3, 10)"),
        ("digits", [[[0.3, -0.2] * 5 + [0.5]] * 2] * 2, "has shape (2, 2, 11)"),
        ("digits", [[[0.4, -0.2] * 5] * 2] * 2, "is not a probability"),
        ("posterior", [[0.11] * 10] * 2, "is not a distribution over the digits"),
        ("posterior", [[0.1] * 9] * 2, "has shape (2, 9)"),
        ("embedding", [[-7.0, 7.0]] * 2, None),
        ("embedding", [[-7.0, np.nan]] * 2, "is not finite"),
    ],
)
def test_an_answer_is_finite_and_a_probability_where_it_should_be(
    name: str, answer: list[Any], reason: str | None
) -> None:
    values = np.asarray(answer, np.float32)
    assert wrong_answer(name, values, 2) == reason
    assert is_valid(name, values, 2) == (reason is None)


@given(st.data())
def test_the_quick_check_and_the_one_that_says_why_agree(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["leq", "digits", "posterior", "embedding"]))
    batch = data.draw(st.integers(0, 3))
    axes = {"leq": (), "digits": (2, 10), "posterior": (10,), "embedding": (4,)}[name]
    values: NDArray[np.float32] = np.full((batch, *axes), 0.1, np.float32)
    odd = data.draw(st.sampled_from([0.1, -0.1, 0.3, 1.5, np.nan, np.inf, -np.inf, 0.1004]))
    if values.size:
        values.flat[data.draw(st.integers(0, values.size - 1))] = odd
    stated = data.draw(st.sampled_from([batch, batch + 1]))
    valid = wrong_answer(name, values, stated) is None
    assert is_valid(name, values, stated) == valid
    if name in ("leq", "digits") and stated == 1:
        half, even = np.full(1, 0.5, np.float32), np.full((1, 2, 10), 0.1, np.float32)
        assert is_valid_pair(*((values, even) if name == "leq" else (half, values))) == valid
        assert is_valid_pair(values) == (valid and name == "leq")


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("count", [1, 3, 300])
def test_wrong_answers_are_errors_for_one_pair_and_for_many(name: str, count: int) -> None:
    model = pairedge.load(GRAPHS / f"{name}.onnx", digits=False)
    tiles = np.zeros((count, 2, 14, 14), np.uint8)
    tiles[:, 0] = 255  # the difference of ink is negative, and so is the logarithm's argument
    run = min(count, 128)
    reason = f"{GRAPHS / name}.onnx: " + WRONG[name].format(n=run, twice=2 * run)
    with pytest.raises(pairedge.GraphError) as refusal:
        model.predict(*tiles[0]) if count == 1 else model.predict_batch(tiles)
    assert str(refusal.value) == reason


def test_a_graph_that_cannot_be_run_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    model = pairedge.load(GRAPHS / "cannot_run.onnx", digits=False)
    with pytest.raises(pairedge.GraphError, match=r"cannot_run.onnx: cannot be run on a batch of 1$"):
        model.predict_batch(np.zeros((1, 2, 14, 14), np.uint8))


@pytest.mark.parametrize("name", [*WRONG, "cannot_run"])
@pytest.mark.parametrize(
    "arguments", [["predict"], ["predict", "--json"], ["predict", "--min-confidence", "0"]]
)
def test_the_command_says_so_in_one_sentence(command: Command, name: str, arguments: list[str]) -> None:
    pictures = EXAMPLES / "zero.png", EXAMPLES / "nine.png"  # the first has more ink
    answer = command(*arguments, "--model", GRAPHS / f"{name}.onnx", *pictures)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith(f"Error: {GRAPHS / name}.onnx: ")
    assert answer.stderr.count("\n") == 1


def test_onnxruntime_writes_nothing_to_standard_output(command: Command) -> None:
    # It tells there of providers that it falls back to, also when there are none.
    answer = command("info", GRAPHS / "name_not_utf8.onnx")
    assert (answer.returncode, answer.stdout) == (1, "")
