"""Synthetic additions depend on the seed, are added once, and show no held-out digit in training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Generator

from pairedge_train.data import synthetic
from pairedge_train.data.datasets import NEGATIVE, DataSet, Digits
from pairedge_train.data.pairs import draw_pairs
from pairedge_train.data.synthetic import with_synthetic
from pairedge_train.errors import DataError, RecipeError
from pairedge_train.experiments.library import load_recipe
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.experiments.study import FIRST_SEED
from pairedge_train.rendering import tiles
from pairedge_train.rendering.tiles import Labels, Tiles
from pairedge_train.training import rounds
from pairedge_train.training.rounds import checkpoint_path, run_rounds, train_round

RECIPE = Recipe().with_(
    {
        "data.synthetic.rendered": 40,
        "data.synthetic.printed": 5,
        "data.synthetic.negatives": 6,
        "data.validation_pairs": 0,
    }
)
MIX = RECIPE.data


@pytest.fixture
def few(uci: DataSet) -> DataSet:
    return DataSet(uci.training.take(torch.arange(30)), uci.test.take(torch.arange(30)))


def test_another_training_gets_the_kept_pictures_at_once(
    few: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = RECIPE.with_({"data.hold_out": 3}).data
    rendered: list[int] = []
    first = with_synthetic(few, settings, 1, rendered.append)
    assert sum(rendered) == 40 + 5 + 6

    def not_kept(*_: object) -> None:
        raise LookupError

    monkeypatch.setattr(synthetic, "rendered_sides", not_kept)
    again = with_synthetic(few, settings, 1)
    for one, other in ((first.training, again.training), (first.held_out, again.held_out)):
        assert one is not None
        assert other is not None
        assert torch.equal(one.gray, other.gray)
        assert torch.equal(one.labels, other.labels)
    one, other = few.training.take(torch.arange(29)), few.training.take(torch.arange(30).flip(0))
    for data, changed, seed in (
        (few, settings, 2),
        (few, RECIPE.with_({"data.hold_out": 4}).data, 1),
        (few, RECIPE.with_({"data.hold_out": 3, "data.synthetic.negatives": 7}).data, 1),
        (DataSet(one, few.test), settings, 1),
        (DataSet(other, few.test), settings, 1),
    ):
        with pytest.raises(LookupError):
            with_synthetic(data, changed, seed)


def test_the_number_of_cores_changes_no_byte(
    few: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles, "_CHUNK", 20)
    kept = []
    for cores in (1, 2):
        monkeypatch.setenv("PAIREDGE_CACHE", str(tmp_path / f"{cores}"))
        monkeypatch.setattr("joblib.cpu_count", lambda cores=cores: cores)
        with_synthetic(few, RECIPE.with_({"data.hold_out": 3}).data, 1)
        [entry] = (tmp_path / f"{cores}" / "rendered").iterdir()
        kept.append((entry.name, entry.read_bytes()))
    assert kept[0] == kept[1]


def test_without_additions_the_data_set_is_unchanged(few: DataSet) -> None:
    assert with_synthetic(few, Recipe().data, 1) is few


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


def test_the_seed_determines_the_additions_and_nothing_is_added_twice(
    few: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other = (with_synthetic(few, MIX, seed) for seed in (1, 2))
    monkeypatch.setenv("PAIREDGE_CACHE", str(tmp_path))  # so that it is rendered again
    again = with_synthetic(few, MIX, 1)
    assert torch.equal(first.training.gray, again.training.gray)
    assert not torch.equal(first.training.gray[30:40], other.training.gray[30:40])
    assert with_synthetic(first, MIX, 1) is first
    with pytest.raises(DataError, match="only a data set of 28x28 digits, as it was loaded"):
        with_synthetic(first, MIX, 2)


@pytest.fixture
def numbered(monkeypatch: pytest.MonkeyPatch) -> DataSet:
    """Fifty digits, each a gray level of its own; a picture of a digit is that level, a negative is white."""
    levels = torch.arange(50, dtype=torch.uint8)
    fields = levels.view(-1, 1, 1).expand(-1, 28, 28).contiguous()
    digits = Digits(fields[:, ::2, ::2].float(), fields[:, ::2, ::2].numpy(), levels.long() % 10, fields)
    monkeypatch.setattr(tiles, "render", lambda digit, *_: digit)
    monkeypatch.setattr(tiles, "render_negative", lambda *_, **__: np.full((28, 28), 255, np.uint8))
    monkeypatch.setattr(tiles, "tile_or_none", lambda picture: picture[::2, ::2])
    return DataSet(digits, digits)


@pytest.mark.parametrize("held_out", [{"data.hold_out": 5}, {"data.validation_pairs": 5}])
def test_neither_a_held_out_digit_nor_a_picture_of_one_is_trained_on(
    held_out: dict[str, int], numbered: DataSet
) -> None:
    settings = RECIPE.with_(
        {
            "data.pairs": "all",
            "data.test_pairs": "all",
            "data.synthetic.rendered": 200,
            "data.synthetic.printed": 0,
            "data.synthetic.negatives": 20,
            **held_out,
        }
    ).data
    draw = draw_pairs(with_synthetic(numbered, settings, 1), settings, Generator().manual_seed(1))
    assert draw.validation is not None
    trained, validated = (
        set(pairs.images[pairs.digits != NEGATIVE][:, 0, 0].tolist())
        for pairs in (draw.training, draw.validation)
    )
    assert trained | validated == set(range(50))
    assert not trained & validated
    assert len(validated) == 10  # two digits for each of the five pairs, and nothing but pictures of them
    # 10 digits, 200 / 50 pictures of each, and 20 * 10 / 50 negatives, in pairs; the rest is trained on.
    assert len(draw.validation) == (10 + 40 + 4) // 2
    assert len(draw.training) == (40 + 160 + 16) // 2
    levels = torch.cat([draw.training.images, draw.validation.images])[:, :, 0, 0]
    digits = torch.cat([draw.training.digits, draw.validation.digits])
    assert torch.equal(levels[digits != NEGATIVE].long() % 10, digits[digits != NEGATIVE])


def test_what_is_held_out_is_written_by_hands_that_do_not_train(
    numbered: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, int] = {}

    def hand_tiles(count: int, _: object, *, split: str, **__: object) -> tuple[Tiles, Labels]:
        asked[split] = count
        return np.zeros((0, 14, 14), np.uint8), np.zeros(0, np.int64)

    monkeypatch.setattr(synthetic, "hand_tiles", hand_tiles)
    with_synthetic(numbered, RECIPE.with_({"data.hold_out": 5, "data.synthetic.hands": 100}).data, 1)
    assert asked == {"training": 80, "validation": 20}  # 10 of 50 digits are held out


def test_another_seed_holds_out_other_digits(numbered: DataSet) -> None:
    settings = RECIPE.with_({"data.hold_out": 5}).data
    held_out = [with_synthetic(numbered, settings, seed).held_out for seed in (1, 1, 2)]
    assert all(digits is not None for digits in held_out)
    first, again, other = (digits.gray[:10, 0, 0].tolist() for digits in held_out if digits)
    assert first == again
    assert first != other


def test_not_all_digits_can_be_held_out(few: DataSet) -> None:
    with pytest.raises(DataError, match="30 of 30 training digits cannot be held out"):
        with_synthetic(few, RECIPE.with_({"data.hold_out": 15}).data, 1)


def test_folds_would_validate_on_digits_that_pictures_show() -> None:
    with pytest.raises(RecipeError, match="folds would validate on digits that synthetic pictures show"):
        RECIPE.with_({"data.folds": 3})


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
    assert (row.held_out_digits, row.negatives) == (0, None)
    assert all(weight.isfinite().all() for weight in checkpoint.network.state_dict().values())


def test_a_round_is_calibrated_on_held_out_digits_and_judged_on_held_out_negatives(few: DataSet) -> None:
    recipe = RECIPE.with_(
        {
            "network.variant": "aux_ws",
            "data.pairs": "all",
            "data.test_pairs": "all",
            "data.hold_out": 5,
            "data.synthetic.negatives": 12,
            "optim.epochs": 1,
            "evaluation.temperature": "validation",
        }
    )
    _, row = train_round(recipe, few)
    assert (row.held_out_digits, row.negatives) == (10, 4)
    assert row.negatives_rejected in (0.0, 0.25, 0.5, 0.75, 1.0)
    assert row.pair_threshold is not None


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
        "data.synthetic.hands": 5,
        "data.synthetic.written": 5,
        "data.hold_out": 4,
        "optim.epochs": 1,
    }
    teacher, student = (load_recipe(name).with_(short) for name in ("ship_teacher", "ship"))
    monkeypatch.setattr(rounds, "load_recipe", lambda _: teacher)
    contents = []
    for folder in (tmp_path / "a" / "ship", tmp_path / "b" / "ship"):
        monkeypatch.setenv("PAIREDGE_CACHE", str(folder / "cache"))
        run_rounds(student, few, folder)
        contents.append(checkpoint_path(folder, FIRST_SEED).read_bytes())
    assert contents[0] == contents[1]
