"""A recipe holds every setting, refuses unknown ones, and is named by its digest."""

from __future__ import annotations

import json
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from pairedge_train.errors import RecipeError
from pairedge_train.experiments.library import load_recipe, shipped_recipes
from pairedge_train.experiments.recipe import (
    ADDED_SETTINGS,
    Adaptation,
    Architecture,
    Augmentation,
    Data,
    Evaluation,
    Loss,
    Optimization,
    Recipe,
    Stopping,
    Synthetic,
    recipe_help,
    setting_kinds,
    setting_names,
)
from pairedge_train.experiments.schema_1 import digest_1, from_schema_1, to_schema_1
from pairedge_train.experiments.settings import flat, parse_settings
from pairedge_train.networks.variants import get_variant

DIGESTS: dict[str, str] = json.loads(Path(__file__).with_name("recipe_digests.json").read_text())
SECTIONS = (Architecture, Data, Synthetic, Augmentation, Loss, Optimization, Stopping, Evaluation, Adaptation)


@pytest.mark.parametrize("name", shipped_recipes())
def test_every_shipped_recipe_loads_and_names_its_variants(name: str) -> None:
    for variant in load_recipe(name).network.members:
        get_variant(variant)


def test_the_digest_of_every_shipped_recipe_is_pinned() -> None:
    digests = {name: recipe.digest() for name, recipe in shipped_recipes().items()}
    assert digests == DIGESTS, "a changed digest orphans the rows that were trained by it"


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_recipe_goes_to_schema_1_and_back(name: str) -> None:
    defaults = flat(Recipe().to_dict())  # of what schema 1 does not know
    recipe = load_recipe(name).with_({added: defaults[added] for added in ADDED_SETTINGS})
    assert from_schema_1({**to_schema_1(recipe), "rounds": 3, "seed": 5}) == recipe


def test_digests_of_schema_1_are_unchanged() -> None:
    # As the rows of schema 1 named them: the default recipe, and a row of report 000.
    assert digest_1(Recipe()) == "44136fa3"
    assert digest_1(load_recipe("report0.sharing-and-losses.no sharing, no auxiliary")) == "8f92c453"


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_recipe_keeps_its_digest_as_text(name: str) -> None:
    assert Recipe.from_dict(tomllib.loads(load_recipe(name).to_toml())).digest() == DIGESTS[name]


def test_a_recipe_survives_json_and_toml() -> None:
    recipe = Recipe().with_({"network.variant": "ws", "data.pairs": "all", "optim.lr": 0.5})
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    assert Recipe.from_dict(tomllib.loads(recipe.to_toml())) == recipe
    ensemble = Recipe().with_({"network.variant": ["ws", "aux"], "optim.plateau_threshold": 0.1})
    assert Recipe.from_dict(tomllib.loads(ensemble.to_toml())) == ensemble


def test_the_digest_depends_on_the_settings() -> None:
    recipe = Recipe()
    assert recipe.digest() == Recipe().digest()
    assert recipe.digest() != Recipe().with_({"optim.lr": 0.02}).digest()


@pytest.mark.parametrize("name", setting_names())
def test_every_setting_changes_the_digest(name: str) -> None:
    values: dict[str, Any] = {
        "network.variant": "twinnet_ws",
        "data.dataset": "uci",
        "data.pairs": "all",
        "data.test_pairs": "all",
        "data.normalize": "standardize",
        "data.redraw": True,
        "data.shuffle": True,
        "loss.teacher": "ship_teacher",
        "loss.corrected_teacher": True,
        "adapt.start": "5e",
        "adapt.pictures": "5e",
        "optim.schedule": "one-cycle",
        "stopping.monitor": "loss",
        "stopping.restore_best": True,
        "evaluation.validation_only": True,
        "evaluation.exact": True,
        "evaluation.curves": True,
        "evaluation.dropout": True,
    }
    counts = (
        *("data.hold_out", "data.folds", "data.validation_pairs"),
        *("stopping.patience", "optim.epochs", "adapt.replay"),
    )
    count = name in counts or name.startswith("data.synthetic") or name == "optim.batch_size"
    value = values.get(name, 7 if count else 0.5)
    base = Recipe() if name == "data.redraw" else Recipe().with_({"data.hold_out": 3})
    if name in ("data.group_by", "data.sha256"):
        base, value = base.with_({"data.dataset": "my_digits"}), "folder"
    assert base.with_({name: value}).digest() != base.digest()


