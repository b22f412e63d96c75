"""Tables of accuracy: a line for each condition or hand, a column for each system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pairedge_train.rendering.conditions import CONDITIONS
from pairedge_train.robustness.rows import ConditionRow


def condition_table(rows: Sequence[ConditionRow]) -> str:
    """A line for each condition, a column for each system, as Markdown."""
    means = {system: mean_of_conditions(rows, system) for system in systems_of(rows)}
    return accuracy_table(rows, ("condition", "description"), means, "the rendered conditions")


def accuracy_table(
    rows: Sequence[ConditionRow], headings: tuple[str, str], means: Mapping[str, float], of: str
) -> str:
    """A line for each condition or hand and one for the mean, a column for each system, as Markdown.

    Args:
        rows: one for each line and system.
        headings: of the columns of names and of descriptions.
        means: the mean accuracy, 0 to 1, of each system.
        of: what the means are over.
    """
    systems = systems_of(rows)
    cells = {(row.condition, row.system): row for row in rows}
    lines = [
        f"| {' | '.join(headings)} | n | {' | '.join(systems)} | refused |",
        f"|---|---|---|{'---|' * (len(systems) + 1)}",
    ]
    for name in dict.fromkeys(row.condition for row in rows):
        of_name = [cells[name, system] for system in systems]
        shares = " | ".join(f"{100 * row.accuracy:.1f} %" for row in of_name)
        last = of_name[-1]
        lines.append(f"| {name} | {last.about} | {last.n:,} | {shares} | {last.refused} |")
    shares = " | ".join(f"{100 * means[system]:.1f} %" for system in systems)
    lines.append(f"| **mean** | of {of} | | {shares} | |")
    return "\n".join(lines) + "\n"


def systems_of(rows: Sequence[ConditionRow]) -> list[str]:
    """The systems that the rows are of, in their order."""
    return list(dict.fromkeys(row.system for row in rows))


def mean_of_conditions(rows: Sequence[ConditionRow], system: str) -> float:
    """The mean accuracy of a system over the rendered conditions, each counting the same."""
    return float(
        np.mean([row.accuracy for row in rows if row.system == system and row.condition in CONDITIONS])
    )


def mean_of_hands(rows: Sequence[ConditionRow], system: str) -> float:
    """The mean accuracy of a system over the hands, each counting the same."""
    return float(np.mean([row.accuracy for row in rows if row.system == system]))
