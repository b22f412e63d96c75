"""What README says is what the committed rows and graphs say."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import pairedge
from pairedge.cli import main
from pairedge.cli.predict import command
from pairedge_train.experiments.library import studies
from pairedge_train.reports.pages import page
from pairedge_train.robustness import page as robustness
from pairedge_train.robustness.rows import read_robustness
from pairedge_train.rows import read_rows
from tools.readme import fill, training_tiles

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize(
    ("page", "tables"), [("README.md", 6), ("docs/accuracy.md", 1), ("docs/scale.md", 2)]
)
def test_the_tables_of_a_page_are_those_of_the_committed_rows(page: str, tables: int) -> None:
    text = (ROOT / page).read_text()
    assert text.count("<!-- table: ") == tables
    assert fill(text, ROOT) == text, "run `make readme`"


def test_what_a_model_was_trained_on_says_what_was_held_out_and_when() -> None:
    synthetic = {"rendered": 60_000, "printed": 6_000, "negatives": 15_000}
    facts = {"recipe": {"data": {"hold_out": 1500, "synthetic": synthetic}}}
    assert training_tiles(facts) == "all 60,000 tiles and 81,000 rendered pictures, less 3,000 of both"
    before_rendering = {**facts, "held_out": {"digits": 3000}}
    assert training_tiles(before_rendering) == "all 60,000 tiles less 3,000, and rendered pictures"


def test_the_answer_in_readme_is_what_make_run_prints() -> None:
    examples = [str(ROOT / "examples" / name) for name in ("three.png", "seven.png")]
    result = CliRunner().invoke(command, examples)
    assert f"\n{result.stdout}```" in (ROOT / "README.md").read_text()


def test_the_python_examples_in_readme_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    examples = [
        code for language, code in BLOCK.findall((ROOT / "README.md").read_text()) if language == "python"
    ]
    assert len(examples) == 2
    names: dict[str, object] = {}
    for code in examples:
        exec(compile(code, "README.md", "exec"), names)
    prediction, model, pictures = names["prediction"], names["model"], names["pictures"]
    assert isinstance(prediction, pairedge.Prediction)
    assert (prediction.leq, prediction.digits, prediction.status) == (True, (3, 7), "ok")
    assert isinstance(model, pairedge.PairModel)
    assert isinstance(pictures, list)
    assert [Path(pictures[i]).stem for i in model.rank(pictures).order] == ["zero", "five", "nine"]


def test_the_commands_in_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for name, example in zip("abcd", ("three", "seven", "five", "zero"), strict=True):
        shutil.copy(ROOT / "examples" / f"{example}.png", f"{name}.png")
    shutil.copy("b.png", "photos/7_abc.png")
    blocks = [block for _, block in BLOCK.findall((ROOT / "README.md").read_text())]
    commands = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    runnable = [words for words in commands if words[:1] == ["pairedge"] and "--model" not in words]
    assert {words[1] for words in runnable} >= {"predict", "classify", "tile", "evaluate"}
    for words in runnable:
        result = CliRunner().invoke(main, words[1:])
        assert result.exit_code == 0, (words, result.output)
    assert Path("out.png").exists()


@pytest.mark.parametrize("name", studies())
def test_the_pages_of_the_studies_are_those_of_the_committed_rows(name: str) -> None:
    folder = ROOT / "artifacts" / ("reports" if studies()[name].is_report else "best")
    figures = [path.name for path in folder.glob(f"{name}-*.png")]
    text = page(studies()[name], read_rows(folder / f"{name}.jsonl"), figures)
    assert text == (folder / f"{name}.md").read_text(), f"run `pairedge-reproduce {name}`"


def test_the_page_of_pictures_is_that_of_its_committed_rows() -> None:
    folder = ROOT / "artifacts" / "robustness"
    assert robustness.page(read_robustness(folder)) == (folder / "robustness.md").read_text()