def test_equal_values_have_equal_digests() -> None:
    assert Recipe().with_({"optim.lr": 1}).digest() == Recipe().with_({"optim.lr": 1.0}).digest()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("epochs = 3\n", r"typo.toml: unknown setting 'epochs'; did you mean 'optim.epochs'\?"),
        ("[optim]\nepoch = 3\n", r"typo.toml: unknown setting 'optim.epoch'; did you mean 'optim.epochs'\?"),
        ("[loss]\nema = 0.5\n", r"typo.toml: unknown setting 'loss.ema'; did you mean 'optim.ema'\?"),
        ("optim = 3\n", r"typo.toml: optim must be a section of settings, not 3"),
        (
            "[data.synthetic]\nphotos = 3\n",
            r"typo.toml: unknown setting 'data.synthetic.photos'; did you mean",
        ),
    ],
)
def test_an_unknown_setting_is_refused_with_a_suggestion(text: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "typo.toml"
    file.write_text(text)
    with pytest.raises(RecipeError, match=sentence):
        load_recipe(str(file))


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("data.pairs", "most", "data.pairs must be a whole number above 0 or \"all\", not 'most'"),
        ("data.pairs", True, 'data.pairs must be a whole number above 0 or "all", not True'),
        ("data.folds", 1, "folds must be 0 for none, or at least 2"),
        ("data.hold_out", -1, "data.hold_out must be a whole number from 0, not -1"),
        ("data.shuffle", 1, "data.shuffle must be true or false, not 1"),
        ("data.synthetic.printed", 0.5, "data.synthetic.printed must be a whole number from 0, not 0.5"),
        ("network.variant", ["aux_ws"], "network.variant must be text or a list of at least 2"),
        ("optim.epochs", 2.5, "optim.epochs must be a whole number above 0, not 2.5"),
        ("optim.lr", 0, "optim.lr must be a number above 0, not 0"),
        ("optim.lr", float("nan"), "optim.lr must be a number above 0, not nan"),
        ("optim.lr", "fast", "optim.lr must be a number above 0, not 'fast'"),
        ("optim.schedule", "sometimes", 'optim.schedule must be "constant" or "one-cycle"'),
        ("optim.batch_size", 1, "optim.batch_size must be a whole number from 2, not 1"),
        ("optim.ema", 1.0, "optim.ema must be a number from 0 below 1, not 1.0"),
        ("loss.digit_weight", -1.0, "loss.digit_weight must be a number from 0, not -1.0"),
        ("stopping.patience", 3, "stopping.patience.*need validation pairs"),
        ("stopping.restore_best", True, "stopping.restore_best.*need validation pairs"),
        ("evaluation.validation_only", True, "evaluation.validation_only.*need validation pairs"),
        ("evaluation.temperature", "validation", "evaluation.temperature need validation pairs"),
        ("evaluation.temperature", 0.0, 'a number above 0 or "validation", not 0.0'),
    ],
)
def test_a_value_out_of_range_is_refused(setting: str, value: Any, sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        Recipe().with_({setting: value})


def test_redrawing_is_refused_with_held_out_pairs() -> None:
    with pytest.raises(RecipeError, match="redraw would train on the pairs that hold_out or folds keep"):
        Recipe().with_({"data.redraw": True, "data.hold_out": 5})


def test_a_section_made_in_python_is_validated_too() -> None:
    with pytest.raises(ValueError, match="lr"):
        Optimization(lr=-1.0)


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("optim.lr=0.01", 0.01),
        ("optim.lr=.5", 0.5),  # no TOML
        ("optim.lr=5.", 5.0),
        ("optim.lr=1e-3", 0.001),
        ("optim.lr = 2", 2),
        ("optim.epochs=1_000", 1000),
        ("optim.plateau_threshold=off", "off"),
        ("data.pairs=all", "all"),
        ("data.pairs=50", 50),
        ("data.shuffle = true", True),
        ("network.variant=aux_ws", "aux_ws"),
        ("network.variant='aux_ws'", "aux_ws"),
        ("network.variant=my_module:my_net", "my_module:my_net"),
        ("network.variant=2024", "2024"),  # a text setting takes text, whatever it looks like
        ("loss.teacher=true", "true"),
        ("loss.teacher=a=b", "a=b"),
        ('network.variant=["ws", "aux"]', ["ws", "aux"]),
        ("no.such=3", 3),
    ],
)
def test_an_assignment_has_the_type_of_its_setting(assignment: str, value: Any) -> None:
    [(name, parsed)] = parse_settings([assignment], setting_kinds()).items()
    assert name == assignment.partition("=")[0].strip()
    assert (parsed, type(parsed)) == (value, type(value))


