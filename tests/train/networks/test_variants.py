"""Every variant meets one contract: parameter count, shapes, shared weights, gradients, a round trip."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Generator, Tensor, nn

from pairedge_train.data.datasets import DataSet
from pairedge_train.data.pairs import make_pairs
from pairedge_train.errors import CheckpointError, RecipeError
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.networks import resnet18
from pairedge_train.networks.network import Network
from pairedge_train.networks.output import Output
from pairedge_train.networks.resnet18 import ResNet18
from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.networks.variants import Variant, get_variant, variant, variants
from pairedge_train.networks.variants.flagship import flagship
from pairedge_train.networks.variants.report2_feature_module import WeightSharingAuxiliary
from pairedge_train.networks.variants.report4_siamese import MNISTResNet, MNISTResSiameseNet
from pairedge_train.randomness import drawn_from
from pairedge_train.torchvision_import import import_torchvision
from pairedge_train.training.all_pairs import evaluate_all_pairs
from pairedge_train.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from pairedge_train.training.evaluate import decide
from pairedge_train.training.losses import losses

VARIANTS = list(variants().values())
# Which networks send both tiles through one branch, report by report.
SHARED = {
    *("twinnet_ws", "twinnet_aux_ws", "twinnet_aux_ws_no_hidden_relu", "twinnet_aux_ws_tanh"),
    *("ws", "aux_ws", "ws_learned", "aux_ws_learned"),
    *("wide_aux_ws", "deep_aux_ws", "plain_aux_ws"),
    *("Sub_LeNet5_WS", "Sub_LeNet5_WS_AL"),
    *("WeightSharingBranches", "WeightSharingBranches_dropout"),
    *("WeightSharingBranchesToVec", "WeightSharingBranchesToVec_dropout"),
    *("DirectClassification", "DirectClassification_dropout"),
    *("w_net", "a_w_net", "a_w_net_affine", "final_model", "final_model_affine"),
    *(f"a_w_net_dropout_{rate}" for rate in (0.1, 0.2, 0.3, 0.5, 0.6)),
    *("ConvSiameseNetClasses", "ConvSiameseNetTargets", "ConvSiameseResNet", "SiameseLinearConv"),
    *("MNISTResSiameseNet", "MNISTResSiameseNet_pretrained"),
}
# Which have a branch for each tile. The others see both tiles as one picture, but for two that share a
# branch and have no embedding of one tile that a head reads.
UNSHARED = {
    *("twinnet_base", "twinnet_aux", "base", "aux"),
    *("Sub_LeNet5", "no_w_net", "a_net"),
    *("TwoBranches", "TwoBranches_dropout", "BranchesToVec", "BranchesToVec_dropout"),
}
JOINT = {"WeightSharingAuxiliary", "WeightSharingAuxiliary_dropout"}
BRANCHED = [each for each in VARIANTS if each.name in SHARED | UNSHARED]
# Without a gradient in the reports too: a bias added to both numbers cancels in their difference.
CANCELLED = {
    "WeightSharingBranches": {"branches.0.1.bias"},
    "WeightSharingBranches_dropout": {"branches.0.1.bias"},
}


@pytest.fixture(scope="module", params=VARIANTS, ids=lambda each: each.name)
def known(request: pytest.FixtureRequest) -> Variant:
    param: Variant = request.param
    return param


@pytest.fixture(scope="module")
def body(known: Variant) -> nn.Module:
    """One network for all tests of a variant: building the largest takes as long as testing it."""
    with drawn_from(Generator().manual_seed(0)):
        return known.build()


@pytest.fixture
def pairs() -> Tensor:
    """Four normalized pairs: raw gray levels saturate fresh sigmoids and tanhs."""
    return torch.randn(4, 2, 14, 14, generator=Generator().manual_seed(0))


def test_it_has_as_many_parameters_as_it_says(known: Variant, body: nn.Module) -> None:
    assert sum(parameter.numel() for parameter in body.parameters()) == known.parameters
    assert all(parameter.requires_grad for parameter in body.parameters())


def test_its_summary_names_its_report(known: Variant) -> None:
    assert known.report is None or f"(report 00{known.report}, " in known.summary


@pytest.mark.parametrize("training", [True, False])
def test_its_heads_have_the_shapes_of_an_output(body: nn.Module, pairs: Tensor, training: bool) -> None:
    output = body.train(training)(pairs)
    assert isinstance(output, Output)
    assert output.comparison is not None or output.digits is not None
    if output.comparison is not None:
        assert output.comparison.shape in ((4,), (4, 2))
        assert output.comparison.dtype == torch.float32
    if output.digits is not None:
        assert output.digits.shape == (4, 2, 10)
        assert output.digits.dtype == torch.float32


def test_a_gradient_of_a_finite_loss_reaches_every_parameter(
    known: Variant, body: nn.Module, pairs: Tensor
) -> None:
    digits = torch.tensor([[3, 7], [7, 3], [0, 0], [9, 1]])
    target = (digits[:, 0] <= digits[:, 1]).long()
    with drawn_from(Generator().manual_seed(0)):  # of dropout
        parts = losses(body.train()(pairs), target, digits)
    assert all(part is None or part.isfinite() for part in parts)
    names, parameters = zip(*body.named_parameters(), strict=True)
    gradients = torch.autograd.grad(parts.total, parameters)
    assert all(gradient.isfinite().all() for gradient in gradients)
    without = {name for name, gradient in zip(names, gradients, strict=True) if not gradient.any()}
    assert without == CANCELLED.get(known.name, set())


def test_no_weight_is_held_twice(body: nn.Module) -> None:
    tensors = [tensor for tensor in body.state_dict().values() if tensor.numel()]
    assert len({tensor.untyped_storage().data_ptr() for tensor in tensors}) == len(tensors)


def test_which_variants_have_branches(known: Variant, body: nn.Module) -> None:
    assert isinstance(body, TwoBranches) == (known.name in SHARED | UNSHARED)
    assert isinstance(body, WeightSharingAuxiliary) == (known.name in JOINT)


@pytest.mark.parametrize("known", BRANCHED, indirect=True, ids=lambda each: each.name)
def test_swapped_tiles_give_swapped_embeddings_exactly_when_a_branch_is_shared(
    known: Variant, body: TwoBranches, pairs: Tensor
) -> None:
    assert len(body.branches) == (1 if known.name in SHARED else 2)
    assert body.shares_weights == (known.name in SHARED)
    with torch.no_grad():
        first, second = body.eval().embed(pairs)
        swapped_second, swapped_first = body.embed(pairs.flip(1))
    assert torch.allclose(first, swapped_first, atol=1e-5) == body.shares_weights
    assert torch.allclose(second, swapped_second, atol=1e-5) == body.shares_weights


@pytest.mark.parametrize("known", BRANCHED, indirect=True, ids=lambda each: each.name)
def test_both_tiles_as_one_batch_give_what_two_calls_give(body: TwoBranches, pairs: Tensor) -> None:
    body.eval()
    with torch.no_grad():
        together = body.embed(pairs)
        apart = body.branches[0](pairs[:, :1]), body.branches[-1](pairs[:, 1:])
    for actual, expected in zip(together, apart, strict=True):
        torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-5)


def test_a_checkpoint_restores_it(known: Variant, body: nn.Module, pairs: Tensor, tmp_path: Path) -> None:
    network = Network(body, mean=33.25, std=71.5).eval()
    path = tmp_path / "round.safetensors"
    save_checkpoint(
        path, Checkpoint(network, Recipe().with_({"network.variant": known.name}), 2021, None, "0" * 64, {})
    )
    loaded = load_checkpoint(path).network
    with torch.no_grad():
        for expected, actual in zip(network(pairs), loaded(pairs), strict=True):
            assert (expected is None) == (actual is None)
            assert expected is None or torch.equal(expected, actual)


def test_the_five_reports_are_there_in_order() -> None:
    reports = [each.report for each in VARIANTS if each.report is not None]
    assert reports == sorted(reports)
    assert set(reports) == set(range(5))


def test_a_count_that_differs_from_the_reports_has_a_reason() -> None:
    differing = {each.name for each in VARIANTS if each.reason}
    assert differing == {
        "conv_1_as_printed",
        "conv_2_as_printed",
        "w_net",
        "a_w_net_affine",
        "final_model_affine",
        "MNISTResSiameseNet",
        "MNISTResSiameseNet_pretrained",
    }
    with pytest.raises(ValueError, match="give the reason"):
        variant("differs", parameters=2, stated=3)(nn.Identity)
    for stated in (None, 2):
        with pytest.raises(ValueError, match="difference that it does not have"):
            variant("agrees", parameters=2, stated=stated, reason="none")(nn.Identity)
    assert not {"differs", "agrees"} & set(variants())


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="'aux_ws' is registered twice"):
        variant("aux_ws", parameters=2)(flagship)


def test_an_unknown_name_is_answered_with_near_ones() -> None:
    with pytest.raises(RecipeError, match="final_model"):
        get_variant("finalmodel")


def test_the_settings_of_a_variant_reach_its_layers() -> None:
    def rates(name: str) -> set[float]:
        layers = variants()[name].build().modules()
        return {layer.p for layer in layers if isinstance(layer, nn.Dropout | nn.Dropout2d)}

    for each in VARIANTS:
        if each.report == 2:
            assert rates(each.name) == ({0.25} if each.name.endswith("_dropout") else {0.0})
    assert rates("a_w_net") == {0.0}
    assert rates("final_model") == rates("final_model_affine") == {0.4}
    for rate in (0.1, 0.2, 0.3, 0.5, 0.6):
        assert rates(f"a_w_net_dropout_{rate}") == {rate}


def test_the_greater_number_of_two_branches_is_the_second_where_first_is_less() -> None:
    body = get_variant("TwoBranches").build()
    assert isinstance(body, TwoBranches)
    logits = body.compare(torch.tensor([[1.0], [5.0]]), torch.tensor([[4.0], [3.0]]))
    assert logits.tolist() == [3.0, -2.0]


@pytest.mark.parametrize("name", ["Sub_LeNet5_WS_AL", "ConvSiameseNetClasses"])
def test_all_pairs_compared_by_counts_equal_each_pair_compared(name: str, tiny: DataSet) -> None:
    """The reference: every ordered pair goes through the network."""
    with drawn_from(Generator().manual_seed(0)):
        network = Network(get_variant(name).build(), mean=127.0, std=74.0).eval()
    tiles = torch.arange(len(tiny.test))
    every = make_pairs(tiny.test, torch.cartesian_prod(tiles, tiles).flatten())
    with torch.no_grad():
        logits = network(every.images).digits
    assert len(logits.argmax(2).unique()) > 1  # else any way of counting would agree
    result = evaluate_all_pairs(network, torch.from_numpy(tiny.test.tiles).float(), tiny.test.labels)
    assert result is not None
    assert result.accuracy == int((decide(None, logits) == every.target).sum()) / len(every)
    right = logits.argmax(2) == every.digits
    assert result.digit_accuracy == int(right.sum()) / (2 * len(every))
    assert result.by_digit is not None
    for digit, (accuracy, n) in result.by_digit.items():
        assert accuracy == pytest.approx(float(right[every.digits == digit].double().mean()))
        assert n == int((tiny.test.labels == digit).sum())
    assert sum(n for _, n in result.by_digit.values()) == len(tiny.test)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of torch.hub, with downloads not allowed."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("PAIREDGE_PRETRAINED", raising=False)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("network", [MNISTResNet, MNISTResSiameseNet])
def test_without_published_weights_a_resnet_is_initialized_randomly_and_says_so(
    network: type[MNISTResNet | MNISTResSiameseNet], hub: Path
) -> None:
    assert not network(pretrained=True).pretrained
    assert not list(hub.iterdir())


class Opened:
    """An object whose unpickling runs code: it creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def cached(hub: Path) -> Path:
    return hub / Path(import_torchvision("models").ResNet18_Weights.DEFAULT.url).name


