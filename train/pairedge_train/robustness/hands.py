"""Digits of the hands that are kept for tests, under every condition, and the table of these hands."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from pairedge_train.randomness import seeded
from pairedge_train.rendering.conditions import CONDITIONS
from pairedge_train.rendering.hands import DIGITS, Hand, hands, written_glyph
from pairedge_train.rendering.render import photograph
from pairedge_train.robustness.accuracy import accuracy_table, mean_of_hands, systems_of
from pairedge_train.robustness.readings import read_all
from pairedge_train.robustness.rows import ConditionRow
from pairedge_train.robustness.test_sets import Pictures, in_parallel


def hand_pictures(hand: Hand, readings: list[str], count: int) -> Pictures:
    """Pictures of one hand, independent of what else is drawn.

    Args:
        hand: who writes.
        readings: how to read them.
        count: how many of the pairs of a digit and a condition are drawn, at most; each is drawn once.
    """
    generator = seeded(f"hand {hand.name}")
    every = list(product(DIGITS, CONDITIONS))
    chosen = [every[index] for index in generator.permutation(len(every))[:count]]
    pictures = [
        photograph(written_glyph(hand.glyphs[digit], generator), CONDITIONS[condition], generator)
        for digit, condition in chosen
    ]
    labels = np.array([int(digit) for digit, _ in chosen], np.int64)
    return Pictures(hand.name, hand.designer, labels, read_all(pictures, readings))


def all_hands_pictures(readings: list[str], count: int, workers: int) -> list[Pictures]:
    """The pictures of every hand that is kept for tests."""
    return in_parallel([(hand_pictures, hand, readings, count) for hand in hands("test")], workers)


def hands_page(rows: Sequence[ConditionRow]) -> str:
    """The accuracy on each hand, as Markdown; each hand is a row, named as a condition is elsewhere."""
    means = {system: mean_of_hands(rows, system) for system in systems_of(rows)}
    table = accuracy_table(rows, ("hand", "designer"), means, "the hands")
    return f"""# Unseen hands

Digits of handwriting fonts that training never draws, by designers that it never draws, each digit under
each condition of the [robustness benchmark](robustness.md). Percentages are the share of digits classified
correctly; a refused picture counts as an error. [The list of all hands](../../docs/hands.md) says which
train.

{table}"""
