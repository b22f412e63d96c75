"""The page of the robustness benchmark."""

from __future__ import annotations

import numpy as np

from pairedge_train.rendering.conditions import CONDITIONS
from pairedge_train.robustness.rejection import doubt_table
from pairedge_train.rows import Row


def page(rows: list[Row], doubts: Row) -> str:
    """The rows and what is doubted, as Markdown."""
    threshold = f"{doubts['threshold']:.3f}"
    return f"""# Pictures, condition by condition

MNIST's test digits as `pairedge_train.rendering` renders them, one picture a digit, with seeds that training
never uses. Share of digits read rightly; a refused picture is read wrongly.

{condition_table(rows)}
## Doubt

An answer of probability below {threshold} is uncertain. The threshold was chosen in training, on digits
held out. The letters, signs, fonts and shapes are those that training never saw.

{doubt_table(doubts)}"""


def condition_table(rows: list[Row]) -> str:
    """A line for each condition, a column for each system, as Markdown."""
    systems = list(dict.fromkeys(row["system"] for row in rows))
    cells = {(row["condition"], row["system"]): row for row in rows}
    lines = [
        f"| condition | | n | {' | '.join(systems)} | refused |",
        f"|---|---|---|{'---|' * (len(systems) + 1)}",
    ]
    for name in dict.fromkeys(row["condition"] for row in rows):
        found = [cells[name, system] for system in systems]
        shares = " | ".join(f"{100 * row['accuracy']:.1f} %" for row in found)
        last = found[-1]
        lines.append(f"| {name} | {last['about']} | {last['n']:,} | {shares} | {last['refused']} |")
    means = " | ".join(f"{100 * mean_of_conditions(rows, system):.1f} %" for system in systems)
    lines.append(f"| **mean** | of the rendered conditions | | {means} | |")
    return "\n".join(lines) + "\n"


def mean_of_conditions(rows: list[Row], system: str) -> float:
    """The mean accuracy of a system over the rendered conditions, each counting the same."""
    found = [row["accuracy"] for row in rows if row["system"] == system and row["condition"] in CONDITIONS]
    return float(np.mean(found))
