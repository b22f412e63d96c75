"""Rankings and comparisons of all pairs are consistent, and models that cannot rank are refused."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

import pairedge
from pairedge.digest import append_digest
from pairedge.graph import Graph
from pairedge.ranking import Encoded, joint
from pairedge.shipped import shipped_graph

Tiles = NDArray[np.uint8]
Command = Callable[..., CompletedProcess[str]]

TOLERANCE = 1e-5
FOLDER = Path(__file__).parents[2] / "examples"
GRAPHS = Path(__file__).parent / "graphs"


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """A copy of the shipped model, to take apart."""
    for kind in ("pair", "digit", "compare"):
        shutil.copy(shipped_graph(kind), tmp_path)
    return tmp_path


def joint_of_one_pair(model: pairedge.PairModel, a: Tiles, b: Tiles) -> tuple[float, float]:
    """P(a <= b) and P(a = b) of two tiles, in plain steps from `pair`: what the matrix must equal."""
    forward, backward = model.predict(a, b), model.predict(b, a)
    assert forward.digit_probabilities is not None
    equal = sum(float(p) * float(q) for p, q in zip(*forward.digit_probabilities, strict=True))
    less, more = 1 - backward.probability, 1 - forward.probability
    return (less + equal) / (less + more + equal), equal / (less + more + equal)


def test_all_pairs_equal_the_pairs_one_by_one(model: pairedge.PairModel, tiles: Tiles) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (8, 14, 14), np.uint8)  # of which the head is uncertain
    mixed = np.concatenate([tiles[:10], noise])
    matrix = model.compare_all(mixed)
    assert matrix.leq.dtype == matrix.equal.dtype == np.float32
    assert matrix.leq.shape == matrix.equal.shape == (18, 18)
    for a, b in np.ndindex(18, 18):
        expected = joint_of_one_pair(model, mixed[a], mixed[b])
        assert (matrix.leq[a, b], matrix.equal[a, b]) == pytest.approx(expected, abs=TOLERANCE)


@pytest.mark.parametrize("count", [0, 1, 2, 63, 130])
def test_both_directions_and_equality_are_of_one_distribution(model: pairedge.PairModel, count: int) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (count, 14, 14), np.uint8)
    matrix = model.compare_all(noise)
    assert matrix.leq.shape == matrix.equal.shape == (count, count)
    np.testing.assert_allclose(matrix.leq + matrix.leq.T - matrix.equal, 1, atol=TOLERANCE)
    np.testing.assert_allclose(matrix.equal, matrix.equal.T, atol=TOLERANCE)
    for share in (matrix.leq, matrix.equal, matrix.leq - matrix.equal):
        assert (share >= 0).all()
        assert (share <= 1).all()


def test_rows_are_taken_in_parts_of_any_size(
    model: pairedge.PairModel, tiles: Tiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, order = model.compare_all(tiles), model.rank(tiles)
    for size in (1, 7, 45):
        for name in ("_ENCODED_AT_ONCE", "_COMPARED_AT_ONCE", "_JOINED_AT_ONCE"):
            monkeypatch.setattr(f"pairedge.ranking.{name}", size)
        np.testing.assert_allclose(model.compare_all(tiles).leq, whole.leq, atol=TOLERANCE)
        np.testing.assert_array_equal(model.rank(tiles).order, order.order)


def test_answers_that_exclude_each_other_still_give_a_distribution() -> None:
    certain = np.ones(1, np.float32)
    leq, equal = joint(certain, certain, np.zeros(1, np.float32))
    assert (leq[0], equal[0]) == (1, 1)


def test_pictures_are_ranked_by_digit_and_ties_keep_their_order(
    model: pairedge.PairModel, tiles: Tiles
) -> None:
    given = np.random.default_rng(0).permutation(20)
    ranking = model.rank(tiles[given])
    assert len(ranking) == 20
    assert ranking.digits.tolist() == [digit for digit in range(10) for _ in range(2)]
    assert ranking.ties.tolist() == [True, False] * 9 + [True]
    assert (np.diff(ranking.expected) >= 0).all()
    assert sorted(ranking.order) == list(range(20))
    matrix = model.compare_all(tiles[given])
    neighbors = matrix.leq[ranking.order[:-1], ranking.order[1:]]
    np.testing.assert_allclose(ranking.in_order, neighbors, atol=TOLERANCE)
    assert model.rank(np.repeat(tiles[:1], 1030, axis=0)).order.tolist() == list(range(1030))


class Even:
    """Stands for a `compare` graph that cannot decide."""

    def run(self, _: list[str], inputs: dict[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        return [np.full(len(inputs["first"]), 0.5, np.float32)]


def test_the_order_is_that_of_expected_digits_finer_than_whole_ones() -> None:
    posteriors = np.zeros((4, 10), np.float32)
    for row, (three, four) in enumerate([(0.1, 0.9), (0.6, 0.4), (0.9, 0.1), (0.5999, 0.4001)]):
        posteriors[row, 3:5] = three, four
    ranking = Encoded(posteriors, posteriors, cast(Graph, Even())).rank()
    assert ranking.order.tolist() == [2, 1, 3, 0]
    assert ranking.expected.tolist() == pytest.approx([3.1, 3.4, 3.4001, 3.9])
    assert ranking.digits.tolist() == [3, 3, 3, 4]


def test_pictures_and_their_tiles_have_one_order(model: pairedge.PairModel) -> None:
    names = ("nine", "three", "seven", "zero")
    ranking = model.rank(FOLDER / f"{name}.png" for name in names)
    assert [names[index] for index in ranking.order] == ["zero", "three", "seven", "nine"]
    assert json.loads(json.dumps(ranking.to_dict())) == ranking.to_dict()
    assert ranking.to_dict()["digits"] == [0, 3, 7, 9]


@pytest.mark.parametrize("count", [0, 1])
def test_few_pictures_have_no_neighbors(model: pairedge.PairModel, tiles: Tiles, count: int) -> None:
    ranking = model.rank(tiles[:count])
    assert len(ranking) == len(ranking.digits) == count
    assert len(ranking.in_order) == len(ranking.ties) == 0
    assert len(ranking.confidence) == count
    assert len(model.rank(list(tiles[:count]))) == count


@pytest.mark.parametrize("name", ["rank", "compare_all"])
def test_what_is_not_several_pictures_is_refused(model: pairedge.PairModel, name: str) -> None:
    method = getattr(model, name)
    with pytest.raises(ValueError, match=r"pictures must be a uint8 array \(N, 14, 14\)"):
        method(np.zeros((14, 14), np.uint8))
    with pytest.raises(TypeError, match="pictures must be several"):
        method("three.png")
    with pytest.raises(pairedge.ImageError, match=r"gone\.png: no such file"):
        method([FOLDER / "three.png", "gone.png"])


def test_the_other_graphs_are_opened_when_they_are_needed(shipped: Path, tiles: Tiles) -> None:
    (shipped / "digit.onnx").rename(shipped / "later.onnx")
    model = pairedge.load(shipped / "pair.onnx")
    model.predict(tiles[0], tiles[1])
    reason = f"ranking needs the digit graph of {shipped}/pair.onnx: {shipped}/digit.onnx: no such file"
    with pytest.raises(pairedge.GraphError, match=f"^{re.escape(reason)}"):
        model.rank(tiles)
    (shipped / "later.onnx").rename(shipped / "digit.onnx")
    assert len(model.rank(tiles)) == 20


@pytest.mark.parametrize("kind", ["digit", "compare"])
def test_graphs_of_another_model_are_refused(shipped: Path, tiles: Tiles, kind: str) -> None:
    path = shipped / f"{kind}.onnx"
    weights = pairedge.load().metadata["weights_sha256"]
    path.write_bytes(append_digest(path.read_bytes().replace(weights.encode(), b"0" * 64)))
    with pytest.raises(pairedge.GraphError, match=f"^{re.escape(str(path))}: has other weights than"):
        pairedge.load(shipped / "pair.onnx").rank(tiles)


def test_a_relative_path_is_resolved_at_load_time(
    shipped: Path, tiles: Tiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shipped)
    model = pairedge.load("pair.onnx")
    monkeypatch.chdir("/")
    assert len(model.rank(tiles)) == 20


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (Path(shipped_graph("pair")).read_bytes(), "a model loaded from bytes cannot rank"),
        (GRAPHS / "with_digits.onnx", "with_digits.onnx: has no weights_sha256"),
    ],
    ids=["bytes", "no hash"],
)
def test_a_model_with_no_graphs_beside_it_cannot_rank(source: Any, reason: str, tiles: Tiles) -> None:
    model = pairedge.load(source)
    for method in (model.rank, model.compare_all):
        with pytest.raises(pairedge.GraphError, match=reason):
            method(tiles)


def test_the_command_prints_one_line_for_each_picture_in_order(command: Command) -> None:
    nine, three = FOLDER / "nine.png", FOLDER / "three.png"
    answer = command("rank", nine, "-", three, stdin=nine.read_bytes())
    assert (answer.returncode, answer.stderr) == (0, "")
    chance = r"P\(in order\) = [01]\.\d{4}"
    expected = (
        rf"1  {re.escape(str(three))}: 3 <=  {chance}\n2  {re.escape(str(nine))}: 9 =  {chance}\n3  -: 9\n"
    )
    assert re.fullmatch(expected, answer.stdout)


def test_with_json_the_command_prints_one_object_per_picture(
    command: Command, model: pairedge.PairModel
) -> None:
    names = [str(FOLDER / f"{name}.png") for name in ("nine", "three", "nine")]
    order = [json.loads(line) for line in command("rank", "--json", *names).stdout.splitlines()]
    ranking = model.rank(names)
    assert [entry["picture"] for entry in order] == [names[1], names[0], names[2]]
    assert [entry["position"] for entry in order] == [1, 2, 3]
    assert [entry["digit"] for entry in order] == ranking.digits.tolist()
    assert [entry["expected_digit"] for entry in order] == ranking.expected.tolist()
    assert [entry["in_order"] for entry in order] == [*ranking.in_order.tolist(), None]
    assert [entry["tie"] for entry in order] == [False, True, None]
    assert [entry["confidence"] for entry in order] == ranking.confidence.tolist()


def test_a_failing_picture_is_reported_and_the_others_are_ranked(command: Command) -> None:
    answer = command("rank", "--json", FOLDER / "nine.png", "gone.png", FOLDER / "three.png")
    assert answer.returncode == 1
    *order, refused = map(json.loads, answer.stdout.splitlines())
    assert [entry["digit"] for entry in order] == [3, 9]
    assert refused == {
        "picture": "gone.png",
        "status": "unreadable",
        "error": "gone.png: no such file or directory",
    }
    assert answer.stderr == "Error: gone.png: no such file or directory\n"
    answer = command("rank", "gone.png")
    assert (answer.returncode, answer.stdout) == (1, "gone.png: no answer  unreadable\n")


def test_a_model_that_cannot_rank_is_reported_in_one_sentence(command: Command) -> None:
    for name, reason in (("with_digits", "has no weights_sha256"), ("base", "has no digit head")):
        answer = command("rank", "--model", GRAPHS / f"{name}.onnx", FOLDER / "nine.png")
        assert (answer.returncode, answer.stdout) == (1, "")
        assert re.fullmatch(rf"Error: .+{name}.* {reason}.+\n", answer.stderr)
