"""A variant of one's own is imported when it is named, and whatever is wrong with it is one sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from pairedge_train.data.datasets import DataSet
from pairedge_train.errors import CheckpointError, RecipeError, VariantError
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.networks import variants as registry
from pairedge_train.networks.network import build_network
from pairedge_train.networks.variants import get_variant, import_variant, installed_variants, variants
from pairedge_train.training.checkpoint import load_checkpoint, save_checkpoint
from pairedge_train.training.rounds import study_folder, train_round

from .own_code import HEAD, LINEAR, install

Write = Callable[..., None]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose modules can be imported, and are forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # which edits within a second would outlive
    for name in ("_OWN", "_LOADED"):
        monkeypatch.setattr(registry, name, {})
    yield tmp_path
    forget(tmp_path)


def forget(folder: Path) -> None:
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def own_nets(here: Path) -> Path:
    (here / "own_nets.py").write_text(HEAD + LINEAR)
    return here / "own_nets.py"


def test_a_variant_of_ones_own_is_named_by_its_module(own_nets: Path) -> None:
    variant = import_variant("own_nets:linear")
    assert (variant.name, variant.parameters, variant.summary) == ("own_nets:linear", 1_970, "One layer.")
    assert get_variant("own_nets:linear") is import_variant("own_nets:linear") is variant
    assert "own_nets:linear" not in variants()
    assert build_network(Recipe().with_({"network.variant": variant.name}).network).parameter_count() == 1_970


def test_no_module_is_imported_because_a_name_says_so(own_nets: Path) -> None:
    with pytest.raises(
        VariantError, match=r"'own_nets:linear' is code of your own.*say --variant own_nets:l"
    ):
        get_variant("own_nets:linear")
    assert "own_nets" not in sys.modules


def test_a_module_of_ones_own_may_use_the_name_of_a_variant_that_ships(here: Path) -> None:
    (here / "own_nets.py").write_text(HEAD + LINEAR.replace("linear()", "aux_ws()"))
    assert import_variant("own_nets:aux_ws").parameters == 1_970
    assert get_variant("aux_ws").parameters == 35_258


def test_one_function_makes_several_variants_and_a_package_hands_one_on(here: Path) -> None:
    (here / "own_nets").mkdir()
    (here / "own_nets" / "__init__.py").write_text("from own_nets.plain import linear as mine\n")
    two = """
@variant("ten", parameters=3_940, width=10)
@variant("two", parameters=788, width=2)
def plain(*, width):
    branches = [nn.Sequential(nn.Flatten(), nn.Linear(196, width)) for _ in range(2)]
    return TwoBranches(branches, nn.Sequential(nn.Flatten(), nn.Softmax(1), nn.AvgPool1d(width)), None)
"""
    (here / "own_nets" / "plain.py").write_text(HEAD + LINEAR + two)
    assert import_variant("own_nets.plain:two").parameters == 788
    assert import_variant("own_nets.plain:ten").summary == " [width=10]"
    assert import_variant("own_nets:mine").parameters == 1_970
    with pytest.raises(
        VariantError, match=r"module 'own_nets.plain' has no variant '3': it has linear, two, ten"
    ):
        import_variant("own_nets.plain:3")


def test_trying_a_variant_out_changes_no_random_number(own_nets: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    import_variant("own_nets:linear")
    assert torch.equal(torch.rand(3), expected)


FORWARD = """
class Net(nn.Module):
    def forward(self, pairs):
        return {}

