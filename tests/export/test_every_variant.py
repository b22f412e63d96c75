"""Every variant of the registry is exported with proof: graphs and C decide as the network does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import torch

from pairedge.image.tile import to_tile
from pairedge_export.c.proof import Build, c_checks
from pairedge_export.c.writing import MOST_WEIGHTS, c_files
from pairedge_export.parity import TOLERANCE, Parity
from pairedge_train.data.datasets import DataSet, Digits
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.networks.network import build_network
from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.networks.variants import variants
from pairedge_train.rendering.pen_digits import Look, draw_digit
from pairedge_train.training.checkpoint import Checkpoint
from pairedge_train.training.rounds import train_round

# Variants that differ from others in training alone: by dropout, or by the weights that they start from. One
# with dropout, where there is one, is exported for all of them.
STANDS_FOR = {
    **{
        f"{name}_dropout": (name,)
        for name in (
            "TwoChannels",
            "TwoBranches",
            "WeightSharingBranches",
            "BranchesToVec",
            "WeightSharingBranchesToVec",
            "WeightSharingAuxiliary",
            "DirectClassification",
        )
    },
    "a_w_net_dropout_0.5": (
        "a_w_net",
        "final_model",
        *(f"a_w_net_dropout_{share}" for share in (0.1, 0.2, 0.3, 0.6)),
    ),
    "a_w_net_affine": ("final_model_affine",),
    "MNISTResNet": ("MNISTResNet_pretrained",),
    "MNISTResSiameseNet": ("MNISTResSiameseNet_pretrained",),
}
EXPORTED = [name for name in variants() if not any(name in others for others in STANDS_FOR.values())]


@pytest.mark.parametrize(
    ("exported", "other"), [(name, other) for name, others in STANDS_FOR.items() for other in others]
)
def test_a_variant_that_is_not_exported_is_the_same_network_in_evaluation(exported: str, other: str) -> None:
    first, second = (
        build_network(Recipe().with_({"network.variant": name}).network).eval() for name in (exported, other)
    )
    assert type(first.body) is type(second.body)
    second.load_state_dict(first.state_dict())
    pairs = 255 * torch.rand(8, 2, 14, 14, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for one, same in zip(first(pairs), second(pairs), strict=True):
            assert (one is None) == (same is None)
            assert one is None or torch.equal(one, same)


@pytest.fixture(scope="module")
def drawn() -> Digits:
    """Three hundred drawn digits, each with a pen and a hand of its own."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, 300)
    looks = [
        Look(
            size=(56, 56),
            stroke=random.uniform(0.08, 0.2),
            height=random.uniform(0.5, 0.8),
            slant=random.uniform(-0.3, 0.3),
        )
        for _ in labels
    ]
    tiles = np.stack([to_tile(draw_digit(digit, look)) for digit, look in zip(labels, looks, strict=True)])
    return Digits(torch.from_numpy(tiles).float(), tiles, torch.from_numpy(labels))


class Trained(Mapping[str, Checkpoint]):
    """A checkpoint of each variant, trained when it is asked for."""

    def __init__(self, drawn: Digits) -> None:
        self.drawn = drawn

    def __getitem__(self, name: str) -> Checkpoint:
        # A few steps of training move the statistics of batch normalization from their start, where it would
        # change nothing, and let readings differ between tiles, without which every decision is the same.
        recipe = Recipe().with_(
            {
                "network.variant": name,
                "data.pairs": "all",
                "data.test_pairs": "all",
                "data.validation_pairs": 0,
                "data.normalize": "standardize",
                "optim.batch_size": 25,
                "optim.epochs": 1 if variants()[name].parameters > MOST_WEIGHTS else 4,
                "optim.lr": 1e-3,
            }
        )
        checkpoint, _ = train_round(recipe, DataSet(self.drawn, self.drawn))
        return checkpoint

    def __iter__(self) -> Iterator[str]:
        return iter(variants())

    def __len__(self) -> int:
        return len(variants())


Exported: TypeAlias = Callable[[str], tuple[Path, Parity]]  # a variant's folder and proof, by name


@pytest.fixture(scope="module")
def exported(drawn: Digits, exports_of: Callable[..., Mapping[str, tuple[Path, Parity]]]) -> Exported:
    return exports_of("every_variant", Trained(drawn), drawn).__getitem__


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPORTED)
def test_its_graphs_are_at_parity(name: str, exported: Exported) -> None:
    folder, parity = exported(name)
    assert parity.passed
    assert parity.difference() <= TOLERANCE
    body = variants()[name].build()
    three = isinstance(body, TwoBranches) and body.shares_weights and body.digit is not None
    kinds = {"pair", "digit", "compare"} if three else {"pair"}
    assert {path.stem for path in folder.glob("*.onnx")} == kinds
    assert {check.graph for check in parity.checks} == kinds
    assert {check.graph for check in parity.checks if "300 tiles" in check.name} == kinds


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in EXPORTED if variants()[name].parameters <= MOST_WEIGHTS])
def test_its_c_is_at_parity(name: str, exported: Exported, drawn: Digits, needs: Callable[..., None]) -> None:
    needs("gcc")
    folder, _ = exported(name)
    graphs = {path.stem: path.read_bytes() for path in folder.glob("*.onnx")}
    checks = c_checks(graphs, c_files(graphs), drawn.tiles, [Build("gcc", "gcc", ("-O1",))])
    assert {check.graph for check in checks} == set(graphs)
    assert all(check.passed for check in checks)


def test_only_residual_networks_of_millions_of_weights_are_not_written_in_c() -> None:
    large = {name for name, variant in variants().items() if variant.parameters > MOST_WEIGHTS}
    assert {name.removesuffix("_pretrained") for name in large} == {"MNISTResNet", "MNISTResSiameseNet"}
