"""Tables in README.md, written from the rows and graphs under artifacts/ so that they cannot drift.

    python -m pairedge_train.report README.md

Each table stands between `<!-- table: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import re
import statistics
import sys
from pathlib import Path

import pairedge
from pairedge_train.rows import Row, read_rows
from pairedge_train.variants import variants

ARTIFACTS = Path("artifacts")
_BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(text: str, artifacts: Path) -> str:
    """The text with every marked table written anew.

    Raises:
        KeyError: when a mark names a table that nobody makes.
    """
    tables = {"twinnet": twinnet_table, "shipped": shipped_table}
    return _BLOCK.sub(lambda found: found[1] + tables[found[2]](artifacts) + found[3], text)


def twinnet_table(artifacts: Path) -> str:
    """The 2x2 of weight sharing and auxiliary losses with report 000's settings, mean over rounds."""
    rows = read_rows(artifacts / "studies" / "twinnet.jsonl")
    lines = [
        "| variant | weights shared | auxiliary losses | parameters | test accuracy | sd | n |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in ("base", "ws", "aux", "aux_ws"):
        mean, sd, count = summarise([row for row in rows if row["variant"] == name])
        shared, auxiliary = ("yes" if part in name else "no" for part in ("ws", "aux"))
        parameters = f"{variants()[name].parameters:,}"
        lines.append(
            f"| `{name}` | {shared} | {auxiliary} | {parameters} | {mean:.2f} % | {sd:.2f} | {count} |"
        )
    return "\n".join(lines) + "\n"


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


def summarise(rows: list[Row]) -> tuple[float, float, int]:
    """Mean and standard deviation of the test accuracy in percent, and the number of rounds."""
    accuracies = [100 * row["test_accuracy"] for row in rows]
    return statistics.mean(accuracies), statistics.stdev(accuracies), len(accuracies)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        page = Path(name)
        page.write_text(fill(page.read_text(), ARTIFACTS))
