"""Tables in README.md, written from the rows and graphs under artifacts/ so that they cannot drift.

    python -m pairedge_train.readme README.md

Each table stands between `<!-- table: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pairedge
from pairedge_train.findings import AGREES_WITHIN, finding, rows_of, standard_errors, verdict
from pairedge_train.rows import Row, read_rows
from pairedge_train.studies import Study, reports, studies

ARTIFACTS = Path("artifacts")
_BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(text: str, artifacts: Path) -> str:
    """The text with every marked table written anew.

    Raises:
        KeyError: when a mark names a table that nobody makes.
    """
    tables = {
        "twinnet": twinnet_table,
        "shipped": shipped_table,
        "reports": reports_table,
        "speed": speed_table,
    }
    return _BLOCK.sub(lambda found: found[1] + tables[found[2]](artifacts) + found[3], text)


def twinnet_table(artifacts: Path) -> str:
    """The 2x2 of weight sharing and auxiliary losses with report 000's settings, mean over rounds."""
    table = studies()["report0"].table("sharing-and-losses")
    rows = read_rows(artifacts / "reports" / "report0.jsonl")
    lines = ["| variant | | parameters | test accuracy | sd | n |", "|---|---|---|---|---|---|"]
    for row in table.rows:
        rounds = rows_of(row, rows)
        found = finding(rounds, table.statistic)
        if found is None or found.sd is None:
            continue
        name, parameters = row.recipe.variant, rounds[0]["parameters"]
        share = f"{100 * found.mean:.2f} % | {100 * found.sd:.2f} | {found.n}"
        lines.append(f"| `{name}` | {row.label} | {parameters:,} | {share} |")
    return "\n".join(lines) + "\n"


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
    startup = json.loads((results / "startup.json").read_text())
    rounds = json.loads((results / "rounds_per_hour.json").read_text())
    lines = [
        "| ours | against | median ratio | n |",
        "|---|---|---|---|",
        f"| `pairedge predict a.png b.png`, seconds | importing onnxruntime, Pillow and click | "
        f"{startup['median_ratio']:.2f} | {startup['runs']} pairs of runs |",
        f"| rounds of `aux_ws` an hour in a study, {rounds['workers']} cores | the obvious training loop | "
        f"{rounds['median_ratio']:.1f} | {rounds['runs']} pairs of runs of "
        f"{rounds['rounds_of_a_run']} rounds |",
    ]
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


if __name__ == "__main__":
    for name in sys.argv[1:]:
        page = Path(name)
        page.write_text(fill(page.read_text(), ARTIFACTS))
