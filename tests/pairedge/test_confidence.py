"""Uncertain answers and refused pictures are reported as such: in results, in JSON and in the exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import pairedge
from pairedge.confidence import (
    DEFAULT_THRESHOLD,
    Thresholds,
    digit_confidence,
    pair_confidence,
    read_thresholds,
    refusal_status,
)
from pairedge.errors import GraphError, ImageError, NoInkError, SeveralDigitsError
from pairedge_train.rendering.pen_digits import Look, draw_digit

Tiles = NDArray[np.uint8]
Command = Callable[..., CompletedProcess[str]]

FOLDER = Path(__file__).parents[2] / "examples"
THREE, SEVEN = (FOLDER / f"{name}.png" for name in ("three", "seven"))
GRAPHS = Path(__file__).parent / "graphs"


@pytest.fixture
def refused(tmp_path: Path) -> dict[str, Path]:
    """One picture for each status of a refusal."""
    paths = {status: tmp_path / f"{status}.png" for status in ("unreadable", "no-ink", "several")}
    paths["unreadable"].write_text("no picture")
    Image.new("L", (90, 60), 255).save(paths["no-ink"])
    digits = [np.asarray(draw_digit(digit, Look(size=(160, 240)))) for digit in (5, 7)]
    Image.fromarray(np.hstack(digits)).save(paths["several"])
    return paths


def test_confidence_is_the_least_of_decision_and_both_digits(
    model: pairedge.PairModel, pairs: Tiles, tiles: Tiles
) -> None:
    noise = np.random.default_rng(0).integers(
        0, 256, (40, 2, 14, 14), np.uint8
    )  # the head is uncertain of it
    batch = model.predict_batch(np.concatenate([pairs[:40], noise]))
    assert batch.digit_probabilities is not None
    for index, answer in enumerate(batch):
        first, second = batch.digit_probabilities[index].max(axis=1).tolist()
        assert answer.confidence == min(answer.probability, first, second) or (
            answer.confidence == min(1 - answer.probability, first, second)
        )
        assert answer.confidence <= max(answer.probability, 1 - answer.probability)
        assert answer.confidence == batch.confidence[index]
        assert (answer.status == "uncertain") == batch.uncertain[index]
    [five] = model.classify_batch(tiles[5:6])
    assert five.confidence == five.probability


def test_confidence_of_arrays_of_any_shape_equals_that_of_single_answers() -> None:
    random = np.random.default_rng(0)
    leq = random.random((3, 4), np.float32)
    posteriors = random.dirichlet(np.ones(10), (3, 4, 2)).astype(np.float32)
    pairs, digits = pair_confidence(leq, posteriors), digit_confidence(posteriors)
    assert pairs.dtype == digits.dtype == np.float64
    assert (pairs.shape, digits.shape) == ((3, 4), (3, 4, 2))
    for place in np.ndindex(3, 4):
        probability = float(leq[place])
        decision = max(probability, 1 - probability)
        first, second = (float(posterior.max()) for posterior in posteriors[place])
        assert pairs[place] == min(decision, first, second)
        assert digits[place].tolist() == [first, second]
        assert pair_confidence(leq, None)[place] == decision


def test_without_a_digit_head_confidence_is_that_of_the_decision(tiles: Tiles) -> None:
    base = pairedge.load(GRAPHS / "base.onnx", digits=False)
    batch = base.predict_batch(np.stack([tiles[[1, 8]], tiles[[8, 1]]]))
    for answer, confidence in zip(batch, batch.confidence, strict=True):
        assert answer.confidence == confidence == max(answer.probability, 1 - answer.probability)
        assert 0.5 <= answer.confidence <= 1


def test_an_answer_below_min_confidence_is_uncertain(tiles: Tiles) -> None:
    exact = pairedge.load().predict(tiles[3], tiles[7]).confidence
    for asked, status in ((0.0, "ok"), (exact, "ok"), (np.nextafter(exact, 2), "uncertain")):
        model = pairedge.load(min_confidence=min(float(asked), 1.0))
        answer = model.predict(tiles[3], tiles[7])
        batch = model.predict_batch(tiles[[3, 7]][None])
        assert answer.status == answer.to_dict()["status"] == status
        assert answer.to_dict()["confidence"] == answer.confidence == exact
        assert batch[0].status == batch[:1][0].status
    certain = pairedge.load(min_confidence=0).classify_batch(tiles[:1])
    assert (certain[0].status, certain[0].to_dict()["status"]) == ("ok", "ok")
    uncertain = pairedge.load(min_confidence=1).classify_batch(np.zeros((1, 14, 14), np.uint8))
    assert uncertain[0].status == "uncertain"


@pytest.mark.parametrize(
    ("metadata", "thresholds"),
    [
        ({}, (DEFAULT_THRESHOLD, DEFAULT_THRESHOLD)),
        ({"confidence": None}, (DEFAULT_THRESHOLD, DEFAULT_THRESHOLD)),
        ({"confidence": {"pair": 0.83, "digit": 0.6}}, (0.83, 0.6)),
        ({"confidence": {"pair": 1, "digit": 0}}, (1.0, 0.0)),
    ],
)
def test_the_thresholds_are_read_from_the_metadata(
    metadata: dict[str, Any], thresholds: tuple[float, float]
) -> None:
    assert read_thresholds(metadata, "pair.onnx") == Thresholds(*thresholds)


@pytest.mark.parametrize(
    "stored",
    [
        {},
        [],
        0.8,
        {"pair": 0.5},
        {"digit": 0.5},
        {"pair": "0.8", "digit": 0.5},
        {"pair": 8, "digit": 0.5},
        {"pair": 0.5, "digit": np.nan},
    ],
)
def test_a_threshold_that_is_no_probability_is_refused(stored: Any) -> None:
    with pytest.raises(
        GraphError, match=r"^pair\.onnx: its confidence thresholds are not numbers from 0 to 1"
    ):
        read_thresholds({"confidence": stored}, "pair.onnx")


def test_the_shipped_model_has_its_thresholds(model: pairedge.PairModel) -> None:
    assert model.thresholds == read_thresholds(model.metadata, "shipped")
    assert pairedge.load(min_confidence=0.9).thresholds == Thresholds(0.9, 0.9)


def test_pairs_and_single_tiles_have_thresholds_of_their_own(
    command: Command, tiles: Tiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    for thresholds in (Thresholds(pair=1.0, digit=0.0), Thresholds(pair=0.0, digit=1.0)):
        monkeypatch.setattr("pairedge.model.read_thresholds", lambda *_, given=thresholds: given)
        model = pairedge.load()
        pair, digit = (
            "uncertain" if threshold else "ok" for threshold in (thresholds.pair, thresholds.digit)
        )
        assert model.predict(tiles[3], tiles[7]).status == model.predict_batch(tiles[None, [3, 7]])[0].status
        assert model.predict(tiles[3], tiles[7]).status == pair
        assert [answer.status for answer in model.classify_batch(tiles[[3]])] == [digit]
        ranking = [json.loads(line) for line in command("rank", "--json", THREE, SEVEN).stdout.splitlines()]
        assert [entry["status"] for entry in ranking] == [digit, digit]


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_confidence_out_of_range_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="min_confidence must be from 0 to 1"):
        pairedge.load(min_confidence=value)


def test_each_refusal_has_its_status() -> None:
    assert refusal_status(ImageError("damaged")) == "unreadable"
    assert refusal_status(NoInkError("blank")) == "no-ink"
    assert refusal_status(SeveralDigitsError("two")) == "several"


def test_the_library_raises_an_error_of_its_own_for_each_refusal(model: pairedge.PairModel) -> None:
    blank = Image.new("L", (90, 60), 255)
    for ask in (
        lambda: model.predict(THREE, blank),
        lambda: model.predict_batch([(blank, THREE)]),
        lambda: model.classify_batch([blank]),
        lambda: model.rank([THREE, blank]),
    ):
        with pytest.raises(NoInkError, match="no ink found"):
            ask()


@pytest.mark.parametrize(("status", "code"), [("unreadable", 1), ("no-ink", 3), ("several", 4)])
def test_each_refusal_has_its_own_exit_code_and_status_in_json(
    command: Command, refused: dict[str, Path], status: str, code: int
) -> None:
    bad = refused[status]
    answer = command("classify", "--json", THREE, bad, SEVEN)
    objects = [json.loads(line) for line in answer.stdout.splitlines()]
    assert answer.returncode == code
    assert [one["status"] for one in objects] == ["ok", status, "ok"]
    assert objects[1] == {"picture": str(bad), "status": status, "error": objects[1]["error"]}
    assert answer.stderr == f"Error: {objects[1]['error']}\n"

    answer = command("predict", "--json", THREE, SEVEN, THREE, bad)
    objects = [json.loads(line) for line in answer.stdout.splitlines()]
    assert answer.returncode == code
    assert [one["status"] for one in objects] == ["ok", status]
    reason = {"status": status, "error": objects[1]["error"]}
    assert objects[1] == {"first": str(THREE), "second": str(bad), **reason, "refused": {"second": reason}}

    answer = command("rank", "--json", bad, SEVEN, THREE)
    assert answer.returncode == code
    ranking = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [(one["picture"], one["status"]) for one in ranking] == [
        (str(THREE), "ok"),
        (str(SEVEN), "ok"),
        (str(bad), status),
    ]
    drawn = refused["several"].parent / "drawn.png"
    assert command("tile", bad, "-o", drawn).returncode == code
    assert drawn.exists() == (status != "unreadable")
    for name in ("classify", "rank"):
        assert command(name, bad).stdout == f"{bad}: no answer  {status}\n"


def test_of_several_refusals_the_highest_exit_code_counts(command: Command, refused: dict[str, Path]) -> None:
    assert command("classify", *refused.values()).returncode == 4
    assert command("classify", refused["no-ink"], refused["unreadable"]).returncode == 3
    answer = command("predict", "--json", refused["no-ink"], refused["unreadable"])
    assert answer.returncode == 3
    [pair] = [json.loads(line) for line in answer.stdout.splitlines()]
    assert pair["status"] == "no-ink"
    assert {place: one["status"] for place, one in pair["refused"].items()} == {
        "first": "no-ink",
        "second": "unreadable",
    }
    assert len(answer.stderr.splitlines()) == 2


def test_uncertain_answers_are_marked_and_fail_only_with_min_confidence(
    command: Command, monkeypatch: pytest.MonkeyPatch, model: pairedge.PairModel
) -> None:
    assert model.predict(THREE, SEVEN).confidence < 1
    for name in ("predict", "classify", "rank"):
        assert "uncertain" not in command(name, THREE, SEVEN).stdout
        asked = command(name, "--min-confidence", "1", THREE, SEVEN)
        assert (asked.returncode, asked.stderr) == (1, "")
        assert "  uncertain\n" in asked.stdout
        assert command(name, "--min-confidence", "0.5", THREE, SEVEN).returncode == 0
    monkeypatch.setattr("pairedge.confidence.DEFAULT_THRESHOLD", 1.0)
    monkeypatch.setattr("pairedge.model.read_thresholds", lambda metadata, name: Thresholds(1.0, 1.0))
    for name in ("predict", "classify", "rank"):
        answer = command(name, "--json", THREE, SEVEN)
        assert answer.returncode == 0
        assert '"status": "uncertain"' in answer.stdout


def test_json_of_an_uncertain_answer_still_has_the_answer(command: Command) -> None:
    [pair] = command("predict", "--json", "--min-confidence", "1", THREE, SEVEN).stdout.splitlines()
    assert json.loads(pair)["status"] == "uncertain"
    assert json.loads(pair)["digits"] == [3, 7]
