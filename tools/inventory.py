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
from pairedge_train.networks.variants import Variant, get_variant
from pairedge_train.reports.agreement import Tally, compare_rows, tally
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
        rows: labels of these tables' rows; empty for all.
        figures: of the report's study.
        reason: why nothing answers it, or what the answer leaves open.
    """

    kind: Kind
    name: str
    variants: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
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
    keys = ("variants", "tables", "rows", "figures")
    lists: dict[str, Any] = {key: tuple(item.pop(key, ())) for key in keys}
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
    parts = [f"`{name}`, {parameters(get_variant(name))}" for name in item.variants]
    for name in item.tables:
        comparisons = [
            each
            for each in compare_rows(study.table(name), rows)
            if each.row.published is not None and (not item.rows or each.row.label in item.rows)
        ]
        described = verdicts(tally(each for each in comparisons if not each.row.alternative))
        others = verdicts(tally(each for each in comparisons if each.row.alternative))
        part = f"[{study.table(name).title}]({study.name}.md)"
        if item.kind != "claims":  # a claim that names tables is not about their numbers
            part += f": {described}" if described else ""
            part += f" (other readings: {others})" if others else ""
        parts.append(part)
    titles = {figure.name: figure.title for figure in study.figures}
    parts += [f"[{titles[name]}]({study.name}-{name}.svg)" for name in item.figures]
    return "; ".join(parts) or "-"


def parameters(variant: Variant) -> str:
    """How many parameters a variant has, and what the report states."""
    stated = "" if variant.stated is None else f" ({variant.stated:,} stated)"
    stated = ", as stated" if variant.stated == variant.parameters else stated
    return f"{variant.parameters:,} parameters{stated}"


def verdicts(counts: Tally) -> str:
    """How many comparisons came to which verdict; "" for none."""
    named = (
        (counts.agrees, "agree", "agrees"),
        (counts.differs, "differ", "differs"),
        (counts.cannot_tell, "cannot tell", "cannot tell"),
    )
    return ", ".join(f"{count} {one if count == 1 else many}" for count, many, one in named if count)


def claim_lines(study: Study, rows: list[RoundRow]) -> list[list[str]]:
    """The verdicts on the claims that are tested."""
    lines = []
    for claim in study.claims:
        found = dict.fromkeys(result.verdict for result in evaluate_claim(claim, study, rows))
        remark = "by the statistic" if len(found) > 1 else ""
        lines.append([claim.text, f"[**{', '.join(found)}**]({study.name}.md)", remark])
    return lines


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
def main(out: Path) -> None:
    """Write the inventory to OUT."""
    out.write_text(page())


if __name__ == "__main__":
    main()
