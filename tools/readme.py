"""Tables in README.md, written from the rows and graphs under artifacts/ so that they cannot drift.

    python -m tools.readme README.md

Each table stands between `<!-- table: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import re
from pathlib import Path

import click

import pairedge
from benchmarks.records import EdgeRecord, ParetoPoint, ParetoRecord, RoundsRecord, read_record
from pairedge_train.experiments.library import reports, studies
from pairedge_train.experiments.study import Study
from pairedge_train.reports.agreement import (
    AGREES_WITHIN,
    Finding,
    finding,
    rows_of,
    standard_errors,
    verdict,
)
from pairedge_train.robustness.page import condition_table
from pairedge_train.robustness.rows import condition_rows_from_json
from pairedge_train.rows import Row, read_rows

ARTIFACTS = Path("artifacts")
_ROUNDS_TARGET = 6  # times as many per hour as the plain PyTorch baseline
_BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(text: str, artifacts: Path) -> str:
    """The text with every marked table written anew.

    Raises:
        KeyError: when a mark names a table that nobody makes.
    """
    tables = {
        "shipped": shipped_table,
        "photos": photos_table,
        "best": best_table,
        "ablation": ablation_table,
        "reports": reports_table,
        "speed": speed_table,
    }
    return _BLOCK.sub(lambda found: found[1] + tables[found[2]](artifacts) + found[3], text)


def best_table(artifacts: Path) -> str:
    """A report's network, the flagship, its teacher and what ships: accuracy, size and time side by side."""
    points = read_record(artifacts.parent / "benchmarks/results/pareto.json", ParetoRecord).points
    costs = {"ships" if point.row is None else point.variant: point for point in points}
    lines = [
        "| network | trained on | right, all ordered test pairs | right, 1,000 test pairs | n | parameters "
        "| file | microseconds a pair |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for study, table, label, name, cost in (
        (
            "report0",
            "sharing-and-losses",
            "sharing and auxiliary",
            "`twinnet_aux_ws`, report 000",
            "twinnet_aux_ws",
        ),
        ("best", "small", "by the labels", "**`aux_ws`, the flagship**", "aux_ws"),
        ("best", "small", "taught by best", "`aux_ws`, taught by best", "aux_ws"),
        ("best", "any-size", "best", "**best**: three networks of different shapes", "best"),
    ):
        rounds = rows_of(studies()[study].table(table).row(label), rows_of_study(study, artifacts))
        exact, test = (finding(rounds, statistic) for statistic in ("exact_accuracy", "test_accuracy"))
        if test is None:
            continue
        parameters = f"{rounds[0]['parameters']:,}"
        lines.append(
            f"| {name} | 1,000 pairs | {share(exact)} | {share(test)} | {test.n} | {parameters} | "
            f"{measured_cost(costs.get(cost))} |"
        )
    facts = pairedge.load(artifacts / "aux_ws" / "pair.onnx").metadata
    right = f"{100 * facts['metrics']['all_pairs']['accuracy']:.2f} %"
    lines.append(
        f"| **`aux_ws`, ships** | all 60,000 tiles, and pictures | {right} | | 1 | {facts['parameters']:,} | "
        f"{measured_cost(costs.get('ships'))} |"
    )
    return "\n".join(lines) + "\n"


def measured_cost(point: ParetoPoint | None) -> str:
    """A graph's size and its median time for a pair, as two cells."""
    if point is None:
        return "- | -"
    return f"{point.bytes / 1000:.0f} kB | {point.one_pair_microseconds.p50:.0f}"


def ablation_table(artifacts: Path) -> str:
    """The 2x2 of weight sharing and auxiliary losses, report 000's and the flagship's, as far as trained."""
    heads = {"report0": "TwinNet, report 000's settings", "best": "the flagship's architecture and settings"}
    rows = {name: rows_of_study(name, artifacts) for name in heads}
    tables = {name: studies()[name].table("sharing-and-losses") for name in heads}
    trained = [name for name in heads if all(rows_of(row, rows[name]) for row in tables[name].rows)]
    lines = [
        f"| | {' | n | '.join(heads[name] for name in trained)} | n |",
        "|---" * (1 + 2 * len(trained)) + "|",
    ]
    for label in (row.label for row in tables["report0"].rows):
        found = [finding(rows_of(tables[name].row(label), rows[name]), "test_accuracy") for name in trained]
        cells = [f"{share(each)} | {each.n}" for each in found if each]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def photos_table(artifacts: Path) -> str:
    """How well pictures are read, condition by condition."""
    rows = condition_rows_from_json((artifacts / "robustness" / "conditions.json").read_bytes())
    return condition_table(rows)


