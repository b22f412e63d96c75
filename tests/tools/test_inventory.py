"""The inventory of the reports is complete, every answer that it names exists, and its page is up to date."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from pairedge_train.experiments.library import reports
from pairedge_train.networks.variants import get_variant, variants
from pairedge_train.rows import read_rows
from tools.inventory import KINDS, ROOT, Item, Kind, answer, page, parameters, read_inventory

INVENTORY = read_inventory()
# Models as described and, where its program builds another, as coded: 40 in all. Numbered tables and numbers
# of the text; figures, the panels of a figure apart; claims that no test can settle.
CONTENT: dict[str, dict[Kind, int]] = {
    "report0": {"models": 5, "tables": 3, "figures": 2, "claims": 2},
    "report1": {"models": 3, "tables": 3, "figures": 3, "claims": 4},
    "report2": {"models": 7, "tables": 2, "figures": 11, "claims": 6},
    "report3": {"models": 15, "tables": 6, "figures": 5, "claims": 6},
    "report4": {"models": 10, "tables": 3, "figures": 2, "claims": 6},
}
CLAIMS = {"report0": 3, "report1": 11, "report2": 12, "report3": 24, "report4": 12}  # that are tested


def test_everything_that_the_reports_contain_is_listed() -> None:
    for name, items in INVENTORY.items():
        counts = Counter(item.kind for item in items)
        assert {kind: counts[kind] for kind in CONTENT[name]} == CONTENT[name]
    assert set(INVENTORY) == set(reports())
    assert sum(content["models"] for content in CONTENT.values()) == 40
    assert {name: len(study.claims) for name, study in reports().items()} == CLAIMS


@pytest.mark.parametrize("name", INVENTORY)
def test_every_answer_exists_and_what_has_none_gives_a_reason(name: str) -> None:
    study = reports()[name]
    trained = {row.recipe.variant for table in study.tables for row in table.rows}
    for item in INVENTORY[name]:
        assert item.kind in KINDS
        assert item.variants or item.tables or item.figures or item.reason, item.name
        assert item.kind != "models" or trained & set(item.variants), item.name
        assert set(item.variants) <= set(variants()), item.name
        assert set(item.tables) <= {table.name for table in study.tables}, item.name
        assert set(item.figures) <= {figure.name for figure in study.figures}, item.name
        labels = {row.label for table in item.tables for row in study.table(table).rows}
        assert set(item.rows) <= labels, item.name
        for figure in item.figures:
            assert (ROOT / "artifacts" / "reports" / f"{name}-{figure}.svg").exists()


@pytest.mark.parametrize("name", INVENTORY)
def test_every_table_and_figure_of_a_study_answers_something(name: str) -> None:
    study, items = reports()[name], INVENTORY[name]
    assert {table for item in items for table in item.tables} == {table.name for table in study.tables}
    assert {figure for item in items for figure in item.figures} == {figure.name for figure in study.figures}


def test_the_page_is_that_of_the_list_and_the_committed_rows() -> None:
    committed = (ROOT / "artifacts" / "reports" / "inventory.md").read_text()
    assert page() == committed, "run `make readme`"


def test_an_answer_counts_readings_of_a_number_apart_and_says_what_is_stated() -> None:
    study = reports()["report0"]
    rows = read_rows(ROOT / "artifacts" / "reports" / "report0.jsonl")
    abstract = Item(kind="tables", name="abstract", tables=("described-and-coded",))
    told = "[The network as described and as coded](report0.md): 1 differs (other readings: 2 agree)"
    assert answer(study, rows, abstract) == told
    coded = replace(abstract, rows=("ReLU, shuffled",))
    assert answer(study, rows, coded).endswith("coded](report0.md) (other readings: 1 agrees)")
    assert parameters(get_variant("w_net")) == "142,657 parameters (142,658 stated)"
    assert parameters(get_variant("a_net")) == "248,843 parameters, as stated"
    assert parameters(get_variant("aux_ws")) == "35,258 parameters"
