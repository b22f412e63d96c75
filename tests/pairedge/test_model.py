"""One pair, many pairs and the bare graph give the same answers."""

from __future__ import annotations

import asyncio
import json
import pickle
import shutil
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

import pairedge
from pairedge.results import Prediction
from pairedge.shipped import shipped_graph

Tiles = NDArray[np.uint8]

BASE = Path(__file__).parent / "graphs" / "base.onnx"

# Other batch sizes take other kernels, which add in another order.
TOLERANCE = 1e-6


@pytest.fixture(scope="session")
def base() -> pairedge.ComparisonModel:
    """A model without a digit head."""
    model = pairedge.load(BASE, digits=False)
    assert isinstance(model, pairedge.ComparisonModel)
    return model


def test_one_pair_a_batch_and_the_bare_graph_agree(model: pairedge.PairModel, pairs: Tiles) -> None:
    pairs = pairs[:50]
    session = onnxruntime.InferenceSession(shipped_graph("pair"), providers=["CPUExecutionProvider"])
    leq, digits = session.run(["leq", "digits"], {"images": pairs})
    batch = model.predict_batch(pairs)
    single = [model.predict(first, second) for first, second in pairs]

    np.testing.assert_allclose(batch.probability, leq, atol=TOLERANCE)
    np.testing.assert_allclose(batch.digit_probabilities, digits, atol=TOLERANCE)
    np.testing.assert_allclose([one.probability for one in single], leq, atol=TOLERANCE)
    np.testing.assert_array_equal([one.leq for one in single], batch.leq)
    np.testing.assert_array_equal([one.digits for one in single], batch.digits)


def test_drawn_pairs_are_compared_right(model: pairedge.PairModel, tiles: Tiles) -> None:
    drawn = np.arange(len(tiles)) % 10
    first, second = np.indices((len(tiles), len(tiles))).reshape(2, -1)
    answers = model.predict_batch(np.stack([tiles[first], tiles[second]], axis=1))
    assert (answers.leq == (drawn[first] <= drawn[second])).mean() > 0.98  # the model's own accuracy is 0.99
    np.testing.assert_array_equal(answers.digits, np.stack([drawn[first], drawn[second]], axis=1))


@pytest.mark.parametrize("size", [0, 1, 7, 1024, 1025, 2500])
def test_a_batch_of_any_size_equals_its_pairs_one_by_one(
    model: pairedge.PairModel, base: pairedge.ComparisonModel, pairs: Tiles, size: int
) -> None:
    batch = model.predict_batch(pairs[:size])
    assert len(batch) == len(batch.probability) == len(batch.leq) == size
    assert batch.digits.shape == (size, 2)
    for index in {0, size // 2, size - 1} if size else ():
        alone = model.predict(*pairs[index])
        assert batch[index].digits == alone.digits
        assert batch[index].probability == pytest.approx(alone.probability, abs=TOLERANCE)
    assert len(base.predict_batch(pairs[:size])) == size


def test_pictures_and_their_tiles_give_one_answer(model: pairedge.PairModel) -> None:
    folder = Path(__file__).parents[2] / "examples"
    names = [(folder / "three.png", folder / "seven.png"), (folder / "nine.png", folder / "zero.png")]
    pictures = model.predict_batch(iter(names))
    assert [one.digits for one in pictures] == [(3, 7), (9, 0)]
    assert [one.leq for one in pictures] == [True, False]
    assert len(model.predict_batch([])) == 0


def test_tiles_in_any_order_of_memory_give_one_answer(model: pairedge.PairModel, pairs: Tiles) -> None:
    swapped = pairs[:20, ::-1]
    expected = model.predict_batch(swapped.copy())
    np.testing.assert_array_equal(model.predict_batch(swapped).probability, expected.probability)
    fortran = np.asfortranarray(swapped)
    np.testing.assert_array_equal(model.predict_batch(fortran).probability, expected.probability)


@pytest.mark.parametrize("count", [0, 1, 2, 19, 20])
def test_classify_gives_the_digits_that_predict_gives(
    model: pairedge.PairModel, tiles: Tiles, count: int
) -> None:
    answers = model.classify_batch(tiles[:count])
    assert answers.digit.tolist() == [digit % 10 for digit in range(count)]
    for answer, tile in zip(answers, tiles, strict=False):
        posteriors = model.predict(tile, tile).digit_probabilities
        np.testing.assert_allclose(answer.probabilities, posteriors[0], atol=TOLERANCE)
        assert answer.probability == answer.probabilities[answer.digit]
        assert model.classify(tile).digit == answer.digit


def test_threads_share_a_model(model: pairedge.PairModel, pairs: Tiles) -> None:
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda pair: model.predict(*pair).probability, pairs[:200]))
    assert together == [model.predict(*pair).probability for pair in pairs[:200]]