variant("net", parameters=0)(Net)
"""


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (None, "module 'own_nets' cannot be imported: ModuleNotFoundError: No module named 'own_nets'"),
        ("x = = 1", r"cannot be imported: SyntaxError: invalid syntax \(own_nets.py, line 1\)"),
        ("import no_such_module", r"'no_such_module' \(own_nets.py, line 1\)"),
        ("import sys\n\nsys.exit('so long')", r"SystemExit: so long \(own_nets.py, line 3\)"),
        ("raise ValueError('one\\ntwo')", r"ValueError: one \(own_nets.py, line 1\)"),
        ("raise KeyError", r"imported: KeyError \(own_nets.py, line 1\)"),
        ("net = 3", r"module 'own_nets' has no variant 'net': decorate it with @variant\(parameters=...\)"),
        (HEAD + LINEAR, "module 'own_nets' has no variant 'net': it has linear"),
        (
            HEAD + LINEAR.replace("1_970", "2_000").replace("linear()", "net()"),
            "variant 'own_nets:net' says parameters=2_000, but its network has 1_970",
        ),
        (
            HEAD + "@variant(parameters=1)\ndef net():\n    return nn.Linear(2, -1)",
            r"'own_nets:net' cannot be built: RuntimeError: Trying to create tensor with negative dimension.*"
            r"\(own_nets.py, line 11\)",
        ),
        (HEAD + "@variant(parameters=1)\ndef net():\n    return 3", "builds a int, not an nn.Module"),
        (
            HEAD + FORWARD.format("pairs @ pairs[..., :3, :]"),
            r"cannot compare pairs, float32 \(3, 2, 14, 14\): RuntimeError: .*\(own_nets.py, line 12\)",
        ),
        (HEAD + FORWARD.format("pairs.sum()"), r"gives a Tensor, not an Output\(comparison, digits\)"),
        (HEAD + FORWARD.format("Output(None, None)"), "gives neither comparison nor digits"),
        (
            HEAD + FORWARD.format("Output(torch.zeros(len(pairs), 3), None)"),
            r"gives comparison \(3, 3\) for 3 pairs, not \(3,\) or \(3, 2\)",
        ),
        (
            HEAD + FORWARD.format("Output(None, torch.zeros(len(pairs), 10))"),
            r"gives digits \(3, 10\) for 3 pairs, not \(3, 2, 10\)",
        ),
    ],
)
def test_what_is_wrong_with_it_is_one_sentence(code: str | None, sentence: str, here: Path) -> None:
    if code is not None:
        (here / "own_nets.py").write_text(code)
    with pytest.raises(VariantError, match=sentence) as raised:
        import_variant("own_nets:net")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", [":", ":net", "os:getcwd", "own_nets:linear:x", "..up:net", "sys:exit"])
def test_a_name_that_is_no_variant_is_one_sentence_and_calls_nothing(name: str, own_nets: Path) -> None:
    with pytest.raises(VariantError, match=r"has no variant|cannot be imported"):
        import_variant(name)


def test_an_installed_package_offers_variants(own_nets: Path, here: Path) -> None:
    install(here, "some-package", small="own_nets:linear", aux_ws="own_nets:linear", gone="own_nets:gone")
    found = installed_variants()
    assert list(found) == ["aux_ws", "gone", "small"]
    assert str(found["aux_ws"]) == "own_nets:linear has the name of a variant that ships"
    assert str(found["gone"]) == "module 'own_nets' has no variant 'gone': it has linear"
    assert found["small"] == get_variant("small")
    assert get_variant("small").name == "small"
    assert get_variant("aux_ws").parameters == 35_258
    with pytest.raises(RecipeError, match="unknown variant 'smal'; near it are small"):
        get_variant("smal")


def test_a_name_that_two_packages_offer_is_none(own_nets: Path, here: Path) -> None:
    install(here, "first", net="own_nets:linear")
    install(here, "second", net="own_nets:other")
    [error] = installed_variants().values()
    assert str(error) == "own_nets:linear and own_nets:other have one name"
    with pytest.raises(VariantError, match="have one name"):
        get_variant("net")


def test_an_edited_variant_is_trained_elsewhere_and_its_old_checkpoint_refused(
    own_nets: Path, here: Path, tiny: DataSet, quick: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = quick.with_({"network.variant": "own_nets:linear"})
    import_variant("own_nets:linear")
    checkpoint, _ = train_round(recipe, tiny)
    path = study_folder(here, recipe) / "a.safetensors"
    assert path.parent.name.startswith(f"own_nets.linear-{recipe.digest()}-")
    save_checkpoint(path, checkpoint)
    assert load_checkpoint(path).network.parameter_count() == 1_970

    own_nets.write_text(HEAD + LINEAR.replace("nn.Linear(196, 10)", "nn.Linear(196, 10), nn.Tanh()"))
    forget(here)
    monkeypatch.setattr(registry, "_OWN", {})
    monkeypatch.setattr(registry, "_LOADED", {})
    with pytest.raises(
        CheckpointError, match=r"a.safetensors: variant 'own_nets:linear' is code of your own"
    ):
        load_checkpoint(path)
    import_variant("own_nets:linear")
    with pytest.raises(
        CheckpointError, match=r"a.safetensors: its network computes something else than it d"
    ):
        load_checkpoint(path)
    assert study_folder(here, recipe) != path.parent
