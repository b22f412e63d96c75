"""A report's page: what it asked and how that went, its numbers and claims beside ours, and its figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pairedge_train.experiments.study import Figure, SourceKind, Statistic, Study, StudyRow, Table
from pairedge_train.files import write_all
from pairedge_train.networks.description import weight_layers
from pairedge_train.networks.variants import get_variant
from pairedge_train.reports.agreement import (
    NEAR,
    Comparison,
    Tally,
    compare_rows,
    negative_control,
    rows_of,
    summary,
    tallies,
)
from pairedge_train.reports.claims import FOLDS_MARK, ClaimVerdict, evaluate_claim
from pairedge_train.reports.curve_points import point_lines
from pairedge_train.reports.figures import draw
from pairedge_train.reports.statistics import MARGIN, POWER, SIGNIFICANT, Summary
from pairedge_train.rows import RoundRow, read_rows

BORROWED_MARK = "*"
_STATISTICS: dict[Statistic, str] = {
    "train_accuracy": "training accuracy of the final weights",
    "test_accuracy": "test accuracy of the final weights",
    "validation_accuracy": "validation accuracy",
    "best_test_accuracy": "best test accuracy over the epochs (the test set chooses the epoch)",
    "exact_accuracy": "all ordered test pairs",
    "exact_digit_accuracy": "test digits",
    "leq_calibration_error": "calibration error of P(first <= second)",
    "digit_calibration_error": "calibration error of the digits",
    "error_of_surest_99": "error rate of the most confident 99 %",
    "validation_exact_accuracy": "all ordered validation pairs",
    "validation_digit_accuracy": "validation digits",
    "validation_loss": "validation cross-entropy at the best temperature",
    "best_temperature": "best temperature",
    "test_of_best_fold": "test accuracy of each draw's fold model with the best validation accuracy "
    "(± over the draws; of a single draw, over its fold models)",
}
_SOURCES: dict[SourceKind, str] = {
    "printed": "",
    "figure": "values read off a figure",
    "program": "numbers of the report's program",
    "later report": "numbers of a later report",
}
_HOW_NUMBERS_ARE_COMPARED = (
    f"A number **agrees** when ours is equivalent to it within {100 * MARGIN:g} points (two one-sided "
    f"t-tests, each at {SIGNIFICANT:g}), it **differs** when it does not agree and the difference is "
    f"significant (Welch's t-test, two-sided, {SIGNIFICANT:g}), and otherwise one **cannot tell**. A "
    f"difference is detectable when that test finds it with a power of {100 * POWER:g} %. Where the report "
    f"gives no standard deviation, marked {BORROWED_MARK}, ours stands in for it. The negative control "
    "below a table compares each row with the numbers of the table's other rows: the more of these wrong "
    "numbers agree, the less it means that the right one does. Each number that the text prints counts "
    "once, for the row that is trained as the text describes; all others are counted apart."
)
_HOW_FOLDS_ARE_COUNTED = (
    " In cross-validation n is draws of data x folds: the folds of one draw have training pairs in common, "
    "so that the tests are surer of themselves than they should be."
)
_HOW_CLAIMS_ARE_TESTED = (
    f"A claim holds when every step of it is significant in its direction (p below {SIGNIFICANT:g}), is "
    f"refuted when a step is significant in the other (p below {SIGNIFICANT:g} over the number of steps), "
    "and is undecided otherwise. Rounds of one seed share their pairs, so means are compared by paired "
    "t-tests, and standard deviations by Levene's test. Means count as equal when they are equivalent "
    f"within {100 * MARGIN:g} points. A claim about the final weights is tested on the least noisy "
    "estimate that all of its rows have."
)
_ALTERNATIVES = (
    "Other readings, as the report's program has it or where the text leaves a choice; counted apart:"
)
_HOW_NETWORKS_ARE_DRAWN = (
    "Drawn from the networks themselves, with the shapes that come out of them. Blue layers have weights, "
    "orange ones have none and change the shape, which is shown where it changes. A shared branch is drawn "
    "once."
)
_HOW_LAYERS_ARE_COUNTED = (
    "The numbers of parameters are of what is trained. Layers of a shared branch count once, those of a "
    "residual network's shortcuts like others, and batch normalization not at all."
)
_HOW_FOLDS_ARE_PAIRED = (
    f" {FOLDS_MARK}: folds of one draw of data have training pairs in common, so that p is too small; over "
    "the folds of a single draw, the test tells about that draw alone."
)


def write_page(study: Study, out: Path) -> list[str]:
    """Write a study's page and figures beside its rows; return the names of the files."""
    rows = read_rows(out / f"{study.name}.jsonl")
    files: dict[str, bytes] = {}
    for figure in study.figures:
        if figure.kind == "architectures" or any(rows_of(row, rows) for row in study.shown(figure)):
            for ending, content in draw(study, figure, rows).items():
                files[f"{study.name}-{figure.name}.{ending}"] = content
    files[f"{study.name}.md"] = page(study, rows, list(files)).encode()
    write_all(out, files)
    return list(files)


