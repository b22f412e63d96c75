"""The benchmark counts what is refused as wrong, draws each condition by itself, and writes its findings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

import pairedge
from pairedge.image.tile import pool, to_tile
from pairedge_train.cli import robustness
from pairedge_train.cli.robustness import doubts_of, main
from pairedge_train.data.datasets import DataSet, Digits
from pairedge_train.randomness import seeded
from pairedge_train.rendering.conditions import CONDITIONS
from pairedge_train.rendering.negatives import KINDS
from pairedge_train.rendering.pen_digits import Look, draw_digit
from pairedge_train.rendering.tiles import Tiles
from pairedge_train.robustness.judge import System, judge
from pairedge_train.robustness.page import condition_table
from pairedge_train.robustness.readings import merely_resized, reading_named
from pairedge_train.robustness.rejection import doubt
from pairedge_train.robustness.test_sets import Pictures, all_pictures, condition_pictures, typeset_pictures

ROOT = Path(__file__).parents[3]
INK_ON_BLACK = Look(size=(28, 28), ink=(255, 255, 255), paper=(0, 0, 0), height=0.72, stroke=0.12)


@pytest.fixture(scope="module")
def fields() -> NDArray[np.uint8]:
    return np.stack([np.asarray(draw_digit(index % 10, INK_ON_BLACK).convert("L")) for index in range(20)])


@pytest.fixture(scope="module")
def data(fields: NDArray[np.uint8]) -> DataSet:
    labels = torch.arange(20) % 10
    tiles = pool(fields)
    side = Digits(torch.from_numpy(tiles).float(), tiles, labels, torch.from_numpy(fields))
    return DataSet(side, side)


@pytest.fixture(scope="module")
def shipped() -> System:
    return System("after", "ours", pairedge.load(), "0" * 12)


def test_a_refused_picture_is_read_wrongly(shipped: System) -> None:
    nine = to_tile(ROOT / "examples" / "nine.png")
    pictures = Pictures("scan", "", np.array([9, 9, 9, 1]), {"ours": [nine, None, nine, nine]})
    row = judge(pictures, shipped)
    assert (row["n"], row["accuracy"], row["refused"]) == (4, 0.5, 1)
    assert row["model"] == "0" * 12


def test_all_refused_is_none_right(shipped: System) -> None:
    assert judge(Pictures("scan", "", np.array([0, 9]), {"ours": [None, None]}), shipped)["accuracy"] == 0


def test_a_conditions_pictures_do_not_depend_on_the_others(fields: NDArray[np.uint8]) -> None:
    labels = np.arange(20) % 10
    first, again = (condition_pictures("photo", fields, labels, ["resized"], 3) for _ in range(2))
    tiles, same = (each.tiles["resized"] for each in (first, again))
    assert all((one == other).all() for one, other in zip(tiles, same, strict=True) if one is not None)
    assert (first.labels == again.labels).all()
    assert seeded("photo").random() != seeded("scan").random()


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0)])
def test_merely_resizing_gives_white_ink_of_either_polarity(ink: int, paper: int) -> None:
    levels = np.full((60, 40), paper, np.uint8)
    levels[20:40, 15:25] = ink
    tile = merely_resized(Image.fromarray(levels))
    assert tile.shape == (14, 14)
    assert tile[7, 7] > 200
    assert tile[0].max() == 0


def test_another_versions_reading_is_loaded_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "image.py"
    path.write_text("import numpy as np\ndef to_tile(picture):\n    return np.full((14, 14), 7, np.uint8)\n")
    tile = reading_named(str(path))(Image.new("L", (5, 5)))
    assert tile is not None
    assert (tile == 7).all()


def test_every_condition_is_rendered_and_real_digits_stand_beside(data: DataSet) -> None:
    names = [pictures.name for pictures in all_pictures(data.test, ["resized"], 1, 1)]
    assert names == [*CONDITIONS, "european", "typeset", "uci-real"]


def test_the_table_has_a_line_for_each_condition_and_the_mean_counts_each_the_same() -> None:
    rows = [
        {"condition": name, "about": "", "system": "after", "n": n, "accuracy": accuracy, "refused": 0}
        for name, n, accuracy in (("scan", 100, 1.0), ("photo", 1, 0.5), ("uci-real", 9, 0.0))
    ]
    lines = condition_table(rows).splitlines()
    assert len(lines) == 6
    assert lines[-1] == "| **mean** | of the rendered conditions | | 75.0 % | |"


def test_doubt_flags_what_lies_below_the_threshold(data: DataSet, shipped: System) -> None:
    found = doubts_of(shipped.model, data, 3, 1)
    assert set(found["not_digits"]) == set(KINDS)
    assert 0 < found["threshold"] < 1
    assert 0 <= found["all_not_digits"]["flagged"] <= 1
    assert found["not_digits"]["letters"]["n"] == 3


def test_a_refused_picture_that_shows_no_digit_is_flagged(data: DataSet) -> None:
    def sure(tiles: Tiles) -> NDArray[np.floating]:
        return np.ones(len(tiles))

    found = doubt(sure, 0.5, data.test, 4, seeded("doubt"), 1)
    for row in found["not_digits"].values():
        assert row["flagged"] == row["refused"] / row["n"]
    assert found["digits"]["mnist"]["flagged"] == 0


def test_print_is_of_fonts_kept_for_tests() -> None:
    assert len(typeset_pictures(["resized"], 4).labels) == 4


def test_the_command_writes_rows_and_a_page(
    data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(robustness, "load_data", lambda *_: data)
    shipped = str(ROOT / "artifacts" / "aux_ws" / "pair.onnx")
    out = tmp_path / "out"
    arguments = ["--before", shipped, "--count", "2", "--out", str(out)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    rows = json.loads((out / "conditions.json").read_text())
    assert {row["system"] for row in rows} == {"merely resized", "before", "after"}
    assert json.loads((out / "doubt.json").read_text())["threshold"] > 0
    assert (out / "robustness.md").read_text() in result.output
