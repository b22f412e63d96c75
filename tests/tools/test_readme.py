"""What README says is what the committed rows and graphs say."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pairedge.cli.predict import command
from pairedge_train.experiments.library import studies
from pairedge_train.reports.pages import page
from pairedge_train.robustness import page as robustness
from pairedge_train.robustness.rows import condition_rows_from_json, rejection_report_from_json
from pairedge_train.rows import read_rows
from tools.readme import fill

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
def test_the_pages_of_the_studies_are_those_of_the_committed_rows(name: str) -> None:
    folder = ROOT / "artifacts" / ("reports" if studies()[name].is_report else "best")
    figures = [path.name for path in folder.glob(f"{name}-*.png")]
    text = page(studies()[name], read_rows(folder / f"{name}.jsonl"), figures)
    assert text == (folder / f"{name}.md").read_text(), f"run `pairedge-reproduce {name}`"


def test_the_page_of_pictures_is_that_of_its_committed_rows() -> None:
    folder = ROOT / "artifacts" / "robustness"
    rows = condition_rows_from_json((folder / "conditions.json").read_bytes())
    rejection = rejection_report_from_json((folder / "rejection.json").read_bytes())
    assert robustness.page(rows, rejection) == (folder / "robustness.md").read_text()
