"""What the model that ships should reach on pictures, beside what it reaches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pairedge_train.robustness.accuracy import mean_of_conditions, mean_of_hands
from pairedge_train.robustness.readings import PAIREDGE
from pairedge_train.robustness.rows import Robustness


@dataclass(frozen=True)
class Goal:
    """A figure that is aimed at.

    Attributes:
        test: what is measured.
        goal: the share to reach, 0 to 1.
        measured: the share reached, of all that was measured.
        at_most: whether the share should be low: an error.
    """

    test: str
    goal: float
    measured: Callable[[Robustness], float]
    at_most: bool = False

    def is_reached(self, measured: Robustness) -> bool:
        """Whether the goal is reached."""
        share = self.measured(measured)
        return share <= self.goal if self.at_most else share >= self.goal


def under(condition: str) -> Callable[[Robustness], float]:
    """The accuracy under a condition, or on a set of real digits."""

    def accuracy(measured: Robustness) -> float:
        [row] = (row for row in measured.conditions if (row.condition, row.system) == (condition, PAIREDGE))
        return row.accuracy

    return accuracy


def several_answered(measured: Robustness) -> float:
    """The share of pictures of two to four digits that is answered `several`, each row counting the same."""
    return float(np.mean([row.several for row in measured.several if row.digits > 1]))


def wrongly_several(measured: Robustness) -> float:
    """The same share of pictures of one digit."""
    return float(np.mean([row.several for row in measured.several if row.digits == 1]))


def negatives_rejected(measured: Robustness) -> list[float]:
    """Of each kind of negative that is held out of training, the share that 1 % of lost digits rejects."""
    rows = measured.rejection.negatives_of(held_out=True).values()
    return [row.rejected_at_1_percent for row in rows]


GOALS = (
    Goal("digits of unseen hands, in all conditions", 0.99, lambda all_: mean_of_hands(all_.hands, PAIREDGE)),
    Goal("scikit-learn's real 8x8 digits", 0.985, under("uci-real")),
    Goal("imitation of USPS, 16x16", 0.993, under("usps")),
    Goal("16x16 and 32x32 in black and white, stretched toward a square", 0.985, under("bitmap")),
    Goal(
        "mean of the rendered conditions", 0.992, lambda all_: mean_of_conditions(all_.conditions, PAIREDGE)
    ),
    Goal(
        "held-out negatives rejected where 1 % of MNIST's test digits are: mean of the kinds",
        0.97,
        lambda all_: float(np.mean(negatives_rejected(all_))),
    ),
    Goal("the same: the worst kind", 0.92, lambda all_: min(negatives_rejected(all_))),
    Goal("two to four digits, pictures of any size, answered `several`", 0.97, several_answered),
    Goal("single digits wrongly answered `several`", 0.002, wrongly_several, at_most=True),
    Goal("MNIST's test digits", 0.996, lambda all_: all_.probabilities[0].digit_accuracy),
    Goal("all ordered pairs of them", 0.9975, lambda all_: all_.probabilities[0].accuracy),
    Goal(
        "calibration error of the digits, on MNIST and on unseen hands: the worse",
        0.003,
        lambda all_: max(row.digit_error for row in all_.probabilities),
        at_most=True,
    ),
    Goal(
        "calibration error of P(first <= second): the worse of both",
        0.003,
        lambda all_: max(row.leq_error for row in all_.probabilities),
        at_most=True,
    ),
)


def goals_table(measured: Robustness) -> str:
    """Each goal, what was reached, and whether that is enough, as Markdown."""
    lines = ["| test | goal | measured | reached |", "|---|---|---|---|"]
    for each in GOALS:
        bound = f"{'at most' if each.at_most else 'at least'} {100 * each.goal:.2f} %"
        reached = "yes" if each.is_reached(measured) else "**no**"
        lines.append(f"| {each.test} | {bound} | {100 * each.measured(measured):.2f} % | {reached} |")
    return "\n".join(lines) + "\n"