def rows_of_study(name: str, artifacts: Path) -> list[Row]:
    """All rows of a study."""
    return read_rows(artifacts / ("reports" if studies()[name].is_report else "best") / f"{name}.jsonl")


def share(found: Finding | None) -> str:
    """A mean share with its standard deviation, in percent."""
    if found is None:
        return "-"
    return f"{100 * found.mean:.2f}" + (" %" if found.sd is None else f" ± {100 * found.sd:.2f} %")


def reports_table(artifacts: Path) -> str:
    """Each report: how many of its printed numbers were found again, and what became of its main claim."""
    lines = [
        "| report | its main claim | | printed numbers found again | rounds |",
        "|---|---|---|---|---|",
    ]
    for study in reports().values():
        rows = read_rows(artifacts / "reports" / f"{study.name}.jsonl")
        if not rows:
            continue
        claim = study.claims[0]
        said, _ = verdict(claim, study.table(claim.table), rows)
        agreeing, printed = agreement(study, rows)
        page = f"[{study.title.partition(':')[0]}](artifacts/reports/{study.name}.md)"
        lines.append(f"| {page} | {claim.text} | **{said}** | {agreeing} of {printed} | {len(rows)} |")
    return "\n".join(lines) + "\n"


def speed_table(artifacts: Path) -> str:
    """What was timed side by side, from the raw figures in benchmarks/results/."""
    results = artifacts.parent / "benchmarks" / "results"
    edge = read_record(results / "edge.json", EdgeRecord)
    rounds = read_record(results / "rounds_per_hour.json", RoundsRecord)
    lines = ["| quantity | baseline | measured | target |", "|---|---|---|---|"]
    for target in edge.targets:
        sign = "at least" if target.higher_is_better else "at most"
        missed = "" if target.met else " (missed)"
        lines.append(
            f"| {target.quantity} | {target.baseline} | {target.measured:.2f} {target.unit}{missed} "
            f"| {sign} {target.bound:g} |"
        )
    lines.append(
        f"| training rounds of `twinnet_aux_ws` per hour, {rounds.workers} cores "
        f"| a plain PyTorch loop | {rounds.median_ratio:.1f} times"
        f"{'' if rounds.median_ratio >= _ROUNDS_TARGET else ' (missed)'} | at least {_ROUNDS_TARGET} |"
    )
    return "\n".join(lines) + "\n"


def agreement(study: Study, rows: list[Row]) -> tuple[int, int]:
    """How many of a study's printed numbers ours agree with, and how many could be compared."""
    distances = []
    for table in study.tables:
        for row in table.rows:
            found = finding(rows_of(row, rows, table.rounds), table.statistic)
            distance = standard_errors(found, row, table.published_n) if found else None
            if distance is not None:
                distances.append(abs(distance))
    return sum(distance <= AGREES_WITHIN for distance in distances), len(distances)


def shipped_table(artifacts: Path) -> str:
    """What the model that ships measured, from its own metadata."""
    path = artifacts / "aux_ws" / "pair.onnx"
    facts = pairedge.load(path).metadata
    metrics = facts["metrics"]
    lines = [
        "| the model that ships | |",
        "|---|---|",
        f"| digits, on {metrics['digits']['n']:,} test tiles | {100 * metrics['digits']['accuracy']:.2f} % |",
        f"| comparisons, all {metrics['all_pairs']['n']:,} ordered test pairs | "
        f"{100 * metrics['all_pairs']['accuracy']:.2f} % |",
        f"| parameters | {facts['parameters']:,} |",
        f"| file | {path.stat().st_size / 1000:.1f} kB |",
    ]
    return "\n".join(lines) + "\n"


@click.command()
@click.argument("pages", nargs=-1, type=click.Path(path_type=Path, exists=True))
def main(pages: tuple[Path, ...]) -> None:
    """Write the tables of PAGES anew from artifacts/."""
    for page in pages:
        page.write_text(fill(page.read_text(), ARTIFACTS))


if __name__ == "__main__":
    main()
