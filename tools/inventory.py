"""Every model, table, figure and claim of the five reports with what answers it, or why nothing does.

python -m tools.inventory artifacts/reports/inventory.md
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from pairedge_train.experiments.library import reports
from pairedge_train.experiments.study import Study
from pairedge_train.networks.variants import get_variant
from pairedge_train.reports.agreement import compare_rows, tally
from pairedge_train.reports.claims import evaluate_claim
from pairedge_train.rows import RoundRow, read_rows
from tools.markdown import table

ROOT = Path(__file__).parents[1]
INVENTORY = ROOT / "train" / "inventory.toml"

Kind = Literal["models", "tables", "figures", "claims"]
KINDS: tuple[Kind, ...] = ("models", "tables", "figures", "claims")


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing that a report contains.

    Attributes:
        kind: what it is.
        name: as the report calls it, and where it stands.
        variants: networks that answer it.
        tables: of the report's study.
        figures: of the report's study.
        reason: why nothing answers it, or what the answer leaves open.
    """

    kind: Kind
    name: str
    variants: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    reason: str = ""


def read_inventory(path: Path = INVENTORY) -> dict[str, list[Item]]:
    """The items of each report by the name of its study.

    Raises:
        TypeError: for an unknown key.
    """
    content: dict[str, dict[Kind, list[dict[str, Any]]]] = tomllib.loads(path.read_text())
    return {
        study: [_item(kind, item) for kind in KINDS for item in kinds.get(kind, ())]
        for study, kinds in content.items()
    }


def _item(kind: Kind, item: dict[str, Any]) -> Item:
    lists: dict[str, Any] = {key: tuple(item.pop(key, ())) for key in ("variants", "tables", "figures")}
    return Item(kind=kind, **lists, **item)


def page(root: Path = ROOT) -> str:
    """The inventory as Markdown, with verdicts made from the committed rows."""
    text = "# What the reports contain, and what answers it\n"
    for name, items in read_inventory().items():
        study = reports()[name]
        rows = read_rows(root / "artifacts" / "reports" / f"{name}.jsonl")
        text += f"\n## {study.title}\n"
        for kind in KINDS:
            lines = [
                [item.name, answer(study, rows, item), item.reason] for item in items if item.kind == kind
            ]
            if kind == "claims":
                lines = claim_lines(study, rows) + lines
            text += f"\n### {kind.capitalize()}\n\n" + table(["in the report", "answer", "remark"], lines)
    return text


def answer(study: Study, rows: list[RoundRow], item: Item) -> str:
    """What answers an item: variants with their parameters, tables with their verdicts, figures."""
    parts = [f"`{name}`, {get_variant(name).parameters:,} parameters" for name in item.variants]
    for name in item.tables:
        of_study = study.table(name)
        counts = tally(each for each in compare_rows(of_study, rows) if each.row.published is not None)
        verdicts = f"{counts.agrees} agree, {counts.differs} differ, {counts.cannot_tell} cannot tell"
        parts.append(f"[{of_study.title}]({study.name}.md)" + (f": {verdicts}" if counts.total else ""))
    titles = {figure.name: figure.title for figure in study.figures}
    parts += [f"[{titles[name]}]({study.name}-{name}.svg)" for name in item.figures]
    return "; ".join(parts) or "-"


def claim_lines(study: Study, rows: list[RoundRow]) -> list[list[str]]:
    """The verdicts on the claims that are tested."""
    lines = []
    for claim in study.claims:
        verdicts = dict.fromkeys(result.verdict for result in evaluate_claim(claim, study, rows))
        remark = "by the statistic" if len(verdicts) > 1 else ""
        lines.append([claim.text, f"**{', '.join(verdicts)}**", remark])
    return lines


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
def main(out: Path) -> None:
    """Write the inventory to OUT."""
    out.write_text(page())


if __name__ == "__main__":
    main()
