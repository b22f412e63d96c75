"""The page and the figure of the study of adapting."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from pairedge_train.adaptation.hands import HandRow
from pairedge_train.adaptation.paired import SIGNIFICANT
from pairedge_train.rendering.conditions import CONDITIONS
from pairedge_train.rows import Paired

LEAST_GAIN = 0.5  # target: share of the errors on a hand that adapting removes, in the mean
MOST_LOSS = 0.0005  # target: by how much MNIST's accuracy may fall, in the mean
_BEFORE, _AFTER = "#c7522a", "#1f5f8b"
_STYLE: dict[Any, Any] = {  # no date, and identifiers that do not change: the same bytes every time
    "svg.hashsalt": "pairedge",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def errors(rows: Sequence[HandRow], when: str) -> float:
    """The mean error rate on the hands, 0 to 1, `when` "before" or "after"; each hand counts the same."""
    return float(np.mean([1 - getattr(row.own, when) for row in rows]))


def loss(rows: Sequence[HandRow]) -> float:
    """By how much MNIST's accuracy falls, in the mean over the hands; negative where it rises."""
    return float(np.mean([row.mnist.before - row.mnist.after for row in rows]))


def page(rows: Sequence[HandRow]) -> str:
    """The study as Markdown.

    Args:
        rows: one for each hand, of one start and recipe.
    """
    first, seconds = rows[0], np.median([row.seconds for row in rows])
    before, after = errors(rows, "before"), errors(rows, "after")
    mnist = first.mnist.before
    targets = [
        ("errors on the hand", before, after, "at least halved", after <= (1 - LEAST_GAIN) * before),
        (
            "errors on MNIST's test digits",
            1 - mnist,
            1 - mnist + loss(rows),
            f"at most {100 * MOST_LOSS:.2f} points more",
            loss(rows) <= MOST_LOSS,
        ),
    ]
    return f"""# The model adapted to unseen hands

`pairedge-train --start-from` on {first.each} pictures a digit of a handwriting font that the
model was never trained on, once for each of {len(rows)} fonts that are kept for tests. The pictures to
train on are drawn under random conditions; errors are counted on other ones, of each digit under each of the
{len(CONDITIONS)} conditions of the [robustness benchmark](../robustness/hands.md). A refused picture is an
error before and after. `python -m pairedge_train.cli.adapted_hands` measures it again. Weights of the start,
SHA-256: `{first.start[:12]}`; recipe `adapt`, digest `{first.recipe}`; {seconds:.0f} seconds of training a
hand, median.

| in the mean of the hands | before | after | target | |
|---|---|---|---|---|
{chr(10).join(target_line(*target) for target in targets)}

![Errors on each hand before and after](adapt.png)

p is that of McNemar's exact test on the hand's pictures; below {SIGNIFICANT} the command says *better* or
*worse*, else *no difference that could be told*.

| hand | designer | n | refused | errors before | after | p | MNIST, points |
|---|---|---|---|---|---|---|---|
{chr(10).join(hand_line(row) for row in rows)}
"""


def target_line(name: str, before: float, after: float, target: str, is_met: bool) -> str:
    """A row of the table of targets; error rates are 0 to 1."""
    verdict = "met" if is_met else "**missed**"
    return f"| {name} | {100 * before:.2f} % | {100 * after:.2f} % | {target} | {verdict} |"


def hand_line(row: HandRow) -> str:
    """A row of the table of hands."""
    change = 100 * (row.mnist.after - row.mnist.before)
    return (
        f"| {row.hand} | {row.designer} | {row.own.n} | {row.refused} | {wrong(row.own, 'before')} | "
        f"{wrong(row.own, 'after')} | {row.own.p:.2g} | {change:+.2f} |"
    )


def wrong(paired: Paired, when: str) -> int:
    """The number of errors, `when` "before" or "after"."""
    share: float = getattr(paired, when)
    return round(paired.n * (1 - share))


def figure(rows: Sequence[HandRow]) -> bytes:
    """Each hand's errors before and after, most errors first, and MNIST's accuracy; a PNG."""
    ordered = sorted(rows, key=lambda row: (row.own.before, row.own.after))
    places = np.arange(len(ordered))
    before, after = ([100 * (1 - getattr(row.own, when)) for row in ordered] for when in ("before", "after"))
    with rc_context(_STYLE):
        canvas = Figure(figsize=(9, 5.5), layout="constrained")
        left, right = canvas.subplots(1, 2, sharey=True, width_ratios=(2, 1))
        left.hlines(places, after, before, color="#bbbbbb", linewidth=1.5)
        left.plot(before, places, "o", color=_BEFORE, label="before", markersize=5)
        left.plot(after, places, "o", color=_AFTER, label="after", markersize=5)
        left.set_yticks(places, [row.hand for row in ordered], fontsize=7)
        left.set(xlabel="errors on the hand, %")
        left.legend(frameon=False, loc="lower right")
        right.plot(
            [100 * (row.mnist.after - row.mnist.before) for row in ordered],
            places,
            "o",
            color=_AFTER,
            markersize=4,
        )
        right.axvline(0, color="#999999", linewidth=0.8)
        right.axvline(
            -100 * MOST_LOSS, color=_BEFORE, linewidth=0.8, linestyle="--", label="target of the mean"
        )
        right.set(xlabel="MNIST's test accuracy, change in points")
        right.legend(frameon=False, fontsize=7, loc="lower right")
        content = BytesIO()
        canvas.savefig(content, format="png", dpi=110, metadata={"Software": None})
    return content.getvalue()
