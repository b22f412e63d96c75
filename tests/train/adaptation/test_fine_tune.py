"""A network learns one's own pictures, keeps what it knew, and is compared on pictures new to it."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pairedge_train.adaptation import fine_tune as module
from pairedge_train.adaptation.fine_tune import adapt, adapted_recipe, go_back, joined
from pairedge_train.adaptation.paired import verdict
from pairedge_train.data.datasets import Additions, DataSet, Digits
from pairedge_train.errors import DataError
from pairedge_train.experiments.recipe import Recipe, Synthetic
from pairedge_train.training.checkpoint import Checkpoint, load_checkpoint

NONE = Digits.of_tiles(torch.zeros(0, 14, 14, dtype=torch.uint8).numpy(), torch.zeros(0, dtype=torch.int64))


def test_one_s_own_pictures_are_learned_and_others_are_not_forgotten(
    shipped: Checkpoint,
    own: DataSet,
    uci: DataSet,
    few: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe, weights = adapted_recipe(few, shipped, own.sha256), shipped.network.sha256()
    row = adapt(recipe, shipped, own, uci, tmp_path, seed=3)
    assert row.adapted is not None
    assert (row.adapted.start, row.adapted.pictures, row.adapted.own.n) == (weights, 200, 200)
    assert verdict(row.adapted.own) == "better", row.adapted.own
    assert row.adapted.own.after > row.adapted.own.before + 0.2
    assert row.adapted.test.n == len(uci.test)
    assert verdict(row.adapted.test) != "worse", row.adapted.test
    assert shipped.network.sha256() == weights

    checkpoint = load_checkpoint(tmp_path / "seed-3.safetensors")
    assert checkpoint.recipe == recipe
    assert checkpoint.metrics["adapted"]["own"]["after"] == row.adapted.own.after
    for name, tensor in checkpoint.network.state_dict().items():
        if "running" in name:  # a few pictures say nothing about statistics
            assert tensor.equal(shipped.network.state_dict()[name]), name

    monkeypatch.delattr(module, "fit_watched")  # what is finished is not trained again
    assert adapt(recipe, shipped, own, uci, tmp_path, seed=3) == row


def test_weights_go_back_towards_those_of_the_start(shipped: Checkpoint) -> None:
    start, network = shipped.network, another(shipped).network
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(2)
    go_back(network, start, 0.75)
    for weight, old in zip(network.parameters(), start.parameters(), strict=True):
        assert (weight - old).allclose(torch.full_like(old, 1.5), atol=1e-5)


def test_other_pictures_or_another_start_are_another_recipe(shipped: Checkpoint, few: Recipe) -> None:
    changed = another(shipped)
    digests = {
        adapted_recipe(few, start, pictures).digest()
        for start in (shipped, changed)
        for pictures in ("5e", "5f")
    }
    assert len(digests) == 4


def another(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with another mean gray level."""
    network = copy.deepcopy(checkpoint.network)
    network.mean.add_(1)
    return replace(checkpoint, network=network)


def test_replayed_digits_synthetic_ones_and_one_s_own_are_as_many_as_the_recipe_says(
    own: DataSet, uci: DataSet, few: Recipe
) -> None:
    # Of 1,297 digits 297 are held out, and 50 synthetic ones follow the rest.
    synthetic = Digits.of_tiles(uci.test.tiles[:50], uci.test.labels[:50])
    rest = uci.training.take(torch.arange(1000))
    rendered = replace(
        uci, training=Digits.joined([rest, synthetic]), added=Additions(Synthetic(rendered=50), 297, 0)
    )
    recipe = few.with_({"adapt.replay": 350, "adapt.share": 0.2})
    digits = joined(rendered, uci, own.training, recipe, seed=0).training
    assert len(digits) == 350 + 50 + 100  # 100 of 500 are a share of 0.2
    assert (digits.tiles[350:400] == synthetic.tiles).all()
    assert (digits.tiles[400:] == own.training.tiles[:100]).all()
    replayed = {tile.tobytes() for tile in digits.tiles[:350]}
    assert replayed <= {tile.tobytes() for tile in rest.tiles}
    again = joined(rendered, uci, own.training, recipe, seed=1).training
    assert replayed != {tile.tobytes() for tile in again.tiles[:350]}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"held_out": NONE, "test": NONE}, "no picture is held out"),
        ({"classes": tuple("abcdefghij")}, "your own pictures show a, b, c, .* reads 0, 1, 2"),
    ],
)
def test_pictures_that_do_not_suit_are_refused_and_leave_nothing(
    changes: dict[str, Digits],
    sentence: str,
    shipped: Checkpoint,
    own: DataSet,
    uci: DataSet,
    few: Recipe,
    tmp_path: Path,
) -> None:
    with pytest.raises(DataError, match=sentence):
        adapt(few, shipped, replace(own, **changes), uci, tmp_path / "runs", seed=3)  # type: ignore[arg-type]  # fields of various types
    assert not (tmp_path / "runs").exists()


def test_a_class_without_pictures_to_train_on_is_named(
    shipped: Checkpoint, own: DataSet, uci: DataSet, few: Recipe, tmp_path: Path
) -> None:
    without = own.training.take((own.training.labels % 5 != 2).nonzero()[:, 0])
    with pytest.raises(DataError, match=r"there are none of 2, 7$"):
        adapt(few, shipped, replace(own, training=without), uci, tmp_path / "runs", seed=3)
    assert not (tmp_path / "runs").exists()
