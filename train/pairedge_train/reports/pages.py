"""A report's page: row by row what the report printed and what was found here, its claims, its figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from pairedge_train.experiments.study import Statistic, Study, StudyRow, Table
from pairedge_train.files import write_all
from pairedge_train.reports.agreement import (
    AGREES_WITHIN,
    SIGNIFICANT,
    Finding,
    finding,
    rows_of,
    standard_errors,
    verdict,
)
from pairedge_train.reports.figures import draw
from pairedge_train.rows import RoundRow, read_rows

_WORDS: dict[Statistic, str] = {
    "train_accuracy": "training accuracy of the last epoch's weights",
    "test_accuracy": "test accuracy of the last epoch's weights",
    "validation_accuracy": "validation accuracy",
    "best_test_accuracy": "best test accuracy over the epochs (the test set chooses the epoch)",
    "exact_accuracy": "all ordered test pairs",
    "exact_digit_accuracy": "test digits",
    "leq_calibration_error": "calibration error of P(first <= second)",
    "digit_calibration_error": "calibration error of the digits",
    "error_of_surest_99": "errors left when the least certain 1 % are handed on",
    "validation_exact_accuracy": "all ordered validation pairs",
    "validation_digit_accuracy": "validation digits",
    "validation_loss": "cross-entropy on validation at the best temperature",
    "best_temperature": "best temperature",
    "test_of_best_fold": "test accuracy of the fold model that validates best (± over all fold models)",
}


def write_page(study: Study, out: Path) -> list[str]:
    """Write a study's page and figures beside its rows; give the names of the files."""
    rows = read_rows(out / f"{study.name}.jsonl")
    files: dict[str, bytes] = {}
    for figure in study.figures:
        if any(rows_of(row, rows) for row in study.shown(figure)):
            for ending, content in draw(study, figure, rows).items():
                files[f"{study.name}-{figure.name}.{ending}"] = content
    files[f"{study.name}.md"] = page(study, rows, list(files)).encode()
    write_all(out, files)
    return list(files)


def page(study: Study, rows: Sequence[RoundRow], figures: Sequence[str]) -> str:
    """The page as Markdown."""
    lines = [f"# {study.title}", "", study.about, ""]
    lines += ["Accuracies in percent: mean ± standard deviation over n rounds."]
    if study.is_report:
        lines[-1] += (
            " The difference is ours minus the report's in standard errors; a row agrees within "
            f"{AGREES_WITHIN:g} of them. Where the report printed no standard deviation, ours stands in for "
            "it."
        )
    lines += claim_lines(study, rows)
    for table in study.tables:
        lines += ["", f"## {table.title}", ""]
        if study.is_report:
            lines += [f"Report: {table.source}. Statistic: {_WORDS[table.statistic]}.", ""]
            lines += table_lines(table, rows)
        else:
            lines += own_table_lines(table, rows)
        if table.remark:
            lines += ["", table.remark]
    if figures:
        lines += ["", "## Figures"]
        for figure in study.figures:
            name = f"{study.name}-{figure.name}"
            if f"{name}.png" in figures:
                lines += ["", f"![{figure.title}]({name}.png)", "", f"[{name}.svg]({name}.svg)"]
    lines += ["", "## Conditions", "", *conditions(rows), ""]
    return "\n".join(lines)


def claim_lines(study: Study, rows: Sequence[RoundRow]) -> list[str]:
    """What becomes of the study's claims; nothing where it makes none."""
    if not study.claims:
        return []
    lines = [
        "",
        "## Claims",
        "",
        "A claim holds when each step of its order is upwards, by a paired t-test over the rounds (for "
        f"standard deviations Levene's test) with p below {SIGNIFICANT:g}.",
        "",
        "| claim | verdict | found here |",
        "|---|---|---|",
    ]
    for claim in study.claims:
        said, found = verdict(claim, study.table(claim.table), rows)
        lines.append(f"| {claim.text} | **{said}** | {found} |")
    return lines


