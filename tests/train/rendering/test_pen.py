"""A pen that writes: the same writer's digits are alike, and each setting does what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.random import default_rng
from numpy.typing import NDArray

from pairedge_train.rendering.allographs import ALLOGRAPHS
from pairedge_train.rendering.pen import Bend, Writer, smooth
from pairedge_train.rendering.stroke_field import Field

STEADY = Writer(
    forms=(0,) * 10, bend=Bend(waves=np.zeros((1, 2)), phases=np.zeros(1), moves=np.zeros((1, 2)))
)
BAR = (((0.5, 0.1), (0.5, 0.5), (0.5, 0.9)),)


def ink(field: Field) -> NDArray[np.bool_]:
    return field >= 0.5


def reach(field: Field) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(ink(field).any(axis=1)), np.flatnonzero(ink(field).any(axis=0))
    return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])


def test_every_digit_has_several_forms_within_the_square() -> None:
    assert list(ALLOGRAPHS) == list(range(10))
    for forms in ALLOGRAPHS.values():
        assert len(forms) >= 5
        assert len(set(forms)) == len(forms)
        for point in (point for form in forms for stroke in form for point in stroke):
            assert all(0 <= coordinate <= 1 for coordinate in point)


def test_a_smooth_line_goes_through_its_points() -> None:
    line = smooth(((0.0, 0.0), (1.0, 0.5), (0.0, 1.0)))
    for point in ((0.0, 0.0), (1.0, 0.5), (0.0, 1.0)):
        assert np.abs(line - point).sum(axis=1).min() < 1e-12


def test_a_bend_moves_a_point_by_the_sine_of_its_phase() -> None:
    bend = Bend(waves=np.array([[2.0, 0.0]]), phases=np.array([0.3]), moves=np.array([[0.1, -0.2]]))
    moved = bend(np.array([[0.5, 0.7]]))
    assert moved == pytest.approx(np.array([[0.5 + 0.1 * np.sin(1.3), 0.7 - 0.2 * np.sin(1.3)]]))


def test_a_steady_bar_lies_where_it_was_drawn() -> None:
    top, bottom, left, right = reach(STEADY.write(BAR, default_rng(0)))
    # On a sheet of 84 the unit square is 60, centered; the pen's radius is 3.
    assert abs((left + right) / 2 - 42) <= 1
    assert abs(top - (42 - 24 - 3)) <= 2
    assert abs(bottom - (42 + 24 + 3)) <= 2


def test_slant_moves_the_top_to_the_right() -> None:
    leaning = replace(STEADY, slant=0.3).write(BAR, default_rng(0))
    top, bottom, _, _ = reach(leaning)
    columns = [float(np.flatnonzero(ink(leaning)[row]).mean()) for row in (top + 3, bottom - 3)]
    assert columns[0] - columns[1] == pytest.approx(0.3 * 0.8 * 60, abs=4)


@pytest.mark.parametrize(("overshoot", "longer"), [(0.1, True), (-0.1, False)])
def test_overshoot_draws_the_ends_out_or_cuts_them_back(overshoot: float, longer: bool) -> None:
    top, bottom, _, _ = reach(STEADY.write(BAR, default_rng(0)))
    run_top, run_bottom, _, _ = reach(replace(STEADY, overshoot=overshoot).write(BAR, default_rng(0)))
    assert (run_bottom - run_top > bottom - top) == longer


def test_a_hook_turns_off_at_the_end_of_the_stroke() -> None:
    hooked = replace(STEADY, hook=0.2)
    widths = []
    for seed in range(8):
        _, _, left, right = reach(hooked.write(BAR, default_rng(seed)))
        widths.append(right - left)
    _, _, left, right = reach(STEADY.write(BAR, default_rng(0)))
    assert max(widths) > right - left + 4
    assert min(widths) <= right - left + 1  # not every stroke ends in one


def test_one_seed_gives_one_picture_and_the_same_writer_writes_alike() -> None:
    def differ(one: Field, other: Field) -> float:
        return float((ink(one) != ink(other)).sum() / (ink(one) | ink(other)).sum())

    own, others = [], []
    for seed in range(12):
        writer, stranger = Writer.drawn(default_rng(seed)), Writer.drawn(default_rng(seed + 100))
        first = writer.digit(4, default_rng(1))
        assert (first == writer.digit(4, default_rng(1))).all()
        own.append(differ(first, writer.digit(4, default_rng(2))))
        others.append(differ(first, stranger.digit(4, default_rng(2))))
    assert 0 < np.median(own) < 0.75 * np.median(others)


def test_pressure_widens_what_turns_and_not_what_is_straight() -> None:
    bowl = (((0.2, 0.2), (0.8, 0.3), (0.8, 0.7), (0.2, 0.8)),)
    widened = []
    for strokes in (BAR, bowl):
        light, heavy = (
            ink(replace(STEADY, pressure=pressure).write(strokes, default_rng(0))).sum()
            for pressure in (0.0, 0.8)
        )
        widened.append(heavy / light)
    assert widened[0] == pytest.approx(1.0, abs=0.02)
    assert widened[1] > 1.03
