"""Doubt is told: what is uncertain, what shows no digit or several, in JSON and in the exit code."""

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
from pairedge.confidence import DEFAULT_THRESHOLD, read_threshold, refusal
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
    both = [np.asarray(draw_digit(digit, Look(size=(160, 240)))) for digit in (5, 7)]
    Image.fromarray(np.hstack(both)).save(paths["several"])
    return paths


def test_confidence_is_the_least_of_decision_and_both_digits(
    model: pairedge.PairModel, pairs: Tiles, tiles: Tiles
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 2, 14, 14), np.uint8)  # the head is unsure of it
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
    [found] = model.classify(tiles[5:6])
    assert found.confidence == found.probability


def test_without_a_digit_head_confidence_is_that_of_the_decision(tiles: Tiles) -> None:
    base = pairedge.load(GRAPHS / "base.onnx")
    batch = base.predict_batch(np.stack([tiles[[1, 8]], tiles[[8, 1]]]))
    for answer, confidence in zip(batch, batch.confidence, strict=True):
        assert answer.confidence == confidence == max(answer.probability, 1 - answer.probability)
        assert 0.5 <= answer.confidence <= 1


def test_an_answer_below_the_confidence_asked_for_is_uncertain(tiles: Tiles) -> None:
    exact = pairedge.load().predict(tiles[3], tiles[7]).confidence
    for asked, status in ((0.0, "ok"), (exact, "ok"), (np.nextafter(exact, 2), "uncertain")):
        model = pairedge.load(min_confidence=min(float(asked), 1.0))
        answer = model.predict(tiles[3], tiles[7])
        batch = model.predict_batch(tiles[[3, 7]][None])
        assert answer.status == answer.to_dict()["status"] == status
        assert answer.to_dict()["confidence"] == answer.confidence == exact
        assert batch[0].status == batch[:1][0].status
    sure = pairedge.load(min_confidence=0).classify(tiles[:1])
    assert (sure[0].status, sure[0].to_dict()["status"]) == ("ok", "ok")
    unsure = pairedge.load(min_confidence=1).classify(np.zeros((1, 14, 14), np.uint8))
    assert unsure[0].status == "uncertain"


@pytest.mark.parametrize(
    ("metadata", "threshold"),
    [
        ({}, DEFAULT_THRESHOLD),
        ({"doubt": None}, DEFAULT_THRESHOLD),
        ({"doubt": {"threshold": 0.83}}, 0.83),
        ({"doubt": {"threshold": 1}}, 1.0),
    ],
)
def test_the_threshold_is_read_from_the_metadata(metadata: dict[str, Any], threshold: float) -> None:
    assert read_threshold(metadata, "pair.onnx") == threshold


@pytest.mark.parametrize(
    "doubt", [{}, [], 0.8, {"threshold": "0.8"}, {"threshold": 8}, {"threshold": np.nan}]
)
def test_a_threshold_that_is_no_probability_is_refused(doubt: Any) -> None:
    with pytest.raises(GraphError, match=r"^pair\.onnx: its threshold of doubt is no number from 0 to 1"):
        read_threshold({"doubt": doubt}, "pair.onnx")


def test_the_shipped_model_has_its_threshold(model: pairedge.PairModel) -> None:
    assert model.min_confidence == read_threshold(model.metadata, "shipped")
    assert pairedge.load(min_confidence=0.9).min_confidence == 0.9


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_confidence_out_of_range_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="min_confidence must be from 0 to 1"):
        pairedge.load(min_confidence=value)


def test_each_refusal_has_its_status() -> None:
    assert refusal(ImageError("damaged")) == "unreadable"
    assert refusal(NoInkError("blank")) == "no-ink"
    assert refusal(SeveralDigitsError("two")) == "several"


def test_the_library_tells_refusals_apart(model: pairedge.PairModel) -> None:
    blank = Image.new("L", (90, 60), 255)
    for ask in (
        lambda: model.predict(THREE, blank),
        lambda: model.predict_batch([(blank, THREE)]),
        lambda: model.classify([blank]),
        lambda: model.rank([THREE, blank]),
    ):
        with pytest.raises(NoInkError, match="no ink found"):
            ask()


@pytest.mark.parametrize(("status", "code"), [("unreadable", 1), ("no-ink", 3), ("several", 4)])
def test_refusals_are_told_apart_in_exit_code_and_json(
    command: Command, refused: dict[str, Path], status: str, code: int
) -> None:
    bad = refused[status]
    answer = command("classify", "--json", THREE, bad, SEVEN)
    found = [json.loads(line) for line in answer.stdout.splitlines()]
    assert answer.returncode == code
    assert [one["status"] for one in found] == ["ok", status, "ok"]
    assert found[1] == {"picture": str(bad), "status": status, "error": found[1]["error"]}
    assert answer.stderr == f"Error: {found[1]['error']}\n"

    answer = command("predict", "--json", THREE, SEVEN, THREE, bad)
    found = [json.loads(line) for line in answer.stdout.splitlines()]
    assert answer.returncode == code
    assert [one["status"] for one in found] == ["ok", status]
    reason = {"status": status, "error": found[1]["error"]}
    assert found[1] == {"first": str(THREE), "second": str(bad), **reason, "refused": {"second": reason}}

    answer = command("rank", "--json", bad, SEVEN, THREE)
    assert answer.returncode == code
    assert [one["status"] for one in json.loads(answer.stdout)["refused"]] == [status]
    drawn = refused["several"].parent / "drawn.png"
    assert command("tile", bad, "-o", drawn).returncode == code
    assert drawn.exists() == (status != "unreadable")
    for verb in ("classify", "rank"):
        assert command(verb, bad).stdout == ""


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


def test_uncertain_answers_are_marked_and_fail_only_where_a_confidence_is_asked_for(
    command: Command, monkeypatch: pytest.MonkeyPatch, model: pairedge.PairModel
) -> None:
    sure = model.predict(THREE, SEVEN).confidence
    assert sure < 1
    for verb in ("predict", "classify", "rank"):
        assert "uncertain" not in command(verb, THREE, SEVEN).stdout
        asked = command(verb, "--min-confidence", "1", THREE, SEVEN)
        assert (asked.returncode, asked.stderr) == (1, "")
        assert "  uncertain\n" in asked.stdout
        assert command(verb, "--min-confidence", "0.5", THREE, SEVEN).returncode == 0
    monkeypatch.setattr("pairedge.confidence.DEFAULT_THRESHOLD", 1.0)
    monkeypatch.setattr("pairedge.model.read_threshold", lambda metadata, name: 1.0)
    for verb in ("predict", "classify", "rank"):
        answer = command(verb, "--json", THREE, SEVEN)
        assert answer.returncode == 0
        assert '"status": "uncertain"' in answer.stdout


def test_json_of_an_uncertain_answer_still_holds_the_answer(command: Command) -> None:
    [pair] = command("predict", "--json", "--min-confidence", "1", THREE, SEVEN).stdout.splitlines()
    assert json.loads(pair)["status"] == "uncertain"
    assert json.loads(pair)["digits"] == [3, 7]