def own_table_lines(table: Table, rows: Sequence[RoundRow]) -> list[str]:
    """A table that stands beside no report's: what was measured, and what it took."""
    statistics = (table.statistic, *table.beside)
    head = ["row", *(_WORDS[statistic] for statistic in statistics), "n", "parameters", "seconds a round"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in table.rows:
        rounds = rows_of(row, rows, table.rounds)
        found = [finding(rounds, statistic) for statistic in statistics]
        shown = [number(each, statistic) for each, statistic in zip(found, statistics, strict=True)]
        parameters = f"{rounds[0].parameters:,}" if rounds else "-"
        cells = [row.label, *shown, str(len(rounds)), parameters, cost(rounds)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def number(found: Finding | None, statistic: Statistic) -> str:
    """A share in percent, or what is no share as it is."""
    if found is None or statistic not in ("validation_loss", "best_temperature"):
        return percent(found)
    return f"{found.mean:.4f}" + ("" if found.sd is None else f" ± {found.sd:.4f}")


def write_index(known: Sequence[Study], out: Path) -> None:
    """Write what the studies cost: rounds and time for each report, and the variant that takes most of it."""
    lines = [
        "# What the studies cost",
        "",
        "Seconds of training of all finished rounds, one thread each, and what two cores need for them; "
        "loading and judging are not counted.",
        "",
        "| report | rounds | training, seconds | on two cores, minutes | most of it | its share |",
        "|---|---|---|---|---|---|",
    ]
    total = 0.0
    for study in known:
        spent: defaultdict[str, float] = defaultdict(float)
        rows = [row for row in read_rows(out / f"{study.name}.jsonl") if row.diverged is None]
        for row in rows:
            spent[row.variant] += row.seconds
        if rows:
            variant, most = max(spent.items(), key=lambda item: item[1])
            whole = sum(spent.values())
            total += whole
            cost = f"{whole:.0f} | {whole / 120:.1f} | {variant} | {100 * most / whole:.0f} %"
            lines.append(f"| [{study.name}]({study.name}.md) | {len(rows)} | {cost} |")
    lines += ["", f"All together: {total:.0f} seconds, {total / 120:.0f} minutes on two cores.", ""]
    write_all(out, {"index.md": "\n".join(lines).encode()})


def table_lines(table: Table, rows: Sequence[RoundRow]) -> list[str]:
    """A table of the page, its header first."""
    extra = [_WORDS[statistic] for statistic in table.beside]
    extra += ["exact, all test pairs"] if _has_exact(table, rows) else []
    extra += ["seconds a round"] if table.seconds else []
    head = ["row", "the report", "ours", "n", "difference", "agrees", *extra]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return lines + ["| " + " | ".join(cells(table, row, rows)) + " |" for row in table.rows]


def cells(table: Table, row: StudyRow, rows: Sequence[RoundRow]) -> list[str]:
    """The cells of one row."""
    rounds = rows_of(row, rows, table.rounds)
    ours = finding(rounds, table.statistic)
    z = standard_errors(ours, row, table.published_n) if ours else None
    printed = "-" if row.published is None else percent(Finding(row.published, row.sd, 0))
    short = "" if ours is None or len(rounds) == table.rounds else f" of {table.rounds}"
    agrees = "-" if z is None else ("yes" if abs(z) <= AGREES_WITHIN else "no")
    label = row.label
    if any(each.pretrained is False for each in rounds) and row.recipe.variant.endswith("_pretrained"):
        label += " (weights could not be had: from scratch)"
    found = [
        label,
        printed,
        percent(ours) if ours else "no rounds yet",
        f"{len(rounds)}{short}",
        "-" if z is None else f"{z:+.1f}",
        agrees,
    ]
    found += [percent(finding(rounds, statistic)) for statistic in table.beside]
    if _has_exact(table, rows):
        exact = [each for each in rounds if each.exact_accuracy is not None]
        found.append(percent(finding(exact, "exact_accuracy")) if exact else "-")
    if table.seconds:
        found.append(cost(rounds))
    return found


def cost(rounds: Sequence[RoundRow]) -> str:
    """Seconds of training that a round took, its share where several were trained together."""
    seconds = finding(rounds, "seconds")
    if seconds is None:
        return "-"
    together = max(each.stacked for each in rounds)
    company = f" ({together} together)" if together > 1 else ""
    return f"{seconds.mean:.2f} ± {seconds.sd or 0:.2f}{company}"


def percent(found: Finding | None) -> str:
    """A mean with its standard deviation, in percent."""
    if found is None:
        return "-"
    return f"{100 * found.mean:.2f}" + ("" if found.sd is None else f" ± {100 * found.sd:.2f}")


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


def _has_exact(table: Table, rows: Sequence[RoundRow]) -> bool:
    return any(each.exact_accuracy is not None for row in table.rows for each in rows_of(row, rows))
