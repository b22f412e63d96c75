"""Answers read well: as a line, as a table, and with the errors of refused pictures in their places."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pandas
import pytest
from numpy.typing import NDArray

import pairedge
from pairedge import ImageError, NoInkError
from pairedge.image.decode import Picture
from pairedge.results import Classification, Comparison, Prediction

Command = Callable[..., CompletedProcess[str]]
Tiles = NDArray[np.uint8]

EXAMPLES = Path(__file__).parents[2] / "examples"
THREE, SEVEN = EXAMPLES / "three.png", EXAMPLES / "seven.png"
MISSING = EXAMPLES / "missing.png"


def certain(*digits: int) -> NDArray[np.float32]:
    """Posteriors that are sure of these digits."""
    return np.eye(10, dtype=np.float32)[list(digits)]


def test_print_gives_the_line_of_the_command(model: pairedge.PairModel, command: Command) -> None:
    assert f"{model.predict(THREE, SEVEN)}\n" == command("predict", THREE, SEVEN).stdout
    assert f"{THREE}: {model.classify(THREE)}\n" == command("classify", THREE).stdout


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (Prediction(0.75, certain(3, 7), 0.5), "3 <= 7  P(first <= second) = 0.7500"),
        (Prediction(0.25, certain(7, 3), 0.5), "7 > 3  P(first <= second) = 0.2500"),
        (Prediction(0.75, certain(3, 7), 0.8), "3 <= 7  P(first <= second) = 0.7500  uncertain"),
        (Comparison(0.25, None, 0.5), "first > second  P(first <= second) = 0.2500"),
        (Classification(certain(4)[0], 0.5), "4  P = 1.0000"),
        (Classification(certain(4)[0] * np.float32(0.25), 0.5), "4  P = 0.2500  uncertain"),
    ],
)
def test_an_answer_is_a_line(answer: Comparison | Classification, line: str) -> None:
    assert str(answer) == line
    assert repr(answer) == f"<{type(answer).__name__}: {line}>"


def test_models_and_batches_say_what_they_are(model: pairedge.PairModel, tiles: Tiles) -> None:
    assert repr(model).startswith("<PairModel 'aux_ws' of ")
    assert repr(model).endswith("pair.onnx>")
    same = pairedge.load(min_confidence=1)
    pairs = tiles[[[1, 2], [3, 4], [9, 0]]]
    assert repr(same.predict_batch(pairs)) == (
        "<PredictionBatch of 3 pairs: 2 with first <= second, 3 uncertain>"
    )
    assert repr(same.classify_batch(tiles)) == "<ClassificationBatch of 20 pictures: 20 uncertain>"
    mixed = same.classify_batch([THREE, MISSING], errors="return")
    assert repr(mixed) == (
        "<BatchWithErrors of 2: 1 refused; <ClassificationBatch of 1 pictures: 1 uncertain>>"
    )
    assert repr(model.rank(tiles[[5, 1]])) == "<Ranking of 2 pictures: digits 1, 5>"
    assert repr(model.compare_all(tiles[:3])) == "<AllPairs of 3 pictures>"


@pytest.mark.parametrize("count", [0, 1, 5])
def test_the_columns_of_a_batch_are_the_fields_of_its_answers(
    model: pairedge.PairModel, pairs: Tiles, count: int
) -> None:
    for batch in (model.predict_batch(pairs[:count]), model.classify_batch(pairs[:count, 0])):
        rows = [answer.to_dict() for answer in batch]
        columns = batch.to_dict()
        assert [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)] == rows
        table = pandas.DataFrame(columns)
        assert len(table) == count
        assert set(table.columns) == set(columns)
    assert rows or not count


def test_a_model_without_digit_head_has_the_same_columns(pairs: Tiles, model: pairedge.PairModel) -> None:
    base = pairedge.load(Path(__file__).parent / "graphs" / "base.onnx", digits=False)
    batch = base.predict_batch(pairs[:4])
    assert list(batch.to_dict()) == list(model.predict_batch(pairs[:4]).to_dict())
    assert batch.to_dict()["digits"] == [None] * 4
    assert [answer.to_dict()["leq"] for answer in batch] == batch.to_dict()["leq"]


def test_ranking_and_all_pairs_have_a_dict_too(model: pairedge.PairModel, tiles: Tiles) -> None:
    every = model.compare_all(tiles[:3])
    assert every.to_dict() == {"leq": every.leq.tolist(), "equal": every.equal.tolist()}
    table = pandas.DataFrame(model.rank(tiles[:3]).to_dict())
    assert table.digits.tolist() == [0, 1, 2]
    assert table.in_order.isna().tolist() == [False, False, True]  # the last has no next


def test_a_raised_error_names_the_index(model: pairedge.PairModel, tmp_path: Path) -> None:
    blank = np.full((40, 40), 200, np.uint8)
    with pytest.raises(NoInkError, match=r"^pictures\[1\]: no ink found"):
        model.classify_batch([THREE, blank])
    with pytest.raises(ImageError, match=r"^pairs\[2\]\[1\]: .*missing.png: no such file") as missing:
        model.predict_batch([(THREE, SEVEN), (SEVEN, THREE), (SEVEN, MISSING)])
    assert missing.value.index == 2
    with pytest.raises(ImageError, match=r"^pictures\[0\]: "):
        model.rank([MISSING])
    with pytest.raises(ImageError) as alone:
        model.classify(MISSING)
    assert alone.value.index is None


def test_returned_errors_stand_in_their_places(model: pairedge.PairModel) -> None:
    blank = np.full((40, 40), 200, np.uint8)
    pictures: list[Picture] = [blank, THREE, MISSING, SEVEN]
    batch = model.classify_batch(pictures, errors="return")
    assert [type(each) for each in batch] == [NoInkError, Classification, ImageError, Classification]
    assert len(batch) == 4
    assert batch.places.tolist() == [1, 3]
    assert batch.answers.digit.tolist() == [3, 7]
    assert list(batch.errors) == [0, 2]
    assert batch[-1] is not batch[0]
    assert [type(each) for each in batch[2:]] == [ImageError, Classification]
    with pytest.raises(IndexError):
        batch[4]


def test_refused_rows_are_rows_of_the_table(model: pairedge.PairModel) -> None:
    blank = np.full((40, 40), 200, np.uint8)
    batch = model.predict_batch([(THREE, SEVEN), (THREE, blank), (MISSING, blank)], errors="return")
    columns = batch.to_dict()
    assert columns["status"] == ["ok", "no-ink", "unreadable"]
    assert columns["leq"] == [True, None, None]
    assert columns["digits"] == [[3, 7], None, None]
    assert columns["error"][0] is None
    assert columns["error"][1].startswith("pairs[1][1]: no ink found")
    assert len(pandas.DataFrame(columns)) == 3


def test_a_batch_in_which_all_or_none_are_refused_has_the_same_columns(
    model: pairedge.PairModel, tiles: Tiles
) -> None:
    none, every = (model.classify_batch(each, errors="return") for each in (tiles[:2], [MISSING, MISSING]))
    assert list(none.to_dict()) == list(every.to_dict())
    assert none.to_dict()["error"] == [None, None]
    assert every.to_dict()["status"] == ["unreadable", "unreadable"]
    assert len(every.answers) == 0


def test_an_unknown_way_to_treat_errors_is_refused(model: pairedge.PairModel, tiles: Tiles) -> None:
    with pytest.raises(ValueError, match="errors must be 'raise' or 'return', not 'ignore'"):
        model.classify_batch(tiles, errors="ignore")  # type: ignore[call-overload]  # that is the error


def test_columns_of_a_table_are_pictures(model: pairedge.PairModel) -> None:
    table = pandas.DataFrame({"first": [str(THREE), str(SEVEN)], "second": [str(SEVEN), str(THREE)]})
    assert model.classify_batch(table["first"]).digit.tolist() == [3, 7]
    assert model.predict_batch(table[["first", "second"]].to_numpy()).leq.tolist() == [True, False]
    table.loc[1, "second"] = None
    half = model.predict_batch(table.to_numpy(), errors="return")
    assert half.to_dict()["status"] == ["ok", "unreadable"]


def test_answers_and_errors_survive_pickling(model: pairedge.PairModel) -> None:
    batch = model.predict_batch([(THREE, SEVEN), (MISSING, THREE)], errors="return")
    same = pickle.loads(pickle.dumps(batch))
    assert same.to_dict() == batch.to_dict()
    assert str(same[0]) == str(batch[0])
    assert str(pickle.loads(pickle.dumps(model.classify(THREE)))) == str(model.classify(THREE))
    assert (type(same[1]), same[1].index) == (ImageError, 1)
