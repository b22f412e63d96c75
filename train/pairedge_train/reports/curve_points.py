"""Values read off the curves of a report's figure, beside those of our mean curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pairedge_train.experiments.study import CurvePoint, Figure, Study
from pairedge_train.reports.agreement import rows_of
from pairedge_train.reports.figures import CURVES, mean_curve
from pairedge_train.rows import RoundRow

_HEAD = """\
Values read off the figure, which count in no tally; epochs are counted from 0, as there.

| row | curve | epoch | the report | our epoch | ours | n |
|---|---|---|---|---|---|---|"""


def point_lines(study: Study, figure: Figure, rows: Sequence[RoundRow]) -> Iterator[str]:
    """A table of a figure's points as Markdown; nothing where it has none."""
    if not figure.points:
        return
    yield from ("", *_HEAD.splitlines())
    for point in figure.points:
        rounds = rows_of(study.table(figure.table).row(point.row), rows)
        if rounds:
            at = f"{point.at}, {point.where}" if point.where else f"{point.at}"
            cells = [point.row, CURVES[point.curve], at, f"{point.published:.3f}"]
            yield f"| {' | '.join([*cells, *our_cells(point, rounds)])} |"
    if figure.remark:
        yield from ("", figure.remark)


def our_cells(point: CurvePoint, rounds: Sequence[RoundRow]) -> list[str]:
    """Our epoch, the mean of our curves there with its standard deviation, and the number of rounds."""
    mean, sd = mean_curve(rounds, point.curve)
    match point.at:
        case "minimum":
            epoch = int(mean.argmin())
        case "end":
            epoch = len(mean) - 1
        case _:
            epoch = point.at
    spread = f" ± {sd[epoch]:.3f}" if len(rounds) > 1 else ""
    return [str(epoch), f"{mean[epoch]:.3f}{spread}", str(len(rounds))]
