"""A recipe holds every setting, refuses what it does not know, and names itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pairedge_train.errors import RecipeError
from pairedge_train.experiments.library import load_recipe, shipped_recipes
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.networks.variants import get_variant


@pytest.mark.parametrize("name", shipped_recipes())
def test_every_recipe_that_ships_loads_and_names_a_variant(name: str) -> None:
    get_variant(load_recipe(name).variant)


def test_a_recipe_survives_json() -> None:
    recipe = Recipe().with_({"network.variant": "ws", "data.pairs": "all", "optim.lr": 0.5})
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_the_digest_names_what_decides_a_round() -> None:
    recipe = Recipe()
    assert recipe.digest() == Recipe().digest()
    assert recipe.digest() != Recipe().with_({"optim.lr": 0.02}).digest()


def test_an_unknown_setting_is_refused_with_a_near_one(tmp_path: Path) -> None:
    file = tmp_path / "typo.toml"
    file.write_text("epoch = 3\n")
    with pytest.raises(RecipeError, match=r"typo.toml: unknown setting 'epoch'; did you mean 'epochs'\?"):
        load_recipe(str(file))


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("rounds", 0, "rounds must be at least 1"),
        ("pairs", "most", "pairs must be int or 'all'"),
        ("pairs", True, "pairs must be int"),
        ("epochs", 2.5, "epochs must be int"),
        ("lr", 0, "lr must be positive"),
        ("lr", float("nan"), "lr must be positive"),
        ("lr", "fast", "lr must be "),
        ("schedule", "sometimes", "schedule must be 'constant' or 'one-cycle'"),
        ("batch_size", 1, "batch_size must be at least 2"),
        ("shuffle", 1, "shuffle must be bool"),
        ("digit_weight", -1.0, "digit_weight must be a number from 0 up"),
    ],
)
def test_a_value_out_of_range_is_refused(setting: str, value: Any, sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        Recipe.from_dict({setting: value})


def test_a_missing_recipe_lists_those_that_ship() -> None:
    with pytest.raises(RecipeError, match=r"neither a file nor a recipe that ships; near it are .*ship"):
        load_recipe("shipp")


def test_a_file_that_is_not_toml_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text("lr = = 3")
    with pytest.raises(RecipeError, match=r"broken.toml: not a TOML file"):
        load_recipe(str(file))


def test_an_unknown_variant_lists_near_names() -> None:
    with pytest.raises(RecipeError, match=r"unknown variant 'aux_wz'; near it are aux_ws"):
        get_variant("aux_wz")