def test_a_cached_file_with_another_digest_is_refused_unread(hub: Path, tmp_path: Path) -> None:
    torch.save(Opened(tmp_path / "ran"), cached(hub))
    with pytest.raises(CheckpointError, match="not the published weights: wrong SHA-256; delete the file"):
        ResNet18(2, 10, pretrained=True)
    assert not (tmp_path / "ran").exists()


def test_no_code_of_a_cached_file_runs_even_with_the_digest(
    hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(Opened(tmp_path / "ran"), cached(hub))
    monkeypatch.setattr(resnet18, "PUBLISHED", hashlib.sha256(cached(hub).read_bytes()).hexdigest())
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        ResNet18(2, 10, pretrained=True)
    assert not (tmp_path / "ran").exists()


def test_cached_published_weights_are_used_except_for_stem_and_head(
    hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = import_torchvision("models").resnet18(weights=None).state_dict()
    torch.save(published, cached(hub))
    monkeypatch.setattr(resnet18, "PUBLISHED", hashlib.sha256(cached(hub).read_bytes()).hexdigest())
    network = ResNet18(2, 10, pretrained=True)
    assert network.pretrained
    for name, tensor in network.body.state_dict().items():
        if name == "conv1.weight":
            torch.testing.assert_close(tensor, published[name].mean(1, keepdim=True).expand(-1, 2, -1, -1))
        elif not name.startswith("fc."):
            assert torch.equal(tensor, published[name]), name
    assert MNISTResSiameseNet(pretrained=True).pretrained
    assert not MNISTResNet(pretrained=False).pretrained