def test_more_threads_in_a_run_change_no_decision(pairs: Tiles, model: pairedge.PairModel) -> None:
    answers = pairedge.load(threads=2).predict_batch(pairs[:300])
    np.testing.assert_array_equal(answers.leq, model.predict_batch(pairs[:300]).leq)


def test_a_model_without_digit_head_compares_and_is_asked_for(
    base: pairedge.ComparisonModel, tiles: Tiles
) -> None:
    less, more = tiles[1], tiles[8]  # its measure is the ink
    assert base.variant == "base"
    assert base.predict(less, more).leq
    assert not base.predict(more, less).leq
    assert base.predict(less, more).digits is None
    assert base.predict(less, more).to_dict()["digits"] is None
    batch = base.predict_batch(np.stack([tiles[:2], tiles[2:4]]))
    assert batch.digits is None
    assert batch[1].digits is None
    assert batch[:1].digits is None
    with pytest.raises(pairedge.GraphError, match=r"'base' has no digit head: .* digits=False"):
        pairedge.load(BASE)
    assert isinstance(pairedge.load(digits=False), pairedge.PairModel)


@pytest.mark.parametrize(
    "array",
    [np.zeros((3, 2, 14, 14)), np.zeros((2, 14, 14), np.uint8), np.zeros((1, 2, 28, 28), np.uint8)],
    ids=["float", "one pair", "28x28"],
)
def test_an_array_of_other_kind_or_shape_is_refused_with_what_was_expected(
    model: pairedge.PairModel, array: NDArray[Any]
) -> None:
    given = f"not {array.dtype} {array.shape}"
    with pytest.raises(ValueError, match=r"pairs must be a uint8 array \(N, 2, 14, 14\)") as refusal:
        model.predict_batch(array)
    assert given in str(refusal.value)
    with pytest.raises(ValueError, match=r"pictures must be a uint8 array \(N, 14, 14\)"):
        model.classify_batch(array[:, :1])


def test_one_name_in_place_of_many_is_refused(model: pairedge.PairModel) -> None:
    with pytest.raises(TypeError, match=r"pictures must be several, not the one 'three\.png'"):
        model.classify_batch("three.png")
    with pytest.raises(TypeError, match=r"classify_batch\(pictures\)"):
        model.classify(["three.png"])  # type: ignore[arg-type]  # that is the error
    for pair in ("ab", ("three.png",), ("three.png", "seven.png", "two.png")):
        with pytest.raises(TypeError, match=r"pairs\[0\] must be two pictures, not "):
            model.predict_batch([pair])  # type: ignore[list-item]  # that is the error


def test_predictions_survive_json(model: pairedge.PairModel, tiles: Tiles) -> None:
    prediction = model.predict(tiles[3], tiles[7])
    restored = json.loads(json.dumps(prediction.to_dict()))
    assert restored == prediction.to_dict()
    assert restored["leq"] is True
    assert restored["digits"] == [3, 7]
    assert restored["probability"] == prediction.probability
    np.testing.assert_array_equal(np.float32(restored["digit_probabilities"]), prediction.digit_probabilities)
    [answer] = model.classify_batch(tiles[5:6])
    assert json.loads(json.dumps(answer.to_dict())) == answer.to_dict()
    assert answer.to_dict()["digit"] == 5


