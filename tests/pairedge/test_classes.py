"""A model whose classes are not the digits prints their names; one of digits prints what it always did."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from numpy.typing import NDArray

import pairedge
from pairedge.classes import DIGIT_CLASSES, wrong_classes
from pairedge.cli.rank import line, ranked
from pairedge.cli.stream.item import Row
from pairedge.errors import GraphError
from pairedge.ranking import Ranking
from pairedge.scoring import LabelError, label_of
from pairedge.shipped import shipped_example
from pairedge_train.rendering.pen_digits import Look, draw_digit

Command = Callable[..., CompletedProcess[str]]

GRAPHS = Path(__file__).parent / "graphs"
SIZES = tuple(f"size {number}" for number in range(10))
THREE, SEVEN = shipped_example("three"), shipped_example("seven")


@pytest.fixture(scope="module")
def sizes() -> pairedge.PairModel:
    """A model of ten sizes, which always answers that of the first."""
    return pairedge.load(GRAPHS / "with_classes.onnx")


def test_classes_are_the_labels_of_the_graph_or_the_digits(sizes: pairedge.PairModel) -> None:
    assert sizes.classes == SIZES
    assert pairedge.load().classes == DIGIT_CLASSES
    assert pairedge.load(GRAPHS / "with_digits.onnx").classes == DIGIT_CLASSES  # without labels


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        ("classes_of_nine", "its labels cannot be used: there are 9 classes, but a model has ten"),
        ("classes_alike", "its labels cannot be used: two classes are called 'same'"),
        ("classes_no_list", "its labels cannot be used: they are no list"),
    ],
)
def test_labels_that_cannot_be_names_are_refused(graph: str, reason: str, command: Command) -> None:
    path = GRAPHS / f"{graph}.onnx"
    with pytest.raises(GraphError, match=reason):
        pairedge.load(path)
    answer = command("info", path)
    assert answer.returncode == 1
    assert reason in answer.stdout


@pytest.mark.parametrize("name", ["", " ", "a\nb", "\x1b[31m", 7, None, "x" * 41])
def test_a_name_is_a_short_line_of_text(name: object) -> None:
    assert wrong_classes([*SIZES[:9], name]) is not None
    assert wrong_classes(SIZES) is None


def test_answers_carry_names(sizes: pairedge.PairModel, tiles: NDArray[np.uint8]) -> None:
    prediction = sizes.predict(tiles[3], tiles[7])
    first, second = prediction.digits
    assert prediction.names == (SIZES[first], SIZES[second])
    assert str(prediction).startswith(f"{SIZES[first]} {'<=' if prediction.leq else '>'} {SIZES[second]}  P(")
    assert prediction.to_dict()["names"] == list(prediction.names)
    classification = sizes.classify(tiles[3])
    assert classification.name == SIZES[classification.digit]
    assert str(classification).startswith(f"{classification.name}  P = ")
    assert classification.to_dict()["name"] == classification.name


def test_batches_have_the_columns_of_their_answers(
    sizes: pairedge.PairModel, pairs: NDArray[np.uint8]
) -> None:
    for batch in (sizes.predict_batch(pairs[:5]), sizes.classify_batch(pairs[:5, 0])):
        columns = batch.to_dict()
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        assert rows == [answer.to_dict() for answer in batch] == [answer.to_dict() for answer in batch[:]]
    assert sizes.predict_batch(pairs[:5]).names.shape == (5, 2)
    assert set(sizes.classify_batch(pairs[:5, 0]).name) <= set(SIZES)


def test_a_model_of_digits_answers_as_ever(model: pairedge.PairModel, tiles: NDArray[np.uint8]) -> None:
    assert model.predict(tiles[3], tiles[7]).names == ("3", "7")
    assert "names" not in model.predict(tiles[3], tiles[7]).to_dict()
    assert "name" not in model.classify_batch(tiles[:2]).to_dict()


def test_the_commands_print_names(command: Command) -> None:
    options = ("--model", GRAPHS / "with_classes.onnx")
    assert command("classify", THREE, *options).stdout.startswith(f"{THREE}: size 0  P = 0.1")
    assert command("predict", THREE, SEVEN, *options).stdout.startswith("size 0 ")
    assert json.loads(command("predict", THREE, SEVEN, "--json", *options).stdout)["names"] == ["size 0"] * 2
    [row] = csv.DictReader(command("classify", THREE, "--csv", *options).stdout.splitlines())
    assert (row["digit"], row["name"]) == ("0", "size 0")
    [row] = csv.DictReader(command("predict", THREE, SEVEN, "--csv", *options).stdout.splitlines())
    assert (row["first_name"], row["second_name"]) == ("size 0", "size 0")
    assert "classes           size 0 < size 1 < " in command("info", GRAPHS / "with_classes.onnx").stdout


def test_a_ranking_prints_names(sizes: pairedge.PairModel) -> None:
    certain, half = np.ones(2, np.float32), np.full(2, 0.5, np.float32)
    order, digits = np.array([1, 0]), np.array([2, 9])
    ranking = Ranking(order, certain, digits, half[:1], np.zeros(1, bool), certain)
    pictures: list[Row] = [{"picture": "a.png"}, {"picture": "b.png"}]
    assert [line(row) for row in ranked(ranking, pictures, sizes)] == [
        "1  b.png: size 2 <=  P(in order) = 0.5000",
        "2  a.png: size 9",
    ]


def test_an_evaluation_takes_folders_of_classes(tmp_path: Path, command: Command) -> None:
    for name in ("size 0", "size 7", "else"):
        (tmp_path / name).mkdir()
        draw_digit(7, Look()).save(tmp_path / name / "7.png")
    answer = command("evaluate", tmp_path, "--model", GRAPHS / "with_classes.onnx")
    assert answer.stdout.startswith("1 right of 2: 50.00%\n")
    assert "7.png: size 7, read as size 0, P = 0.1000, uncertain" in answer.stdout
    assert "else/7.png: lies in no folder that is called after a class: size 0, size 1" in answer.stdout
    assert "\n0 size 0      1 " in answer.stdout
    rows = command("evaluate", tmp_path, "--csv", "--model", GRAPHS / "with_classes.onnx").stdout
    named = {(row["label"], row["label_name"], row["name"]) for row in csv.DictReader(rows.splitlines())}
    assert ("7", "size 7", "size 0") in named


def test_a_label_of_a_list_is_a_name() -> None:
    assert label_of("size 4", Path("a.png"), SIZES) == 4
    with pytest.raises(LabelError, match=r"a.png: its label is '4', which is no class: size 0, size 1"):
        label_of("4", Path("a.png"), SIZES)
    with pytest.raises(LabelError, match=r"a.png: its label is 'ten', which is no digit"):
        label_of("ten", Path("a.png"))