def test_what_is_no_assignment_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"'optim.lr' is no assignment; write section.setting=value"):
        parse_settings(["optim.lr"], setting_kinds())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("optim.epoch", "'optim.epoch'; did you mean 'optim.epochs'?"),
        ("epochs", "'epochs'; did you mean 'optim.epochs'?"),
        ("optimizer.lr", "'optimizer'; did you mean 'optim'?"),
        (
            "loss.zzz",
            "'loss.zzz'; there are loss.comparison_weight, loss.digit_weight, loss.label_smoothing, "
            "loss.teacher, loss.corrected_teacher",
        ),
        (
            "zzz.lr",
            "'zzz'; there are sections network, data, data.synthetic, augment, loss, optim, stopping, "
            "evaluation, adapt",
        ),
    ],
)
def test_an_unknown_setting_is_answered_with_what_there_is(name: str, sentence: str) -> None:
    with pytest.raises(RecipeError) as raised:
        Recipe().with_({name: 3})
    assert str(raised.value) == f"unknown setting {sentence}"


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_documented(section: Any) -> None:
    text = recipe_help()
    documented = section.__pydantic_fields__
    for field in fields(section):
        if field.name != "synthetic":
            assert documented[field.name].description, f"{section.__name__}.{field.name}"
            assert f"\n  {field.name} = " in text


def test_the_help_shows_defaults_and_ranges() -> None:
    text = recipe_help()
    for line in (
        "  lr = 0.01  (a number above 0)",
        '  plateau_threshold = "off"  (a number from 0 or "off")',
        "  batch_size = 25  (a whole number from 2)",
        '  pairs = 1000  (a whole number above 0 or "all")',
    ):
        assert f"\n{line}\n" in text
    assert len(setting_names()) == len(flat(Recipe().to_dict()))


def test_a_missing_recipe_lists_those_that_ship() -> None:
    with pytest.raises(RecipeError, match=r"neither a file nor a shipped recipe; near it are .*ship"):
        load_recipe("shipp")


@pytest.mark.parametrize("text", ["lr = = 3", "lr = " + "[" * 9000])
def test_a_file_that_is_not_toml_is_one_sentence(text: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text(text)
    with pytest.raises(RecipeError, match=r"broken.toml: not a TOML file"):
        load_recipe(str(file))


def test_an_unknown_variant_lists_near_names() -> None:
    with pytest.raises(RecipeError, match=r"unknown variant 'aux_wz'; near it are aux_ws"):
        get_variant("aux_wz")