def test_a_batch_is_a_sequence(model: pairedge.PairModel, pairs: Tiles) -> None:
    batch = model.predict_batch(pairs[:5])
    assert [one.probability for one in batch] == batch.probability.tolist()
    assert isinstance(batch[-1], Prediction)
    assert batch[-1].probability == batch[4].probability
    assert batch[1:4:2].probability.tolist() == [batch[1].probability, batch[3].probability]
    assert batch[1:4:2][1].digits == batch[3].digits
    with pytest.raises(IndexError):
        batch[5]


def test_an_unknown_option_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="providers"):
        pairedge.load(providers=["CUDAExecutionProvider"])  # type: ignore[call-overload]  # that is the error


def test_a_model_is_found_by_file_folder_name_and_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shipped = Path(shipped_graph("pair"))
    folder = shutil.copytree(shipped.parent, tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PAIREDGE_MODEL", raising=False)
    assert repr(pairedge.load("mine")) == repr(pairedge.load(folder / "pair.onnx"))
    assert repr(pairedge.load()) == repr(pairedge.load("aux_ws")) == f"<PairModel 'aux_ws' of {shipped}>"
    monkeypatch.setenv("PAIREDGE_MODEL", "mine")
    assert repr(pairedge.load()) == repr(pairedge.load("mine"))
    assert repr(pairedge.load("aux_ws")).endswith(f"{shipped}>")
    monkeypatch.setenv("PAIREDGE_MODEL", "gone")
    with pytest.raises(pairedge.GraphError, match=r"^PAIREDGE_MODEL: gone: no such file or directory"):
        pairedge.load()
    (folder / "pair.onnx").unlink()
    with pytest.raises(pairedge.GraphError, match=r"^mine/pair\.onnx: no such file"):
        pairedge.load("mine")


def test_a_model_pickles_as_the_place_and_digest_of_its_graph(
    model: pairedge.PairModel, tiles: Tiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = model.predict(tiles[1], tiles[2]).probability
    content = pickle.dumps(model)
    assert len(content) < 1000
    assert b"artifacts" not in content  # where the model that ships lies on this machine
    monkeypatch.setenv("PAIREDGE_MODEL", "gone")  # of no concern to a model that was loaded
    with ProcessPoolExecutor(1, get_context("spawn")) as processes:
        answer = processes.submit(model.predict, tiles[1], tiles[2]).result()
    assert answer.probability == expected

    path = Path(shutil.copy(shipped_graph("pair"), tmp_path))
    content = pickle.dumps(pairedge.load(path, threads=2, min_confidence=0.25))
    same = pickle.loads(content)
    assert same.thresholds.pair == 0.25
    assert same.predict(tiles[1], tiles[2]).probability == pytest.approx(expected, abs=TOLERANCE)
    shutil.copy(BASE, path)
    with pytest.raises(pairedge.GraphError, match="is not the graph of the model that was pickled"):
        pickle.loads(content)


def test_a_model_that_cannot_be_found_again_says_so_when_it_is_pickled(
    base: pairedge.ComparisonModel,
) -> None:
    with pytest.raises(pairedge.GraphError, match=r"base\.onnx> carries no digest$"):
        pickle.dumps(base)
    with pytest.raises(pairedge.GraphError, match=r"of bytes> was loaded from bytes$"):
        pickle.dumps(pairedge.load(Path(shipped_graph("pair")).read_bytes()))


def test_coroutines_share_a_model_by_threads(model: pairedge.PairModel, pairs: Tiles) -> None:
    async def answer_all() -> list[pairedge.Prediction]:
        return await asyncio.gather(*(asyncio.to_thread(model.predict, *pair) for pair in pairs[:100]))

    together = [answer.probability for answer in asyncio.run(answer_all())]
    assert together == [model.predict(*pair).probability for pair in pairs[:100]]
