"""The page of the robustness benchmark."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pairedge_train.rendering.conditions import CONDITIONS
from pairedge_train.robustness.rejection import rejection_table
from pairedge_train.robustness.rows import ConditionRow, RejectionReport


def page(rows: Sequence[ConditionRow], rejection: RejectionReport) -> str:
    """The accuracy under each condition and what the threshold rejects, as Markdown."""
    models = {row.system: row.model for row in rows}
    digests = ", ".join(f"`{model}` for {system}" for system, model in models.items())
    threshold = f"{rejection.threshold:.3f}"
    return f"""# Robustness, condition by condition

MNIST's test digits as `pairedge_train.rendering` renders them, one picture per digit, with seeds that
training never uses. Percentages are the share of digits classified correctly; a refused picture counts as an
error. `resize only` converts a picture to gray, makes it white on black by the median of its border, and
resizes it to 14x14; `pairedge` reads it as `pairedge.image` does. The last column counts the pictures that
the last system refuses to read. Models, by the SHA-256 of their `pair.onnx`: {digests}.

{condition_table(rows)}
## Rejection of negatives

An answer with a confidence below {threshold} is uncertain; a picture is rejected when its answer is
uncertain or it is refused. The threshold was fitted in training, on what the model card says was held out.
*Negatives* are pictures that show no digit. Those *held out* are letters and signs, by pen, in handwriting
fonts and printed, and shapes, that training never draws, in hands and fonts that it never draws. Those *also
trained on* come from generators that training uses too, with other seeds; textures have other patterns here,
of which one, bars, is training's waves with hard edges. There is no mean over both groups: only the first
shows pictures that training could not have drawn.

{rejection_table(rejection)}"""


def condition_table(rows: Sequence[ConditionRow]) -> str:
    """A line for each condition, a column for each system, as Markdown."""
    systems = list(dict.fromkeys(row.system for row in rows))
    cells = {(row.condition, row.system): row for row in rows}
    lines = [
        f"| condition | description | n | {' | '.join(systems)} | refused |",
        f"|---|---|---|{'---|' * (len(systems) + 1)}",
    ]
    for name in dict.fromkeys(row.condition for row in rows):
        of_condition = [cells[name, system] for system in systems]
        shares = " | ".join(f"{100 * row.accuracy:.1f} %" for row in of_condition)
        last = of_condition[-1]
        lines.append(f"| {name} | {last.about} | {last.n:,} | {shares} | {last.refused} |")
    means = " | ".join(f"{100 * mean_of_conditions(rows, system):.1f} %" for system in systems)
    lines.append(f"| **mean** | of the rendered conditions | | {means} | |")
    return "\n".join(lines) + "\n"


def mean_of_conditions(rows: Sequence[ConditionRow], system: str) -> float:
    """The mean accuracy of a system over the rendered conditions, each counting the same."""
    return float(
        np.mean([row.accuracy for row in rows if row.system == system and row.condition in CONDITIONS])
    )
