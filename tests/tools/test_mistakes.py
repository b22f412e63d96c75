"""The sheet of mistakes shows wrong answers, the most confident first, of all hands in turn."""

from __future__ import annotations

import numpy as np

import pairedge
from pairedge.drawing.sheet import Cell
from pairedge_train.rendering.hands import hands
from tools.mistakes import in_turn, mistakes_of


def test_each_cell_is_a_digit_read_as_another() -> None:
    model = pairedge.load()
    cells = [cell for hand in hands("test")[:8] for cell in mistakes_of(hand, model, ("uci", "broken"))]
    assert cells  # 160 pictures at their worst
    for cell in cells:
        digit, rest = cell.summary.split(" read as ")
        assert cell.tile is not None
        answer = model.classify(cell.tile)
        assert answer.digit != int(digit)
        assert rest.startswith(f"{answer.digit}, {answer.confidence:.2f}")


def test_hands_take_turns() -> None:
    one, two, three = (Cell(np.zeros((2, 2)), None, "", name) for name in "abc")
    assert [cell.name for cell in in_turn([[one, three], [], [two]])] == ["a", "b", "c"]
