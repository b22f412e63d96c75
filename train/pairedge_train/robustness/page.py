"""The page of the robustness benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