def page(study: Study, rows: Sequence[RoundRow], figures: Sequence[str]) -> str:
    """The page as Markdown."""
    lines = [f"# {study.title}", ""]
    if study.is_report:
        lines += [f"{study.question} {outcome(study, rows)}".strip(), "", "## Protocol", ""]
    lines += [study.about, "", "Accuracies in percent: mean ± standard deviation over n rounds."]
    if study.is_report:
        lines += ["", *number_lines(study, rows)]
    lines += claim_lines(study, rows)
    drawn = [figure for figure in study.figures if f"{study.name}-{figure.name}.png" in figures]
    diagrams = [figure for figure in drawn if figure.kind == "architectures"]
    curves = [figure for figure in drawn if figure.kind != "architectures"]
    if diagrams:
        lines += ["", "## Architectures", "", _HOW_NETWORKS_ARE_DRAWN, *image_lines(study, diagrams)]
    for table in study.tables:
        lines += ["", f"## {table.title}", ""]
        lines += report_table_lines(table, rows) if study.is_report else own_table_lines(table, rows)
        if table.remark:
            lines += ["", table.remark]
    if study.is_report:
        lines += parameter_lines(study)
    if curves:
        lines += ["", "## Figures"]
        for figure in curves:
            lines += [*image_lines(study, [figure]), *point_lines(study, figure, rows)]
    lines += ["", "## Conditions", "", *conditions(rows), ""]
    return "\n".join(lines)


def image_lines(study: Study, figures: Sequence[Figure]) -> list[str]:
    """Figures, each with a link to its SVG file."""
    lines = []
    for figure in figures:
        name = f"{study.name}-{figure.name}"
        lines += ["", f"![{figure.title}]({name}.png)", "", f"[{name}.svg]({name}.svg)"]
    return lines


def outcome(study: Study, rows: Sequence[RoundRow]) -> str:
    """How reproducing a report went, in four sentences made from its rows."""
    counts = tallies(study, rows)
    printed, again = counts["printed"], counts.get("printed, compared again")
    verdicts = (
        (printed.agrees, "agree with ours", "agrees with ours"),
        (printed.differs, "differ", "differs"),
        (printed.cannot_tell, "remain undecided", "remains undecided"),
    )
    if printed.total == 1:
        numbers = "Trained as described, its one printed number "
        numbers += listed([one for number, _, one in verdicts if number])
    else:
        parts = [f"{number} {one if number == 1 else many}" for number, many, one in verdicts if number]
        numbers = f"Of the {printed.total} numbers that it prints, {listed(parts)}"
    if again:
        numbers += f"; compared again, by another reading or statistic, {again.agrees} of {again.total} agree"
    results = [evaluate_claim(claim, study, rows) for claim in study.claims]
    _, main = _CLAIM_WORDS[results[0][0].verdict]
    of_claims = Counter(each.verdict for of_claim in results for each in of_claim)
    parts = [
        f"{number} {one if number == 1 else many}"
        for verdict, (many, one) in _CLAIM_WORDS.items()
        if (number := of_claims[verdict])
    ]
    sentences = (
        numbers,
        f'Its main claim, "{study.claims[0].text.rstrip(".")}", {main}',
        f"Of {of_claims.total()} verdicts on its claims, {listed(parts)}",
        f"All this is of {len(rows)} rounds of {len({row.variant for row in rows})} networks",
    )
    return " ".join(f"{sentence}." for sentence in sentences)


# Of several, and of one.
_CLAIM_WORDS: dict[ClaimVerdict, tuple[str, str]] = {
    "holds": ("hold", "holds"),
    "refuted": ("are refuted", "is refuted"),
    "undecided": ("are undecided", "is undecided"),
    "no rounds": ("have no rounds yet", "has no rounds yet"),
}


