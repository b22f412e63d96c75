"""The benchmark counts refused pictures as errors, draws each condition by itself, and writes typed rows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

import pairedge
from pairedge.image.tile import pool, to_tile
from pairedge_train.cli import robustness
from pairedge_train.cli.robustness import main
from pairedge_train.data.datasets import DataSet, Digits
from pairedge_train.data.synthetic import synthetic_tiles
from pairedge_train.errors import DataError
from pairedge_train.experiments.recipe import Synthetic
from pairedge_train.randomness import seeded
from pairedge_train.rendering.conditions import CONDITIONS
from pairedge_train.rendering.negatives import KINDS
from pairedge_train.rendering.pen_digits import Look, draw_digit
from pairedge_train.rendering.tiles import Tiles
from pairedge_train.robustness.accuracy import condition_table
from pairedge_train.robustness.hands import all_hands_pictures
from pairedge_train.robustness.judge import System, judge, systems_to_compare
from pairedge_train.robustness.readings import PAIREDGE, RESIZE_ONLY, read_by, resize_only
from pairedge_train.robustness.rejection import measure_rejection, model_rejection, rejection_table
from pairedge_train.robustness.rows import (
    ConditionRow,
    RejectionReport,
    RejectionRow,
    read_robustness,
    to_files,
)
from pairedge_train.robustness.test_sets import Pictures, all_pictures, condition_pictures, typeset_pictures

from ..conftest import Drawn

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "artifacts" / "aux_ws" / "pair.onnx"
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
    return System("pairedge", PAIREDGE, pairedge.load(), "0" * 12)


def test_a_refused_picture_is_an_error(shipped: System) -> None:
    nine = to_tile(ROOT / "examples" / "nine.png")
    pictures = Pictures("scan", "", np.array([9, 9, 9, 1]), {PAIREDGE: [nine, None, nine, nine]})
    row = judge(pictures, shipped)
    assert (row.n, row.accuracy, row.refused) == (4, 0.5, 1)
    assert row.model == "0" * 12


def test_accuracy_is_zero_where_all_are_refused(shipped: System) -> None:
    assert judge(Pictures("scan", "", np.array([0, 9]), {PAIREDGE: [None, None]}), shipped).accuracy == 0


def test_a_conditions_pictures_do_not_depend_on_the_others(fields: NDArray[np.uint8]) -> None:
    labels = np.arange(20) % 10
    first, again = (condition_pictures("photo", fields, labels, [RESIZE_ONLY], 3) for _ in range(2))
    tiles, same = (each.tiles[RESIZE_ONLY] for each in (first, again))
    assert all((one == other).all() for one, other in zip(tiles, same, strict=True) if one is not None)
    assert (first.labels == again.labels).all()
    assert seeded("photo").random() != seeded("scan").random()


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0)])
def test_resizing_only_gives_white_ink_of_either_polarity(ink: int, paper: int) -> None:
    levels = np.full((60, 40), paper, np.uint8)
    levels[20:40, 15:25] = ink
    tile = resize_only(Image.fromarray(levels))
    assert tile.shape == (14, 14)
    assert tile[7, 7] > 200
    assert tile[0].max() == 0


def test_another_checkouts_pairedge_reads_in_its_own_process(tmp_path: Path) -> None:
    package = tmp_path / "pairedge"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "errors.py").write_text("class ImageError(Exception): pass\n")
    (package / "image.py").write_text(
        "import numpy as np\nfrom pairedge.errors import ImageError\n"
        "def to_tile(picture):\n"
        "    if picture.width > 5:\n        raise ImageError\n"
        "    return np.full((14, 14), 7, np.uint8)\n"
    )
    tile, refused = read_by(str(tmp_path), [Image.new("L", (5, 5)), Image.new("L", (6, 5))])
    assert tile is not None
    assert (tile == 7).all()
    assert refused is None
    (package / "errors.py").write_text("")
    with pytest.raises(DataError, match="cannot read the pictures: ImportError"):
        read_by(str(tmp_path), [])


def test_every_condition_is_rendered_and_real_digits_stand_beside(data: DataSet) -> None:
    names = [pictures.name for pictures in all_pictures(data.test, [RESIZE_ONLY], 1, 1)]
    assert names == [*CONDITIONS, "european", "typeset", "uci-real"]


def test_the_table_has_a_line_for_each_condition_and_the_mean_counts_each_the_same() -> None:
    rows = [
        ConditionRow(
            condition=name, about="", system="pairedge", model="", n=n, accuracy=accuracy, refused=0, seed=0
        )
        for name, n, accuracy in (("scan", 100, 1.0), ("photo", 1, 0.5), ("uci-real", 9, 0.0))
    ]
    lines = condition_table(rows).splitlines()
    assert len(lines) == 6
    assert lines[-1] == "| **mean** | of the rendered conditions | | 75.0 % | |"


def test_what_lies_below_the_threshold_is_rejected(data: DataSet, shipped: System) -> None:
    report = model_rejection(shipped.model, data.test, 3, 1)
    assert set(report.negatives) == set(KINDS)
    assert 0 < report.threshold < 1
    assert all(0 <= report.mean_of_negatives(held_out=group).rejected <= 1 for group in (True, False))
    assert report.negatives["letters"].n == 3


def test_kinds_that_training_never_draws_are_reported_apart() -> None:
    rejected = {"letters": 0.9, "alphabets": 0.8, "symbols": 0.8, "shapes": 0.7}
    rows = {
        kind: RejectionRow(
            n=10, rejected=rejected.get(kind, 1.0), rejected_at_1_percent=rejected.get(kind, 0.9), refused=1
        )
        for kind in KINDS
    }
    report = RejectionReport(
        threshold=0.5,
        threshold_at_1_percent=0.4,
        digits={"mnist": rows["noise"], "rendered": rows["noise"]},
        negatives=rows,
        seed=0,
    )
    assert set(report.negatives_of(held_out=True)) == set(rejected)
    assert report.mean_of_negatives(held_out=True).rejected == pytest.approx(0.8)
    assert report.mean_of_negatives(held_out=True).n == 40
    assert report.mean_of_negatives(held_out=False).rejected == 1
    lines = rejection_table(report).splitlines()
    assert "| **negatives, held out: mean** | 40 | 80.0 % | 80.0 % |" in lines
    assert "| **negatives, also trained on: mean** | 40 | 100.0 % | 90.0 % |" in lines


def test_negatives_are_counted_at_the_threshold_that_rejects_1_percent_of_the_digits(data: DataSet) -> None:
    levels = np.linspace(0.5, 1, len(data.test))  # a hundredth of them lie below 0.505

    def confidence(tiles: Tiles) -> NDArray[np.floating]:
        return levels if len(tiles) == len(levels) else np.full(len(tiles), 0.503)

    report = measure_rejection(confidence, 0.5, data.test, 4, 1)
    assert report.threshold_at_1_percent == pytest.approx(0.505)
    assert report.digits["mnist"].rejected_at_1_percent == pytest.approx(1 / len(data.test))
    assert all(row.rejected_at_1_percent == 1 for row in report.negatives.values())
    assert all(row.rejected == row.refused / row.n for row in report.negatives.values())


def test_a_refused_negative_is_rejected(data: DataSet) -> None:
    def sure(tiles: Tiles) -> NDArray[np.floating]:
        return np.ones(len(tiles))

    report = measure_rejection(sure, 0.5, data.test, 4, 1)
    for row in report.negatives.values():
        assert row.rejected == row.refused / row.n
    assert report.digits["mnist"].rejected == 0


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("accuracy", 1.5, "less than or equal to 1"),
        ("n", "500", "valid integer"),
        ("sytem", "pairedge", "Unexpected keyword"),
    ],
)
def test_a_row_of_another_schema_is_refused_by_its_field(
    key: str, value: object, problem: str, tmp_path: Path
) -> None:
    committed = ROOT / "artifacts" / "robustness"
    files = to_files(read_robustness(committed))
    assert files == {name: (committed / name).read_bytes() for name in files}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    changed = [{**json.loads(files["conditions.json"])[0], key: value}]
    (tmp_path / "conditions.json").write_text(json.dumps(changed))
    with pytest.raises(ValidationError, match=f"(?s){key}.*{problem}"):
        read_robustness(tmp_path)


def test_the_benchmark_draws_no_figure_sign_or_font_that_training_draws(
    data: DataSet, fields: NDArray[np.uint8], drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("rendering.tiles", "robustness.rejection"):
        name = f"pairedge_train.{module}.tile_or_none"
        monkeypatch.setattr(name, lambda _: np.zeros((14, 14), np.uint8))
    monkeypatch.setattr("pairedge_train.rendering.tiles.render", lambda *_: Image.new("L", (28, 28)))
    mixture = Synthetic(rendered=20, printed=300, negatives=1500, hands=300)
    synthetic_tiles(fields, np.arange(20) % 10, np.random.default_rng(0), mixture)
    training = drawn.take()
    measure_rejection(lambda each: np.ones(len(each)), 0.5, data.test, 100, 1)
    typeset_pictures([RESIZE_ONLY], 40)
    all_hands_pictures([RESIZE_ONLY], 2, 1)
    tests = drawn.take()
    for name in ("letters", "shapes", "signs", "fonts"):
        in_training, in_tests = getattr(training, name), getattr(tests, name)
        assert in_training, name
        assert in_tests, name
        assert not in_training & in_tests, name
    assert not training.glyphs & tests.glyphs
    assert training.hands
    assert not training.hands & tests.hands
    assert not training.strokes & tests.strokes


def test_print_is_of_fonts_kept_for_tests() -> None:
    assert len(typeset_pictures([RESIZE_ONLY], 4).labels) == 4


def test_the_command_writes_rows_and_a_page(
    data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(robustness, "load_data", lambda *_: data)
    out = tmp_path / "out"
    arguments = ["--baseline", str(SHIPPED), "--count", "2", "--out", str(out)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    measured = read_robustness(out)
    assert {row.system for row in measured.conditions} == {RESIZE_ONLY, "baseline", "pairedge"}
    assert measured.rejection.threshold > 0
    assert [row.pictures for row in measured.probabilities] == ["MNIST's test tiles", "unseen hands"]
    assert (out / "robustness.md").read_text() in result.output


def test_a_baselines_own_reading_adds_a_system_and_needs_a_baseline(tmp_path: Path) -> None:
    names = [system.name for system in systems_to_compare(None, SHIPPED, tmp_path)]
    assert names == [RESIZE_ONLY, "baseline", "pairedge's reading, baseline model", "pairedge"]
    assert [system.name for system in systems_to_compare(None, None, None)] == [RESIZE_ONLY, "pairedge"]
    result = CliRunner().invoke(main, ["--baseline-reading", str(tmp_path)])
    assert result.exit_code == 2
    assert "--baseline-reading needs --baseline" in result.output
