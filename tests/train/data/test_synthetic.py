"""Synthetic additions depend on the seed, are added once, and leave the original digits unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pairedge_train.data.datasets import NEGATIVE, DataSet, Digits
from pairedge_train.data.synthetic import with_synthetic
from pairedge_train.errors import DataError
from pairedge_train.experiments.library import load_recipe
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.experiments.study import FIRST_SEED
from pairedge_train.training import rounds
from pairedge_train.training.rounds import checkpoint_path, run_rounds, train_round

RECIPE = Recipe().with_(
    {"data.synthetic.rendered": 40, "data.synthetic.printed": 5, "data.synthetic.negatives": 6}
)
MIX = RECIPE.data.synthetic


@pytest.fixture
def few(uci: DataSet) -> DataSet:
    return DataSet(uci.training.take(torch.arange(30)), uci.test.take(torch.arange(30)))


def test_without_additions_the_data_set_is_unchanged(few: DataSet) -> None:
    assert with_synthetic(few, Recipe().data.synthetic, 1) is few


def test_rendered_digits_and_negatives_follow_the_digits(few: DataSet) -> None:
    joined = with_synthetic(few, MIX, 1)
    labels = joined.training.labels
    assert torch.equal(labels[:30], few.training.labels)
    assert torch.equal(joined.training.gray[:30], few.training.gray)
    assert int((labels == NEGATIVE).sum()) == 6
    assert 30 + 6 < len(labels) <= 30 + 45 + 6
    assert joined.training.fields is not None
    assert joined.training.fields.shape == (len(labels), 28, 28)
    assert torch.equal(joined.test.labels, few.test.labels)


def test_the_seed_determines_the_additions_and_nothing_is_added_twice(few: DataSet) -> None:
    first, again, other = (
        with_synthetic(few, MIX, 1),
        with_synthetic(few, MIX, 1),
        with_synthetic(few, MIX, 2),
    )
    assert torch.equal(first.training.gray, again.training.gray)
    assert not torch.equal(first.training.gray[30:40], other.training.gray[30:40])
    assert with_synthetic(first, MIX, 1) is first
    with pytest.raises(DataError, match="only a data set of 28x28 digits, as it was loaded"):
        with_synthetic(first, MIX, 2)


def test_digits_without_fields_cannot_be_rendered(tiny: DataSet) -> None:
    with pytest.raises(DataError, match="only a data set of 28x28 digits, as it was loaded"):
        with_synthetic(tiny, MIX, 1)


def test_a_round_trains_on_the_mixture(few: DataSet) -> None:
    recipe = RECIPE.with_(
        {
            "network.variant": "aux_ws",
            "data.pairs": "all",
            "data.validation_pairs": 0,
            "data.test_pairs": "all",
            "optim.epochs": 1,
            "optim.batch_size": 8,
        }
    )
    checkpoint, row = train_round(recipe, few)
    assert row.pairs > 15
    assert all(weight.isfinite().all() for weight in checkpoint.network.state_dict().values())


def test_fields_made_of_tiles_average_to_the_tiles(few: DataSet) -> None:
    digits = Digits.of_tiles(few.test.tiles, few.test.labels)
    assert digits.fields is not None
    torch.testing.assert_close(
        digits.fields.float().view(-1, 14, 2, 14, 2).mean((2, 4)), torch.from_numpy(few.test.tiles).float()
    )


def test_the_recipe_that_ships_gives_the_same_bytes_again(
    few: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = {
        "data.synthetic.rendered": 12,
        "data.synthetic.printed": 4,
        "data.synthetic.negatives": 6,
        "data.hold_out": 4,
        "optim.epochs": 1,
    }
    teacher, student = (load_recipe(name).with_(short) for name in ("ship_teacher", "ship"))
    monkeypatch.setattr(rounds, "load_recipe", lambda _: teacher)
    contents = []
    for folder in (tmp_path / "a" / "ship", tmp_path / "b" / "ship"):
        run_rounds(student, few, folder)
        contents.append(checkpoint_path(folder, FIRST_SEED).read_bytes())
    assert contents[0] == contents[1]