def listed(parts: Sequence[str]) -> str:
    """A list in words."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def number_lines(study: Study, rows: Sequence[RoundRow]) -> list[str]:
    """How numbers are compared, and how often which verdict was reached."""
    lines = [
        "## Numbers",
        "",
        _HOW_NUMBERS_ARE_COMPARED + (_HOW_FOLDS_ARE_COUNTED if has_folds(study) else ""),
        "",
        f"| numbers | compared | agree | differ | cannot tell | within {NEAR:g} standard errors |",
        "|---|---|---|---|---|---|",
    ]
    for kind, counts in tallies(study, rows).items():
        lines.append(f"| {kind} | {counts.total} | {tally_cells(counts)} |")
    return lines


def has_folds(study: Study) -> bool:
    """Whether some of a study's numbers are of a cross-validation."""
    return any(row.recipe.data.folds for table in study.tables for row in table.rows)


def tally_cells(counts: Tally) -> str:
    """The cells of a count of verdicts."""
    return f"{counts.agrees} | {counts.differs} | {counts.cannot_tell} | {counts.near}"


def claim_lines(study: Study, rows: Sequence[RoundRow]) -> list[str]:
    """What becomes of the study's claims; nothing where it makes none."""
    if not study.claims:
        return []
    lines = [
        "",
        "## Claims",
        "",
        _HOW_CLAIMS_ARE_TESTED,
    ]
    results = [(claim, result) for claim in study.claims for result in evaluate_claim(claim, study, rows)]
    if any(FOLDS_MARK in result.measured for _, result in results):
        lines[-1] += _HOW_FOLDS_ARE_PAIRED
    lines += ["", "| claim | verdict | tested on | measured |", "|---|---|---|---|"]
    for claim, result in results:
        tested = _STATISTICS[result.statistic] if result.statistic else "-"
        tested = "parameters" if claim.kind == "fewer parameters" else tested
        lines.append(f"| {claim.text} | **{result.verdict}** | {tested} | {result.measured} |")
    return lines


