"""`pairedge-train --dataset PATH`: pictures of one's own are checked, drawn and trained on."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from pairedge_train.cli.train import main
from pairedge_train.data.loading import load_data
from pairedge_train.experiments.recipe import Data
from pairedge_train.rendering.pen_digits import Look, draw_digit
from pairedge_train.rows import read_rows
from pairedge_train.training.checkpoint import load_checkpoint


def train(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """Four pictures of each digit, and one that is no picture."""
    folder = tmp_path / "my_digits"
    for digit in range(10):
        (folder / str(digit)).mkdir(parents=True)
        for number in range(4):
            draw_digit(digit, Look(size=(40, 40), slant=0.1 * number)).save(
                folder / str(digit) / f"{number}.png"
            )
    (folder / "5" / "notes.png").write_text("no picture")
    return folder


def test_check_data_draws_and_counts_and_does_nothing_else(digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = train("--dataset", digits, "--check-data", "--out", out)
    assert result.exit_code == 0, result.output
    data = load_data(Data(dataset=str(digits)))
    assert data.held_out is not None
    sizes = [len(split) for split in (data.training, data.held_out, data.test)]
    assert sum(sizes) == 40
    training, validation, test = sizes
    assert result.stdout.startswith(
        f"{digits}: 40 pictures, {training} training, {validation} validation, {test} test; 1 refused\n"
    )
    rows = re.findall(r"^(\d) +(\d+) +(\d+) +(\d+)$", result.stdout, re.MULTILINE)
    assert np.array(rows, int)[:, 1:].sum(axis=0).tolist() == sizes
    assert "\nrefused\n  5/notes.png: not a PNG, JPEG, " in result.stdout
    assert [path.name for path in out.iterdir()] == ["my_digits.png"]
    with Image.open(out / "my_digits.png") as sheet:
        assert np.asarray(sheet.convert("L")).std() > 20


def test_a_set_that_cannot_be_split_is_drawn_all_the_same(digits: Path, tmp_path: Path) -> None:
    for path in (digits / "3").iterdir():
        path.write_text("no picture")
    result = train("--dataset", digits, "--check-data", "--out", tmp_path / "out")
    assert result.exit_code == 1
    sentence = f"Error: {digits}: has no picture of the class 3 (5 were refused; --check-data draws them)\n"
    assert result.stderr.endswith(sentence)
    assert "  3/0.png: not a PNG" in result.stdout
    assert (tmp_path / "out" / "my_digits.png").exists()


def test_training_keeps_the_sheet_and_the_digest_of_the_pictures(digits: Path, tmp_path: Path) -> None:
    command = ("--dataset", digits, "--epochs", 1, "--variant", "aux_ws", "--out", tmp_path / "out")
    result = train(*command)
    assert result.exit_code == 0, result.output
    [folder] = (tmp_path / "out").iterdir()
    assert {path.name for path in folder.iterdir()} >= {"data.png", "rows.jsonl", "seed-2021.safetensors"}
    data = load_data(Data(dataset=str(digits)))
    checkpoint = load_checkpoint(folder / "seed-2021.safetensors")
    assert checkpoint.recipe.data.sha256 == data.sha256
    [row] = read_rows(folder / "rows.jsonl")
    assert (row.dataset, row.pairs, row.test_pairs) == (
        str(digits),
        len(data.training) // 2,
        len(data.test) // 2,
    )
    # The same pictures are not trained again; others are, in a folder of their own.
    assert train(*command).exit_code == 0
    assert len(list((tmp_path / "out").iterdir())) == 1
    draw_digit(4, Look(size=(40, 40), slant=-0.2)).save(digits / "4" / "new.png")
    assert train(*command).exit_code == 0
    assert len(list((tmp_path / "out").iterdir())) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--dataset", "mnits"], 1, "mnits: there is no such file or folder, .*; did you mean mnist"),
        (
            ["--dataset", "usps", "--group-by", "folder"],
            1,
            "group_by and sha256 are for a data set of one's own",
        ),
        (["--dataset", "uci", "--check-data"], 2, "--check-data is for a path of your own; uci is published"),
    ],
)
def test_wrong_use_is_one_sentence_and_leaves_nothing(
    arguments: list[str], code: int, sentence: str, tmp_path: Path
) -> None:
    result = train(*arguments, "--out", tmp_path / "runs")
    assert result.exit_code == code
    assert re.search(rf"^Error: .*{sentence}", result.stderr, re.MULTILINE), result.stderr
    assert not (tmp_path / "runs").exists()


def test_data_that_cannot_be_used_leaves_nothing(digits: Path, tmp_path: Path) -> None:
    (digits / "ten").mkdir()
    draw_digit(1, Look(size=(40, 40))).save(digits / "ten" / "a.png")
    result = train("--dataset", digits, "--epochs", 1, "--out", tmp_path / "runs")
    assert result.exit_code == 1
    assert re.match(
        r"Error: .*my_digits: its 11 folders 0, 1, .*, ten are not the ten classes", result.stderr
    )
    assert not (tmp_path / "runs").exists()
    assert len(list(digits.rglob("*.png"))) == 42
