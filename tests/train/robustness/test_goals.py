"""Goals and calibration, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pairedge_train.robustness.goals import GOALS, Goal, goals_table
from pairedge_train.robustness.probabilities import comparisons
from pairedge_train.robustness.rows import read_robustness

ARTIFACTS = Path(__file__).parents[3] / "artifacts" / "robustness"


@pytest.mark.parametrize(
    ("at_most", "share", "reached"),
    [(False, 0.9, True), (False, 0.89, False), (True, 0.9, True), (True, 0.91, False)],
)
def test_a_goal_is_a_bound(at_most: bool, share: float, reached: bool) -> None:
    measured = read_robustness(ARTIFACTS)
    assert Goal("", 0.9, lambda _: share, at_most).is_reached(measured) is reached


def test_the_table_names_every_goal_and_its_figure() -> None:
    measured = read_robustness(ARTIFACTS)
    lines = goals_table(measured).splitlines()
    assert len(lines) == 2 + len(GOALS)
    [uci] = (row for row in measured.conditions if row.condition == "uci-real" and row.system == "pairedge")
    assert f"| {100 * uci.accuracy:.2f} % |" in lines[3]
    least = min(
        row.rejected_at_1_percent
        for kind, row in measured.rejection.negatives.items()
        if kind in ("letters", "alphabets", "symbols", "shapes")
    )
    assert f"| {100 * least:.2f} % |" in lines[8]


def test_p_first_at_most_second_is_summed_from_posteriors() -> None:
    generator = np.random.default_rng(0)
    posteriors = generator.dirichlet(np.ones(10), 7).astype(np.float32)
    labels = torch.arange(7)
    [(leq, truth)] = comparisons(torch.from_numpy(posteriors), labels)
    for first in range(7):
        for second in range(7):
            expected = sum(
                posteriors[first, i] * posteriors[second, j] for i in range(10) for j in range(10) if i <= j
            )
            assert float(leq[first, second]) == pytest.approx(expected, abs=1e-6)
            assert bool(truth[first, second]) == (first <= second)
