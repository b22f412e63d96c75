"""What README says is what the committed rows and graphs say."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pairedge.cli.predict import command
from pairedge_train.pages import page
from pairedge_train.readme import fill
from pairedge_train.rows import read_rows
from pairedge_train.studies import studies

ROOT = Path(__file__).parents[2]


def test_the_tables_in_readme_are_those_of_the_committed_rows() -> None:
    text = (ROOT / "README.md").read_text()
    assert text.count("<!-- table: ") >= 2
    assert fill(text, ROOT / "artifacts") == text, "run `make readme`"


def test_the_answer_in_readme_is_what_make_run_prints() -> None:
    examples = [str(ROOT / "examples" / name) for name in ("three.png", "seven.png")]
    result = CliRunner().invoke(command, examples)
    assert f"\n{result.stdout}```" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", studies())
def test_the_pages_of_the_reports_are_those_of_the_committed_rows(name: str) -> None:
    folder = ROOT / "artifacts" / "reports"
    figures = [path.name for path in folder.glob(f"{name}-*.png")]
    text = page(studies()[name], read_rows(folder / f"{name}.jsonl"), figures)
    assert text == (folder / f"{name}.md").read_text(), "run `pairedge-reproduce all`"