def own_table_lines(table: Table, rows: Sequence[RoundRow]) -> list[str]:
    """A table that stands beside no report's: what was measured, and how long it took."""
    statistics = (table.statistic, *table.beside)
    head = [
        "row",
        *(_STATISTICS[statistic] for statistic in statistics),
        "n",
        "parameters",
        "seconds a round",
    ]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in table.rows:
        rounds = rows_of(row, rows)
        shown = [number(summary(rounds, statistic), statistic) for statistic in statistics]
        parameters = f"{rounds[0].parameters:,}" if rounds else "-"
        cells = [row.label, *shown, count(rounds, row), parameters, cost(rounds)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def number(value: Summary | None, statistic: Statistic) -> str:
    """A share in percent, or what is no share as it is."""
    if value is None or statistic not in ("validation_loss", "best_temperature"):
        return percent(value)
    return f"{value.mean:.4f}" + ("" if value.sd is None else f" ± {value.sd:.4f}")


def count(rounds: Sequence[RoundRow], row: StudyRow) -> str:
    """How many rounds there are, in cross-validation as draws x folds, and of how many if some miss."""
    if 0 < len(rounds) < row.rounds:
        return f"{len(rounds)} of {row.rounds}"
    folds = row.recipe.data.folds
    return f"{len(rounds) // folds} x {folds}" if folds and rounds else str(len(rounds))


def report_table_lines(table: Table, rows: Sequence[RoundRow]) -> list[str]:
    """A report's table beside ours, alternatives in a table of their own, and the negative control."""
    compared = any(row.published is not None for row in table.rows)
    source = f"Report: {table.source}"
    source += f" ({_SOURCES[table.source_kind]}; counted apart)" if _SOURCES[table.source_kind] else ""
    source += f" (counted in table {table.repeats})" if table.repeats else ""
    lines = [f"{source}. Statistic: {_STATISTICS[table.statistic]}."]
    comparisons = compare_rows(table, rows)
    described = [each for each in comparisons if not each.row.alternative]
    alternatives = [each for each in comparisons if each.row.alternative]
    for part in (described, alternatives):
        if part and part is alternatives:
            lines += ["", _ALTERNATIVES]
        if part:
            lines += ["", *comparison_lines(table, part, rows)]
    control = negative_control(table, rows)
    if compared and control.total:
        lines += [
            "",
            f"Negative control: of {control.total} wrong numbers, {control.agrees} agree, {control.differs} "
            f"differ and {control.cannot_tell} cannot be told; {control.near} are within {NEAR:g} standard "
            "errors.",
        ]
    return lines


def comparison_lines(table: Table, comparisons: Sequence[Comparison], rows: Sequence[RoundRow]) -> list[str]:
    """A table of comparisons, its header first."""
    compared = any(each.row.published is not None for each in comparisons)
    exact = any(
        round_row.exact_accuracy is not None for row in table.rows for round_row in rows_of(row, rows)
    )
    head = ["row", "the report", "ours", "n"] if compared else ["row", "ours", "n"]
    head += ["difference", "detectable", "verdict"] if compared else []
    head += [_STATISTICS[statistic] for statistic in table.beside]
    head += ["exact, all test pairs"] if exact else []
    head += ["seconds a round"] if table.seconds else []
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for each in comparisons:
        rounds = rows_of(each.row, rows)
        cells = [row_name(each.row, rounds)]
        cells += [printed(each)] if compared else []
        cells += [percent(each.ours) if each.ours else "no rounds yet", count(rounds, each.row)]
        cells += comparison_cells(each) if compared else []
        cells += [percent(summary(rounds, statistic)) for statistic in table.beside]
        if exact:
            measured = [row for row in rounds if row.exact_accuracy is not None]
            cells.append(percent(summary(measured, "exact_accuracy")))
        cells += [cost(rounds)] if table.seconds else []
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def row_name(row: StudyRow, rounds: Sequence[RoundRow]) -> str:
    """A row's label, and whether pretrained weights were missing."""
    if row.recipe.variant.endswith("_pretrained") and any(each.pretrained is False for each in rounds):
        return f"{row.label} (pretrained weights were not available: trained from scratch)"
    return row.label


def printed(comparison: Comparison) -> str:
    """The report's number, marked where our standard deviation stands in for its."""
    row = comparison.row
    if row.published is None:
        return "-"
    return percent(Summary(row.published, row.sd, 0)) + (BORROWED_MARK if comparison.borrowed else "")


def comparison_cells(comparison: Comparison) -> list[str]:
    """Difference and detectable difference in points, and the verdict."""
    if comparison.row.published is None or comparison.ours is None:
        return ["-", "-", "-"]
    difference = f"{100 * (comparison.ours.mean - comparison.row.published):+.2f}"
    detectable = f"{100 * comparison.contrast.detectable():.2f}" if comparison.contrast else "-"
    return [difference, detectable, comparison.verdict]


def parameter_lines(study: Study) -> list[str]:
    """Every variant's layers and parameters, beside what the report states, and why they differ.

    Networks that would be pretrained have the layers of those that are not, which load nothing.
    """
    names = dict.fromkeys(row.recipe.variant for table in study.tables for row in table.rows)
    lines = [
        "",
        "## Layers and parameters",
        "",
        _HOW_LAYERS_ARE_COUNTED,
        "",
        "| variant | layers with weights | the report | ours | difference | reason |",
        "|---|---|---|---|---|---|",
    ]
    for name in names:
        layers = weight_layers(get_variant(name.removesuffix("_pretrained")).build())
        variant = get_variant(name)
        stated = "not stated" if variant.stated is None else f"{variant.stated:,}"
        difference = "-" if variant.stated is None else f"{variant.parameters - variant.stated:+,}"
        difference = "0" if difference == "+0" else difference
        reason = variant.reason or ""
        lines.append(f"| `{name}` | {layers} | {stated} | {variant.parameters:,} | {difference} | {reason} |")
    return lines


def cost(rounds: Sequence[RoundRow]) -> str:
    """Seconds of training that a round took, its share where several were trained together."""
    seconds = summary(rounds, "seconds")
    if seconds is None:
        return "-"
    together = max(each.stacked for each in rounds)
    bundle = f" ({together} together)" if together > 1 else ""
    return f"{seconds.mean:.2f} ± {seconds.sd or 0:.2f}{bundle}"


def percent(value: Summary | None) -> str:
    """A mean with its standard deviation, in percent."""
    if value is None:
        return "-"
    return f"{100 * value.mean:.2f}" + ("" if value.sd is None else f" ± {100 * value.sd:.2f}")


def conditions(rows: Sequence[RoundRow]) -> list[str]:
    """What the rows were made with."""
    finished = [row for row in rows if row.diverged is None]
    if not finished:
        return ["No rounds yet."]
    hours = sum(row.seconds for row in finished) / 3600
    torches = ", ".join(sorted({(row.machine or row.versions or {})["torch"] for row in finished}))
    devices = ", ".join(sorted({row.device or "unknown" for row in finished}))
    lines = [
        f"{len(finished)} rounds, {hours:.2f} hours of training in all, one thread each; "
        f"torch {torches}, {devices}."
    ]
    diverged = [row for row in rows if row.diverged is not None]
    if diverged:
        names = ", ".join(sorted({row.variant for row in diverged}))
        lines += ["", f"{len(diverged)} rounds diverged and count in no mean: {names}."]
    return lines
