"""What README says is what the committed rows and graphs say."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from pairedge.cli.predict import command
from pairedge_train.readme import fill

ROOT = Path(__file__).parents[2]


def test_the_tables_in_readme_are_those_of_the_committed_rows() -> None:
    text = (ROOT / "README.md").read_text()
    assert text.count("<!-- table: ") >= 2
    assert fill(text, ROOT / "artifacts") == text, "run `make readme`"


def test_the_answer_in_readme_is_what_make_run_prints() -> None:
    examples = [str(ROOT / "examples" / name) for name in ("three.png", "seven.png")]
    result = CliRunner().invoke(command, examples)
    assert f"\n{result.stdout}```" in (ROOT / "README.md").read_text()
