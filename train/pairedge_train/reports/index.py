"""The index of the reports' pages: the verdicts on all numbers, and what the training cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from pairedge_train.experiments.study import Study
from pairedge_train.files import write_all
from pairedge_train.reports.agreement import NEAR, Tally, tallies
from pairedge_train.reports.pages import tally_cells
from pairedge_train.rows import RoundRow, read_rows


def write_index(known: Sequence[Study], out: Path) -> None:
    """Write how many printed numbers were reproduced, and what the studies cost."""
    rows = {study.name: read_rows(out / f"{study.name}.jsonl") for study in known}
    trained = [study for study in known if rows[study.name]]
    lines = ["# The five reports", "", *index_numbers(trained, rows)]
    lines += [
        "",
        "## Training time",
        "",
        "Seconds of training of all finished rounds, one thread each, and what two cores need for them; "
        "loading and evaluation are not counted.",
        "",
        "| report | rounds | training, seconds | on two cores, minutes | costliest variant | its share |",
        "|---|---|---|---|---|---|",
    ]
    total = 0.0
    for study in trained:
        spent: defaultdict[str, float] = defaultdict(float)
        finished = [row for row in rows[study.name] if row.diverged is None]
        for row in finished:
            spent[row.variant] += row.seconds
        if finished:
            variant, most = max(spent.items(), key=lambda item: item[1])
            whole = sum(spent.values())
            total += whole
            time = f"{whole:.0f} | {whole / 120:.1f} | {variant} | {100 * most / whole:.0f} %"
            lines.append(f"| [{study.name}]({study.name}.md) | {len(finished)} | {time} |")
    lines += ["", f"All together: {total:.0f} seconds, {total / 120:.0f} minutes on two cores.", ""]
    write_all(out, {"index.md": "\n".join(lines).encode()})


def index_numbers(known: Sequence[Study], rows: dict[str, list[RoundRow]]) -> list[str]:
    """The verdicts on all numbers, of each report and together; what is not printed is counted apart."""
    lines = [
        "Verdicts on the reports' numbers; each page says how they are reached. A number that a text prints "
        "counts once, trained as described; all others are compared, and counted apart. "
        "[The inventory](inventory.md) lists every model, table, figure and claim with what answers it.",
        "",
        f"| report | numbers | compared | agree | differ | cannot tell | within {NEAR:g} standard errors |",
        "|---|---|---|---|---|---|---|",
    ]
    sums: dict[str, Tally] = {"printed": Tally()}
    for study in known:
        for kind, counts in tallies(study, rows[study.name]).items():
            sums[kind] = sums.get(kind, Tally()) + counts
            lines.append(
                f"| [{study.name}]({study.name}.md) | {kind} | {counts.total} | {tally_cells(counts)} |"
            )
    for kind, counts in sums.items():
        lines.append(f"| **all** | {kind} | {counts.total} | {tally_cells(counts)} |")
    return lines
